/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy fair: asked directly, its thresholds and weights; and over simulated ends, how hogs share, what they leave, and
 * that a newcomer does not wait for them.
 */
#include "rig.h"
#include "trial.h"
#include "unit.h"

#define FLOOR 4096
#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static void load_module(void)
{
	trial_load("fair");
}

static void pool(uint64_t leased, uint64_t unleased)
{
	trial.view.pools[0].units = leased;
	trial.view.pools[0].free = unleased;
}

/* ---- asked ---------------------------------------------------------------------------------------------------------- */

START_TEST(without_a_lease_a_flow_has_its_floor)
{
	trial_begin("pool=1M");
	ck_assert_uint_eq(trial_room(), FLOOR);
	ck_assert_uint_eq(trial_ask().used[0], 0);
	ck_assert_uint_eq(trial_ask().want[0], 0); /* nothing is free */
	ck_assert_uint_eq(trial_ask().promises, 0);
	trial_turn(1, FLOOR, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
}
END_TEST

START_TEST(what_it_leases_it_may_read)
{
	trial_begin("pool=1M");
	pool(0, 1 << 20);
	ck_assert_uint_eq(trial_ask().want[0], 256 * KIB); /* a quantum: a quarter of the pool */
	ck_assert_uint_eq(trial_ask().grain[0], 16 * KIB);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	pool(256 * KIB, 768 * KIB);
	ck_assert_uint_eq(trial_room(), 256 * KIB + FLOOR);
	ck_assert_uint_eq(trial_ask().promises, 0);
	trial_turn(1, 100000, 0);
	ck_assert_uint_eq(trial_room(), 256 * KIB + FLOOR - 100000);
	ck_assert_uint_eq(trial_ask().used[0], 100000 - FLOOR);
	ck_assert_uint_eq(trial_ask().want[0], 256 * KIB + 100000 - FLOOR);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN);
	ck_assert(trial_is_pure());
}
END_TEST

static const struct {
	const char *alpha;
	unsigned eighths;
} alphas[] = {{"1/8", 1}, {"1/4", 2}, {"1/2", 4}, {"1", 8}, {"2", 16}, {"4", 32}, {"8", 64}};

/* It holds all that it leases, and asks for more until there is no more for it. */
START_TEST(a_flow_may_lease_alpha_times_what_is_free_then)
{
	const uint64_t size = 2000000000; /* others have the rest of the pool */
	uint64_t had = 0;
	uint64_t may;

	trial_begin("pool=2100000000 alpha=%s", alphas[_i].alpha);
	for (pool(0, size); trial_ask().want[0] > had; pool(had, size - had)) {
		had = trial_ask().want[0];
		trial_turn(1, had + FLOOR - trial.view.held, 0);
	}
	may = alphas[_i].eighths * (size - had) / 8;
	ck_assert_uint_le(had, may);
	ck_assert_uint_ge(had + 64 * KIB, may);
}
END_TEST

/* Stopped at its threshold, it reads again when there is room for something worth reading. */
START_TEST(over_the_threshold_nothing_is_read_until_it_drains)
{
	trial_begin("pool=1M");
	pool(512 * KIB, 512 * KIB);
	trial_turn(1, 512 * KIB + FLOOR, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().want[0], 512 * KIB);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
	trial_turn(0, 0, 16 * KIB - 1);
	ck_assert_uint_eq(trial_ask().want[0], 496 * KIB + 1);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_ask().want[0], 512 * KIB);
	pool(512 * KIB, 100 * KIB); /* others have come */
	ck_assert_uint_eq(trial_ask().want[0], 496 * KIB);
	ck_assert_uint_eq(trial_ask().used[0], 496 * KIB);
}
END_TEST

/* Where a threshold is small, half of it is worth reading. */
START_TEST(a_small_threshold_is_read_by_halves)
{
	trial_begin("pool=64K");
	pool(4000, 4000);
	trial_turn(1, 4000 + FLOOR, 0);
	ck_assert_uint_eq(trial_ask().want[0], 4000);
	trial_turn(0, 0, 1999);
	ck_assert_uint_eq(trial_ask().want[0], 2001);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_ask().want[0], 4000);
}
END_TEST

