/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flow shows to policies: totals, times, samples, bytes. The policy here only looks; for the flow upwards.
 */
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

static struct watcher {
	struct weir_view view; /* of the last ask */
	struct weir_view told; /* of the last event */
	uint64_t acked;        /* by events */
	uint64_t scanned;      /* bytes consumed */
	bool pauses;           /* ask: lets nothing be read */
	uint64_t window;       /* ask: so many bytes may be unacknowledged; 0: any number */
	bool refuses;          /* scan: consumes nothing */
	unsigned scans;
} watcher;

static void watch_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	if (call->ref.direction == WEIR_UP)
		watcher.view = *view;
	if (watcher.window > 0) {
		limits->read_to = view->acked + watcher.window;
		limits->promises = WEIR_PROMISE_ACKED;
	}
	if (!watcher.pauses)
		return;
	limits->read_to = view->read;
	limits->ask_at = view->now + SECOND;
	limits->promises = WEIR_PROMISE_TIME;
}

static void watch_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	if (call->ref.direction != WEIR_UP)
		return;
	watcher.told = *view;
	watcher.acked += event->acked;
}

/* Checks that every byte is shown in its order; takes it in bites that do not fit the store's segments. */
static size_t watch_scan(const struct weir_call *call, const void *bytes, size_t length)
{
	size_t taken = length < 1000 ? length : 1000;

	if (call->ref.direction != WEIR_UP)
		return length;
	watcher.scans++;
	MUST(length > 0, "nothing is shown");
	if (watcher.refuses)
		return 0;
	MUST(fake_sent(1, bytes, length, watcher.scanned), "wrong bytes are shown at %llu",
		(unsigned long long)watcher.scanned);
	watcher.scanned += taken;
	return taken;
}

static struct weir_policy watch_policy = {
	.name = "watch",
	.ask = watch_ask,
	.event = watch_event,
	.scan = watch_scan,
};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct pair pair;
static struct fake *source = &pair.client;
static struct fake *sink = &pair.server;
static struct flow *flow = &pair.session.up;

static void begin(uint32_t needs)
{
	memset(&watcher, 0, sizeof(watcher));
	capture_begin();
	world_init(&world, 1024);
	watch_policy.needs = needs;
	rule_init(&rule, "watch", &watch_policy, &watcher);
	rule_stack(&stack, &rule, NULL, NULL);
	pair_init(&pair, &world, &stack);
	pair_open(&pair);
}

static void finish(void)
{
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

static void send_up(uint64_t bytes)
{
	fake_send(source, bytes);
	world_run(&world);
}

/* ---- the view ------------------------------------------------------------------------------------------------------ */

/* However little may be read at once, others have their turn. */
START_TEST(a_turn_ends_after_so_many_reads)
{
	unsigned reads;

	begin(0);
	source->tells_left = true;
	source->read_most = 1;
	fake_send(source, 1000);
	(void)world_step(&world);
	reads = source->reads;
	ck_assert_uint_gt(reads, 1);
	ck_assert_uint_lt(reads, 100);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 1000);
	finish();
}
END_TEST

START_TEST(totals_are_shown)
{
	begin(0);
	send_up(1000);
	fake_shut(sink);
	send_up(500);
	send_up(300);
	ck_assert_uint_eq(watcher.told.size, sizeof(struct weir_view));
	ck_assert_uint_eq(watcher.told.read, 1800);
	ck_assert_uint_eq(watcher.told.written, 1000);
	ck_assert_uint_eq(watcher.told.acked, 1000);
	ck_assert_uint_eq(watcher.told.held, 800);
	ck_assert_uint_eq(watcher.told.chunks, 3);
	ck_assert_uint_eq(watcher.told.now, world.now);
	ck_assert_uint_eq(watcher.told.ended, 0);
	fake_end(source);
	world_run(&world);
	ck_assert_uint_eq(watcher.told.ended, 1);
	finish();
}
END_TEST

