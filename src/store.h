/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store - the bytes a flow holds, in the order they came.
 *
 * They lie in segments of 4 KiB and 32 KiB (headers included), each filled at its end and emptied at its begin; those of
 * a flow that moves in bulk lie in a pipe. A store that has both has the older bytes in the pipe:
 *
 *     pipe          head                              tail
 *     [##########]  [....##########] [##############] [####......]     . spent or free, # held
 *
 * An empty store has neither: memory is spent only where there is backpressure. What it costs is counted in pages of
 * 4 KiB by capacity, not by content, so that a thousand flows holding one byte each are not free.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "depot.h"
#include "pipe.h"

#define STORE_PAGE 4096
#define STORE_SEGMENT_PAGES 8 /* a large segment */

struct segment;

/* Where the segments of one worker's stores come from. */
struct store_depots {
	struct depot small;
	struct depot large;
	bool lengths; /* segments are counted, filled and aged as ever, but have no bytes */
};

void store_depots_init(struct store_depots *depots);

/*
 * For simulations: stores that know lengths only, so that terabytes cost no copying. store_append() does not look at its
 * bytes then, and what store_peek() and store_at() point at is NULL.
 */
void store_depots_init_lengths(struct store_depots *depots);
void store_depots_destroy(struct store_depots *depots); /* every store must be empty */

struct store {
	struct store_depots *depots;
	struct segment *head;
	struct segment *tail;
	struct pipe *pipe; /* NULL: none. Borrowed by the flow, which gives it back when it is empty */
	uint64_t held;     /* bytes */
	uint32_t pages;    /* capacity */
};

void store_init(struct store *store, struct store_depots *depots);
void store_clear(struct store *store); /* the pipe has been taken away before */

/* Copies bytes to the end; `now` is when they were read. 0, or -1 when memory is short, with the store as it was. */
int store_append(struct store *store, const void *bytes, size_t length, uint64_t now)
	__attribute__((warn_unused_result));

/* Lets bytes go through a pipe from now on; nothing may lie in segments. */
void store_set_pipe(struct store *store, struct pipe *pipe);

/* The pipe is the caller's again, and what it holds is no longer held. NULL: there is none. */
struct pipe *store_take_pipe(struct store *store);

/* Bytes were moved into the pipe. */
void store_filled(struct store *store, uint64_t length, uint64_t now);

/* Bytes held in the pipe: they come before all others. */
uint64_t store_piped(const struct store *store);

/* Points iov at up to `limit` bytes from the begin, in at most `count` pieces; returns how many pieces. None may be in a
   pipe. */
int store_peek(const struct store *store, struct iovec *iov, int count, uint64_t limit);

/* The piece of a segment that holds the byte `offset` bytes behind the begin, up to the piece's end; length 0 at the store's end. */
struct iovec store_at(const struct store *store, uint64_t offset);

/* Drops bytes from the begin; at most what is held. */
void store_consume(struct store *store, uint64_t length);

/* Pages that appending so many bytes would add, and the bytes that so many more pages could take. */
uint32_t store_pages_for(const struct store *store, uint64_t length);
uint64_t store_fits(const struct store *store, uint32_t pages);

/* When the oldest bytes were read, or some time before; 0 if nothing is held. */
uint64_t store_oldest(const struct store *store);

#endif
