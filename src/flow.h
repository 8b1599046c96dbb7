/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow - one direction of a session: bytes go from its source to its sink, and the end of the stream follows them.
 *
 *              read_to                 write_to
 *     source ----------> [ store ] ----------> sink        held = read - written <= held_max
 *
 * What is read goes through the worker's scratch buffer and on to the sink at once; only what the sink refuses is held.
 * A flow whose turns bring much goes through one of the worker's pipes instead, and is not copied at all. A flow knows endpoints, its store and its standing with the policies; it knows neither sockets nor time, both are
 * handed in.
 */
#ifndef FLOW_H
#define FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "endpoint.h"
#include "meter.h"
#include "standing.h"
#include "store.h"

/* How far a flow has come towards its end. */
enum flow_end {
	FLOW_OPEN,      /* the source may bring more */
	FLOW_ENDING,    /* the source has ended; its last bytes are still held */
	FLOW_FINISHED,  /* all bytes are with the sink, and the end too */
	FLOW_TRUNCATED, /* the source broke: what is held may still go, a clean end may not */
	FLOW_DROPPED,   /* the sink broke: nothing can be delivered any more */
};

/* What policies may ask for, if one of them does. */
struct flow_samples {
	uint64_t taken_at; /* ns, 0: never */
	uint64_t interval; /* ns to the next ones */
	uint64_t unread;
	uint64_t rtt;
};

struct flow {
	uint8_t direction; /* enum weir_direction */
	uint8_t end;       /* enum flow_end */
	uint8_t splice;    /* enum pipe_use */
	bool more;         /* wants another turn, without waiting for anything */
	bool no_memory;    /* bytes could not be stored: the session cannot go on */
	bool short_of;     /* the memory limit let nothing be read in this turn */
	bool asked;        /* somebody wants the policies to be asked anew */
	bool bulk : 1;     /* goes through a pipe, if there is one */
	bool end_told : 1; /* the policies know that the source has ended */
	struct endpoint *source;
	struct endpoint *sink;
	struct flow_samples *samples; /* NULL: nobody needs them */
	struct store store;
	struct standing standing;
	struct meter meter;
	uint64_t read; /* bytes, ever; so are the next */
	uint64_t written;
	uint64_t acked;
	uint64_t chunks;        /* reads that brought bytes */
	uint64_t held_max;      /* the most that was held at once */
	uint64_t moved_at;      /* ns: when bytes, or the end, moved last */
	uint64_t taken_at;      /* ns: when the sink last took something, or began to refuse what there is */
	uint64_t drain_rate;    /* bytes per second */
	uint64_t drain_since;   /* ns, begin of the interval being measured; 0: none */
	uint64_t drain_written; /* written at that time */
	uint32_t pace;          /* bytes read in a turn, averaged over those that brought some */
};

/* Bytes that a flow needs beside itself: its samples and pauses. */
size_t flow_room(const struct stack *stack);

/* `room` is the session's, and all zero. */
void flow_init(struct flow *flow, const struct standing_owner *owner, enum weir_direction direction, uint64_t now,
	char *room);

/* Both ends are there: the flow may begin. */
void flow_attach(struct flow *flow, struct endpoint *source, struct endpoint *sink, enum pipe_use splice, uint64_t now);

/* One turn: asks the policies, moves at most CONTEXT_SCRATCH bytes, tells what happened, passes the end on. */
void flow_turn(struct flow *flow, uint64_t now);

/* Reads no more: what is held may still go, and a clean end only if the source has ended by now. */
void flow_stop(struct flow *flow);

/* The sink is gone: drops what is held, and reads no more. */
void flow_drop(struct flow *flow, uint64_t now);

/* Tells the policies, and gives back every lease. Statistics stay readable. */
void flow_close(struct flow *flow, uint64_t now);

/* When a policy wants to be asked again, or a sample is due; WEIR_NEVER if neither. */
uint64_t flow_deadline(const struct flow *flow);

/* Whether nothing more will come through. */
bool flow_over(const struct flow *flow);

/* Whether a policy alone keeps from the sink what is held, or, if nothing is, what the source has. */
bool flow_is_held(const struct flow *flow);

/* Since when the sink has taken nothing of what is held; WEIR_NEVER if it is not stalled. */
uint64_t flow_stalled_since(const struct flow *flow);

#endif
