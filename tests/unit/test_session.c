/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions over fake endpoints: bytes and ends pass, both directions alike (the loop's _i is the direction).
 */
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

static struct world world;
static struct pair pair;
static struct rule rule;
static struct stack stack;
static struct marks marks = {64 * KIB, 32 * KIB};
static struct fake *source; /* of the direction _i */
static struct fake *sink;
static struct flow *flow;

static void set_up(void)
{
	world_init(&world, 1024);
	rule_init(&rule, "smooth", &marks_policy, &marks);
	rule_stack(&stack, &rule, NULL, NULL);
	pair_init(&pair, &world, &stack);
}

static void tear_down(void)
{
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

static void face(int direction)
{
	source = pair_source(&pair, direction);
	sink = pair_sink(&pair, direction);
	flow = pair_flow(&pair, direction);
}

static void open_facing(int direction)
{
	pair_open(&pair);
	face(direction);
}

/* ---- bytes --------------------------------------------------------------------------------------------------------- */

START_TEST(bytes_arrive_as_they_were_sent)
{
	open_facing(_i);
	for (int i = 0; i < 100; i++) {
		fake_send(source, 1000 + (uint64_t)i * 777);
		world_run(&world);
		ck_assert_uint_eq(sink->accepted, source->sent);
	}
	ck_assert_uint_eq(flow->read, source->sent);
	ck_assert_uint_eq(flow->written, source->sent);
	ck_assert(!sink->fin_sent);
}
END_TEST

START_TEST(bytes_sent_before_the_server_answers_arrive)
{
	pair_begin(&pair);
	fake_send(&pair.client, 5000);
	world_run(&world);
	ck_assert_uint_eq(pair.client.reads, 0);
	pair_connect(&pair);
	world_run(&world);
	ck_assert_uint_eq(pair.server.accepted, 5000);
}
END_TEST

START_TEST(a_freely_running_flow_holds_nothing)
{
	open_facing(_i);
	fake_send(source, 3 * MIB);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 3 * MIB);
	ck_assert_uint_eq(flow->held_max, 0);
	ck_assert_int_eq(pool_free(&world.memory), 1024);
}
END_TEST

START_TEST(what_a_slow_sink_refuses_is_held)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, 10000);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 0);
	ck_assert_uint_eq(flow->store.held, 10000);
	ck_assert_uint_eq(flow->store.pages, STORE_SEGMENT_PAGES);
	ck_assert_int_eq(pool_free(&world.memory), 1024 - (STORE_SEGMENT_PAGES - STANDING_FLOOR));
	fake_open(sink, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 10000);
	ck_assert_int_eq(pool_free(&world.memory), 1024);
}
END_TEST

START_TEST(held_reaches_high_and_never_exceeds_it)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	ck_assert_uint_eq(flow->store.held, marks.high);
	for (int i = 0; i < 1000 && sink->accepted < MIB; i++) {
		fake_open(sink, 3333);
		world_run(&world);
		ck_assert_uint_le(flow->store.held, marks.high);
	}
	ck_assert_uint_eq(sink->accepted, MIB);
	ck_assert_uint_eq(flow->held_max, marks.high);
}
END_TEST

START_TEST(a_paused_flow_reads_again_below_low_only)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	fake_open(sink, marks.high - marks.low);
	world_run(&world);
	ck_assert_uint_eq(flow->read, marks.high);
	ck_assert_uint_eq(flow->store.held, marks.low);
	fake_open(sink, 1);
	world_run(&world);
	ck_assert_uint_eq(flow->read, marks.high + marks.high - marks.low + 1);
	ck_assert_uint_eq(flow->store.held, marks.high);
}
END_TEST

START_TEST(a_paused_flow_does_not_pause_the_other_one)
{
	struct fake *other;

	open_facing(_i);
	other = source; /* the opposite flow's sink */
	fake_shut(sink);
	fake_send(source, MIB);
	fake_send(sink, MIB);
	world_run(&world);
	ck_assert_uint_eq(flow->store.held, marks.high);
	ck_assert_uint_eq(other->accepted, MIB);
}
END_TEST

