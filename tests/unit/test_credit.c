/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy credit: asked directly, what it wants, keeps and lets be read; and over simulated ends, that the exclusive share
 * always moves, how floating segments go round, and that a flow that stalls stops no other.
 */
#include "rig.h"
#include "trial.h"
#include "unit.h"

#define SEGMENT (32 * KIB)
#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static void load_module(void)
{
	trial_load("credit");
}

/* ---- asked ---------------------------------------------------------------------------------------------------------- */

static void begin_flow(const char *options, uint64_t leased)
{
	trial_begin("%s", options);
	trial.view.pools[0].units = leased;
}

START_TEST(a_flow_may_read_its_own_share)
{
	begin_flow("pool=64M", 2);
	ck_assert_uint_eq(trial_room(), 2 * SEGMENT);
	ck_assert_uint_eq(trial_ask().used[0], 0);
	ck_assert_uint_eq(trial_ask().want[0], 2);
	ck_assert_uint_eq(trial_ask().grain[0], 0);
	ck_assert_uint_eq(trial_ask().promises, 0);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
}
END_TEST

static const struct {
	const char *options;
	uint64_t held, unread;
	uint64_t used, want;
} wants[] = {
	{"pool=64M", 0, 1, 0, 3},
	{"pool=64M", 0, SEGMENT, 0, 3},
	{"pool=64M", 0, SEGMENT + 1, 0, 4},
	{"pool=64M", 1, 0, 1, 3},
	{"pool=64M", SEGMENT, 0, 1, 3},
	{"pool=64M", SEGMENT + 1, SEGMENT, 2, 5},
	{"pool=64M", 0, 100 * SEGMENT, 0, 10},
	{"pool=64M", 9 * SEGMENT, 0, 9, 10},
	{"pool=64M", 10 * SEGMENT, 100 * SEGMENT, 10, 10},
	{"pool=64M max=5", 0, 100 * SEGMENT, 0, 5},
	{"pool=64M floating=1", 0, 100 * SEGMENT, 0, 3},
	{"pool=200K", 0, 100 * SEGMENT, 0, 6},
	{"pool=64M segment=4K", 5 * 4096, 3 * 4096, 5, 10},
	{"pool=64M segment=1025", 1026, 1025, 2, 5},
	{"pool=1024G segment=1K floating=65536 max=131072", 0, UINT64_C(1) << 50, 0, 65538},
};

START_TEST(wanted_is_backlog_and_exclusive)
{
	begin_flow(wants[_i].options, 2);
	trial_turn(1, wants[_i].held, 0);
	trial.view.unread = wants[_i].unread;
	ck_assert_uint_eq(trial_ask().used[0], wants[_i].used);
	ck_assert_uint_eq(trial_ask().want[0], wants[_i].want);
	ck_assert_uint_eq((trial_ask().promises & WEIR_PROMISE_LEASE) != 0, wants[_i].want > 2);
	ck_assert_uint_eq((trial_ask().promises & WEIR_PROMISE_DRAIN) != 0, wants[_i].held > 0);
	ck_assert(trial_is_pure());
}
END_TEST

/* A part of a segment that has drained is not free yet: it is read into again while there is a whole one beside it. */
START_TEST(a_whole_segment_must_be_free)
{
	begin_flow("pool=64M", 2);
	trial_turn(1, SEGMENT, 0);
	ck_assert_uint_eq(trial_room(), SEGMENT);
	trial_turn(1, 1, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_room(), SEGMENT);
	trial_turn(1, SEGMENT, 0);
	ck_assert_uint_eq(trial_room(), 0);
	trial_turn(0, 0, SEGMENT - 1);
	ck_assert_uint_eq(trial_room(), 0);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_room(), SEGMENT);
	trial.view.pools[0].units = 3;
	ck_assert_uint_eq(trial_room(), 2 * SEGMENT);
}
END_TEST

