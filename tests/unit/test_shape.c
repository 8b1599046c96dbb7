/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy shape: asked directly, what it wants of its bucket, lets pass for it and pays; and over simulated ends, the
 * rate that comes of it, and who shares it.
 */
#include "rig.h"
#include "trial.h"
#include "unit.h"

static void load_module(void)
{
	trial_load("shape");
}

static void lease(uint64_t units)
{
	trial.view.pools[0].units = units;
}

START_TEST(without_tokens_nothing_is_read)
{
	trial_begin("rate=1M");
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().held_max, 1048576);
	ck_assert_uint_eq(trial_ask().want[0], 1048576 / 100);
	ck_assert_uint_eq(trial_ask().grain[0], 1048576 / 100);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	ck_assert_uint_eq(trial_ask().for_writing, 0);
}
END_TEST

START_TEST(a_byte_read_costs_a_token)
{
	trial_begin("rate=1M");
	lease(10000);
	ck_assert_uint_eq(trial_room(), 10000);
	trial_turn(1, 6000, 100);
	ck_assert_uint_eq(trial.spent, 6000);
	ck_assert_uint_eq(trial_room(), 4000);
	trial_turn(0, 0, 5900);
	ck_assert_uint_eq(trial.spent, 6000);
	trial_turn(1, 4000, 0);
	ck_assert_uint_eq(trial.spent, 10000);
	ck_assert_uint_eq(trial_room(), 0);
}
END_TEST

/* Asked before event() has paid, as a stack that scans is. */
START_TEST(a_token_lets_one_byte_pass_in_a_turn)
{
	trial_begin("rate=1M");
	lease(10000);
	trial.view.read = trial.view.held = 3000;
	ck_assert_uint_eq(trial_room(), 7000);
	ck_assert_uint_eq(trial_ask().used[0], 3000);
	ck_assert_uint_eq(trial_ask().want[0], 3000 + 1048576 / 100);
}
END_TEST

START_TEST(no_more_is_wanted_than_the_bucket_has)
{
	trial_begin("rate=1M burst=16K");
	lease(16384);
	trial.view.read = trial.view.held = 16384;
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().want[0], 16384);
}
END_TEST

START_TEST(a_byte_written_costs_a_token)
{
	trial_begin("rate=1M side=write queue=64K");
	ck_assert_uint_eq(trial_ask().write_to, 0);
	ck_assert_uint_eq(trial_ask().for_writing, 1);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	ck_assert_uint_eq(trial_room(), 65536);
	trial_turn(1, 60000, 0);
	ck_assert_uint_eq(trial.spent, 0);
	ck_assert_uint_eq(trial_room(), 5536);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN);
	lease(10000);
	ck_assert_uint_eq(trial_ask().write_to, 10000);
	trial_turn(0, 0, 9000);
	ck_assert_uint_eq(trial.spent, 9000);
	ck_assert_uint_eq(trial_ask().write_to, 10000);
	ck_assert_uint_eq(trial_room(), 14536);
}
END_TEST

START_TEST(the_other_direction_is_free)
{
	trial_begin("rate=1M direction=%s side=write", _i == WEIR_UP ? "up" : "down");
	for (uint32_t direction = WEIR_UP; direction <= WEIR_DOWN; direction++) {
		bool concerned = direction == (uint32_t)_i;

		trial.view.direction = direction;
		ck_assert_uint_eq(trial_ask().write_to, concerned ? trial.view.written : WEIR_UNLIMITED);
		ck_assert_uint_eq(trial_ask().want[0] > 0, concerned);
		ck_assert_uint_eq(trial_room(), 1048576); /* the bound of what is held is for both */
	}
	trial.view.direction = (uint32_t)!_i;
	trial_turn(1, 1000, 1000);
	ck_assert_uint_eq(trial.spent, 0);
}
END_TEST

/* Nobody reads any more, but what is held still has to be written. */
START_TEST(behind_the_end_only_writing_wants_tokens)
{
	trial_begin("rate=1M side=%s", _i ? "write" : "read");
	trial_turn(1, 1000, 0);
	trial.view.ended = 1;
	ck_assert_uint_eq(trial_ask().want[0] > 0, _i);
	ck_assert_uint_eq(trial_ask().write_to, _i ? 0 : WEIR_UNLIMITED);
}
END_TEST

START_TEST(asking_changes_nothing)
{
	trial_begin("rate=1M side=%s", _i ? "write" : "read");
	lease(10000);
	ck_assert(trial_is_pure());
	trial_turn(2, 5000, 3000);
	ck_assert(trial_is_pure());
	ck_assert_uint_eq(trial.spent, _i ? 3000 : 5000);
}
END_TEST

