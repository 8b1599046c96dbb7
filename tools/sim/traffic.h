/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic - clients that come: many at once, or one after the other at random times.
 *
 * Who finds weir full waits at its door, as in a listening socket's backlog. Each section is such a door: as an acceptor
 * does, it queues for its first client, beside all others who want to be admitted and the flows that want the same units.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <stdint.h>

#include "world.h"

#define TRAFFIC_EVENTS 2 /* that it may have entered */

void traffic_init(struct sim_traffic *traffic, struct sim_world *world, unsigned number, struct sim_listener *listener);

/* Nobody comes any more, and who waits goes home. */
void traffic_stop(struct sim_traffic *traffic);

/* Lets in who waits, if what was waited for has been granted. */
void traffic_admit(struct sim_traffic *traffic, uint64_t now);

/* The next client's address, and when a session that begins now is left by its client. */
void traffic_address(const struct sim_traffic *traffic, struct address *address);
uint64_t traffic_leave_at(struct sim_traffic *traffic, uint64_t now);

#endif
