/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer wheel, against a model that looks at every timer every time. _i is a seed.
 */
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "unit.h"
#include "wheel.h"

#define TIMERS 200

static struct wheel wheel;
static struct wheel_timer timers[TIMERS];
static uint64_t model[TIMERS]; /* tick, 0: not set */

/* Near ones mostly, but every level has its turn. */
static uint64_t draw_distance(void)
{
	return draw(UINT64_C(1) << (draw(7) * 6 + draw(6)));
}

static void begin(uint64_t now)
{
	memset(timers, 0, sizeof(timers));
	memset(model, 0, sizeof(model));
	wheel_init(&wheel, now);
}

static void set(size_t i, uint64_t tick)
{
	wheel_set(&wheel, &timers[i], tick);
	model[i] = tick > wheel.now ? tick : wheel.now + 1;
}

static void clear(size_t i)
{
	wheel_clear(&wheel, &timers[i]);
	model[i] = 0;
}

static uint64_t earliest(void)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < TIMERS; i++)
		if (model[i] != 0 && model[i] < first)
			first = model[i];
	return first;
}

/* Nothing late, nothing early, nothing twice, in order. Some of what fires is set again, or clears another one. */
static void expire_to(uint64_t now)
{
	struct wheel_timer *timer;
	uint64_t last = 0;

	while ((timer = wheel_expire(&wheel, now)) != NULL) {
		size_t i = (size_t)(timer - timers);

		MUST(model[i] != 0 && !timer->set, "timer %zu fires, but is not set", i);
		MUST(model[i] == earliest(), "timer %zu of tick %llu fires before %llu", i,
			(unsigned long long)model[i], (unsigned long long)earliest());
		MUST(model[i] <= now && model[i] >= last, "tick %llu fires out of order", (unsigned long long)model[i]);
		MUST(wheel.now == model[i], "tick %llu fires at %llu", (unsigned long long)model[i],
			(unsigned long long)wheel.now);
		last = model[i];
		model[i] = 0;
		if (draw(4) == 0)
			set(i, wheel.now + draw_distance());
		if (draw(4) == 0)
			clear(draw(TIMERS));
	}
	MUST(wheel.now == now, "now is %llu, not %llu", (unsigned long long)wheel.now, (unsigned long long)now);
	MUST(earliest() > now, "a timer of tick %llu is late at %llu", (unsigned long long)earliest(),
		(unsigned long long)now);
}

static void check_next(void)
{
	uint64_t next = wheel_next(&wheel);

	MUST(next > wheel.now, "next is not ahead");
	MUST(next <= earliest(), "next is %llu, but %llu is due before", (unsigned long long)next,
		(unsigned long long)earliest());
	MUST((next == UINT64_MAX) == (earliest() == UINT64_MAX), "next comes although nothing is set, or the reverse");
}

START_TEST(random_timers_fire_in_time_and_in_order)
{
	draw_seed((uint64_t)_i);
	begin(draw(UINT64_C(1) << 40));
	for (int step = 0; step < 3000; step++) {
		uint64_t what = draw(10);

		if (what < 6)
			set(draw(TIMERS), wheel.now + draw_distance());
		else if (what < 8)
			clear(draw(TIMERS));
		else if (wheel.now < UINT64_C(1) << 41)
			expire_to(wheel.now + draw_distance() / 16 + 1);
		check_next();
	}
}
END_TEST

/* Waking up at wheel_next() only, as the event loop does, meets every timer at its very tick. */
START_TEST(sleeping_until_next_is_never_late)
{
	unsigned wakes = 0;

	draw_seed((uint64_t)_i);
	begin(draw(UINT64_C(1) << 40));
	for (size_t i = 0; i < TIMERS; i++)
		set(i, wheel.now + draw_distance());
	while (earliest() != UINT64_MAX) {
		uint64_t next = wheel_next(&wheel);
		struct wheel_timer *timer;

		MUST(wakes++ < TIMERS * WHEEL_LEVELS, "woken %u times for %d timers", wakes, TIMERS);
		while ((timer = wheel_expire(&wheel, next)) != NULL) {
			MUST(model[timer - timers] == next, "a timer is late");
			model[timer - timers] = 0;
		}
		MUST(earliest() > next, "a timer is late");
	}
	ck_assert_uint_eq(wheel_next(&wheel), UINT64_MAX);
}
END_TEST

START_TEST(a_tick_that_is_not_ahead_fires_next)
{
	begin(1000);
	set(0, 1000);
	set(1, 3);
	ck_assert_uint_eq(wheel_next(&wheel), 1001);
	ck_assert_ptr_null(wheel_expire(&wheel, 1000));
	expire_to(1001);
}
END_TEST

START_TEST(a_timer_that_is_set_again_moves)
{
	begin(0);
	set(0, 10);
	set(0, 5000);
	ck_assert_ptr_null(wheel_expire(&wheel, 4999));
	set(0, 5001);
	ck_assert_ptr_null(wheel_expire(&wheel, 5000));
	ck_assert_ptr_eq(wheel_expire(&wheel, 5001), &timers[0]);
	ck_assert_ptr_null(wheel_expire(&wheel, 5001));
}
END_TEST

START_TEST(clearing_twice_is_fine)
{
	begin(0);
	set(0, 10);
	wheel_clear(&wheel, &timers[0]);
	wheel_clear(&wheel, &timers[0]);
	ck_assert_uint_eq(wheel_next(&wheel), UINT64_MAX);
	ck_assert_ptr_null(wheel_expire(&wheel, 1000000));
}
END_TEST

START_TEST(a_tick_beyond_all_levels_waits_long)
{
	begin(12345);
	wheel_set(&wheel, &timers[0], UINT64_MAX);
	ck_assert_ptr_null(wheel_expire(&wheel, UINT64_C(1) << 41));
	ck_assert(timers[0].set);
	wheel_clear(&wheel, &timers[0]);
	ck_assert_uint_eq(wheel_next(&wheel), UINT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wheel");
	TCase *tcase = tcase_create("wheel");

	tcase_add_loop_test(tcase, random_timers_fire_in_time_and_in_order, 0, 40);
	tcase_add_loop_test(tcase, sleeping_until_next_is_never_late, 0, 40);
	tcase_add_test(tcase, a_tick_that_is_not_ahead_fires_next);
	tcase_add_test(tcase, a_timer_that_is_set_again_moves);
	tcase_add_test(tcase, clearing_twice_is_fine);
	tcase_add_test(tcase, a_tick_beyond_all_levels_waits_long);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
