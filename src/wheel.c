/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel - see wheel.h for the invariant everything here keeps.
 */
#include "wheel.h"

#include <stddef.h>

#define WHEEL_MAX_AHEAD ((UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS)) - 1)

static unsigned digit(uint64_t tick, unsigned level)
{
	return (unsigned)(tick >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1);
}

void wheel_init(struct wheel *wheel, uint64_t now)
{
	wheel->now = now;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		wheel->used[level] = 0;
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			LIST_INIT(&wheel->slots[level][slot]);
	}
}

static void insert(struct wheel *wheel, struct wheel_timer *timer)
{
	uint64_t differs = timer->tick ^ wheel->now; /* not 0: the tick is ahead */
	unsigned level = (63U - (unsigned)__builtin_clzll(differs)) / WHEEL_BITS;
	unsigned slot;

	if (level >= WHEEL_LEVELS)
		level = WHEEL_LEVELS - 1;
	slot = digit(timer->tick, level);
	timer->level = (uint8_t)level;
	timer->slot = (uint8_t)slot;
	timer->set = true;
	LIST_INSERT_HEAD(&wheel->slots[level][slot], timer, link);
	wheel->used[level] |= UINT64_C(1) << slot;
}

void wheel_set(struct wheel *wheel, struct wheel_timer *timer, uint64_t tick)
{
	uint64_t top = wheel->now | WHEEL_MAX_AHEAD; /* beyond it the levels end: fire early, who asks sets it again */

	wheel_clear(wheel, timer);
	if (tick <= wheel->now)
		tick = wheel->now + 1;
	timer->tick = tick < top ? tick : top;
	insert(wheel, timer);
}

void wheel_clear(struct wheel *wheel, struct wheel_timer *timer)
{
	if (!timer->set)
		return;
	LIST_REMOVE(timer, link);
	timer->set = false;
	if (LIST_EMPTY(&wheel->slots[timer->level][timer->slot]))
		wheel->used[timer->level] &= ~(UINT64_C(1) << timer->slot);
}

uint64_t wheel_next(const struct wheel *wheel)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		if (wheel->used[level] != 0) {
			unsigned shift = WHEEL_BITS * level;
			uint64_t above = wheel->now >> shift >> WHEEL_BITS << WHEEL_BITS;

			return (above | (unsigned)__builtin_ctzll(wheel->used[level])) << shift;
		}
	}
	return UINT64_MAX;
}

/* now has reached the begin of the first slot of this level: its timers belong further down. */
static void cascade(struct wheel *wheel, unsigned level)
{
	struct wheel_list *list = &wheel->slots[level][digit(wheel->now, level)];
	struct wheel_timer *timer;

	while ((timer = LIST_FIRST(list)) != NULL) {
		wheel_clear(wheel, timer);
		if (timer->tick > wheel->now)
			insert(wheel, timer);
		else {
			/* due: back to level 0, where wheel_expire() looks */
			timer->level = 0;
			timer->slot = (uint8_t)digit(wheel->now, 0);
			timer->set = true;
			LIST_INSERT_HEAD(&wheel->slots[0][timer->slot], timer, link);
			wheel->used[0] |= UINT64_C(1) << timer->slot;
		}
	}
}

static struct wheel_timer *take_due(struct wheel *wheel)
{
	struct wheel_timer *timer = LIST_FIRST(&wheel->slots[0][digit(wheel->now, 0)]);

	if (timer != NULL)
		wheel_clear(wheel, timer);
	return timer;
}

struct wheel_timer *wheel_expire(struct wheel *wheel, uint64_t now)
{
	for (;;) {
		struct wheel_timer *timer = take_due(wheel);
		uint64_t next;

		if (timer != NULL)
			return timer;
		next = wheel_next(wheel);
		if (next > now) {
			if (now > wheel->now)
				wheel->now = now;
			return NULL;
		}
		wheel->now = next;
		for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--)
			if ((wheel->now & ((UINT64_C(1) << (WHEEL_BITS * level)) - 1)) == 0)
				cascade(wheel, level);
	}
}
