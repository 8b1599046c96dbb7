/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session's deadlines, its beginning and its end, and where its time goes. _i is the direction.
 */
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define LATE (2 * MS) /* deadlines are rounded up to a tick */

static struct world world;
static struct pair pair;
static struct rule rule;
static struct stack stack;
static struct marks marks = {64 * KIB, 32 * KIB};
static struct fake *source;
static struct fake *sink;
static struct flow *flow;

static void set_up(void)
{
	world_init(&world, 1024);
	rule_init(&rule, "smooth", &marks_policy, &marks);
	rule_stack(&stack, &rule, NULL, NULL);
	pair_init(&pair, &world, &stack);
	pair.profile.idle_timeout = WEIR_NEVER;
	pair.profile.half_close_timeout = WEIR_NEVER;
	pair.profile.stall_timeout = WEIR_NEVER;
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

static void open_facing(int direction)
{
	pair_open(&pair);
	source = pair_source(&pair, direction);
	sink = pair_sink(&pair, direction);
	flow = pair_flow(&pair, direction);
}

/* The session ends this way when so much time has passed, not before. Both ends are reset: it was no clean end. */
static void assert_ends_after(uint64_t time, enum close_reason reason)
{
	uint64_t end = world.now + time;

	world_pass(&world, time - 1);
	ck_assert_msg(pair.closed == 0, "ended too early: %s", close_reason_names[pair.session.reason]);
	world_pass(&world, LATE);
	ck_assert_msg(pair.released == 1, "still there after %llu ms", (unsigned long long)(time / MS));
	ck_assert_str_eq(close_reason_names[pair.session.reason], close_reason_names[reason]);
	ck_assert_uint_ge(pair.session.closed_at, end);
	ck_assert_uint_lt(pair.session.closed_at, end + LATE);
	ck_assert(fake_saw_reset(&pair.client) && fake_saw_reset(&pair.server));
	ck_assert(!fake_saw_end(sink));
}

/* ---- timeouts ------------------------------------------------------------------------------------------------------ */

START_TEST(idle_ends_a_silent_session)
{
	pair.profile.idle_timeout = HOUR;
	open_facing(_i);
	fake_send(source, 10);
	world_run(&world);
	assert_ends_after(HOUR, CLOSE_IDLE_TIMEOUT);
}
END_TEST

START_TEST(idle_counts_from_the_last_byte_of_either_direction)
{
	pair.profile.idle_timeout = HOUR;
	open_facing(_i);
	for (int i = 0; i < 10; i++) {
		world_pass(&world, HOUR - 1);
		fake_send(i % 2 == 0 ? source : sink, 10);
	}
	world_run(&world);
	assert_ends_after(HOUR, CLOSE_IDLE_TIMEOUT);
}
END_TEST

START_TEST(idle_ends_a_paused_session)
{
	pair.profile.idle_timeout = HOUR;
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	assert_ends_after(HOUR, CLOSE_IDLE_TIMEOUT);
}
END_TEST

START_TEST(half_close_ends_a_session_whose_other_half_is_silent)
{
	pair.profile.idle_timeout = 60 * SECOND;
	pair.profile.half_close_timeout = HOUR;
	open_facing(_i);
	world_pass(&world, 50 * SECOND);
	fake_end(source);
	world_run(&world);
	ck_assert(sink->fin_sent);
	world_pass(&world, HOUR - 1);
	ck_assert_uint_eq(pair.closed, 0);
	fake_send(sink, 100);
	world_run(&world);
	world_pass(&world, HOUR - 1);
	ck_assert_uint_eq(pair.closed, 0);
	world_pass(&world, LATE);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, CLOSE_HALF_CLOSE_TIMEOUT);
	ck_assert(!fake_saw_end(source));
}
END_TEST

START_TEST(half_close_ends_a_paused_session)
{
	pair.profile.half_close_timeout = HOUR;
	open_facing(_i);
	fake_end(sink);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	assert_ends_after(HOUR, CLOSE_HALF_CLOSE_TIMEOUT);
}
END_TEST

START_TEST(stall_ends_a_session_whose_sink_takes_nothing)
{
	pair.profile.stall_timeout = 60 * SECOND;
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, 10);
	world_run(&world);
	assert_ends_after(60 * SECOND, CLOSE_STALL_TIMEOUT);
}
END_TEST

START_TEST(stall_ends_a_paused_session_although_the_other_direction_moves)
{
	pair.profile.stall_timeout = 60 * SECOND;
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	for (int i = 0; i < 59; i++) {
		world_pass(&world, SECOND);
		fake_send(sink, 1000);
		fake_send(source, 1000);
	}
	world_run(&world);
	assert_ends_after(SECOND, CLOSE_STALL_TIMEOUT);
}
END_TEST

