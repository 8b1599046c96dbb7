/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy watermark: its marks, its corners, and that no flow under it can wait for ever. First asked directly, then,
 * for flows that share their marks, over simulated ends.
 */
#include "rig.h"
#include "trial.h"
#include "unit.h"

static void load_module(void)
{
	trial_load("watermark");
}

static void start(uint64_t high, uint64_t low)
{
	trial_begin("high=%llu low=%llu", (unsigned long long)high, (unsigned long long)low);
}

START_TEST(an_empty_flow_may_read_up_to_high)
{
	start(1000, 500);
	ck_assert_uint_eq(trial_room(), 1000);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().promises, 0);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
}
END_TEST

START_TEST(reads_are_cut_to_what_is_left)
{
	start(1000, 500);
	trial_turn(1, 700, 0);
	ck_assert_uint_eq(trial_room(), 300);
	trial_turn(1, 299, 0);
	ck_assert_uint_eq(trial_room(), 1);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
}
END_TEST

START_TEST(paused_at_high_until_below_low)
{
	start(1000, 500);
	trial_turn(1, 1000, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
	trial_turn(1, 0, 499);
	ck_assert_uint_eq(trial_room(), 0);
	trial_turn(1, 0, 1); /* holds low: not below yet */
	ck_assert_uint_eq(trial_room(), 0);
	trial_turn(1, 0, 1);
	ck_assert_uint_eq(trial_room(), 501);
	trial_turn(1, 500, 0); /* 999: between the marks it stays what it was */
	ck_assert_uint_eq(trial_room(), 1);
	trial_turn(1, 1, 0);
	ck_assert_uint_eq(trial_room(), 0);
}
END_TEST

/* high was reached within a turn, but what was left at its end counts. */
START_TEST(a_turn_that_drains_what_it_read)
{
	start(1000, 500);
	trial_turn(1, 5000, 4999);
	ck_assert_uint_eq(trial_room(), 999);
}
END_TEST

START_TEST(asking_changes_nothing)
{
	start(1000, 500);
	trial_turn(1, 1000, 300);
	ck_assert(trial_is_pure());
}
END_TEST

/* Asked before it has heard of the last bytes leaving, it must not forbid what nothing would allow again. */
START_TEST(nothing_held_is_never_a_pause)
{
	start(1000, 500);
	trial_turn(1, 1000, 0);
	trial.view.written = trial.view.read;
	trial.view.held = 0;
	ck_assert_uint_eq(trial_room(), 1000);
}
END_TEST

static const struct {
	uint64_t high, low;
} marks[] = {{1, 1}, {2, 1}, {2, 2}, {3, 2}, {1000, 1000}, {1000, 1}, {1 << 30, 1 << 30}, {262144, 131072}};

/*
 * A source that always has bytes, a sink that takes what chance gives: held stays at most high, every limit of nothing
 * carries a promise that the bytes held keep, and all of it gets through.
 */
START_TEST(never_above_high_and_never_stuck)
{
	uint64_t high = marks[_i].high;
	unsigned idle = 0;

	draw_seed((uint64_t)_i);
	start(high, marks[_i].low);
	for (int i = 0; i < 100000; i++) {
		uint64_t read, written, left = trial_room();

		if (left == 0) {
			MUST(trial.view.held > 0, "paused, and nothing is held");
			MUST((trial_ask().promises & WEIR_PROMISE_DRAIN) != 0, "no promise");
		}
		read = left == 0 ? 0 : 1 + draw(left);
		written = draw(3) == 0 ? draw(trial.view.held + read + 1) : 0;
		idle = read + written == 0 ? idle + 1 : 0;
		trial_turn(1, read, written);
		MUST(trial.view.held <= high, "%llu bytes are held", (unsigned long long)trial.view.held);
		MUST(idle < 1000, "stuck");
	}
	ck_assert_uint_gt(trial.view.written, 1000);
}
END_TEST

static const struct {
	uint64_t high, low;
	const char *error;
} checks[] = {
	{262144, 131072, ""},
	{1, 1, ""},
	{65536, 98304, "low = 96K is above high = 64K; expected low <= high"},
	{1000, 1001, "low = 1001 is above high = 1000; expected low <= high"},
};

START_TEST(marks_are_checked)
{
	start(checks[_i].high, checks[_i].low);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

/* ---- groups, asked -------------------------------------------------------------------------------------------------- */

START_TEST(of_a_group_a_flow_has_what_it_leases)
{
	trial_begin("high=256K low=128K scope=client");
	ck_assert_uint_eq(trial_room(), 4096);
	ck_assert_uint_eq(trial_ask().used[0], 0);
	ck_assert_uint_eq(trial_ask().want[0], 65536);
	ck_assert_uint_eq(trial_ask().grain[0], 16384);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	trial.view.pools[0].units = 65536;
	ck_assert_uint_eq(trial_room(), 4096 + 65536);
	trial_turn(1, 10000, 0);
	ck_assert_uint_eq(trial_room(), 4096 + 65536 - 10000);
	ck_assert_uint_eq(trial_ask().used[0], 10000 - 4096);
	ck_assert_uint_eq(trial_ask().want[0], 65536 + 10000 - 4096);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN);
	ck_assert(trial_is_pure());
}
END_TEST

/* No want is beyond the pool, and who has all of it is paused by what he holds himself. */
START_TEST(a_flow_that_holds_all_its_group_may)
{
	trial_begin("high=20K low=10K scope=session");
	ck_assert_uint_eq(trial_ask().want[0], 16384);
	trial.view.pools[0].units = 20480;
	trial_turn(1, 10000, 0);
	ck_assert_uint_eq(trial_ask().want[0], 20480);
	trial_turn(1, 14576, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
	trial_turn(0, 0, 10240);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().used[0], 10240);
	ck_assert_uint_eq(trial_ask().want[0], 0); /* which is what is used, then */
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_ask().want[0], 20480);
	ck_assert_uint_eq(trial_room(), 10241);
}
END_TEST

