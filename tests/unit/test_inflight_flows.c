/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy inflight-cap, with unit = bytes, over simulated ends: what hosts have not acknowledged comes up to each cap and never
 * beyond, whoever waits longest is next, and everything gets through.
 */
#include "heard.h"
#include "rig.h"
#include "trial.h"
#include "unit.h"

enum { TIMEOUTS }; /* counters */

static void load_module(void)
{
	trial_load("inflight-cap");
}

#define CAP (256 * KIB)

static const char *const scopes[] = {"per_session", "per_upstream", "total"};
static bool shared; /* the cap, by all sessions */

/* What is read for a sink that has broken is thrown away at once. */
static uint64_t in_flight(unsigned i, int direction)
{
	const struct flow *flow = pair_flow(&rig.pairs[i], direction);
	const struct fake *sink = pair_sink(&rig.pairs[i], direction);

	return flow->end == FLOW_DROPPED ? 0 : flow->read - (sink->accepted - sink->queued);
}

static uint64_t in_flight_of_all(int direction)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rig.count; i++)
		sum += in_flight(i, direction);
	return sum;
}

static void stays_within(struct world *world)
{
	(void)world;
	for (int direction = 0; direction < 2; direction++) {
		for (unsigned i = 0; i < rig.count; i++)
			MUST(in_flight(i, direction) <= CAP, "session %u has %llu bytes in flight", i,
				(unsigned long long)in_flight(i, direction));
		MUST(!shared || in_flight_of_all(direction) <= CAP, "%llu bytes are in flight",
			(unsigned long long)in_flight_of_all(direction));
	}
}

/* Sinks take everything, and acknowledge it when they are told to. */
static void open_hoarding(unsigned count, const char *scope, const char *more)
{
	shared = scope != scopes[0];
	rig_begin(trial_options("%s=256K %s", scope, more), count);
	heard_rig();
	rig.world.check = stays_within;
	for (unsigned i = 0; i < count; i++) {
		for (int direction = 0; direction < 2; direction++) {
			fake_open(pair_sink(&rig.pairs[i], direction), FAKE_WIDE);
			pair_sink(&rig.pairs[i], direction)->hoards = true;
		}
	}
	rig_open();
}

static void acknowledge(unsigned i, int direction, uint64_t bytes)
{
	struct fake *sink = pair_sink(&rig.pairs[i], direction);

	fake_ack(sink, bytes < sink->queued ? bytes : sink->queued);
}

START_TEST(a_cap_is_reached_and_not_exceeded)
{
	open_hoarding(5, scopes[_i], "queue=4M");
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			rig_flood(i, direction);
	world_pass(&rig.world, SECOND);
	for (int direction = 0; direction < 2; direction++)
		ck_assert_uint_eq(in_flight_of_all(direction), shared ? CAP : 5 * CAP);
	rig_finish();
}
END_TEST