START_TEST(stall_does_not_end_a_session_whose_sink_takes_a_little)
{
	pair.profile.stall_timeout = 60 * SECOND;
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	for (int i = 0; i < 100; i++) {
		world_pass(&world, 60 * SECOND - 1);
		fake_open(sink, 1);
	}
	world_run(&world);
	ck_assert_uint_eq(sink->accepted, 100);
	assert_ends_after(60 * SECOND, CLOSE_STALL_TIMEOUT);
}
END_TEST

START_TEST(stall_does_not_count_while_nothing_is_held)
{
	pair.profile.stall_timeout = 60 * SECOND;
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, 10);
	world_run(&world);
	fake_open(sink, 10);
	world_pass(&world, HOUR);
	fake_send(source, 10);
	world_run(&world);
	assert_ends_after(60 * SECOND, CLOSE_STALL_TIMEOUT);
}
END_TEST

START_TEST(a_timeout_of_centuries_never_comes)
{
	pair.profile.idle_timeout = WEIR_NEVER - 1;
	pair.profile.stall_timeout = WEIR_NEVER - 1;
	pair.profile.half_close_timeout = WEIR_NEVER - 1;
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, 10);
	world_pass(&world, HOUR);
	ck_assert_uint_eq(pair.closed, 0);
}
END_TEST

/* The timer is not moved for each byte: it fires early and finds out. */
START_TEST(a_busy_session_does_not_move_its_timer)
{
	uint64_t at;

	pair.profile.idle_timeout = HOUR;
	open_facing(_i);
	fake_send(source, 10);
	world_run(&world);
	at = pair.session.timer.at;
	for (int i = 0; i < 100; i++) {
		world_pass(&world, MS);
		fake_send(source, 10);
		world_run(&world);
		ck_assert_uint_eq(pair.session.timer.at, at);
	}
}
END_TEST

/* ---- beginning and end --------------------------------------------------------------------------------------------- */

START_TEST(a_refused_connection_resets_the_client)
{
	pair_begin(&pair);
	fake_send(&pair.client, 10);
	world_run(&world);
	session_failed(&pair.session, CLOSE_CONNECT_REFUSED, world.now);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, CLOSE_CONNECT_REFUSED);
	ck_assert(fake_saw_reset(&pair.client) && !fake_saw_end(&pair.client));
	ck_assert_uint_eq(pair.session.connected_at, 0);
}
END_TEST

START_TEST(closing_hangs_up_on_a_server_that_is_being_dialed)
{
	pair_begin(&pair);
	world_run(&world);
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(pair.hung_up, 1);
	ck_assert_uint_eq(pair.released, 1);
}
END_TEST

START_TEST(closing_resets_both_ends_and_only_once)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_run(&world);
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	session_close(&pair.session, CLOSE_IDLE_TIMEOUT, world.now);
	session_ready(&pair.session);
	world_run(&world);
	session_close(&pair.session, CLOSE_IDLE_TIMEOUT, world.now);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, CLOSE_SHUTDOWN);
	ck_assert(fake_saw_reset(source) && fake_saw_reset(sink));
}
END_TEST

START_TEST(a_generation_names_one_session_only)
{
	uint32_t generation;

	pair_open(&pair);
	generation = pair.session.owner.ref.generation;
	ck_assert(session_is(&pair.session, generation));
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	ck_assert(!session_is(&pair.session, generation));
	world_run(&world);
	ck_assert(!session_is(&pair.session, generation));
}
END_TEST

START_TEST(a_slot_is_used_again)
{
	uint32_t generation;

	pair_open(&pair);
	generation = pair.session.owner.ref.generation;
	fake_end(&pair.client);
	fake_end(&pair.server);
	session_wake(&pair.session); /* on its way when the slot changes hands */
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
	fake_init(&pair.client, 1, 2);
	fake_init(&pair.server, 2, 1);
	pair.client.session = pair.server.session = &pair.session;
	pair.closed = pair.released = pair.dialed = 0;
	ck_assert_int_eq(session_open(&pair.session, &pair.profile, pair.session.ops, &pair.client.endpoint, NULL,
				 world.now),
		0);
	session_connected(&pair.session, &pair.server.endpoint, world.now);
	fake_send(&pair.client, 100);
	world_run(&world);
	ck_assert_uint_eq(pair.server.accepted, 100);
	ck_assert(!session_is(&pair.session, generation));
	ck_assert_uint_eq(pair.session.up.read, 100);
}
END_TEST

START_TEST(a_wake_up_for_a_free_slot_does_nothing)
{
	pair_open(&pair);
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	session_wake(&pair.session);
	session_wake(&pair.session);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
}
END_TEST

/* ---- where the time goes ------------------------------------------------------------------------------------------- */

static uint64_t spent(enum meter_state state)
{
	return meter_spent(&flow->meter, world.now, state);
}

