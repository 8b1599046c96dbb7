/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy inflight-cap, with unit = requests: shown what a client and a server say, which of it passes, and what becomes of
 * sessions whose requests cannot be matched. What counts as a request in each framing is test_framing's business.
 */
#include <string.h>

#include "heard.h"
#include "rig.h"
#include "trial.h"
#include "unit.h"

enum { TIMEOUTS, UNCOUNTED, CONGESTED }; /* counters */

static void load_module(void)
{
	trial_load("inflight-cap");
}

static void begin(const char *text)
{
	trial_begin("unit=requests %s", text);
	heard_trial();
	trial.view.now = 1000 * SECOND;
}

/* Another session under the same ini section. */
static void begin_another(void)
{
	memset(trial.call.session, 0, trial.policy->session_size);
	memset(trial.call.flow, 0, trial.policy->flow_size);
	trial.call.ref.direction = WEIR_UP;
	ck_assert_int_eq(trial.policy->open(&trial.call), 0);
}

static void lease(uint64_t units)
{
	for (int i = 0; i < 3; i++)
		trial.view.pools[i].units = units;
}

static size_t show(uint32_t direction, const char *text)
{
	size_t n;

	trial.view.direction = direction;
	trial.call.ref.direction = direction;
	trial.call.view = &trial.view;
	n = trial.policy->scan(&trial.call, text, strlen(text));
	trial.call.view = NULL;
	return n;
}

static struct weir_limits ask(uint32_t direction)
{
	trial.view.direction = direction;
	trial.call.ref.direction = direction;
	return trial_ask();
}

/* What the client says passes as far as here; of all of it is held what does not. */
static void assert_passes(const char *text, size_t passes)
{
	trial.view.read += strlen(text);
	ck_assert_uint_eq(show(WEIR_UP, text), passes);
	trial.view.scanned += passes;
	trial.view.held = trial.view.read - trial.view.scanned;
}

static void tell(uint32_t direction)
{
	struct weir_event event = {.size = sizeof(event), .what = WEIR_EVENT_TIME};

	trial.view.direction = direction;
	trial.call.ref.direction = direction;
	trial.policy->event(&trial.call, &trial.view, &event);
}

static void assert_wants(uint64_t used, uint64_t want, uint32_t promises)
{
	struct weir_limits limits = ask(WEIR_UP);

	ck_assert_uint_eq(limits.used[0], used);
	ck_assert_uint_eq(limits.want[0], want);
	ck_assert_uint_eq(limits.promises, promises);
	ck_assert(trial_is_pure());
}

/* ---- what passes ----------------------------------------------------------------------------------------------------- */

