/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order - looks over the pools' shoulders: whatever calls pool_init(), pool_wait() and pool_destroy() comes through here (the
 * linker's --wrap). Whoever queued earlier must be served earlier; whoever destroys a pool must find it whole.
 *
 * What is noted here is noted by relaxed atomics: threads that do not synchronise with each other must not begin to because
 * they are watched.
 */
#ifndef ORDER_H
#define ORDER_H

#include <stdint.h>

#include "pool.h"

/* Tickets that call this function themselves call order_granted() from it; all others are led there. */
void order_begin(void (*own)(struct pool_ticket *ticket));

/* This thread's number. */
void order_worker(unsigned worker);

/* A ticket is granted: with the pool's lock held. */
void order_granted(struct pool_ticket *ticket);

struct order_counts {
	uint64_t queued;
	uint64_t granted;
	uint64_t across; /* of them, by another thread than queued */
};

struct order_counts order_counts(void);

#endif
