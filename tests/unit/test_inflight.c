/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy inflight-cap, with unit = bytes: asked directly, what it lets be read for what it leases, waits and windows.
 * Requests are test_inflight_requests' business.
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
	turn(SUCCESS, SUCCESS, 0);
	trial.view.now += SECOND;
	turn(0, 0, 0);
	ck_assert_uint_eq(window(), 128 * KIB); /* half of four, not of thirty */
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
	return unit_main(suite);
}