/* A source that always has bytes, a sink and others that take what chance gives: no limit of nothing without a promise that
   can come true, and no lease above the threshold unless it is used. */
START_TEST(never_stuck)
{
	unsigned idle = 0;

	draw_seed((uint64_t)_i);
	trial_begin("pool=300K alpha=%s weight=drain", alphas[_i].alpha);
	pool(0, 300 * KIB);
	for (int i = 0; i < 100000; i++) {
		struct weir_limits limits = trial_ask();
		uint64_t want = limits.want[0] > limits.used[0] ? limits.want[0] : limits.used[0];
		uint64_t had = trial.view.pools[0].units;
		uint64_t everybodys = had + trial.view.pools[0].free;
		uint64_t left;
		uint64_t read;

		MUST(want <= everybodys, "wants %llu of %llu", (unsigned long long)want,
			(unsigned long long)everybodys);
		everybodys = want + draw(300 * KIB - want + 1); /* what others have of it changes */
		pool(want, everybodys - want);
		left = trial_room();
		if (left == 0) {
			MUST(trial.view.held >= FLOOR, "stopped, and little is held");
			MUST((trial_ask().promises & WEIR_PROMISE_DRAIN) != 0, "no promise");
		}
		read = left == 0 ? 0 : 1 + draw(left);
		trial.view.now += draw(100) * MS;
		trial.view.drain_rate = draw(1 << 20);
		idle = left == 0 ? idle + 1 : 0;
		trial_turn(1, read, draw(3) == 0 ? draw(trial.view.held + read + 1) : 0);
		MUST(idle < 1000, "stuck");
	}
	ck_assert_uint_gt(trial.view.written, 1000);
}
END_TEST

/* ---- weights, asked --------------------------------------------------------------------------------------------------- */

/* What a flow whose sink takes so much a second may lease of a pool of 1M that is all free. */
static uint64_t may_lease(uint64_t rate)
{
	trial.view.drain_rate = rate;
	pool(0, 1 << 20);
	trial_turn(1, 1, 1);
	return trial_ask().want[0];
}

/* alpha is a quarter, so what is leased is weight / 4 of what stays free. */
#define SHARE(weight_256ths) (1048576 * (weight_256ths) / ((weight_256ths) + 1024))

START_TEST(the_slow_are_weighed_against_the_fastest)
{
	trial_begin("pool=1M weight=drain alpha=1/4");
	ck_assert_uint_eq(may_lease(0), SHARE(256)); /* not known */
	ck_assert_uint_eq(may_lease(100 * MIB), SHARE(256));
	ck_assert_uint_eq(may_lease(50 * MIB), SHARE(128));
	ck_assert_uint_eq(may_lease(25 * MIB), SHARE(64));
	ck_assert_uint_eq(may_lease(7 * MIB), SHARE(17)); /* a little above the least */
	ck_assert_uint_eq(may_lease(MIB), SHARE(16));
	ck_assert_uint_eq(may_lease(1), SHARE(16));
	ck_assert_uint_eq(may_lease(0), SHARE(256));
	ck_assert(trial_is_pure());
}
END_TEST

START_TEST(without_weights_rates_say_nothing)
{
	trial_begin("pool=1M alpha=1/4");
	for (uint64_t rate = 100 * MIB; rate > 0; rate /= 10)
		ck_assert_uint_eq(may_lease(rate), SHARE(256));
}
END_TEST

/* The fastest one left: what it had been counts half after each second, until another is as fast. */
START_TEST(the_fastest_is_forgotten)
{
	trial_begin("pool=1M weight=drain alpha=1/4");
	ck_assert_uint_eq(may_lease(64 * MIB), SHARE(256));
	ck_assert_uint_eq(may_lease(8 * MIB), SHARE(32));
	trial.view.now += SECOND - 1;
	ck_assert_uint_eq(may_lease(8 * MIB), SHARE(32));
	trial.view.now += 1;
	ck_assert_uint_eq(may_lease(8 * MIB), SHARE(64));
	trial.view.now += SECOND;
	ck_assert_uint_eq(may_lease(8 * MIB), SHARE(128));
	trial.view.now += SECOND;
	ck_assert_uint_eq(may_lease(8 * MIB), SHARE(256));
	ck_assert_uint_eq(may_lease(4 * MIB), SHARE(128));
	trial.view.now += 1000 * SECOND;
	ck_assert_uint_eq(may_lease(4 * MIB), SHARE(256));
}
END_TEST