/* At its maximum a flow waits for its own sink alone. */
START_TEST(no_more_than_the_maximum)
{
	begin_flow("pool=64M", 10);
	trial_turn(1, 10 * SEGMENT, 0);
	trial.view.unread = MIB;
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
}
END_TEST

static const char *const shapes[] = {
	"pool=64M",
	"pool=64M segment=1K",
	"pool=64M exclusive=1 floating=0 max=1",
	"pool=64M segment=3000 exclusive=3 floating=1",
	"pool=64K segment=32K exclusive=1",
};

/*
 * A source that always has bytes, a sink that takes what chance gives, a pool that has what chance gives: a flow never holds more
 * than its credit, every limit of nothing carries a promise that what it holds keeps, and all of it gets through.
 */
START_TEST(never_above_its_credit_and_never_stuck)
{
	uint64_t exclusive;
	unsigned idle = 0;

	draw_seed((uint64_t)_i);
	begin_flow(shapes[_i], 0);
	exclusive = trial_ask().want[0];
	trial.view.pools[0].units = exclusive;
	for (int i = 0; i < 100000; i++) {
		struct weir_limits limits = trial_ask();
		uint64_t *leased = &trial.view.pools[0].units;
		uint64_t left;
		uint64_t read;

		if (*leased < limits.want[0] && draw(2) == 0)
			*leased += 1 + draw(limits.want[0] - *leased);
		else if (draw(4) == 0)
			*leased = limits.used[0] > exclusive ? limits.used[0] : exclusive;
		left = trial_room();
		if (left == 0) {
			MUST(trial.view.held > 0, "stopped, and nothing is held");
			MUST((trial_ask().promises & WEIR_PROMISE_DRAIN) != 0, "no promise");
		}
		read = left == 0 ? 0 : 1 + draw(left);
		idle = left == 0 ? idle + 1 : 0;
		trial.view.unread = draw(MIB);
		trial_turn(1, read, draw(3) == 0 ? draw(trial.view.held + read + 1) : 0);
		MUST(trial_ask().used[0] <= *leased, "%llu segments are in use, %llu leased",
			(unsigned long long)trial_ask().used[0], (unsigned long long)*leased);
		MUST(idle < 1000, "stuck");
	}
	ck_assert_uint_gt(trial.view.written, 1000);
}
END_TEST

static const struct {
	const char *options;
	const char *error;
} checks[] = {
	{"pool=64M", ""},
	{"pool=64M exclusive=10", ""},
	{"pool=64M exclusive=11", "max = 10 is less than exclusive = 11; expected max >= exclusive"},
	{"pool=64M exclusive=3 max=2", "max = 2 is less than exclusive = 3; expected max >= exclusive"},
};