START_TEST(the_age_of_the_oldest_held_byte_is_shown)
{
	begin(0);
	fake_shut(sink);
	send_up(500);
	world_pass(&world, 3 * SECOND);
	send_up(300);
	ck_assert_uint_eq(watcher.told.oldest_age, 3 * SECOND);
	fake_open(sink, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(watcher.told.oldest_age, 0);
	finish();
}
END_TEST

START_TEST(the_time_blocked_is_shown)
{
	begin(0);
	fake_shut(sink);
	send_up(500);
	world_pass(&world, 3 * SECOND);
	fake_open(sink, FAKE_WIDE);
	world_pass(&world, 2 * SECOND);
	send_up(300);
	ck_assert_uint_eq(watcher.told.blocked, 3 * SECOND);
	finish();
}
END_TEST

START_TEST(the_drain_rate_is_what_a_slow_sink_takes)
{
	begin(0);
	fake_shut(sink);
	send_up(10 * MIB);
	for (int i = 0; i < 100; i++) {
		world_pass(&world, 100 * MS);
		fake_open(sink, 10000);
		world_run(&world);
	}
	ck_assert_uint_gt(watcher.told.drain_rate, 90000);
	ck_assert_uint_lt(watcher.told.drain_rate, 110000);
	finish();
}
END_TEST

/* ---- samples ------------------------------------------------------------------------------------------------------- */

START_TEST(nothing_is_sampled_unless_needed)
{
	begin(0);
	fake_shut(sink);
	send_up(MIB);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(source->samples + sink->samples, 0);
	finish();
}
END_TEST

START_TEST(acknowledgements_are_noticed_although_they_make_no_event)
{
	begin(WEIR_NEED_ACKED);
	sink->hoards = true;
	send_up(10000);
	ck_assert_uint_eq(watcher.told.written, 10000);
	ck_assert_uint_eq(watcher.told.acked, 0);
	for (uint64_t acked = 1000; acked <= 10000; acked += 1000) {
		fake_ack(sink, 1000);
		world_pass(&world, 51 * MS);
		ck_assert_uint_eq(watcher.told.acked, acked);
		ck_assert_uint_eq(watcher.acked, acked);
	}
	finish();
}
END_TEST

START_TEST(sampling_slows_down_and_ends)
{
	unsigned samples;

	begin(WEIR_NEED_ACKED);
	sink->hoards = true;
	send_up(10000);
	samples = sink->samples;
	world_pass(&world, 10 * SECOND);
	ck_assert_uint_le(sink->samples - samples, 30); /* in silence, as long as that has lasted */
	ck_assert_uint_ge(sink->samples - samples, 10); /* but each second */
	fake_ack(sink, 10000);
	world_pass(&world, SECOND);
	samples = sink->samples;
	world_pass(&world, HOUR);
	ck_assert_uint_le(sink->samples - samples, 5);
	finish();
}
END_TEST

/* What is acknowledged at once costs nobody's time: neither samples while there is room, nor a wait when there is none. */
START_TEST(who_comes_to_a_limit_gets_a_new_sample)
{
	begin(WEIR_NEED_ACKED);
	watcher.window = 10000;
	for (unsigned i = 0; i < 100; i++) {
		unsigned samples = sink->samples;

		world_pass(&world, 2 * MS);
		send_up(1000);
		ck_assert_uint_eq(sink->accepted, (i + 1) * UINT64_C(1000));
		ck_assert_uint_le(sink->samples - samples, 1);
	}
	ck_assert_uint_le(sink->samples, 100 * 1000 / 10000 + 200 / 50 + 5);
	sink->hoards = true;
	send_up(5000);
	world_pass(&world, 10 * SECOND); /* by now it is looked at once a second */
	fake_ack(sink, 5000);
	send_up(8000);
	ck_assert_uint_eq(sink->accepted, 100000 + 5000 + 8000);
	finish();
}
END_TEST

/* Nothing comes, and nothing may be read anyhow. */
START_TEST(a_paused_flow_that_rests_does_not_spin)
{
	uint64_t rounds;

	begin(WEIR_NEED_ACKED);
	watcher.pauses = true;
	session_wake(&pair.session);
	world_run(&world);
	ck_assert_uint_ne(flow->standing.verdict.paused, 0);
	rounds = world.rounds;
	world_pass(&world, 10 * SECOND);
	ck_assert_uint_le(world.rounds - rounds, 2 * 10000 / 50 + 50);
	finish();
}
END_TEST

START_TEST(unread_bytes_and_round_trips_are_sampled)
{
	begin(WEIR_NEED_UNREAD | WEIR_NEED_RTT);
	source->read_most = 100;
	world_pass(&world, SECOND);
	fake_send(source, 5000);
	world_run(&world);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(watcher.told.rtt, 10 * MS);
	ck_assert_uint_gt(watcher.told.unread, 0);
	ck_assert_uint_eq(watcher.told.acked, watcher.told.written);
	finish();
}
END_TEST

/* ---- scanning ------------------------------------------------------------------------------------------------------ */

START_TEST(every_byte_is_shown_in_order_before_it_passes)
{
	begin(WEIR_NEED_SCAN);
	for (int i = 0; i < 30; i++) {
		if (i % 4 == 0)
			fake_shut(sink);
		send_up(12345);
		ck_assert_uint_le(sink->accepted, watcher.scanned);
		ck_assert_uint_eq(watcher.scanned, source->read);
		if (i % 4 == 2)
			fake_open(sink, 40000);
	}
	fake_open(sink, FAKE_WIDE);
	fake_end(source);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, source->sent);
	ck_assert(sink->fin_sent);
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	finish();
}
END_TEST

