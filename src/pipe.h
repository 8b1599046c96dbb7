/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe - what bytes go through that are moved by splice(2), and where they lie while the sink refuses them.
 *
 * A worker keeps a few open. A flow borrows one when it moves bytes in bulk and gives it back as soon as it is empty, so
 * that flows whose sinks keep up share one pipe as they share one scratch buffer, and only those that hold bytes keep
 * their own. A pipe that still has bytes is never given to another flow.
 *
 * Its slots are filled by pieces, not by bytes: it can be full with less than its capacity, and is charged as if it were
 * full. Beyond fs.pipe-user-pages-soft the kernel makes pipes of a page or two for an unprivileged user; such are of no use.
 */
#ifndef PIPE_H
#define PIPE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a flow goes through a pipe. */
enum pipe_use {
	PIPE_USE_AUTO, /* when it proves to be bulk */
	PIPE_USE_ON,   /* whenever it can */
	PIPE_USE_OFF,
};

#define PIPE_CAPACITY (256 * 1024) /* bytes, asked for */
#define PIPE_CAPACITY_MIN (64 * 1024)

struct pipe {
	struct pipe *next; /* while it is spare */
	int to;            /* descriptor that is written to */
	int from;          /* and read from */
	uint32_t capacity; /* bytes; at most PIPE_CAPACITY, whatever the kernel gave */
	uint64_t held;     /* bytes */
	/* how old they are: the first `known` bytes were read at `born`, those behind them at `later` or after */
	uint64_t born;
	uint64_t later;
	uint64_t known;
};

struct pipes {
	struct pipe *spare;
	uint32_t spare_count;
	uint32_t count; /* spare and borrowed */
	uint32_t max;
	uint64_t retry_at; /* ns: makes none before, after the kernel refused one */
};

/* At most `max` pipes at once. */
void pipes_init(struct pipes *pipes, uint32_t max);
void pipes_destroy(struct pipes *pipes); /* none may be borrowed */

/* An empty pipe, the caller's until it is put back; or NULL: there are max, or descriptors or pipe pages are short. */
struct pipe *pipes_take(struct pipes *pipes, uint64_t now) __attribute__((warn_unused_result));
void pipes_put(struct pipes *pipes, struct pipe *pipe); /* what it holds is lost */

/* Bytes that may go in. */
uint32_t pipe_room(const struct pipe *pipe);

/* Bytes went in, and came out. */
void pipe_filled(struct pipe *pipe, uint64_t length, uint64_t now);
void pipe_drained(struct pipe *pipe, uint64_t length);

#endif