static const struct {
	const char *rate;
	const char *burst;
	uint64_t quantum;
} quanta[] = {
	{"1K", "auto", 1448},
	{"100000", "auto", 1448},
	{"1M", "auto", 10485},
	{"1000000000", "auto", 262144},
	{"256G", "auto", 262144},
	{"1K", "1K", 512},
	{"1M", "8K", 4096},
	{"1M", "1M", 10485},
};

/* Some 10 ms of the rate, a packet at least, a full read at most, and never more than half of what the bucket has. */
START_TEST(tokens_are_wanted_by_the_quantum)
{
	trial_begin("rate=%s burst=%s", quanta[_i].rate, quanta[_i].burst);
	ck_assert_str_eq(trial_refusal(), "");
	ck_assert_uint_eq(trial_ask().want[0], quanta[_i].quantum);
	ck_assert_uint_eq(trial_ask().grain[0], quanta[_i].quantum);
}
END_TEST

static const struct {
	const char *rate;
	const char *burst;
	const char *error;
} checks[] = {
	{"100K", "auto", ""},
	{"256G", "auto", ""},
	{"1M", "6K", ""},
	{"1M", "5K",
		"burst = 5K is less than comes in 5 ms, so rate = 1024K could not be reached; expected 6K or more, or "
		"auto"},
};

START_TEST(a_burst_that_could_not_reach_the_rate_is_refused)
{
	trial_begin("rate=%s burst=%s", checks[_i].rate, checks[_i].burst);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

/* ---- over simulated ends --------------------------------------------------------------------------------------------- */

static uint64_t began;

static void open_all(void)
{
	began = rig.world.now;
	rig_open();
}

static uint64_t taken_by_all(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rig.count; i++)
		sum += rig_taken(i, WEIR_UP) + rig_taken(i, WEIR_DOWN);
	return sum;
}

static void assert_within(uint64_t value, uint64_t expected, unsigned per_mille)
{
	uint64_t slack = expected * per_mille / 1000;

	ck_assert_msg(value + slack >= expected && value <= expected + slack, "%llu is not %llu, give or take %llu",
		(unsigned long long)value, (unsigned long long)expected, (unsigned long long)slack);
}

/* Never more than burst + rate x time, whatever else happens. */
static struct {
	uint64_t rate;
	uint64_t burst;
} bound;

static void stays_within(struct world *world)
{
	uint64_t most = bound.burst + (uint64_t)((double)bound.rate * (double)(world->now - began) / 1e9);

	MUST(taken_by_all() <= most, "%llu bytes after %llu ms, more than %llu", (unsigned long long)taken_by_all(),
		(unsigned long long)((world->now - began) / MS), (unsigned long long)most);
}

static const struct {
	const char *text;
	const char *burst;
	uint64_t rate;
	uint64_t size; /* of the bucket */
	uint64_t seconds;
} rates[] = {
	{"100000", "auto", 100000, 65536, 20},
	{"12345678", "auto", 12345678, 1234567, 5},
	{"1000000000", "auto", 1000000000, 100000000, 1},
	{"4M", "21K", 4 * MIB, 21 * KIB, 5}, /* as small as it may be: what comes in 5 ms */
	{"1G", "6M", 1024 * MIB, 6 * MIB, 1},
};

START_TEST(the_rate_is_reached_and_kept)
{
	uint64_t before;

	bound.rate = rates[_i / 2].rate;
	bound.burst = rates[_i / 2].size;
	rig_begin(trial_options("rate=%s burst=%s side=%s", rates[_i / 2].text, rates[_i / 2].burst,
			  _i % 2 ? "write" : "read"),
		1);
	rig.world.check = stays_within;
	open_all();
	rig_flood(0, WEIR_UP);
	fake_open(&rig.pairs[0].server, FAKE_WIDE);
	world_pass(&rig.world, 100 * MS);
	before = taken_by_all();
	world_pass(&rig.world, rates[_i / 2].seconds * SECOND);
	assert_within(taken_by_all() - before, rates[_i / 2].rate * rates[_i / 2].seconds, 10);
	rig_finish();
}
END_TEST