/* Two workers' clocks: what was measured a moment ahead counts in full. */
START_TEST(a_clock_ahead_does_no_harm)
{
	trial_begin("pool=1M weight=drain alpha=1/4");
	trial.view.now = 100 * SECOND;
	ck_assert_uint_eq(may_lease(64 * MIB), SHARE(256));
	trial.view.now -= 5 * MS;
	ck_assert_uint_eq(may_lease(32 * MIB), SHARE(128));
}
END_TEST

/* ---- over simulated ends ----------------------------------------------------------------------------------------------- */

static uint64_t alpha_eighths;
static uint64_t pool_size;

static void begin(int alpha, unsigned sessions)
{
	rig_begin(trial_options("pool=4M alpha=%s", alphas[alpha].alpha), sessions);
	alpha_eighths = alphas[alpha].eighths;
	pool_size = 4 * MIB;
	rig_open();
}

/* What each of n hogs comes to hold: x = alpha (pool - n x). */
static uint64_t share_of(unsigned hogs)
{
	return pool_size * alpha_eighths / (8 + hogs * alpha_eighths);
}

static void flood(unsigned first, unsigned last)
{
	for (unsigned i = first; i < last; i++)
		rig_flood(i, WEIR_UP);
	world_run(&rig.world);
}

static const unsigned crowds[] = {1, 2, 7, 40};

/* Nothing drains, so who came first keeps what it got then: together they hold what they would with equal shares, or more, and
   always leave a newcomer alpha times what is free. */
START_TEST(hogs_leave_room_for_a_newcomer)
{
	unsigned hogs = crowds[_i % COUNT(crowds)];
	uint64_t left;
	uint64_t may;

	begin(_i / COUNT(crowds), hogs + 1);
	flood(0, hogs);
	left = pool_size;
	for (unsigned i = 0; i < hogs; i++)
		left -= rig_held(i, WEIR_UP) - FLOOR;
	may = FLOOR + left * alpha_eighths / (8 + alpha_eighths);
	flood(hogs, hogs + 1);
	ck_assert_uint_le(rig_held(hogs, WEIR_UP), may);
	ck_assert_uint_gt(rig_held(hogs, WEIR_UP) + 17 * KIB, may);
	ck_assert_uint_eq(pool_waiters(rig.rule.policy.pools[0][0]), 0);
	rig_finish();
}
END_TEST

/* When they drain, and read on, their shares become equal: each flow's mean, for what is free changes with every read, and a
   large alpha makes much of it. */
START_TEST(hogs_share)
{
	enum { ROUNDS = 400 };
	unsigned hogs = crowds[_i % COUNT(crowds)];
	uint64_t held[40] = {0};
	uint64_t share;

	begin(_i / COUNT(crowds), hogs);
	share = share_of(hogs);
	flood(0, hogs);
	for (int round = 0; round < 2 * ROUNDS; round++) {
		for (unsigned i = 0; i < hogs; i++)
			fake_open(&rig.pairs[i].server, share / 8);
		world_run(&rig.world);
		for (unsigned i = 0; i < hogs && round >= ROUNDS; i++)
			held[i] += (rig_held(i, WEIR_UP) - FLOOR) / ROUNDS;
	}
	for (unsigned i = 0; i < hogs; i++)
		ck_assert_msg(held[i] <= share + share / 5 && held[i] + share / 5 >= share,
			"flow %u of %u holds %llu, not about %llu", i, hogs, (unsigned long long)held[i],
			(unsigned long long)share);
	rig_finish();
}
END_TEST

/* Whatever sinks and sources do, nothing is lost, nobody is stuck, and no more is held than there is. */
static void stays_within(struct world *world)
{
	uint64_t held = 0;

	(void)world;
	for (unsigned i = 0; i < rig.count; i++)
		held += rig_held(i, WEIR_UP) + rig_held(i, WEIR_DOWN);
	MUST(held <= pool_size + (uint64_t)rig.count * 2 * FLOOR, "%llu bytes are held", (unsigned long long)held);
}

