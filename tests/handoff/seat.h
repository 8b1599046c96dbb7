/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seat - a slot of a worker: nobody, a client that waits to be accepted, or a session between two fake ends, whose peers do
 * what chance says. Its worker's thread only, but for grants and wakes.
 */
#ifndef SEAT_H
#define SEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "admission.h"
#include "fake.h"
#include "listener.h"
#include "session.h"

struct worker;

enum seat_state {
	SEAT_EMPTY,
	SEAT_WAITING, /* for what a session needs before it is accepted */
	SEAT_TAKEN,   /* until the session is released */
};

/* Lines of a stream that both sides know, as far as they have been counted. */
struct seat_lines {
	uint64_t count;
	uint64_t end; /* behind the last of them */
};

struct seat {
	struct session session; /* first */
	struct fake client;
	struct fake server;
	struct worker *worker;
	struct listener *listener;
	struct admission admission;
	struct mail mail; /* brings the news of a grant to an admission */
	struct address peer;
	enum seat_state state;
	bool gone;    /* the client left while a grant was on its way */
	bool dialing; /* the session waits to be connected */
	bool counted; /* it has its units of the limits on sessions */
	struct seat_lines asked;
	struct seat_lines answered;
};

void seat_init(struct seat *seat, struct worker *worker, uint32_t slot);

/* Something happens. */
void seat_play(struct seat *seat, uint64_t now);

/* Nothing more begins, and whatever goes on comes to its end soon. */
void seat_finish(struct seat *seat, uint64_t now);

/* Delivers events, if there are any. */
bool seat_deliver(struct seat *seat);

/* Units of a pool that it has, grants under way included. Nobody may run. */
uint64_t seat_lent(const struct seat *seat, const struct pool *pool);

/* Bytes read from a source and not acknowledged by the sink, if both are well. */
uint64_t seat_in_flight(const struct seat *seat, int direction);

/* That its flows own what they are to own. Nobody may run. */
void seat_check_floors(const struct seat *seat);

/* The granted() of admissions, for order_begin(). */
void seat_granted(struct pool_ticket *ticket);

#endif