/* Sinks take, and acknowledge, what chance gives; the streams end, sessions break, and all the others get through. */
START_TEST(a_cap_holds_whatever_happens_and_all_gets_through)
{
	enum { EACH = 3000000 };

	draw_seed((uint64_t)_i);
	open_hoarding(6, scopes[_i % 3], "slow_start=yes threshold=2 timeout=never");
	for (unsigned i = 0; i < rig.count; i++) {
		for (int direction = 0; direction < 2; direction++) {
			fake_send(pair_source(&rig.pairs[i], direction), EACH);
			fake_end(pair_source(&rig.pairs[i], direction));
		}
	}
	for (int round = 0; round < 600; round++) {
		acknowledge((unsigned)draw(rig.count), (int)draw(2), draw(3) == 0 ? draw(200000) : draw(2000));
		world_pass(&rig.world, draw(30) * MS);
		if (round == 300)
			fake_reset(&rig.pairs[0].client);
	}
	for (unsigned i = 0; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			pair_sink(&rig.pairs[i], direction)->hoards = false;
	for (int round = 0; round < 100; round++) {
		for (unsigned i = 0; i < 2 * rig.count; i++)
			acknowledge(i / 2, (int)(i % 2), UINT64_MAX);
		world_pass(&rig.world, 50 * MS);
	}
	for (unsigned i = 1; i < rig.count; i++)
		for (int direction = 0; direction < 2; direction++)
			ck_assert_uint_eq(rig_taken(i, direction), EACH);
	rig_finish();
}
END_TEST

/* First in, first out: what one has acknowledged goes to the one that has waited longest. */
START_TEST(who_waits_longest_is_next)
{
	enum { SESSIONS = 4 };

	open_hoarding(SESSIONS, "total", "queue=1M");
	for (unsigned i = 0; i < SESSIONS; i++) {
		rig_flood(i, WEIR_UP);
		world_pass(&rig.world, 100 * MS);
	}
	ck_assert_uint_eq(in_flight(0, WEIR_UP), CAP);
	for (unsigned turn = 0; turn < 8; turn++) {
		unsigned next = (turn + 1) % SESSIONS;
		uint64_t before[SESSIONS] = {0};

		for (unsigned i = 0; i < SESSIONS; i++)
			before[i] = rig.pairs[i].session.up.read;
		acknowledge(turn % SESSIONS, WEIR_UP, 16 * KIB);
		world_pass(&rig.world, 100 * MS);
		for (unsigned i = 0; i < SESSIONS; i++)
			ck_assert_uint_eq(rig.pairs[i].session.up.read - before[i], i == next ? 16 * KIB : 0);
	}
	rig_finish();
}
END_TEST

START_TEST(directions_do_not_wait_for_each_other)
{
	open_hoarding(2, scopes[_i / 2], "queue=1M");
	for (unsigned i = 0; i < rig.count; i++)
		rig_flood(i, _i % 2);
	world_pass(&rig.world, SECOND);
	for (unsigned i = 0; i < rig.count; i++) {
		pair_sink(&rig.pairs[i], !(_i % 2))->hoards = false;
		fake_send(pair_source(&rig.pairs[i], !(_i % 2)), MIB);
	}
	world_pass(&rig.world, SECOND);
	for (unsigned i = 0; i < rig.count; i++)
		ck_assert_uint_eq(rig_taken(i, !(_i % 2)), MIB);
	rig_finish();
}
END_TEST

/* The end of a stream settles nothing: another flow gets what the host behind it has acknowledged. */
START_TEST(behind_the_end_the_lease_stays)
{
	open_hoarding(2, "total", "queue=1M");
	fake_send(&rig.pairs[0].client, 100 * KIB);
	fake_end(&rig.pairs[0].client);
	world_run(&rig.world);
	ck_assert(rig.pairs[0].server.fin_sent);
	rig_flood(1, WEIR_UP);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(in_flight(1, WEIR_UP), CAP - 100 * KIB);
	acknowledge(0, WEIR_UP, 60 * KIB);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(in_flight(1, WEIR_UP), CAP - 40 * KIB);
	acknowledge(0, WEIR_UP, 40 * KIB);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(in_flight(1, WEIR_UP), CAP);
	rig_finish();
}
END_TEST

static const struct {
	const char *more;
	unsigned closed;
} outcomes[] = {{"timeout=5s", 0}, {"timeout=5s on_timeout=close", 1}, {"timeout=5s on_timeout=reset", 1}};

START_TEST(a_timeout_comes_in_time_and_does_what_it_should)
{
	open_hoarding(1, "total", outcomes[_i].more);
	rig_flood(0, WEIR_UP);
	world_pass(&rig.world, 4900 * MS);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
	world_pass(&rig.world, 200 * MS);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	world_pass(&rig.world, 20 * SECOND);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	ck_assert_uint_eq(rig.pairs[0].closed, outcomes[_i].closed);
	if (outcomes[_i].closed) {
		ck_assert_uint_eq(rig.pairs[0].session.reason, CLOSE_POLICY);
		ck_assert(fake_saw_reset(&rig.pairs[0].client));
		ck_assert(fake_saw_reset(&rig.pairs[0].server));
	}
	rig_finish();
}
END_TEST

START_TEST(idle_sessions_cost_nothing)
{
	uint64_t rounds;

	open_hoarding(2, "total", "slow_start=yes");
	fake_send(&rig.pairs[0].client, MIB);
	rig.pairs[0].server.hoards = false;
	acknowledge(0, WEIR_UP, UINT64_MAX);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), MIB);
	rounds = rig.world.rounds;
	world_pass(&rig.world, 1000 * SECOND);
	ck_assert_uint_eq(rig.world.rounds, rounds);
	rig_finish();
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("inflight_flows");
	TCase *tcase = tcase_create("flows");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_loop_test(tcase, a_cap_is_reached_and_not_exceeded, 0, COUNT(scopes));
	tcase_add_loop_test(tcase, a_cap_holds_whatever_happens_and_all_gets_through, 0, 12);
	tcase_add_test(tcase, who_waits_longest_is_next);
	tcase_add_loop_test(tcase, directions_do_not_wait_for_each_other, 0, 2 * COUNT(scopes));
	tcase_add_test(tcase, behind_the_end_the_lease_stays);
	tcase_add_loop_test(tcase, a_timeout_comes_in_time_and_does_what_it_should, 0, COUNT(outcomes));
	tcase_add_test(tcase, idle_sessions_cost_nothing);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
