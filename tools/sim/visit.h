/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * visit - one session's coming and going: its slot, the server's answer, the client's leaving, and its burial.
 */
#ifndef VISIT_H
#define VISIT_H

#include <stdint.h>

#include "world.h"

/* Once for a slot's life; argument: the sim_worker. */
void visit_slot_init(void *slot, uint32_t number, void *argument);

/* A client has been admitted, and what that took is the session's now. 0, or -1 when memory is short: the world ends. */
int visit_begin(struct sim_traffic *traffic, uint64_t now) __attribute__((warn_unused_result));

/* Buries it, if weir has released it and nothing will happen at its ends any more. */
void visit_settle(struct sim_session *visit);

/* Buries it, although something might. weir has released it. */
void visit_bury(struct sim_session *visit);

/* Both applications write no more. */
void visit_drain(struct sim_session *visit, uint64_t now);

#endif
