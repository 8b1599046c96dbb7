/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What policies answer and what comes of it: limits, promises, states. Two policies whose answers the test writes down,
 * for the flow upwards; downwards they have no opinion.
 */
#include <stdalign.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

struct answer {
	uint64_t read_to;
	uint64_t write_to;
	uint64_t held_max;
	uint64_t ask_in; /* ns after now; WEIR_NEVER */
	uint64_t ask_at; /* if that is WEIR_NEVER */
	uint32_t promises;
	uint32_t patience; /* after so many asks nothing is limited any more; 0: never */
	/* what the policy saw */
	uint32_t asked;
	uint32_t what; /* of all events */
	uint64_t read;
	uint64_t written;
	uint64_t told_at; /* of the last event */
	unsigned opened;
	unsigned closed;
	unsigned refuse; /* the open of this direction, plus 1 */
	struct weir_call call[2];
};

static struct answer one;
static struct answer two;

static struct answer *answer_of(const struct weir_call *call)
{
	return (struct answer *)call->options;
}

static int answer_open(const struct weir_call *call)
{
	struct answer *answer = answer_of(call);

	if (answer->refuse == call->ref.direction + 1)
		return -1;
	answer->opened++;
	answer->call[call->ref.direction] = *call;
	return 0;
}

static void answer_close(const struct weir_call *call)
{
	answer_of(call)->closed++;
}

static void answer_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	struct answer *answer = answer_of(call);

	if (call->ref.direction != WEIR_UP)
		return;
	answer->asked++;
	if (answer->patience > 0 && answer->asked > answer->patience)
		return;
	limits->read_to = answer->read_to;
	limits->write_to = answer->write_to;
	limits->held_max = answer->held_max;
	limits->ask_at = answer->ask_in != WEIR_NEVER ? view->now + answer->ask_in : answer->ask_at;
	limits->promises = answer->promises;
}

static void answer_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	struct answer *answer = answer_of(call);

	if (call->ref.direction != WEIR_UP)
		return;
	answer->what |= event->what;
	answer->read += event->read;
	answer->written += event->written;
	answer->told_at = view->now;
}

static const struct weir_policy answer_policy = {
	.name = "answer",
	.instance_size = 1,
	.worker_size = 3,
	.session_size = 5,
	.flow_size = 7,
	.open = answer_open,
	.close = answer_close,
	.ask = answer_ask,
	.event = answer_event,
};

static struct world world;
static struct rule first;
static struct rule second;
static struct stack stack;
static struct pair pair;
static struct fake *source = &pair.client;
static struct fake *sink = &pair.server;
static struct flow *flow = &pair.session.up;

static const struct answer anything = {
	.read_to = WEIR_UNLIMITED,
	.write_to = WEIR_UNLIMITED,
	.held_max = WEIR_UNLIMITED,
	.ask_in = WEIR_NEVER,
	.ask_at = WEIR_NEVER,
};

static void set_up(void)
{
	one = two = anything;
	capture_begin();
	world_init(&world, 1024);
	rule_init(&first, "alpha", &answer_policy, &one);
	rule_init(&second, "beta", &answer_policy, &two);
	rule_stack(&stack, &first, &second, NULL);
	pair_init(&pair, &world, &stack);
}

static void tear_down(void)
{
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(one.closed, one.opened);
	ck_assert_uint_eq(two.closed, two.opened);
	stack_destroy(&stack);
	rule_destroy(&first);
	rule_destroy(&second);
	world_destroy(&world);
}

static void again(void)
{
	session_ready(&pair.session);
	world_run(&world);
}

static unsigned complaints(void)
{
	return capture_count("promises nothing");
}

/* ---- limits -------------------------------------------------------------------------------------------------------- */

START_TEST(no_byte_is_read_beyond_read_to)
{
	pair_open(&pair);
	one.promises = WEIR_PROMISE_WAKE;
	for (one.read_to = 0; one.read_to < 10000; one.read_to += 777) {
		fake_send(source, 900);
		world_run(&world);
		ck_assert_uint_eq(flow->read, one.read_to);
		ck_assert_uint_eq(sink->accepted, one.read_to);
	}
}
END_TEST

START_TEST(no_byte_is_written_beyond_write_to)
{
	pair_open(&pair);
	one.promises = WEIR_PROMISE_WAKE;
	fake_send(source, 100000);
	for (one.write_to = 0; one.write_to < 100000; one.write_to += 7777) {
		again();
		ck_assert_uint_eq(sink->accepted, one.write_to);
		ck_assert_uint_eq(flow->read, 100000);
	}
}
END_TEST

