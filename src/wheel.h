/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel - a hierarchical timer wheel over ticks: setting and clearing is constant, and so is asking what comes next.
 *
 * A timer lies at the level of the highest 6-bit digit in which its tick differs from the wheel's now, in the slot of
 * that digit. All slots in use are therefore ahead of now's own digit, everything on a lower level comes before
 * everything on a higher one, and the next thing to happen is the lowest bit of the lowest level in use.
 */
#ifndef WHEEL_H
#define WHEEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_BITS 6
#define WHEEL_SLOTS (1U << WHEEL_BITS)
#define WHEEL_LEVELS 7 /* 2^42 ticks: 139 years of milliseconds */

struct wheel_timer {
	LIST_ENTRY(wheel_timer) link;
	uint64_t tick;
	uint8_t level;
	uint8_t slot;
	bool set;
};

LIST_HEAD(wheel_list, wheel_timer);

struct wheel {
	uint64_t now;
	uint64_t used[WHEEL_LEVELS]; /* a bit for each slot that is not empty */
	struct wheel_list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now);

/* Sets, or moves, a timer. A tick that is not ahead of now fires at now + 1. */
void wheel_set(struct wheel *wheel, struct wheel_timer *timer, uint64_t tick);
void wheel_clear(struct wheel *wheel, struct wheel_timer *timer); /* one that is not set is fine */

/*
 * Moves now on, at most to `now`, and returns a timer that is due, cleared; NULL when none is due any more, and then
 * wheel->now = now. Call it until it returns NULL; timers may be set and cleared between the calls.
 */
struct wheel_timer *wheel_expire(struct wheel *wheel, uint64_t now);

/* A tick not after the earliest timer, but after now, at which wheel_expire() should be called; UINT64_MAX if none. */
uint64_t wheel_next(const struct wheel *wheel);

#endif
