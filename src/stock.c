/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stock - an array, and a timer that runs while there is something in it.
 */
#include "stock.h"

#include <string.h>

#include "container.h"

static void remove_some(struct stock *stock, unsigned first, unsigned count)
{
	unsigned behind = first + count;

	memmove(&stock->entries[first], &stock->entries[behind], (stock->count - behind) * sizeof(stock->entries[0]));
	stock->count -= count;
	if (stock->unused > stock->count)
		stock->unused = stock->count;
}

static void drop_oldest(struct stock *stock, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		stock->drop(stock->entries[i].item);
	remove_some(stock, 0, count);
}

/* What was not needed since the last time will not be missed. */
static void fire_timer(struct timer *timer, uint64_t now)
{
	struct stock *stock = CONTAINER(timer, struct stock, timer);

	drop_oldest(stock, stock->unused);
	stock->unused = stock->count;
	if (stock->count > 0)
		sched_timer_set(stock->sched, timer, now + STOCK_PATIENCE);
	else
		stock->sched = NULL;
}

void *stock_take(struct stock *stock, const void *kind)
{
	for (unsigned i = stock->count; i-- > 0;) {
		void *item = stock->entries[i].item;

		if (stock->entries[i].kind != kind)
			continue;
		remove_some(stock, i, 1);
		return item;
	}
	return NULL;
}

bool stock_put(struct stock *stock, struct sched *sched, void (*drop)(void *item), const void *kind, void *item,
	uint64_t now)
{
	if (stock->count == STOCK_MAX)
		return false;
	stock->entries[stock->count++] = (struct stock_entry){kind, item};
	stock->drop = drop;
	if (stock->sched == NULL) {
		stock->sched = sched;
		stock->unused = 0;
		timer_init(&stock->timer, fire_timer);
		sched_timer_set(sched, &stock->timer, now + STOCK_PATIENCE);
	}
	return true;
}

bool stock_clear(struct stock *stock)
{
	bool any = stock->count > 0;

	drop_oldest(stock, stock->count);
	return any; /* the timer finds out */
}