/* What has gathered passes at once, then what comes. After a silence there is a burst again. */
START_TEST(a_burst_then_the_slope)
{
	const uint64_t rate = MIB;
	const uint64_t quantum = rate / 100;
	uint64_t burst = 300 * KIB;

	rig_begin(trial_options("rate=1M burst=300K"), 1);
	fake_open(&rig.pairs[0].server, FAKE_WIDE);
	open_all();
	fake_send(&rig.pairs[0].client, burst + 2 * rate);
	world_run(&rig.world);
	ck_assert_uint_le(taken_by_all(), burst);
	ck_assert_uint_gt(taken_by_all() + quantum, burst);
	for (uint64_t tenth = 1; tenth < 20; tenth++) {
		uint64_t due = burst + rate * tenth / 10;

		world_pass(&rig.world, 100 * MS);
		ck_assert_uint_le(taken_by_all(), due);
		ck_assert_uint_gt(taken_by_all() + 2 * quantum, due);
	}
	world_pass(&rig.world, SECOND);
	burst += taken_by_all();
	rig_flood(0, WEIR_UP);
	world_run(&rig.world);
	ck_assert_uint_le(taken_by_all(), burst);
	ck_assert_uint_gt(taken_by_all() + quantum, burst);
	rig_finish();
}
END_TEST

/* Everybody always has bytes. Returns after some time, when each has had burst and rate. */
static void flood_all(int directions, uint64_t seconds)
{
	for (unsigned i = 0; i < rig.count; i++) {
		for (int direction = 0; direction < directions; direction++) {
			fake_open(pair_sink(&rig.pairs[i], direction), FAKE_WIDE);
			rig_flood(i, direction);
		}
	}
	world_pass(&rig.world, seconds * SECOND);
}

static const char *const shared_scopes[] = {"listener", "instance"};

START_TEST(five_flows_share_one_bucket)
{
	rig_begin(trial_options("rate=100000 scope=%s", shared_scopes[_i]), 5);
	open_all();
	flood_all(1, 20);
	assert_within(taken_by_all(), 65536 + 2000000, 10);
	for (unsigned i = 0; i < 5; i++)
		assert_within(rig_taken(i, WEIR_UP), taken_by_all() / 5, 100);
	rig_finish();
}
END_TEST

/* Also when the burst is large, and one came long before the others. */
START_TEST(who_comes_late_has_the_same_share)
{
	uint64_t before[5];
	uint64_t all = 0;

	rig_begin(trial_options("rate=1000000 burst=4M scope=listener"), 5);
	open_all();
	rig_flood(0, WEIR_UP);
	fake_open(&rig.pairs[0].server, FAKE_WIDE);
	world_pass(&rig.world, 5 * SECOND);
	for (unsigned i = 0; i < 5; i++)
		before[i] = rig_taken(i, WEIR_UP);
	flood_all(1, 10);
	for (unsigned i = 0; i < 5; i++)
		all += rig_taken(i, WEIR_UP) - before[i];
	assert_within(all, 10000000, 10);
	for (unsigned i = 0; i < 5; i++)
		assert_within(rig_taken(i, WEIR_UP) - before[i], all / 5, 100);
	rig_finish();
}
END_TEST

static const struct {
	const char *scope;
	uint64_t buckets; /* that two clients with two sessions each, both directions busy, come to have */
} shares[] = {{"flow", 8}, {"client", 2}, {"listener", 1}, {"instance", 1}};

START_TEST(a_scope_says_who_shares)
{
	rig_begin(trial_options("rate=1000000 scope=%s", shares[_i].scope), 4);
	for (unsigned i = 0; i < 4; i++)
		rig.pairs[i].peer = &rig.clients[i % 2];
	open_all();
	flood_all(2, 10);
	assert_within(taken_by_all(), shares[_i].buckets * (100000 + 10000000), 10);
	for (unsigned i = 0; i < 4; i++)
		for (int direction = 0; direction < 2; direction++)
			assert_within(rig_taken(i, direction), taken_by_all() / 8, 100);
	rig_finish();
}
END_TEST

START_TEST(the_other_direction_runs_free)
{
	rig_begin(trial_options("rate=100000 scope=listener direction=down"), 1);
	open_all();
	fake_open(&rig.pairs[0].server, FAKE_WIDE);
	fake_send(&rig.pairs[0].client, 100 * MIB);
	fake_open(&rig.pairs[0].client, FAKE_WIDE);
	rig_flood(0, WEIR_DOWN);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 100 * MIB);
	ck_assert_uint_le(rig_taken(0, WEIR_DOWN), 65536);
	rig_finish();
}
END_TEST

/* On the write side bytes are taken from the source at once, as far as they may be held; and all of them arrive, behind
   the end too. */