START_TEST(who_asks_nothing_wants_nothing)
{
	begin("framing=line per_session=32");
	assert_wants(0, 0, 0);
	ck_assert_uint_eq(ask(WEIR_UP).read_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(ask(WEIR_UP).write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(ask(WEIR_UP).held_max, 1048576);
	ck_assert_uint_eq(ask(WEIR_DOWN).held_max, 1048576);
}
END_TEST

START_TEST(a_request_waits_for_its_lease)
{
	struct weir_limits limits;

	begin("framing=line per_session=32 total=100");
	assert_passes("first\nsecond\n", 0);
	assert_wants(0, 16, WEIR_PROMISE_LEASE);
	limits = ask(WEIR_UP);
	ck_assert_uint_eq(limits.for_writing, 7);
	ck_assert_uint_eq(limits.want[1], 0); /* there is no such cap */
	ck_assert_uint_eq(limits.want[2], 16);
	ck_assert_uint_eq(limits.grain[0], 1);
	ck_assert_uint_eq(limits.read_to, trial.view.read);
	ck_assert_uint_eq(limits.write_to, trial.view.scanned);
	lease(1);
	trial.view.read = trial.view.scanned = 0;
	assert_passes("first\nsecond\n", 6);
	assert_wants(1, 17, WEIR_PROMISE_LEASE | WEIR_PROMISE_WAKE);
	lease(17);
	trial.view.read = 6;
	assert_passes("second\n", 7);
	assert_wants(2, 2, 0);
	ck_assert_uint_eq(ask(WEIR_DOWN).want[0], 0);
}
END_TEST

START_TEST(a_lease_of_each_cap_is_needed)
{
	begin("framing=line per_session=32 per_upstream=32 total=100");
	for (int i = 0; i < 3; i++) {
		lease(1);
		trial.view.pools[i].units = 0;
		assert_passes("request\n", 0);
	}
	lease(1);
	assert_passes("request\n", 8);
}
END_TEST

/* Wherever a piece ends. */
START_TEST(a_request_in_pieces_is_one)
{
	begin("framing=line per_session=32");
	lease(2);
	assert_passes("f", 1);
	assert_passes("irst", 4);
	assert_passes("\n", 1);
	assert_passes("s", 1);
	assert_passes("econd\nt", 6);
	assert_wants(2, 18, WEIR_PROMISE_LEASE | WEIR_PROMISE_WAKE);
}
END_TEST

START_TEST(an_answer_frees_a_place)
{
	begin("framing=line per_session=2");
	lease(2);
	assert_passes("1\n2\n3\n", 4);
	assert_wants(2, 2, WEIR_PROMISE_WAKE);
	ck_assert_uint_eq(show(WEIR_DOWN, "on"), 2);
	ck_assert_uint_eq(heard.wakes, 0);
	ck_assert_uint_eq(show(WEIR_DOWN, "e\ntw"), 4);
	ck_assert_uint_eq(heard.wakes, 1);
	assert_wants(1, 1, WEIR_PROMISE_WAKE); /* first it goes back: others may have waited longer */
	lease(3);
	assert_wants(1, 2, WEIR_PROMISE_WAKE); /* but not what was granted meanwhile */
	lease(1);
	ck_assert_uint_eq(show(WEIR_UP, "3\n"), 0);
	assert_wants(1, 2, WEIR_PROMISE_LEASE | WEIR_PROMISE_WAKE);
	lease(2);
	ck_assert_uint_eq(show(WEIR_UP, "3\n"), 2);
	trial.view.held = 0;
	assert_wants(2, 2, 0);
	ck_assert_uint_eq(show(WEIR_DOWN, "o\nthree\n"), 8);
	ck_assert_uint_eq(heard.wakes, 2);
	assert_wants(0, 0, 0);
}
END_TEST

/* The flow up may be asked before the wake-up of the answer gets to it. */
START_TEST(the_last_answer_is_still_to_wake_who_waits)
{
	begin("framing=line per_session=1");
	lease(1);
	assert_passes("1\n2\n", 2);
	ck_assert_uint_eq(show(WEIR_DOWN, "one\n"), 4);
	ck_assert_uint_eq(heard.wakes, 1);
	assert_wants(0, 0, WEIR_PROMISE_WAKE);
}
END_TEST

/* A Terminate ends a batch that will not be answered any more. */
START_TEST(what_is_not_answered_after_all_frees_its_place)
{
	static const char startup[] = "\0\0\0\x08\0\3\0\0";
	static const char batch[] = "P\0\0\0\x08"
				    "a\0\0\0"
				    "X\0\0\0\4";

	begin("framing=pgsql per_session=1");
	lease(1);
	trial.call.view = &trial.view;
	ck_assert_uint_eq(trial.policy->scan(&trial.call, startup, 8), 8);
	trial.call.ref.direction = WEIR_DOWN;
	ck_assert_uint_eq(trial.policy->scan(&trial.call, "Z\0\0\0\5I", 6), 6);
	trial.call.ref.direction = WEIR_UP;
	ck_assert_uint_eq(trial.policy->scan(&trial.call, batch, 9), 9);
	assert_wants(1, 1, 0);
	trial.call.view = &trial.view;
	ck_assert_uint_eq(trial.policy->scan(&trial.call, batch + 9, 5), 5);
	assert_wants(0, 0, 0);
}
END_TEST

START_TEST(behind_the_end_requests_wait_as_well)
{
	begin("framing=line per_session=1");
	lease(1);
	assert_passes("1\n2\n", 2);
	trial.view.ended = 1;
	assert_wants(1, 1, WEIR_PROMISE_WAKE);
	ck_assert_uint_eq(ask(WEIR_UP).write_to, trial.view.scanned);
}
END_TEST

/* ---- what cannot be matched ------------------------------------------------------------------------------------------ */

START_TEST(an_uncounted_session_is_let_alone)
{
	begin("framing=resp per_session=1 total=5");
	lease(1);
	assert_passes("SUBSCRIBE news\r\nPING\r\n", 22);
	assert_wants(0, 0, 0);
	assert_passes("PING\r\nPING\r\n", 12);
	ck_assert_uint_eq(show(WEIR_DOWN, "anything"), 8);
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 1);
	ck_assert_uint_eq(heard.logs, 1);
	ck_assert_str_eq(heard.log,
		"SUBSCRIBE: requests cannot be matched; not counting such sessions, and not telling of that again");
	ck_assert_uint_eq(heard.ends, 0);
}
END_TEST

/* The flow up waited, or had leases: it is asked again. */
START_TEST(an_answer_can_be_what_is_not_matched)
{
	begin("framing=line per_session=1");
	lease(1);
	assert_passes("1\n2\n", 2);
	ck_assert_uint_eq(show(WEIR_DOWN, "one\ntwo\n"), 8);
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 1);
	ck_assert_uint_ge(heard.wakes, 1);
	trial.view.held = 2;
	assert_wants(0, 0, WEIR_PROMISE_DRAIN);
	ck_assert_uint_eq(show(WEIR_UP, "2\n"), 2);
}
END_TEST