/* ---- groups, over simulated ends ------------------------------------------------------------------------------------- */

#define HIGH (256 * KIB)
#define LOW (128 * KIB)
#define FLOOR 4096

static void begin_group(const char *scope, unsigned sessions)
{
	rig_begin(trial_options("high=256K low=128K scope=%s", scope), sessions);
}

/* Of the sessions from first to before last. */
static uint64_t held_by(unsigned first, unsigned last)
{
	uint64_t sum = 0;

	for (unsigned i = first; i < last; i++)
		sum += rig_held(i, WEIR_UP) + rig_held(i, WEIR_DOWN);
	return sum;
}

static unsigned group_size; /* sessions */

static void stays_within(struct world *world)
{
	(void)world;
	for (unsigned i = 0; i < rig.count; i += group_size) {
		uint64_t held = held_by(i, i + group_size);

		MUST(held <= HIGH + 2 * FLOOR * group_size, "the sessions from %u on hold %llu bytes", i,
			(unsigned long long)held);
	}
}

static const struct {
	const char *scope;
	unsigned group; /* sessions */
} groups[] = {{"session", 1}, {"client", 3}, {"listener", 12}};

static void open_groups(int which)
{
	group_size = groups[which].group;
	begin_group(groups[which].scope, 12);
	for (unsigned i = 0; i < rig.count; i++)
		rig.pairs[i].peer = &rig.clients[i / group_size];
	rig.world.check = stays_within;
	rig_open();
}

START_TEST(a_group_that_is_stalled_holds_high)
{
	open_groups(_i);
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			rig_flood(i, direction);
	world_run(&rig.world);
	for (unsigned i = 0; i < rig.count; i += group_size) {
		ck_assert_uint_gt(held_by(i, i + group_size), HIGH - 16 * KIB);
		ck_assert_uint_ge(held_by(i, i + group_size), 2 * FLOOR * group_size);
	}
	rig_finish();
}
END_TEST