START_TEST(what_waits_to_be_written_is_held)
{
	struct pair *pair = &rig.pairs[0];

	rig_begin(trial_options("rate=100K burst=64K side=write queue=256K"), 1);
	open_all();
	fake_open(&pair->server, FAKE_WIDE);
	fake_send(&pair->client, 300 * KIB);
	fake_end(&pair->client);
	world_run(&rig.world);
	ck_assert_uint_le(rig_taken(0, WEIR_UP), 64 * KIB);
	ck_assert_uint_eq(rig_held(0, WEIR_UP), 300 * KIB - rig_taken(0, WEIR_UP));
	world_pass(&rig.world, 2300 * MS);
	ck_assert(!pair->server.fin_sent);
	world_pass(&rig.world, 100 * MS);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 300 * KIB);
	ck_assert(pair->server.fin_sent);
	ck_assert_uint_le(pair->session.up.held_max, 256 * KIB);
	rig_finish();
}
END_TEST

static const char *const held_back[] = {
	"rate=100K side=write queue=256K",
	"rate=1M side=read queue=256K",
	"rate=1M direction=down queue=256K",
};

/* Because it may not be written, or because the sink takes none; also where the bucket lets all pass. */
START_TEST(no_more_than_the_queue_is_held)
{
	rig_begin(trial_options("%s", held_back[_i]), 1);
	open_all();
	if (_i == 0)
		fake_open(&rig.pairs[0].server, FAKE_WIDE);
	else
		fake_shut(&rig.pairs[0].server);
	rig_flood(0, WEIR_UP);
	world_pass(&rig.world, 10 * SECOND);
	ck_assert_uint_eq(rig.pairs[0].session.up.held_max, 256 * KIB);
	rig_finish();
}
END_TEST

/* Tokens that nobody can use now stay in the bucket. */
START_TEST(a_stalled_flow_keeps_no_tokens_from_the_others)
{
	rig_begin(trial_options("rate=1000000 scope=listener side=%s queue=64K", _i ? "write" : "read"), 2);
	open_all();
	rig_flood(0, WEIR_UP); /* its sink takes nothing */
	rig_flood(1, WEIR_UP);
	fake_open(&rig.pairs[1].server, FAKE_WIDE);
	if (!_i)
		fake_end(&rig.pairs[0].client); /* reading without end would be its right */
	rig.pairs[0].client.sent = 65536;
	world_pass(&rig.world, 10 * SECOND);
	assert_within(rig_taken(1, WEIR_UP), 10000000, 20);
	rig_finish();
}
END_TEST

/* However many wait, one timer is set, for their head. */
START_TEST(waiting_costs_nothing)
{
	uint64_t rounds[2];

	for (int many = 0; many < 2; many++) {
		rig_begin(trial_options("rate=100000 scope=instance"), many ? RIG_PAIRS : 1);
		open_all();
		flood_all(1, 1);
		rounds[many] = rig.world.rounds;
		world_pass(&rig.world, 10 * SECOND);
		rounds[many] = rig.world.rounds - rounds[many];
		rig_finish();
	}
	ck_assert_uint_lt(rounds[1], 2 * rounds[0]);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("shape");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, without_tokens_nothing_is_read);
	tcase_add_test(tcase, a_byte_read_costs_a_token);
	tcase_add_test(tcase, a_token_lets_one_byte_pass_in_a_turn);
	tcase_add_test(tcase, no_more_is_wanted_than_the_bucket_has);
	tcase_add_test(tcase, a_byte_written_costs_a_token);
	tcase_add_loop_test(tcase, the_other_direction_is_free, 0, 2);
	tcase_add_loop_test(tcase, behind_the_end_only_writing_wants_tokens, 0, 2);
	tcase_add_loop_test(tcase, asking_changes_nothing, 0, 2);
	tcase_add_loop_test(tcase, tokens_are_wanted_by_the_quantum, 0, COUNT(quanta));
	tcase_add_loop_test(tcase, a_burst_that_could_not_reach_the_rate_is_refused, 0, COUNT(checks));
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("flows");
	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, the_rate_is_reached_and_kept, 0, 2 * COUNT(rates));
	tcase_add_test(tcase, a_burst_then_the_slope);
	tcase_add_loop_test(tcase, five_flows_share_one_bucket, 0, COUNT(shared_scopes));
	tcase_add_test(tcase, who_comes_late_has_the_same_share);
	tcase_add_loop_test(tcase, a_scope_says_who_shares, 0, COUNT(shares));
	tcase_add_test(tcase, the_other_direction_runs_free);
	tcase_add_test(tcase, what_waits_to_be_written_is_held);
	tcase_add_loop_test(tcase, no_more_than_the_queue_is_held, 0, sizeof(held_back) / sizeof(held_back[0]));
	tcase_add_loop_test(tcase, a_stalled_flow_keeps_no_tokens_from_the_others, 0, 2);
	tcase_add_test(tcase, waiting_costs_nothing);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