START_TEST(no_more_than_held_max_is_held)
{
	pair_open(&pair);
	one.held_max = 12345;
	one.promises = WEIR_PROMISE_DRAIN;
	fake_shut(sink);
	fake_send(source, 100000);
	world_run(&world);
	ck_assert_uint_eq(flow->store.held, 12345);
	fake_open(sink, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 100000);
	ck_assert_uint_eq(flow->held_max, 12345);
}
END_TEST

START_TEST(the_smallest_limit_of_all_counts)
{
	pair_open(&pair);
	one.promises = two.promises = WEIR_PROMISE_WAKE;
	one.read_to = 3000;
	two.read_to = 2000;
	one.write_to = 500;
	two.write_to = 900;
	fake_send(source, 100000);
	world_run(&world);
	ck_assert_uint_eq(flow->read, 2000);
	ck_assert_uint_eq(sink->accepted, 500);
	one.write_to = 5000;
	again();
	ck_assert_uint_eq(sink->accepted, 900);
}
END_TEST

START_TEST(a_pause_is_named_after_who_set_it)
{
	pair_open(&pair);
	two.promises = WEIR_PROMISE_WAKE;
	two.read_to = 10;
	fake_send(source, 100);
	world_pass(&world, SECOND / 2);
	ck_assert_uint_eq(flow->meter.pauses[0].count, 0);
	ck_assert_uint_eq(meter_paused(&flow->meter, world.now, 1), SECOND / 2);
	ck_assert_str_eq(stack_cause(&stack, 1), "beta");
	ck_assert_uint_eq(meter_spent(&flow->meter, world.now, METER_HELD), SECOND / 2);
}
END_TEST

START_TEST(a_limit_that_goes_backwards_means_nothing_now)
{
	pair_open(&pair);
	fake_shut(sink);
	fake_send(source, 5000);
	world_run(&world);
	one.read_to = 10;
	one.write_to = 0;
	one.held_max = 1;
	one.promises = WEIR_PROMISE_WAKE;
	fake_send(source, 5000);
	fake_open(sink, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(flow->read, 5000);
	ck_assert_uint_eq(sink->accepted, 0);
	one.read_to = one.write_to = one.held_max = WEIR_UNLIMITED;
	again();
	ck_assert_uint_eq(sink->accepted, 10000);
}
END_TEST

/* ---- promises ------------------------------------------------------------------------------------------------------ */

/* Promises that cannot end a limit of nothing while nothing is held. */
static const uint32_t empty_promises[] = {
	0,
	WEIR_PROMISE_DRAIN,
	WEIR_PROMISE_ACKED,
	WEIR_PROMISE_LEASE,
	WEIR_PROMISE_TIME,
	WEIR_PROMISE_SOURCE,
	WEIR_PROMISE_DRAIN | WEIR_PROMISE_ACKED | WEIR_PROMISE_LEASE | WEIR_PROMISE_TIME | WEIR_PROMISE_SOURCE,
};

START_TEST(a_broken_promise_is_logged_once_and_asked_again)
{
	uint32_t asked;

	pair_open(&pair);
	ck_assert_uint_eq(complaints(), 0);
	one.read_to = 0;
	one.promises = empty_promises[_i];
	fake_send(source, 100);
	world_run(&world);
	asked = one.asked;
	for (uint32_t i = 1; i <= 10; i++) {
		world_pass(&world, STANDING_RECHECK + SCHED_TICK);
		ck_assert_uint_ge(one.asked - asked, i);
		ck_assert_uint_le(one.asked - asked, 3 * i);
	}
	ck_assert_uint_eq(complaints(), 1);
	ck_assert_uint_eq(capture_count("policy alpha (answer)"), 1);
	two.read_to = 0;
	world_pass(&world, SECOND);
	ck_assert_uint_eq(capture_count("policy beta (answer)"), 1);
	one.read_to = two.read_to = WEIR_UNLIMITED;
	world_pass(&world, SECOND);
	ck_assert_uint_eq(sink->accepted, 100);
	ck_assert_uint_eq(complaints(), 2);
}
END_TEST

START_TEST(a_policy_that_hangs_cannot_hang_the_session)
{
	one.read_to = 0;
	one.patience = 50;
	pair_open(&pair);
	fake_send(source, 100);
	fake_end(source);
	world_pass(&world, 10 * SECOND);
	ck_assert_uint_eq(sink->accepted, 100);
	ck_assert(sink->fin_sent);
}
END_TEST

START_TEST(a_time_in_the_past_is_no_promise_and_no_spin)
{
	pair_open(&pair);
	one.read_to = 0;
	one.promises = WEIR_PROMISE_TIME;
	one.ask_in = 0;
	fake_send(source, 100);
	world_pass(&world, SECOND);
	ck_assert_uint_le(one.asked, 40);
	ck_assert_uint_eq(complaints(), 1);
}
END_TEST

START_TEST(a_promise_that_can_come_true_is_believed)
{
	uint32_t asked;

	pair_open(&pair);
	fake_shut(sink);
	fake_send(source, 100);
	world_run(&world);
	one.held_max = 50;
	one.promises = WEIR_PROMISE_DRAIN;
	fake_send(source, 100);
	world_pass(&world, SECOND);
	asked = one.asked;
	world_pass(&world, HOUR);
	ck_assert_uint_eq(one.asked, asked);
	ck_assert_uint_eq(complaints(), 0);
}
END_TEST

START_TEST(a_promised_wake_up_is_checked_now_and_then)
{
	uint32_t asked;

	pair_open(&pair);
	one.read_to = 0;
	one.promises = WEIR_PROMISE_WAKE;
	fake_send(source, 100);
	world_run(&world);
	asked = one.asked;
	world_pass(&world, 10 * SECOND);
	ck_assert_uint_ge(one.asked - asked, 9);
	ck_assert_uint_le(one.asked - asked, 30);
	ck_assert_uint_eq(complaints(), 0);
	one.read_to = WEIR_UNLIMITED;
	session_wake(&pair.session);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 100);
}
END_TEST