START_TEST(a_bulk_is_shown_in_order)
{
	begin(WEIR_NEED_SCAN);
	send_up(5 * MIB);
	ck_assert_uint_eq(sink->accepted, 5 * MIB);
	ck_assert_uint_eq(watcher.scanned, 5 * MIB);
	finish();
}
END_TEST

START_TEST(what_is_not_consumed_does_not_pass_and_is_shown_again)
{
	begin(WEIR_NEED_SCAN);
	watcher.refuses = true;
	send_up(100);
	send_up(100);
	ck_assert_uint_eq(sink->accepted, 0);
	ck_assert_uint_ge(watcher.scans, 2);
	watcher.refuses = false;
	send_up(100);
	ck_assert_uint_eq(sink->accepted, 300);
	ck_assert_uint_eq(watcher.told.scanned, 300);
	finish();
}
END_TEST

/* A message that its sender cut short is no reason to keep what was sent of it. */
START_TEST(what_is_left_unconsumed_at_the_end_passes)
{
	begin(WEIR_NEED_SCAN);
	watcher.refuses = true;
	fake_shut(sink);
	send_up(100);
	fake_end(source);
	world_run(&world);
	for (uint64_t accepted = 10; accepted <= 100; accepted += 10) {
		fake_open(sink, 10);
		world_run(&world);
		ck_assert_uint_eq(sink->accepted, accepted);
	}
	ck_assert(sink->fin_sent);
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	finish();
}
END_TEST

/* ---- stalls -------------------------------------------------------------------------------------------------------- */

/* A policy's own waiting is no fault of the sink: it has refused nothing yet. */
START_TEST(a_stall_begins_when_the_sink_refuses)
{
	begin(WEIR_NEED_SCAN);
	pair.profile.stall_timeout = 60 * SECOND;
	watcher.refuses = true;
	send_up(100);
	world_pass(&world, HOUR);
	ck_assert_uint_eq(pair.closed, 0);
	watcher.refuses = false;
	fake_shut(sink);
	send_up(100);
	world_pass(&world, 59 * SECOND);
	ck_assert_uint_eq(pair.closed, 0);
	world_pass(&world, 2 * SECOND);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, CLOSE_STALL_TIMEOUT);
	ck_assert(flow_over(flow) || flow->written == 0);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flow");
	TCase *tcase = tcase_create("view");

	tcase_add_test(tcase, a_turn_ends_after_so_many_reads);
	tcase_add_test(tcase, totals_are_shown);
	tcase_add_test(tcase, the_age_of_the_oldest_held_byte_is_shown);
	tcase_add_test(tcase, the_time_blocked_is_shown);
	tcase_add_test(tcase, the_drain_rate_is_what_a_slow_sink_takes);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("samples");
	tcase_add_test(tcase, nothing_is_sampled_unless_needed);
	tcase_add_test(tcase, acknowledgements_are_noticed_although_they_make_no_event);
	tcase_add_test(tcase, sampling_slows_down_and_ends);
	tcase_add_test(tcase, who_comes_to_a_limit_gets_a_new_sample);
	tcase_add_test(tcase, a_paused_flow_that_rests_does_not_spin);
	tcase_add_test(tcase, unread_bytes_and_round_trips_are_sampled);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("scanning");
	tcase_add_test(tcase, every_byte_is_shown_in_order_before_it_passes);
	tcase_add_test(tcase, a_bulk_is_shown_in_order);
	tcase_add_test(tcase, what_is_not_consumed_does_not_pass_and_is_shown_again);
	tcase_add_test(tcase, what_is_left_unconsumed_at_the_end_passes);
	tcase_add_test(tcase, a_stall_begins_when_the_sink_refuses);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