START_TEST(each_reason_is_told_once)
{
	static const char *const lines[] = {"SUBSCRIBE news\r\n", "MONITOR\r\n"};

	begin("framing=resp per_session=1");
	lease(1);
	for (unsigned i = 0; i < 100; i++) {
		begin_another();
		show(WEIR_UP, lines[i % 2]);
	}
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 100);
	ck_assert_uint_eq(heard.logs, 2);
}
END_TEST

START_TEST(or_the_session_is_closed)
{
	begin("framing=resp per_session=1 on_error=close");
	lease(1);
	assert_passes("PING\r\n", 6);
	show(WEIR_DOWN, "+PONG\r\n");
	ck_assert_uint_lt(show(WEIR_UP, "MONITOR\r\n"), 9);
	ck_assert_uint_eq(heard.ends, 1);
	ck_assert_uint_eq(heard.how, WEIR_END_CLOSE);
	ck_assert_str_eq(heard.why, "requests cannot be matched: MONITOR");
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 1);
	for (uint32_t direction = WEIR_UP; direction <= WEIR_DOWN; direction++) {
		ck_assert_uint_eq(show(direction, "+OK\r\n"), 0);
		ck_assert_uint_eq(ask(direction).write_to, trial.view.scanned);
		ck_assert_uint_eq(ask(direction).read_to, trial.view.read);
		ck_assert_uint_ne(ask(direction).promises, 0);
	}
	ck_assert_uint_eq(heard.ends, 1);
	ck_assert_uint_eq(ask(WEIR_UP).used[0], 0);
}
END_TEST

/* Who has closed its stream answers nothing any more. That is nobody's fault. */
START_TEST(behind_the_answers_end_nothing_counts)
{
	begin("framing=line per_session=1");
	lease(1);
	assert_passes("1\n2\n", 2);
	trial.view.ended = 1;
	trial.view.scanned = trial.view.read - 1;
	tell(WEIR_DOWN);
	assert_wants(1, 1, WEIR_PROMISE_WAKE); /* something is to be seen yet */
	trial.view.scanned = trial.view.read;
	tell(WEIR_DOWN);
	ck_assert_uint_eq(heard.wakes, 1);
	trial.view.held = 0;
	assert_wants(0, 0, 0);
	ck_assert_uint_eq(show(WEIR_UP, "2\n"), 2);
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 0);
	ck_assert_uint_eq(heard.logs, 0);
}
END_TEST