START_TEST(a_promised_time_is_kept)
{
	uint64_t begin;

	pair_open(&pair);
	begin = world.now;
	one.read_to = 0;
	one.promises = WEIR_PROMISE_TIME;
	one.ask_at = begin + 7 * SECOND;
	fake_send(source, 100);
	world_pass(&world, 7 * SECOND - 1);
	one.what = 0;
	one.read_to = WEIR_UNLIMITED;
	one.ask_at = WEIR_NEVER;
	world_pass(&world, SCHED_TICK + 1);
	ck_assert_uint_eq(sink->accepted, 100);
	ck_assert(one.what & WEIR_EVENT_TIME);
	ck_assert_uint_ge(one.told_at, begin + 7 * SECOND);
	ck_assert_uint_eq(complaints(), 0);
}
END_TEST

/* ask_at is honoured without any limit, too. */
START_TEST(a_policy_is_asked_at_the_time_it_named)
{
	one.ask_in = 10 * SECOND;
	pair_open(&pair);
	one.what = 0;
	world_pass(&world, 10 * SECOND - 1);
	ck_assert((one.what & WEIR_EVENT_TIME) == 0);
	world_pass(&world, SCHED_TICK + 1);
	ck_assert((one.what & WEIR_EVENT_TIME) != 0);
	ck_assert_uint_le(one.asked, 8);
}
END_TEST

START_TEST(writing_may_wait_for_more_from_the_source)
{
	pair_open(&pair);
	one.write_to = 0;
	one.promises = WEIR_PROMISE_SOURCE;
	fake_send(source, 100);
	world_pass(&world, HOUR);
	ck_assert_uint_eq(complaints(), 0);
	one.write_to = WEIR_UNLIMITED;
	fake_send(source, 100);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 200);
}
END_TEST

START_TEST(writing_cannot_wait_for_a_source_that_has_ended)
{
	pair_open(&pair);
	one.write_to = 0;
	one.promises = WEIR_PROMISE_SOURCE;
	fake_send(source, 100);
	fake_end(source);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(complaints(), 1);
	one.write_to = WEIR_UNLIMITED;
	world_pass(&world, SECOND);
	ck_assert_uint_eq(sink->accepted, 100);
	ck_assert(sink->fin_sent);
}
END_TEST

/* One waits for bytes that the other lets be read only when these have been written. */
START_TEST(two_policies_that_wait_for_each_other_are_found_out)
{
	pair_open(&pair);
	one.write_to = 0;
	one.promises = WEIR_PROMISE_SOURCE;
	two.held_max = 50;
	two.promises = WEIR_PROMISE_DRAIN;
	fake_send(source, 100);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(capture_count("policy alpha"), 1);
	ck_assert_uint_ge(one.asked, 8);
}
END_TEST

START_TEST(writing_cannot_wait_for_its_own_drain)
{
	pair_open(&pair);
	one.write_to = 0;
	one.promises = WEIR_PROMISE_DRAIN;
	fake_send(source, 100);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(complaints(), 1);
}
END_TEST

/* ---- states and events ---------------------------------------------------------------------------------------------- */