START_TEST(both_flows_pause_and_resume_apart)
{
	open_facing(_i);
	fake_shut(source);
	fake_shut(sink);
	fake_send(source, MIB);
	fake_send(sink, MIB);
	world_run(&world);
	ck_assert_uint_eq(pair.session.up.store.held, marks.high);
	ck_assert_uint_eq(pair.session.down.store.held, marks.high);
	fake_open(sink, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, MIB);
	ck_assert_uint_eq(source->accepted, 0);
	fake_open(source, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(source->accepted, MIB);
}
END_TEST

/* ---- calls and turns ----------------------------------------------------------------------------------------------- */

START_TEST(a_paused_flow_reads_nothing_that_arrives)
{
	unsigned reads, writes;

	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	reads = source->reads;
	writes = sink->writes;
	for (int i = 0; i < 100; i++) {
		fake_send(source, 1000);
		world_run(&world);
	}
	ck_assert_uint_eq(source->reads, reads);
	ck_assert_uint_eq(sink->writes, writes);
}
END_TEST

START_TEST(a_read_that_emptied_the_queue_is_not_repeated)
{
	open_facing(_i);
	for (int i = 0; i < 100; i++) {
		fake_send(source, 1000);
		world_run(&world);
	}
	ck_assert_uint_eq(sink->accepted, 100000);
	ck_assert_uint_eq(source->reads, 100);
	ck_assert_uint_eq(source->reads_in_vain, 0);
	ck_assert_uint_eq(sink->writes, 100);
}
END_TEST

START_TEST(short_writes_lose_nothing)
{
	open_facing(_i);
	sink->write_most = 1234;
	source->read_most = 5000;
	fake_send(source, 300 * KIB);
	fake_end(source);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 300 * KIB);
	ck_assert(sink->fin_sent);
}
END_TEST

START_TEST(a_turn_moves_a_bounded_amount)
{
	uint64_t before;

	open_facing(_i);
	fake_send(source, 16 * MIB);
	do {
		before = sink->accepted;
		ck_assert(world_step(&world));
		ck_assert_uint_le(sink->accepted - before, CONTEXT_SCRATCH);
	} while (sink->accepted < 16 * MIB);
}
END_TEST

START_TEST(a_mouse_has_its_turn_beside_an_elephant)
{
	static struct pair mouse; /* outlives the test, which does not see it released */

	open_facing(_i);
	pair_init(&mouse, &world, &stack);
	pair_open(&mouse);
	fake_send(source, 64 * MIB);
	ck_assert(world_step(&world));
	fake_send(&mouse.client, 10);
	ck_assert(world_step(&world));
	ck_assert_uint_eq(mouse.server.accepted, 10);
	ck_assert_uint_lt(sink->accepted, MIB);
	world_run(&world);
	session_close(&mouse.session, CLOSE_SHUTDOWN, world.now);
}
END_TEST

/* Idle, stalled, half-closed, connecting: whatever a session waits for, waiting costs nothing. */
START_TEST(waiting_for_hours_takes_no_turns)
{
	static struct pair connecting;
	uint64_t rounds;

	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	fake_end(sink);
	world_run(&world);
	pair_init(&connecting, &world, &stack);
	pair_begin(&connecting);
	fake_send(&connecting.client, 100);
	fake_end(&connecting.client);
	world_run(&world);
	rounds = world.rounds;
	world_pass(&world, 20 * HOUR);
	ck_assert_msg(world.rounds - rounds < 20, "%llu rounds", (unsigned long long)(world.rounds - rounds));
	session_close(&connecting.session, CLOSE_SHUTDOWN, world.now);
}
END_TEST

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

START_TEST(the_end_follows_the_last_byte)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, 50000);
	fake_end(source);
	world_run(&world);
	ck_assert(!sink->fin_sent);
	fake_open(sink, 49999);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 49999);
	ck_assert(!sink->fin_sent);
	fake_open(sink, 1);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 50000);
	ck_assert(sink->fin_sent);
	ck_assert(!sink->closed);
}
END_TEST

START_TEST(data_and_end_behind_a_pause_are_delivered_in_full)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	fake_send(source, MIB);
	fake_end(source);
	world_run(&world);
	world_pass(&world, HOUR);
	ck_assert_uint_eq(flow->read, marks.high);
	while (sink->accepted < 2 * MIB) {
		ck_assert(!sink->fin_sent);
		fake_open(sink, 100000);
		world_pass(&world, SECOND);
	}
	ck_assert_uint_eq(sink->accepted, 2 * MIB);
	ck_assert(sink->fin_sent);
}
END_TEST

START_TEST(an_end_behind_a_pause_without_data_waits_for_its_bytes)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, marks.high);
	world_run(&world);
	fake_end(source);
	world_run(&world);
	ck_assert(!sink->fin_sent);
	fake_open(sink, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, marks.high);
	ck_assert(sink->fin_sent);
}
END_TEST