/* ---- waiting, and windows -------------------------------------------------------------------------------------------- */

START_TEST(a_request_that_waits_too_long)
{
	begin("framing=line per_session=1 timeout=2s on_timeout=reset");
	lease(1);
	assert_passes("1\n2\n3\n", 2);
	ck_assert_uint_eq(ask(WEIR_UP).ask_at, trial.view.now + 2 * SECOND);
	trial.view.now += SECOND;
	trial.view.waited = SECOND;
	show(WEIR_DOWN, "one\n");
	ck_assert_uint_eq(show(WEIR_UP, "2\n3\n"), 2);
	trial.view.now += SECOND;
	trial.view.waited += SECOND; /* weir saw no break, but one has passed since */
	tell(WEIR_UP);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
	trial.view.now += SECOND;
	trial.view.waited += SECOND;
	tell(WEIR_UP);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	ck_assert_uint_eq(heard.how, WEIR_END_RESET);
	ck_assert_str_eq(heard.why, "session 0.0.0: a request waited for 2.000s, with 1 in flight");
	ck_assert_uint_eq(ask(WEIR_UP).ask_at, WEIR_NEVER);
}
END_TEST

static size_t ask_many(void)
{
	return show(WEIR_UP, "1\n2\n3\n4\n5\n6\n7\n8\n9\n") / 2;
}

START_TEST(a_window_of_requests)
{
	begin("framing=line per_session=100 slow_start=yes threshold=3");
	lease(100);
	ck_assert_uint_eq(ask_many(), 1);
	assert_wants(1, 1, WEIR_PROMISE_WAKE);
	show(WEIR_DOWN, "1\n");
	ck_assert_uint_eq(ask_many(), 2);
	show(WEIR_DOWN, "2\n3\n");
	ck_assert_uint_eq(ask_many(), 3); /* the threshold; and one of the next three */
	show(WEIR_DOWN, "4\n5\n");
	ck_assert_uint_eq(ask_many(), 3); /* one was in flight, and four may be */
	ck_assert_uint_eq(ask(WEIR_UP).ask_at, trial.view.now + SECOND);
	trial.view.now += SECOND;
	tell(WEIR_UP);
	ck_assert_uint_eq(heard.counts[CONGESTED], 1);
	show(WEIR_DOWN, "6\n7\n");
	lease(4);
	assert_wants(2, 2, WEIR_PROMISE_WAKE); /* a window of two is full */
	ck_assert_uint_eq(ask_many(), 1);      /* which two answers have made three */
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("inflight_requests");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, who_asks_nothing_wants_nothing);
	tcase_add_test(tcase, a_request_waits_for_its_lease);
	tcase_add_test(tcase, a_lease_of_each_cap_is_needed);
	tcase_add_test(tcase, a_request_in_pieces_is_one);
	tcase_add_test(tcase, an_answer_frees_a_place);
	tcase_add_test(tcase, the_last_answer_is_still_to_wake_who_waits);
	tcase_add_test(tcase, what_is_not_answered_after_all_frees_its_place);
	tcase_add_test(tcase, behind_the_end_requests_wait_as_well);
	tcase_add_test(tcase, an_uncounted_session_is_let_alone);
	tcase_add_test(tcase, an_answer_can_be_what_is_not_matched);
	tcase_add_test(tcase, each_reason_is_told_once);
	tcase_add_test(tcase, or_the_session_is_closed);
	tcase_add_test(tcase, behind_the_answers_end_nothing_counts);
	tcase_add_test(tcase, a_request_that_waits_too_long);
	tcase_add_test(tcase, a_window_of_requests);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