START_TEST(events_tell_every_byte_and_the_end)
{
	pair_open(&pair);
	for (int i = 0; i < 20; i++) {
		fake_send(source, 100000);
		if (i % 3 == 0)
			fake_shut(sink);
		else
			fake_open(sink, 300000);
		world_run(&world);
	}
	fake_open(sink, FAKE_WIDE);
	fake_end(source);
	world_run(&world);
	ck_assert_uint_eq(one.read, 2000000);
	ck_assert_uint_eq(one.written, 2000000);
	ck_assert_uint_eq(one.what, WEIR_EVENT_READ | WEIR_EVENT_WROTE | WEIR_EVENT_ACKED | WEIR_EVENT_ENDED);
}
END_TEST

START_TEST(a_policy_finds_its_states_zeroed_and_apart)
{
	const struct weir_call *up = &one.call[WEIR_UP];
	const struct weir_call *down = &one.call[WEIR_DOWN];
	static const char zeroes[8];

	pair_open(&pair);
	ck_assert_ptr_eq(up->session, down->session);
	ck_assert_ptr_ne(up->flow, down->flow);
	ck_assert_ptr_eq(up->instance, down->instance);
	ck_assert_ptr_ne(up->instance, two.call[WEIR_UP].instance);
	ck_assert_ptr_ne(up->session, two.call[WEIR_UP].session);
	ck_assert_ptr_nonnull(up->worker);
	ck_assert_int_eq(memcmp(up->flow, zeroes, 7), 0);
	ck_assert_uint_eq((uintptr_t)up->flow % alignof(max_align_t), 0);
	ck_assert_uint_eq((uintptr_t)down->flow % alignof(max_align_t), 0);
	ck_assert_uint_eq((uintptr_t)up->session % alignof(max_align_t), 0);
	memset(up->session, 1, 5);
	memset(up->flow, 1, 7);
	memset(down->flow, 1, 7);
	ck_assert_int_eq(memcmp(two.call[WEIR_UP].session, zeroes, 5), 0);
	ck_assert_int_eq(memcmp(two.call[WEIR_DOWN].flow, zeroes, 7), 0);
}
END_TEST

START_TEST(a_policy_that_refuses_leaves_nothing_open)
{
	two.refuse = (unsigned)_i + 1;
	pair_try(&pair);
	ck_assert_uint_eq(pair.dialed, 0);
	ck_assert_int_eq(pair.session.state, SESSION_CLOSED);
	ck_assert_int_eq(pair.session.reason, CLOSE_REFUSED_BY_POLICY);
	ck_assert(pair.client.closed);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_uint_eq(one.opened, one.closed);
	ck_assert_uint_eq(two.opened, two.closed);
	ck_assert_uint_eq(two.opened, (unsigned)_i);
	two.refuse = 0;
	pair_init(&pair, &world, &stack);
	pair_open(&pair);
	ck_assert_uint_eq(one.opened, one.closed + 2);
}
END_TEST

static TCase *case_of(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("standing");
	TCase *tcase = case_of(suite, "limits");

	tcase_add_test(tcase, no_byte_is_read_beyond_read_to);
	tcase_add_test(tcase, no_byte_is_written_beyond_write_to);
	tcase_add_test(tcase, no_more_than_held_max_is_held);
	tcase_add_test(tcase, the_smallest_limit_of_all_counts);
	tcase_add_test(tcase, a_pause_is_named_after_who_set_it);
	tcase_add_test(tcase, a_limit_that_goes_backwards_means_nothing_now);
	tcase = case_of(suite, "promises");
	tcase_add_loop_test(tcase, a_broken_promise_is_logged_once_and_asked_again, 0,
		(int)(sizeof(empty_promises) / sizeof(*empty_promises)));
	tcase_add_test(tcase, a_policy_that_hangs_cannot_hang_the_session);
	tcase_add_test(tcase, a_time_in_the_past_is_no_promise_and_no_spin);
	tcase_add_test(tcase, a_promise_that_can_come_true_is_believed);
	tcase_add_test(tcase, a_promised_wake_up_is_checked_now_and_then);
	tcase_add_test(tcase, a_promised_time_is_kept);
	tcase_add_test(tcase, a_policy_is_asked_at_the_time_it_named);
	tcase_add_test(tcase, writing_may_wait_for_more_from_the_source);
	tcase_add_test(tcase, writing_cannot_wait_for_a_source_that_has_ended);
	tcase_add_test(tcase, two_policies_that_wait_for_each_other_are_found_out);
	tcase_add_test(tcase, writing_cannot_wait_for_its_own_drain);
	tcase = case_of(suite, "states and events");
	tcase_add_test(tcase, events_tell_every_byte_and_the_end);
	tcase_add_test(tcase, a_policy_finds_its_states_zeroed_and_apart);
	tcase_add_loop_test(tcase, a_policy_that_refuses_leaves_nothing_open, 0, 2);
	return unit_main(suite);
}
