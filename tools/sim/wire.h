/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - one direction of a TCP connection: a sender's queue, a way that takes time, a receiver's queue and its window.
 *
 *     written          sent        arrived      taken         positions in the stream; taken <= arrived <= sent
 *        |--- unsent ---|-- flight --|-- unread --|           sent <= edge: what the receiver has offered, and the sender heard of
 *
 * The end of the stream takes a position of its own, behind the last byte, and needs room in the window like any other.
 * A reset needs none; it comes behind what is in flight, and what is unsent is lost.
 *
 * The wire knows no application: who owns it looks what came of wire_run(), wire_push() and wire_take().
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "least.h"
#include "ring.h"

#define WIRE_NEVER UINT64_MAX
#define WIRE_UNLIMITED UINT64_MAX
#define WIRE_MSS 1448 /* bytes of a segment */

struct sim_wire {
	/* what it is */
	uint64_t delay;     /* ns, one way */
	uint64_t bandwidth; /* bytes per second; WIRE_UNLIMITED */
	uint64_t buffer;    /* bytes that the receiver has room for */
	uint64_t step;      /* the receiver tells of room when it is so much more (no silly windows) */
	uint64_t piece;     /* a way of limited bandwidth is given so much at once */
	/* where it is */
	uint64_t written;  /* bytes that the sender's kernel has taken, ever */
	uint64_t sent;     /* position; with ended, the end's is `written` */
	uint64_t arrived;  /* position */
	uint64_t taken;    /* bytes that the receiver has read, ever */
	uint64_t acked;    /* position: arrived, as far as the sender knows */
	uint64_t offered;  /* position: the right edge of the window, as told last */
	uint64_t edge;     /* the same, as far as the sender knows */
	uint64_t free_at;  /* ns: the way is busy until then */
	uint64_t reset_at; /* ns: a reset arrives; WIRE_NEVER: none is under way */
	bool ended;        /* the sender writes no more */
	bool reset;        /* a reset has arrived */
	bool cut;          /* the sender has reset, or was: nothing is sent any more */
	bool deaf;         /* the receiver takes nothing any more: what arrives is lost */
	bool failed;       /* there was no memory for what is under way */
	struct sim_ring forth;
	struct sim_ring back;
};

void wire_init(struct sim_wire *wire, uint64_t round_trip, uint64_t bandwidth, uint64_t buffer);
void wire_destroy(struct sim_wire *wire);

/* The sender's kernel takes bytes, the end, or a reset. */
void wire_write(struct sim_wire *wire, uint64_t length);
void wire_end(struct sim_wire *wire);
void wire_cut(struct sim_wire *wire, uint64_t now); /* resets */
void wire_stop(struct sim_wire *wire);              /* sends nothing any more: it was reset itself */

/* Sends what may be sent. */
void wire_send(struct sim_wire *wire, uint64_t now);

/* The receiver reads; at most wire_unread(). */
void wire_take(struct sim_wire *wire, uint64_t length, uint64_t now);

/* Lets arrive what is due, there and here. */
void wire_run(struct sim_wire *wire, uint64_t now);

/* Positions that the sender has, and may send as far as he knows. */
static inline uint64_t wire_sendable(const struct sim_wire *wire)
{
	return wire->cut ? 0 : least(wire->written + wire->ended, wire->edge) - wire->sent;
}

/* The same as wire_send(); true if anything was sent. */
static inline bool wire_push(struct sim_wire *wire, uint64_t now)
{
	if (wire_sendable(wire) == 0 || wire->free_at > now)
		return false;
	wire_send(wire, now);
	return true;
}

/* When wire_run() or wire_push() is to be called again; WIRE_NEVER: only when something else happens. */
static inline uint64_t wire_due(const struct sim_wire *wire)
{
	uint64_t at = least(wire->reset_at, least(ring_due(&wire->forth), ring_due(&wire->back)));

	return wire_sendable(wire) > 0 ? least(at, wire->free_at) : at;
}

static inline uint64_t wire_unsent(const struct sim_wire *wire) /* bytes */
{
	return wire->cut || wire->sent > wire->written ? 0 : wire->written - wire->sent;
}

static inline uint64_t wire_queued(const struct sim_wire *wire) /* positions that the sender keeps: not acknowledged */
{
	return wire->cut ? 0 : wire->written + wire->ended - wire->acked;
}

static inline bool wire_end_arrived(const struct sim_wire *wire)
{
	return wire->ended && wire->arrived > wire->written;
}

static inline uint64_t wire_unread(const struct sim_wire *wire) /* bytes in the receiver's queue */
{
	return (wire_end_arrived(wire) ? wire->written : wire->arrived) - wire->taken;
}

#endif