/* Sinks take what chance gives, sources too; all of it gets through. */
START_TEST(a_group_stays_within_its_mark_and_all_gets_through)
{
	enum { EACH = 1000000 };

	draw_seed((uint64_t)_i);
	open_groups(_i % 3);
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			fake_send(pair_source(&rig.pairs[i], direction), EACH);
	for (int round = 0; round < 2000; round++) {
		fake_open(pair_sink(&rig.pairs[draw(rig.count)], (int)draw(2)),
			draw(3) == 0 ? draw(100000) : draw(1000));
		world_run(&rig.world);
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

static uint64_t read_by_all(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rig.count; i++)
		sum += rig.pairs[i].session.up.read + rig.pairs[i].session.down.read;
	return sum;
}

static unsigned fullest(unsigned flows)
{
	unsigned found = 0;

	for (unsigned i = 1; i < flows; i++)
		if (rig_held(i, WEIR_UP) > rig_held(found, WEIR_UP))
			found = i;
	return found;
}

/* Once full, a group reads nothing until it holds less than low, but for the floors; then it reads until it is full. */
START_TEST(a_group_fills_and_drains_like_one_flow)
{
	unsigned flows = _i == 0 ? 1 : 4;

	begin_group("listener", flows);
	rig_open();
	for (unsigned i = 0; i < flows; i++)
		rig_flood(i, WEIR_UP);
	world_run(&rig.world);
	for (unsigned tooth = 0; tooth < 10; tooth++) {
		uint64_t before = read_by_all();
		uint64_t lowest = 0;

		ck_assert_uint_gt(held_by(0, flows), HIGH - 16 * KIB);
		while (read_by_all() == before) {
			lowest = held_by(0, flows);
			ck_assert_uint_gt(lowest, LOW / 2);
			fake_open(&rig.pairs[fullest(flows)].server, 1000);
			world_run(&rig.world);
		}
		ck_assert_uint_lt(lowest, LOW + FLOOR * flows + 1000);
		ck_assert_uint_gt(read_by_all(), before + HIGH - LOW - 32 * KIB);
	}
	rig_finish();
}
END_TEST

START_TEST(other_clients_do_not_feel_it)
{
	begin_group("client", 4);
	for (unsigned i = 0; i < 4; i++)
		rig.pairs[i].peer = &rig.clients[i / 2];
	rig_open();
	rig_flood(0, WEIR_UP);
	rig_flood(1, WEIR_UP);
	world_run(&rig.world);
	ck_assert_uint_gt(held_by(0, 2), HIGH - 16 * KIB);
	fake_open(&rig.pairs[2].server, FAKE_WIDE);
	fake_send(&rig.pairs[2].client, 100 * MIB);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(2, WEIR_UP), 100 * MIB);
	ck_assert_uint_eq(rig.pairs[2].session.up.meter.pauses[0].count, 0);
	fake_open(&rig.pairs[1].server, FAKE_WIDE); /* a sibling of the stalled one feels it, but moves */
	rig.pairs[1].client.sent = rig.pairs[1].client.read + 10 * MIB;
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(1, WEIR_UP), rig.pairs[1].client.sent);
	rig_finish();
}
END_TEST

/* A peer that reads on only when it has got rid of its answer: what one direction holds must not keep the other's. */
START_TEST(directions_do_not_lock_each_other)
{
	unsigned sessions = groups[_i / 2].group;
	int direction = _i % 2;

	open_groups(_i / 2);
	for (unsigned i = 0; i < sessions; i++)
		rig_flood(i, direction);
	world_run(&rig.world);
	for (unsigned i = 0; i < sessions; i++) {
		fake_open(pair_sink(&rig.pairs[i], !direction), FAKE_WIDE);
		fake_send(pair_source(&rig.pairs[i], !direction), MIB);
		world_run(&rig.world);
		ck_assert_uint_eq(rig_taken(i, !direction), MIB);
	}
	rig_finish();
}
END_TEST

/* First come, first served: a flow that finds its group full gets its part of what drains. */
START_TEST(a_newcomer_gets_its_part)
{
	begin_group("listener", 5);
	rig_open();
	for (unsigned i = 0; i < 4; i++)
		rig_flood(i, WEIR_UP);
	world_run(&rig.world);
	rig_flood(4, WEIR_UP);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_held(4, WEIR_UP), FLOOR);
	for (int round = 0; round < 2000; round++) {
		fake_open(&rig.pairs[round % 5].server, 1000);
		world_run(&rig.world);
	}
	ck_assert_uint_gt(rig.pairs[4].session.up.held_max, 16 * KIB);
	rig_finish();
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("watermark");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, an_empty_flow_may_read_up_to_high);
	tcase_add_test(tcase, reads_are_cut_to_what_is_left);
	tcase_add_test(tcase, paused_at_high_until_below_low);
	tcase_add_test(tcase, a_turn_that_drains_what_it_read);
	tcase_add_test(tcase, asking_changes_nothing);
	tcase_add_test(tcase, nothing_held_is_never_a_pause);
	tcase_add_loop_test(tcase, never_above_high_and_never_stuck, 0, COUNT(marks));
	tcase_add_loop_test(tcase, marks_are_checked, 0, COUNT(checks));
	tcase_add_test(tcase, of_a_group_a_flow_has_what_it_leases);
	tcase_add_test(tcase, a_flow_that_holds_all_its_group_may);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("groups");
	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_loop_test(tcase, a_group_that_is_stalled_holds_high, 0, COUNT(groups));
	tcase_add_loop_test(tcase, a_group_stays_within_its_mark_and_all_gets_through, 0, 30);
	tcase_add_loop_test(tcase, a_group_fills_and_drains_like_one_flow, 0, 2);
	tcase_add_test(tcase, other_clients_do_not_feel_it);
	tcase_add_loop_test(tcase, directions_do_not_lock_each_other, 0, 2 * COUNT(groups));
	tcase_add_test(tcase, a_newcomer_gets_its_part);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
