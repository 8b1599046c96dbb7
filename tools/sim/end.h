/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * end - weir's endpoint of a simulated connection, and what goes on behind it.
 *
 * As Linux does it: writes are taken while less than notsent_lowat is unsent and the send buffer has room, in pieces of up
 * to 64 KiB or half the peer's window, so that one begun just below the mark goes beyond it by at most a piece. After one that came up short, room
 * makes an edge when less than half the mark is unsent and a third of the buffer is free. A reset leaves what is unread
 * readable, purges the send queue, and its error is told once; behind an end it is EPIPE. Closing with unread bytes
 * resets; so does what arrives at a closed socket.
 *
 * Events are edges. What happens, happens at once, but weir is told between two rounds, as an event loop would.
 */
#ifndef END_H
#define END_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

/* The two laws, and the number of what is sent here; the listener is the one whose sockets' buffers it has. */
void end_init(struct sim_end *end, struct sim_session *session, const struct scenario_source *source,
	const struct scenario_sink *sink, uint32_t number);
void end_destroy(struct sim_end *end);

/* The connection is there: the applications begin. */
void end_begin(struct sim_end *end, uint64_t now);

/* The peer's application writes no more, or resets the connection. */
void end_leave(struct sim_end *end, bool reset, uint64_t now);

/* Tells weir what happened. */
void end_deliver(struct sim_end *end);

/* Whether weir has closed it, and nothing will happen here any more. */
bool end_rests(const struct sim_end *end);

#endif
