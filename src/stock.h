/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stock - things that cost something to make, kept for a while after use because the next one is likely to be needed
 * soon.
 *
 * The last one in is the first one out, so what lies unused is at the bottom; what was not needed for a time is dropped.
 * It knows nothing of the things. All zero: empty.
 */
#ifndef STOCK_H
#define STOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "sched.h"

#define STOCK_MAX 64
#define STOCK_PATIENCE (UINT64_C(250) * 1000000) /* ns that one may lie unused; up to twice that */

struct stock {
	unsigned count;
	unsigned unused;     /* the least that there were since the timer last fired */
	struct sched *sched; /* NULL: the timer is not set */
	struct timer timer;
	void (*drop)(void *item);
	struct stock_entry {
		const void *kind; /* what can take each other's place has the same */
		void *item;
	} entries[STOCK_MAX]; /* in the order they came */
};

/* One of this kind, or NULL. */
void *stock_take(struct stock *stock, const void *kind);

/* False: there is no room, and the item is still the caller's. drop() is called for those that nobody takes. */
bool stock_put(struct stock *stock, struct sched *sched, void (*drop)(void *item), const void *kind, void *item,
	uint64_t now) __attribute__((warn_unused_result));

/* Drops all; whether there were any. */
bool stock_clear(struct stock *stock);

#endif
