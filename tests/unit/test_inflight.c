/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy inflight-cap, with unit = bytes: asked directly, what it lets be read for what it leases, waits and windows; and
 * over simulated ends, that what is not acknowledged is never more than a cap. Requests are test_inflight_requests' business.
 */
#include "heard.h"
#include "rig.h"
#include "trial.h"
#include "unit.h"

static void load_module(void)
{
	trial_load("inflight-cap");
}

/* ---- options --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *error;
} checks[] = {
	{"per_session=64K", ""},
	{"per_upstream=4K total=2147483647", ""},
	{"unit=requests framing=resp per_session=1", ""},
	{"unit=requests framing=line total=32 on_error=close slow_start=yes congested_after=10ms", ""},
	{"total=64K direction=down slow_start=yes congested_after=200ms", ""},
	{"total=64K congested_after=10ms", ""},
	{"queue=1M", "nothing is limited; expected at least one of per_session, per_upstream, total"},
	{"unit=requests framing=resp", "nothing is limited; expected at least one of per_session, per_upstream, total"},
	{"per_upstream=64K per_session=4095",
		"per_session = 4095 is too small for bytes, with which a flow would crawl; expected 4K or more"},
	{"total=32", "total = 32 is too small for bytes, with which a flow would crawl; expected 4K or more"},
	{"unit=requests total=32", "unit = requests without framing; expected line, resp, u32be or pgsql"},
	{"total=64K framing=resp", "framing without unit = requests; expected none"},
	{"unit=requests framing=resp total=32 direction=up",
		"unit = requests has no direction, requests go up and answers down; expected both"},
	{"total=64K on_error=close",
		"on_error = close without unit = requests: all bytes can be counted; expected uncounted"},
	{"total=64K slow_start=yes congested_after=199ms",
		"congested_after is less than acknowledgements may be delayed; expected 200ms or more for bytes"},
};

START_TEST(options_are_checked)
{
	trial_options("%s", checks[_i].text);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

START_TEST(a_unit_needs_what_it_needs)
{
	ck_assert_uint_eq(trial.policy->needs_of(trial_options("total=64K")), WEIR_NEED_ACKED);
	ck_assert_uint_eq(trial.policy->needs_of(trial_options("total=64 unit=requests framing=resp")), WEIR_NEED_SCAN);
}
END_TEST

/* ---- asked ----------------------------------------------------------------------------------------------------------- */

enum { TIMEOUTS, UNCOUNTED, CONGESTED }; /* counters */

static void begin(const char *text)
{
	trial_begin("%s", text);
	heard_trial();
	trial.view.now = 1000 * SECOND;
}

/* A turn that read, wrote, and heard of so much acknowledged. */
static void turn(uint64_t read, uint64_t written, uint64_t acked)
{
	struct weir_event event = {.size = sizeof(event), .read = read, .written = written, .acked = acked};

	trial.view.read += read;
	trial.view.written += written;
	trial.view.acked += acked;
	trial.view.held = trial.view.read - trial.view.written;
	event.what = (read > 0 ? WEIR_EVENT_READ : 0) | (written > 0 ? WEIR_EVENT_WROTE : 0) |
		(acked > 0 ? WEIR_EVENT_ACKED : 0) | WEIR_EVENT_TIME;
	trial.policy->event(&trial.call, &trial.view, &event);
}

/* Of every cap. */
static void lease(uint64_t units)
{
	for (int i = 0; i < 3; i++)
		trial.view.pools[i].units = units;
}

START_TEST(without_a_lease_nothing_is_read)
{
	begin("per_session=256K total=1M");
	ck_assert_uint_eq(trial_room(), 0);
	for (int i = 0; i < 3; i++) {
		bool there = i != 1;

		ck_assert_uint_eq(trial_ask().used[i], 0);
		ck_assert_uint_eq(trial_ask().want[i], there ? 262144 : 0);
		ck_assert_uint_eq(trial_ask().grain[i], there ? 16384 : 0);
	}
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().held_max, 1048576);
	ck_assert_uint_eq(trial_ask().for_writing, 0);
}
END_TEST