START_TEST(options_are_checked)
{
	begin_flow(checks[_i].options, 0);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

/* ---- over simulated ends ----------------------------------------------------------------------------------------------- */

#define EXCLUSIVE 2
#define MOST 10

static uint64_t leased_by(unsigned i, int direction)
{
	return standing_member(&pair_flow(&rig.pairs[i], direction)->standing, 0)->leased[0];
}

static int64_t free_segments(void)
{
	return pool_free(rig.rule.policy.pools[0][0]);
}

/* Nobody has more than he may, or less than his own; and nobody holds more than that. */
static void credit_holds(struct world *world)
{
	int64_t all = free_segments();

	(void)world;
	for (unsigned i = 0; i < rig.count; i++) {
		for (int direction = 0; direction < 2; direction++) {
			uint64_t leased = leased_by(i, direction);

			MUST(leased >= EXCLUSIVE && leased <= MOST, "flow %u/%d leases %llu", i, direction,
				(unsigned long long)leased);
			MUST(rig_held(i, direction) <= leased * SEGMENT, "flow %u/%d holds %llu, with %llu segments", i,
				direction, (unsigned long long)rig_held(i, direction), (unsigned long long)leased);
			all += (int64_t)leased;
			all += coming_units(&pair_flow(&rig.pairs[i], direction)->standing, 0);
		}
	}
	MUST(all == rig.rule.policy.pools[0][0]->size, "%lld segments in all", (long long)all);
}

/* A pool of what all flows own, and so many floating segments. */
static void begin(unsigned sessions, unsigned floating)
{
	rig_begin(trial_options("pool=%u", (unsigned)((sessions * 2 * EXCLUSIVE + floating) * SEGMENT)), sessions);
	rig_open();
	rig.world.check = credit_holds;
}

static void end(void)
{
	rig.world.check = NULL;
	rig_finish();
}

/* The pool is short: it has nothing but what everybody owns, and most of that is full. */
START_TEST(the_exclusive_share_always_moves)
{
	begin(12, _i);
	for (unsigned i = 0; i < 11; i++)
		for (int direction = 0; direction < 2; direction++)
			rig_flood(i, direction);
	world_run(&rig.world);
	ck_assert_int_eq(free_segments(), 0);
	for (int direction = 0; direction < 2; direction++) {
		struct meter *meter = &pair_flow(&rig.pairs[11], direction)->meter;

		fake_open(pair_sink(&rig.pairs[11], direction), FAKE_WIDE);
		fake_send(pair_source(&rig.pairs[11], direction), 100 * MIB);
		world_run(&rig.world);
		ck_assert_uint_eq(rig_taken(11, direction), 100 * MIB);
		ck_assert_uint_eq(meter->pauses[0].count, 0);
	}
	end();
}
END_TEST

/* While there is enough, everybody has all he may; a flow whose sink takes nothing stops at that. */
START_TEST(a_stalled_flow_holds_its_maximum)
{
	begin(4, 1000);
	rig_flood(0, WEIR_UP);
	rig_flood(1, WEIR_DOWN);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_held(0, WEIR_UP), MOST * SEGMENT);
	ck_assert_uint_eq(rig_held(1, WEIR_DOWN), MOST * SEGMENT);
	ck_assert_int_eq(free_segments(), 1000 - 2 * (MOST - EXCLUSIVE));
	end();
}
END_TEST

/* Three wait for what a fourth has borrowed: each gets one of his segments, in the order in which they came, and again. */
START_TEST(floating_segments_go_round)
{
	begin(4, MOST - EXCLUSIVE);
	fake_send(&rig.pairs[3].client, MOST * SEGMENT);
	world_run(&rig.world);
	ck_assert_uint_eq(leased_by(3, WEIR_UP), MOST);
	for (unsigned i = 0; i < 3; i++) {
		rig_flood(i, WEIR_UP);
		world_run(&rig.world);
		ck_assert_uint_eq(leased_by(i, WEIR_UP), EXCLUSIVE);
	}
	for (unsigned drained = 1; drained <= MOST - EXCLUSIVE; drained++) {
		fake_open(&rig.pairs[3].server, SEGMENT);
		world_run(&rig.world);
		for (unsigned i = 0; i < 3; i++)
			ck_assert_uint_eq(leased_by(i, WEIR_UP), EXCLUSIVE + (drained + 2 - i) / 3);
		ck_assert_uint_eq(leased_by(3, WEIR_UP), MOST - drained);
	}
	end();
}
END_TEST

/* Nothing is borrowed for nothing: what is empty goes back, down to the flow's own. */
START_TEST(floating_segments_go_back)
{
	begin(2, MOST);
	fake_send(&rig.pairs[0].client, MOST * SEGMENT);
	world_run(&rig.world);
	ck_assert_uint_eq(leased_by(0, WEIR_UP), MOST);
	for (unsigned left = MOST; left-- > 0;) {
		fake_open(&rig.pairs[0].server, SEGMENT);
		world_run(&rig.world);
		ck_assert_uint_eq(leased_by(0, WEIR_UP), left > EXCLUSIVE ? left : EXCLUSIVE);
	}
	ck_assert_int_eq(free_segments(), MOST);
	end();
}
END_TEST

