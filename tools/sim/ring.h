/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring - what is under way, in the order of its arrival.
 */
#ifndef RING_H
#define RING_H

#include <stdint.h>

/* Something that arrives, or came in, at a time: the stream up to a position. */
struct sim_parcel {
	uint64_t at;       /* ns */
	uint64_t position; /* forth: the stream up to there; back: what is acknowledged */
	uint64_t edge;     /* back: up to where the receiver has room */
};

/* All zero: empty. */
struct sim_ring {
	struct sim_parcel *parcels;
	uint32_t room; /* a power of two, or 0 */
	uint32_t first;
	uint32_t count;
};

/* Behind all others. One of the same time as the last takes its place: positions say all that those before them said. 0,
   or -1 when memory is short. */
int ring_push(struct sim_ring *ring, const struct sim_parcel *parcel) __attribute__((warn_unused_result));

void ring_pop(struct sim_ring *ring);   /* the first, which must be there */
void ring_clear(struct sim_ring *ring); /* and frees its memory */

static inline struct sim_parcel *ring_first(const struct sim_ring *ring)
{
	return &ring->parcels[ring->first];
}

/* When the first arrives; UINT64_MAX if there is none. */
static inline uint64_t ring_due(const struct sim_ring *ring)
{
	return ring->count == 0 ? UINT64_MAX : ring_first(ring)->at;
}

#endif