START_TEST(all_gets_through)
{
	enum { EACH = 1000000 };

	draw_seed((uint64_t)_i);
	rig_begin(trial_options("pool=256K alpha=%s weight=%s", alphas[_i % COUNT(alphas)].alpha,
			  _i % 2 ? "drain" : "none"),
		12);
	pool_size = 256 * KIB;
	rig.world.check = stays_within;
	rig_open();
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			fake_send(pair_source(&rig.pairs[i], direction), EACH);
	for (int round = 0; round < 1000; round++) {
		fake_open(pair_sink(&rig.pairs[draw(rig.count)], (int)draw(2)),
			draw(3) == 0 ? draw(100000) : draw(1000));
		world_pass(&rig.world, draw(20) * MS);
	}
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			fake_open(pair_sink(&rig.pairs[i], direction), FAKE_WIDE);
	world_run(&rig.world);
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			ck_assert_uint_eq(rig_taken(i, direction), EACH);
	rig_finish();
}
END_TEST

/* Two sinks, one eight times as fast: by their weights they come to hold a multiple of one another, else the same. */
START_TEST(memory_goes_to_those_who_drain)
{
	uint64_t held[2] = {0, 0};

	rig_begin(trial_options("pool=4M alpha=1/2 weight=%s", _i ? "drain" : "none"), 2);
	rig_open();
	flood(0, 2);
	for (int round = 0; round < 2000; round++) {
		fake_open(&rig.pairs[0].server, 80000);
		fake_open(&rig.pairs[1].server, 10000);
		world_pass(&rig.world, 10 * MS);
		for (unsigned i = 0; i < 2 && round >= 1000; i++)
			held[i] += rig_held(i, WEIR_UP) / 1000;
	}
	if (_i)
		ck_assert_msg(held[0] > 5 * held[1], "on average %llu and %llu bytes are held",
			(unsigned long long)held[0], (unsigned long long)held[1]);
	else
		ck_assert_msg(held[0] < 2 * held[1] && held[1] < 2 * held[0], "on average %llu and %llu bytes are held",
			(unsigned long long)held[0], (unsigned long long)held[1]);
	rig_finish();
}
END_TEST

/* A peer that reads on only when it has got rid of its answer. */
START_TEST(directions_do_not_lock_each_other)
{
	begin(COUNT(alphas) - 1, 40);
	for (unsigned i = 0; i < rig.count; i++)
		rig_flood(i, _i);
	world_run(&rig.world);
	for (unsigned i = 0; i < rig.count; i++) {
		fake_open(pair_sink(&rig.pairs[i], !_i), FAKE_WIDE);
		fake_send(pair_source(&rig.pairs[i], !_i), MIB);
		world_run(&rig.world);
		ck_assert_uint_eq(rig_taken(i, !_i), MIB);
	}
	rig_finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fair");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, without_a_lease_a_flow_has_its_floor);
	tcase_add_test(tcase, what_it_leases_it_may_read);
	tcase_add_loop_test(tcase, a_flow_may_lease_alpha_times_what_is_free_then, 0, COUNT(alphas));
	tcase_add_test(tcase, over_the_threshold_nothing_is_read_until_it_drains);
	tcase_add_test(tcase, a_small_threshold_is_read_by_halves);
	tcase_add_loop_test(tcase, never_stuck, 0, COUNT(alphas));
	tcase_add_test(tcase, the_slow_are_weighed_against_the_fastest);
	tcase_add_test(tcase, without_weights_rates_say_nothing);
	tcase_add_test(tcase, the_fastest_is_forgotten);
	tcase_add_test(tcase, a_clock_ahead_does_no_harm);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("flows");
	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_loop_test(tcase, hogs_leave_room_for_a_newcomer, 0, COUNT(alphas) * COUNT(crowds));
	tcase_add_loop_test(tcase, hogs_share, 0, COUNT(alphas) * COUNT(crowds));
	tcase_add_loop_test(tcase, all_gets_through, 0, 28);
	tcase_add_loop_test(tcase, memory_goes_to_those_who_drain, 0, 2);
	tcase_add_loop_test(tcase, directions_do_not_lock_each_other, 0, 2);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