START_TEST(time_is_idle_blocked_and_idle_again)
{
	open_facing(_i);
	world_pass(&world, 5 * SECOND);
	fake_shut(sink);
	fake_send(source, 1000);
	world_pass(&world, 7 * SECOND);
	ck_assert_uint_eq(spent(METER_IDLE), 5 * SECOND);
	ck_assert_uint_eq(spent(METER_BLOCKED), 7 * SECOND);
	fake_open(sink, FAKE_WIDE);
	world_pass(&world, 11 * SECOND);
	ck_assert_uint_eq(spent(METER_BLOCKED), 7 * SECOND);
	ck_assert_uint_eq(spent(METER_IDLE), 16 * SECOND);
	ck_assert_uint_eq(spent(METER_HELD), 0);
}
END_TEST

START_TEST(a_pause_is_counted_and_timed_by_name)
{
	open_facing(_i);
	fake_shut(sink);
	fake_send(source, MIB);
	world_pass(&world, 3 * SECOND);
	ck_assert_uint_eq(flow->meter.pauses[0].count, 1);
	ck_assert_uint_eq(meter_paused(&flow->meter, world.now, 0), 3 * SECOND);
	fake_open(sink, 40000); /* below low: it goes on, and pauses again */
	world_run(&world);
	fake_send(source, 10);
	world_pass(&world, 2 * SECOND);
	ck_assert_uint_eq(flow->meter.pauses[0].count, 2);
	ck_assert_uint_eq(meter_paused(&flow->meter, world.now, 0), 5 * SECOND);
	ck_assert_str_eq(stack_cause(&stack, 0), "smooth");
	ck_assert_uint_eq(flow->meter.pauses[1].count, 0);
	ck_assert_str_eq(stack_cause(&stack, 1), "memory");
}
END_TEST

START_TEST(full_without_more_to_read_is_no_pause)
{
	open_facing(_i);
	source->tells_left = true;
	fake_shut(sink);
	fake_send(source, marks.high);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(flow->store.held, marks.high);
	ck_assert_uint_eq(flow->meter.pauses[0].count, 0);
	fake_send(source, 1);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(meter_paused(&flow->meter, world.now, 0), SECOND);
}
END_TEST

START_TEST(the_states_times_add_up_to_the_age)
{
	uint64_t sum = 0;
	uint64_t steps[] = {1, 999999, 7 * SECOND + 13, 5, 123456789, HOUR};

	open_facing(_i);
	for (int i = 0; i < 60; i++) {
		if (i % 3 == 0)
			fake_shut(sink);
		if (i % 5 == 0)
			fake_send(source, 77777);
		if (i % 7 == 0)
			fake_open(sink, 50000);
		world_pass(&world, steps[i % 6]);
	}
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	for (int state = 0; state < METER_STATE_COUNT; state++)
		sum += meter_spent(&flow->meter, pair.session.closed_at, (enum meter_state)state);
	ck_assert_uint_eq(sum, pair.session.closed_at - pair.session.opened_at);
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
	Suite *suite = suite_create("timeout");
	TCase *tcase = case_of(suite, "timeouts");

	tcase_add_loop_test(tcase, idle_ends_a_silent_session, 0, 2);
	tcase_add_loop_test(tcase, idle_counts_from_the_last_byte_of_either_direction, 0, 2);
	tcase_add_loop_test(tcase, idle_ends_a_paused_session, 0, 2);
	tcase_add_loop_test(tcase, half_close_ends_a_session_whose_other_half_is_silent, 0, 2);
	tcase_add_loop_test(tcase, half_close_ends_a_paused_session, 0, 2);
	tcase_add_loop_test(tcase, stall_ends_a_session_whose_sink_takes_nothing, 0, 2);
	tcase_add_loop_test(tcase, stall_ends_a_paused_session_although_the_other_direction_moves, 0, 2);
	tcase_add_loop_test(tcase, stall_does_not_end_a_session_whose_sink_takes_a_little, 0, 2);
	tcase_add_loop_test(tcase, stall_does_not_count_while_nothing_is_held, 0, 2);
	tcase_add_loop_test(tcase, a_timeout_of_centuries_never_comes, 0, 2);
	tcase_add_loop_test(tcase, a_busy_session_does_not_move_its_timer, 0, 2);
	tcase = case_of(suite, "beginning and end");
	tcase_add_test(tcase, a_refused_connection_resets_the_client);
	tcase_add_test(tcase, closing_hangs_up_on_a_server_that_is_being_dialed);
	tcase_add_loop_test(tcase, closing_resets_both_ends_and_only_once, 0, 2);
	tcase_add_test(tcase, a_generation_names_one_session_only);
	tcase_add_test(tcase, a_slot_is_used_again);
	tcase_add_test(tcase, a_wake_up_for_a_free_slot_does_nothing);
	tcase = case_of(suite, "time");
	tcase_add_loop_test(tcase, time_is_idle_blocked_and_idle_again, 0, 2);
	tcase_add_loop_test(tcase, a_pause_is_counted_and_timed_by_name, 0, 2);
	tcase_add_loop_test(tcase, full_without_more_to_read_is_no_pause, 0, 2);
	tcase_add_loop_test(tcase, the_states_times_add_up_to_the_age, 0, 2);
	return unit_main(suite);
}
