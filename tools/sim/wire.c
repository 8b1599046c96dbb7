/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - positions that follow each other. A way without length has nothing under way: what is sent has arrived.
 */
#include "wire.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)
#define PIECE_TIME UINT64_C(1000000) /* ns: what goes out at once keeps the way busy for so long, ... */
#define PIECE_MAX UINT64_C(65536)    /* ... but is no more than that, */
#define PIECE_MIN WIRE_MSS           /* and a segment at least */

static uint64_t piece_of(uint64_t bandwidth)
{
	uint64_t piece = bandwidth / (SECOND / PIECE_TIME);

	return piece < PIECE_MIN ? PIECE_MIN : least(piece, PIECE_MAX);
}

void wire_init(struct sim_wire *wire, uint64_t round_trip, uint64_t bandwidth, uint64_t buffer)
{
	memset(wire, 0, sizeof(*wire));
	wire->delay = round_trip / 2;
	wire->bandwidth = bandwidth;
	wire->piece = bandwidth == WIRE_UNLIMITED ? WIRE_UNLIMITED : piece_of(bandwidth);
	wire->buffer = buffer;
	wire->step = least(buffer - buffer / 2, UINT64_C(2) * WIRE_MSS);
	wire->offered = buffer;
	wire->edge = buffer;
	wire->reset_at = WIRE_NEVER;
}

/* ---- what is under way --------------------------------------------------------------------------------------------- */

void wire_destroy(struct sim_wire *wire)
{
	ring_clear(&wire->forth);
	ring_clear(&wire->back);
}

/* ---- the way back -------------------------------------------------------------------------------------------------- */

static void hear(struct sim_wire *wire, const struct sim_parcel *parcel)
{
	wire->acked = parcel->position;
	wire->edge = parcel->edge;
}

/* An acknowledgement, which tells of all the room there is. */
static void answer(struct sim_wire *wire, uint64_t now)
{
	struct sim_parcel parcel = {now + wire->delay, wire->arrived, wire->taken + wire->buffer};

	wire->offered = parcel.edge;
	if (wire->delay == 0)
		hear(wire, &parcel);
	else if (!wire->cut && ring_push(&wire->back, &parcel) != 0)
		wire->failed = true;
}

/* ---- the way forth ------------------------------------------------------------------------------------------------- */

static void arrive(struct sim_wire *wire, uint64_t position, uint64_t now)
{
	wire->arrived = position;
	if (wire->deaf)
		wire->taken += wire_unread(wire); /* it goes nowhere */
	answer(wire, now);
}

void wire_write(struct sim_wire *wire, uint64_t length)
{
	wire->written += length;
}

void wire_end(struct sim_wire *wire)
{
	wire->ended = true;
}

void wire_stop(struct sim_wire *wire)
{
	wire->cut = true;
	wire->back.count = 0;
}

void wire_cut(struct sim_wire *wire, uint64_t now)
{
	if (wire->cut)
		return;
	wire_stop(wire);
	wire->reset_at = (wire->free_at > now ? wire->free_at : now) + wire->delay;
}

/* ns that a way of limited bandwidth needs for so many bytes */
static uint64_t busy_for(const struct sim_wire *wire, uint64_t length)
{
	return (uint64_t)((unsigned __int128)length * SECOND / wire->bandwidth) + 1;
}

static void dispatch(struct sim_wire *wire, uint64_t length, uint64_t now)
{
	struct sim_parcel parcel = {now + wire->delay, wire->sent + length, 0};

	wire->sent += length;
	if (wire->bandwidth != WIRE_UNLIMITED) {
		wire->free_at = now + busy_for(wire, length);
		parcel.at = wire->free_at + wire->delay;
	}
	if (parcel.at == now)
		arrive(wire, parcel.position, now);
	else if (ring_push(&wire->forth, &parcel) != 0)
		wire->failed = true;
}

void wire_send(struct sim_wire *wire, uint64_t now)
{
	uint64_t length;

	while ((length = wire_sendable(wire)) > 0 && wire->free_at <= now)
		dispatch(wire, least(length, wire->piece), now);
}

void wire_take(struct sim_wire *wire, uint64_t length, uint64_t now)
{
	wire->taken += length;
	if (wire->taken + wire->buffer - wire->offered >= wire->step)
		answer(wire, now);
}

void wire_run(struct sim_wire *wire, uint64_t now)
{
	while (ring_due(&wire->back) <= now) {
		hear(wire, ring_first(&wire->back));
		ring_pop(&wire->back);
	}
	while (ring_due(&wire->forth) <= now) {
		arrive(wire, ring_first(&wire->forth)->position, now);
		ring_pop(&wire->forth);
	}
	if (wire->reset_at <= now) {
		wire->reset_at = WIRE_NEVER;
		wire->reset = true;
	}
}