/* What drains is still in flight; what is acknowledged is not. */
START_TEST(a_lease_is_used_until_it_is_acknowledged)
{
	begin("total=256K");
	lease(65536);
	ck_assert_uint_eq(trial_room(), 65536);
	turn(40000, 0, 0);
	ck_assert_uint_eq(trial_room(), 65536 - 40000);
	ck_assert_uint_eq(trial_ask().used[2], 40000);
	ck_assert_uint_eq(trial_ask().want[2], 40000 + 65536);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN);
	turn(0, 30000, 0);
	ck_assert_uint_eq(trial_room(), 65536 - 40000);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN | WEIR_PROMISE_ACKED);
	turn(0, 10000, 15000);
	ck_assert_uint_eq(trial_room(), 65536 - 25000);
	ck_assert_uint_eq(trial_ask().used[2], 25000);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_ACKED);
	ck_assert(trial_is_pure());
}
END_TEST

START_TEST(the_smallest_lease_counts)
{
	begin("per_session=256K per_upstream=256K total=256K");
	lease(65536);
	for (int i = 0; i < 3; i++) {
		trial.view.pools[i].units = 1000;
		ck_assert_uint_eq(trial_room(), 1000);
		trial.view.pools[i].units = 65536;
	}
}
END_TEST

/* Then only its own acknowledgements help, and no lease is promised. */
START_TEST(a_flow_that_has_all_of_a_cap_wants_no_more)
{
	begin("per_session=64K total=1M");
	lease(65536);
	turn(60000, 60000, 0);
	ck_assert_uint_eq(trial_ask().want[0], 65536);
	ck_assert_uint_eq(trial_ask().want[2], 65536);
	turn(5536, 5536, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().want[0], 65536);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_ACKED);
}
END_TEST

static const struct {
	const char *text;
	uint64_t quantum;
	uint64_t grain;
} quanta[] = {
	{"per_session=1G", 262144, 16384},
	{"per_session=100K", 102400, 16384},
	{"total=1G", 262144, 16384},
	{"total=512K", 131072, 16384},
	{"total=20K", 16384, 10240},
	{"per_upstream=20K", 16384, 10240},
	{"per_session=4K", 4096, 2048},
};

/* Large reads, but of what is shared not all. */
START_TEST(so_much_is_wanted_at_a_time)
{
	begin(quanta[_i].text);
	for (int i = 0; i < 3; i++) {
		if (trial_ask().want[i] == 0)
			continue;
		ck_assert_uint_eq(trial_ask().want[i], quanta[_i].quantum);
		ck_assert_uint_eq(trial_ask().grain[i] > quanta[_i].quantum ? quanta[_i].quantum : trial_ask().grain[i],
			quanta[_i].grain);
	}
}
END_TEST

START_TEST(a_full_queue_wants_nothing)
{
	begin("total=256K queue=32K");
	lease(65536);
	ck_assert_uint_eq(trial_room(), 32768);
	turn(32768, 0, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().want[2], 32768);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
}
END_TEST

START_TEST(behind_the_end_what_is_in_flight_stays)
{
	begin("total=256K");
	lease(65536);
	turn(40000, 40000, 0);
	trial.view.ended = 1;
	ck_assert_uint_eq(trial_ask().used[2], 40000);
	ck_assert_uint_eq(trial_ask().want[2], 40000);
	turn(0, 0, 40000);
	ck_assert_uint_eq(trial_ask().used[2], 0);
	ck_assert_uint_eq(trial_ask().want[2], 0);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
}
END_TEST

START_TEST(the_other_direction_is_free)
{
	begin(_i == WEIR_UP ? "total=256K direction=up" : "total=256K direction=down");
	trial.view.direction = (uint32_t)!_i;
	ck_assert_uint_eq(trial_room(), 1048576); /* but for what it may hold */
	ck_assert_uint_eq(trial_ask().want[2], 0);
	trial.view.direction = (uint32_t)_i;
	ck_assert_uint_eq(trial_room(), 0);
}
END_TEST

/* ---- waiting --------------------------------------------------------------------------------------------------------- */

/* Time passes, in which the flow waits or does not. */
static void pass(uint64_t time, bool waits)
{
	trial.view.now += time;
	trial.view.waited = waits ? trial.view.waited + time : 0;
	turn(0, 0, 0);
}