START_TEST(a_half_closed_session_answers_hours_later)
{
	open_facing(_i);
	fake_send(source, 100);
	fake_end(source);
	world_run(&world);
	ck_assert(sink->fin_sent);
	world_pass(&world, 23 * HOUR);
	fake_send(sink, 3 * MIB);
	world_run(&world);
	ck_assert_uint_eq(source->accepted, 3 * MIB);
	ck_assert(!source->fin_sent);
	world_pass(&world, 23 * HOUR);
	fake_end(sink);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, CLOSE_DONE);
	ck_assert(fake_saw_end(source) && !fake_saw_reset(source));
	ck_assert(fake_saw_end(sink) && !fake_saw_reset(sink));
}
END_TEST

START_TEST(a_client_that_ends_before_the_server_answers_gets_its_answer)
{
	pair_begin(&pair);
	fake_send(&pair.client, 700);
	fake_end(&pair.client);
	world_run(&world);
	ck_assert_uint_eq(pair.closed, 0);
	pair_connect(&pair);
	world_run(&world);
	ck_assert_uint_eq(pair.server.accepted, 700);
	ck_assert(pair.server.fin_sent);
	fake_send(&pair.server, 800);
	fake_end(&pair.server);
	world_run(&world);
	ck_assert_uint_eq(pair.client.accepted, 800);
	ck_assert(fake_saw_end(&pair.client));
	ck_assert_int_eq(pair.session.reason, CLOSE_DONE);
}
END_TEST

START_TEST(an_end_is_sent_once)
{
	unsigned reads;

	open_facing(_i);
	fake_end(source);
	world_run(&world);
	reads = source->reads;
	for (int i = 0; i < 10; i++) {
		fake_send(sink, 10);
		source->edge = true;
		world_run(&world);
	}
	ck_assert_uint_eq(source->reads, reads);
	ck_assert_uint_eq(source->accepted, 100);
}
END_TEST

START_TEST(both_ends_at_once_are_both_passed_on)
{
	pair_open(&pair);
	fake_send(&pair.client, 10);
	fake_send(&pair.server, 20);
	fake_end(&pair.client);
	fake_end(&pair.server);
	world_run(&world);
	ck_assert_uint_eq(pair.server.accepted, 10);
	ck_assert_uint_eq(pair.client.accepted, 20);
	ck_assert(fake_saw_end(&pair.client) && fake_saw_end(&pair.server));
	ck_assert(!fake_saw_reset(&pair.client) && !fake_saw_reset(&pair.server));
	ck_assert_int_eq(pair.session.reason, CLOSE_DONE);
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
	Suite *suite = suite_create("session");
	TCase *tcase = case_of(suite, "bytes");

	tcase_add_loop_test(tcase, bytes_arrive_as_they_were_sent, 0, 2);
	tcase_add_test(tcase, bytes_sent_before_the_server_answers_arrive);
	tcase_add_loop_test(tcase, a_freely_running_flow_holds_nothing, 0, 2);
	tcase_add_loop_test(tcase, what_a_slow_sink_refuses_is_held, 0, 2);
	tcase_add_loop_test(tcase, held_reaches_high_and_never_exceeds_it, 0, 2);
	tcase_add_loop_test(tcase, a_paused_flow_reads_again_below_low_only, 0, 2);
	tcase_add_loop_test(tcase, a_paused_flow_does_not_pause_the_other_one, 0, 2);
	tcase_add_loop_test(tcase, both_flows_pause_and_resume_apart, 0, 2);
	tcase = case_of(suite, "turns");
	tcase_add_loop_test(tcase, a_paused_flow_reads_nothing_that_arrives, 0, 2);
	tcase_add_loop_test(tcase, a_read_that_emptied_the_queue_is_not_repeated, 0, 2);
	tcase_add_loop_test(tcase, short_writes_lose_nothing, 0, 2);
	tcase_add_loop_test(tcase, a_turn_moves_a_bounded_amount, 0, 2);
	tcase_add_loop_test(tcase, a_mouse_has_its_turn_beside_an_elephant, 0, 2);
	tcase_add_loop_test(tcase, waiting_for_hours_takes_no_turns, 0, 2);
	tcase = case_of(suite, "ends");
	tcase_add_loop_test(tcase, the_end_follows_the_last_byte, 0, 2);
	tcase_add_loop_test(tcase, data_and_end_behind_a_pause_are_delivered_in_full, 0, 2);
	tcase_add_loop_test(tcase, an_end_behind_a_pause_without_data_waits_for_its_bytes, 0, 2);
	tcase_add_loop_test(tcase, a_half_closed_session_answers_hours_later, 0, 2);
	tcase_add_test(tcase, a_client_that_ends_before_the_server_answers_gets_its_answer);
	tcase_add_loop_test(tcase, an_end_is_sent_once, 0, 2);
	tcase_add_test(tcase, both_ends_at_once_are_both_passed_on);
	return unit_main(suite);
}
