/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring - grows by doubling, and never shrinks.
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 8

static int grow(struct sim_ring *ring)
{
	uint32_t room = ring->room == 0 ? ROOM_MIN : 2 * ring->room;
	struct sim_parcel *parcels = malloc(room * sizeof(*parcels));

	if (parcels == NULL)
		return -1;
	for (uint32_t i = 0; i < ring->count; i++)
		parcels[i] = ring->parcels[(ring->first + i) & (ring->room - 1)];
	free(ring->parcels);
	ring->parcels = parcels;
	ring->room = room;
	ring->first = 0;
	return 0;
}

int ring_push(struct sim_ring *ring, const struct sim_parcel *parcel)
{
	if (ring->count > 0) {
		struct sim_parcel *last = &ring->parcels[(ring->first + ring->count - 1) & (ring->room - 1)];

		if (last->at == parcel->at) {
			*last = *parcel;
			return 0;
		}
	}
	if (ring->count == ring->room && grow(ring) != 0)
		return -1;
	ring->parcels[(ring->first + ring->count++) & (ring->room - 1)] = *parcel;
	return 0;
}

void ring_pop(struct sim_ring *ring)
{
	ring->first = (ring->first + 1) & (ring->room - 1);
	ring->count--;
}

void ring_clear(struct sim_ring *ring)
{
	free(ring->parcels);
	memset(ring, 0, sizeof(*ring));
}