static const struct {
	const char *text;
	unsigned logs;
	unsigned ends;
	enum weir_end how;
} actions[] = {
	{"total=64K timeout=1s", 1, 0, WEIR_END_CLOSE},
	{"total=64K timeout=1s on_timeout=close", 0, 1, WEIR_END_CLOSE},
	{"total=64K timeout=1s on_timeout=reset", 0, 1, WEIR_END_RESET},
};

START_TEST(a_wait_that_is_too_long_is_acted_on_once)
{
	begin(actions[_i].text);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER); /* it may be idle */
	pass(400 * MS, true);
	ck_assert_uint_eq(trial_ask().ask_at, trial.view.now + 600 * MS);
	pass(599 * MS, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
	pass(1 * MS, true);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
	pass(10 * SECOND, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	ck_assert_uint_eq(heard.logs, actions[_i].logs);
	ck_assert_uint_eq(heard.ends, actions[_i].ends);
	ck_assert_uint_eq(heard.how, actions[_i].how);
	ck_assert_str_eq(heard.ends ? heard.why : heard.log,
		"session 0.0.0: bytes up waited for 1.000s, with 0 in flight");
}
END_TEST

/* Even if every turn ends with a limit of nothing, as under a cap that is always reached. */
START_TEST(who_gets_on_does_not_wait)
{
	begin("total=64K timeout=1s");
	lease(65536);
	for (int i = 0; i < 10; i++) {
		trial.view.now += 600 * MS;
		trial.view.waited += 600 * MS;
		turn(1000, 1000, 1000);
	}
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
	lease(0);
	ck_assert_uint_eq(trial_ask().ask_at, trial.view.now + SECOND);
	pass(SECOND, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	lease(65536);
	turn(1000, 1000, 1000);
	lease(0);
	pass(999 * MS, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	pass(1 * MS, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 2);
}
END_TEST

/* Nor who has nothing to read, or whose sink takes nothing. */
START_TEST(only_a_cap_is_waited_for)
{
	begin("total=64K timeout=1s queue=4K");
	pass(10 * SECOND, false);
	pass(10 * SECOND, false);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
	lease(65536);
	turn(4096, 0, 0);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
	pass(10 * SECOND, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
}
END_TEST

START_TEST(never_is_never)
{
	begin("total=64K timeout=never");
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
	pass(1000 * SECOND, true);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
}
END_TEST

/* ---- slow start -------------------------------------------------------------------------------------------------------- */

#define SUCCESS (64 * KIB)

/* The window, as the flow would use it with all leases it wants. */
static uint64_t window(void)
{
	lease(1 << 30);
	return trial_ask().read_to - trial.view.acked; /* an event has told of these */
}

/* So much is sent and acknowledged at once. */
static void succeed(unsigned times)
{
	while (times-- > 0)
		turn(SUCCESS, SUCCESS, SUCCESS);
}

START_TEST(a_window_grows_by_one_each_then_by_one_a_window)
{
	begin("total=1G slow_start=yes threshold=4");
	ck_assert_uint_eq(window(), SUCCESS);
	turn(SUCCESS / 2, SUCCESS / 2, SUCCESS / 2);
	ck_assert_uint_eq(window(), SUCCESS);
	turn(SUCCESS / 2, SUCCESS / 2, SUCCESS / 2);
	ck_assert_uint_eq(window(), 2 * SUCCESS);
	succeed(2);
	ck_assert_uint_eq(window(), 4 * SUCCESS);
	succeed(3);
	ck_assert_uint_eq(window(), 4 * SUCCESS);
	succeed(1);
	ck_assert_uint_eq(window(), 5 * SUCCESS);
	succeed(4);
	ck_assert_uint_eq(window(), 5 * SUCCESS);
	turn(3 * SUCCESS, 3 * SUCCESS, 3 * SUCCESS); /* five in all, and two of the next six */
	ck_assert_uint_eq(window(), 6 * SUCCESS);
	succeed(4);
	ck_assert_uint_eq(window(), 7 * SUCCESS);
}
END_TEST

START_TEST(a_window_stays_within_the_caps)
{
	begin("per_session=200K total=1G slow_start=yes");
	succeed(2);
	ck_assert_uint_eq(window(), 192 * KIB);
	succeed(30);
	ck_assert_uint_eq(window(), 200 * KIB);
}
END_TEST

static void silence(uint64_t time)
{
	trial.view.now += time;
	turn(0, 0, 0);
}

START_TEST(silence_halves_a_window)
{
	begin("total=1G slow_start=yes");
	succeed(8);
	ck_assert_uint_eq(window(), 9 * SUCCESS);
	silence(10 * SECOND); /* nothing is in flight */
	ck_assert_uint_eq(window(), 9 * SUCCESS);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
	turn(9 * SUCCESS, 9 * SUCCESS, 0);
	ck_assert_uint_eq(trial_ask().ask_at, trial.view.now + SECOND);
	silence(999 * MS);
	ck_assert_uint_eq(window(), 9 * SUCCESS);
	silence(1 * MS);
	ck_assert_uint_eq(window(), 4 * SUCCESS);
	ck_assert_uint_eq(heard.counts[CONGESTED], 1);
	silence(999 * MS);
	turn(0, 0, 2 * SUCCESS); /* 4 is the threshold now */
	ck_assert_uint_eq(window(), 4 * SUCCESS);
	turn(0, 0, 2 * SUCCESS);
	ck_assert_uint_eq(window(), 5 * SUCCESS);
	ck_assert_uint_eq(heard.counts[CONGESTED], 1);
}
END_TEST

/* And no timer runs for a window that cannot be less. */
START_TEST(a_window_is_at_least_one)
{
	begin("total=1G slow_start=yes");
	turn(SUCCESS, SUCCESS, 0);
	for (int i = 0; i < 5; i++)
		silence(SECOND);
	ck_assert_uint_eq(window(), SUCCESS);
	ck_assert_uint_eq(heard.counts[CONGESTED], 1);
	ck_assert_uint_eq(trial_ask().promises & WEIR_PROMISE_LEASE, 0);
}
END_TEST

/* ---- over simulated ends --------------------------------------------------------------------------------------------- */

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
	open_hoarding(4, "total", "queue=1M");
	for (unsigned i = 0; i < rig.count; i++) {
		rig_flood(i, WEIR_UP);
		world_pass(&rig.world, 100 * MS);
	}
	ck_assert_uint_eq(in_flight(0, WEIR_UP), CAP);
	for (unsigned turn = 0; turn < 8; turn++) {
		unsigned next = (turn + 1) % rig.count;
		uint64_t before[4];

		for (unsigned i = 0; i < rig.count; i++)
			before[i] = rig.pairs[i].session.up.read;
		acknowledge(turn % rig.count, WEIR_UP, 16 * KIB);
		world_pass(&rig.world, 100 * MS);
		for (unsigned i = 0; i < rig.count; i++)
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
	Suite *suite = suite_create("inflight");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_loop_test(tcase, options_are_checked, 0, COUNT(checks));
	tcase_add_test(tcase, a_unit_needs_what_it_needs);
	tcase_add_test(tcase, without_a_lease_nothing_is_read);
	tcase_add_test(tcase, a_lease_is_used_until_it_is_acknowledged);
	tcase_add_test(tcase, the_smallest_lease_counts);
	tcase_add_test(tcase, a_flow_that_has_all_of_a_cap_wants_no_more);
	tcase_add_loop_test(tcase, so_much_is_wanted_at_a_time, 0, COUNT(quanta));
	tcase_add_test(tcase, a_full_queue_wants_nothing);
	tcase_add_test(tcase, behind_the_end_what_is_in_flight_stays);
	tcase_add_loop_test(tcase, the_other_direction_is_free, 0, 2);
	tcase_add_loop_test(tcase, a_wait_that_is_too_long_is_acted_on_once, 0, COUNT(actions));
	tcase_add_test(tcase, who_gets_on_does_not_wait);
	tcase_add_test(tcase, only_a_cap_is_waited_for);
	tcase_add_test(tcase, never_is_never);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("slow start");
	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, a_window_grows_by_one_each_then_by_one_a_window);
	tcase_add_test(tcase, a_window_stays_within_the_caps);
	tcase_add_test(tcase, silence_halves_a_window);
	tcase_add_test(tcase, a_window_is_at_least_one);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("flows");
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