/* Also while there is more to read: others wait. */
START_TEST(a_fast_flow_does_not_keep_what_it_borrowed)
{
	begin(2, 1);
	rig.pairs[0].client.tells_left = true;
	fake_open(&rig.pairs[0].server, FAKE_WIDE);
	fake_send(&rig.pairs[0].client, 100 * MIB);
	while (leased_by(0, WEIR_UP) == EXCLUSIVE)
		ck_assert(world_step(&rig.world));
	rig_flood(1, WEIR_UP);
	while (leased_by(1, WEIR_UP) == EXCLUSIVE)
		ck_assert(world_step(&rig.world));
	ck_assert_uint_lt(rig_taken(0, WEIR_UP), 10 * MIB);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 100 * MIB);
	end();
}
END_TEST

/* All of it gets through, whatever sinks and sources do, and however short the pool is. */
START_TEST(all_gets_through)
{
	enum { EACH = 2000000 };

	draw_seed((uint64_t)_i);
	begin(12, (unsigned)draw(40));
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			fake_send(pair_source(&rig.pairs[i], direction), EACH);
	for (int round = 0; round < 1000; round++) {
		fake_open(pair_sink(&rig.pairs[draw(rig.count)], (int)draw(2)),
			draw(3) == 0 ? draw(200000) : draw(5000));
		world_pass(&rig.world, draw(3) * MS);
	}
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			fake_open(pair_sink(&rig.pairs[i], direction), FAKE_WIDE);
	world_run(&rig.world);
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			ck_assert_uint_eq(rig_taken(i, direction), EACH);
	end();
}
END_TEST

/* A session that begins takes its share from what is floating; there is none for one more, until another has left. */
START_TEST(a_session_needs_its_share)
{
	rig_begin(trial_options("pool=%u", (unsigned)((3 * 2 * EXCLUSIVE + 3) * SEGMENT)), 4);
	for (unsigned i = 0; i < 3; i++)
		pair_open(&rig.pairs[i]);
	ck_assert(!stack_take_floors(&rig.stack));
	ck_assert_int_eq(free_segments(), 3);
	session_close(&rig.pairs[1].session, CLOSE_SHUTDOWN, rig.world.now);
	world_run(&rig.world);
	ck_assert_int_eq(free_segments(), 3 + 2 * EXCLUSIVE);
	pair_open(&rig.pairs[3]);
	ck_assert_int_eq(free_segments(), 3);
	rig_finish();
}
END_TEST

/* A peer that reads on only when it has got rid of its answer. */
START_TEST(directions_do_not_lock_each_other)
{
	begin(6, 3);
	for (unsigned i = 0; i < rig.count; i++)
		rig_flood(i, _i);
	world_run(&rig.world);
	for (unsigned i = 0; i < rig.count; i++) {
		fake_open(pair_sink(&rig.pairs[i], !_i), FAKE_WIDE);
		fake_send(pair_source(&rig.pairs[i], !_i), MIB);
		world_run(&rig.world);
		ck_assert_uint_eq(rig_taken(i, !_i), MIB);
	}
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credit");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, a_flow_may_read_its_own_share);
	tcase_add_loop_test(tcase, wanted_is_backlog_and_exclusive, 0, COUNT(wants));
	tcase_add_test(tcase, a_whole_segment_must_be_free);
	tcase_add_test(tcase, no_more_than_the_maximum);
	tcase_add_loop_test(tcase, never_above_its_credit_and_never_stuck, 0, COUNT(shapes));
	tcase_add_loop_test(tcase, options_are_checked, 0, COUNT(checks));
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("flows");
	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_loop_test(tcase, the_exclusive_share_always_moves, 0, 3);
	tcase_add_test(tcase, a_stalled_flow_holds_its_maximum);
	tcase_add_test(tcase, floating_segments_go_round);
	tcase_add_test(tcase, floating_segments_go_back);
	tcase_add_test(tcase, a_fast_flow_does_not_keep_what_it_borrowed);
	tcase_add_loop_test(tcase, all_gets_through, 0, 20);
	tcase_add_test(tcase, a_session_needs_its_share);
	tcase_add_loop_test(tcase, directions_do_not_lock_each_other, 0, 2);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
