/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets: never turned into a clean end, never in the way of what was sent before them. In every test `broken` is the
 * end whose peer resets and `other` the one that must learn of it; _i says which is which.
 */
#include <errno.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define GRACE (500 * MS)
#define SOON (300 * MS) /* until a reset behind data is noticed, and a send queue polled */

static struct world world;
static struct pair pair;
static struct rule rule;
static struct stack stack;
static struct marks marks = {64 * KIB, 32 * KIB};
static struct fake *broken;
static struct fake *other;

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

static void open_facing(int direction)
{
	pair_open(&pair);
	broken = pair_source(&pair, direction);
	other = pair_sink(&pair, direction);
}

/* The session is over, `other` got this many bytes, and then a reset. */
static void assert_broken(uint64_t delivered, bool cleanly_ended_before)
{
	enum close_reason reason = broken == &pair.client ? CLOSE_CLIENT_RESET : CLOSE_SERVER_RESET;

	ck_assert_msg(pair.released == 1, "the session is still there, in state %d", pair.session.state);
	ck_assert_str_eq(close_reason_names[pair.session.reason], close_reason_names[reason]);
	ck_assert_uint_eq(fake_delivered(other), delivered);
	ck_assert_int_eq(fake_saw_end(other), cleanly_ended_before);
	ck_assert(fake_saw_reset(other));
}

/* ---- without a clean end before ------------------------------------------------------------------------------------ */

START_TEST(idle)
{
	open_facing(_i);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(0, false);
}
END_TEST

START_TEST(after_an_exchange)
{
	open_facing(_i);
	fake_send(broken, 1000);
	fake_send(other, 2000);
	world_run(&world);
	world_pass(&world, HOUR);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(1000, false);
}
END_TEST

START_TEST(right_behind_data)
{
	open_facing(_i);
	fake_send(broken, 1000);
	fake_reset(broken); /* one event for both */
	world_pass(&world, SOON);
	assert_broken(1000, false);
}
END_TEST

START_TEST(right_behind_more_data_than_a_turn_moves)
{
	open_facing(_i);
	fake_send(broken, 3 * MIB + 17);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(3 * MIB + 17, false);
}
END_TEST

/* The event is there before the bytes have been read, the reset comes between two reads. */
START_TEST(between_event_and_read)
{
	open_facing(_i);
	fake_send(broken, 1000);
	ck_assert(fake_deliver(broken));
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(1000, false);
}
END_TEST

START_TEST(a_server_that_answers_and_resets_is_still_heard)
{
	pair_open(&pair);
	broken = &pair.server;
	other = &pair.client;
	fake_send(&pair.client, 50000);
	fake_shut(&pair.server); /* it does not read the request */
	world_run(&world);
	fake_send(&pair.server, 3000);
	fake_reset(&pair.server);
	world_pass(&world, SOON);
	assert_broken(3000, false);
}
END_TEST

/* The kernel tells the error once: here a write gets it, and the read behind it sees an end. */
START_TEST(the_writer_hears_of_it_first)
{
	open_facing(_i);
	broken->deaf = true;
	fake_reset(broken);
	fake_send(other, 1000);
	world_run(&world);
	broken->deaf = false;
	world_pass(&world, SOON);
	assert_broken(0, false);
}
END_TEST

START_TEST(the_writer_hears_of_it_first_and_data_is_left)
{
	open_facing(_i);
	broken->deaf = true;
	fake_send(broken, 5000);
	fake_reset(broken);
	fake_send(other, 1000);
	world_run(&world);
	broken->deaf = false;
	world_pass(&world, SOON);
	assert_broken(5000, false);
}
END_TEST

/* Whoever only waits for a deaf endpoint's event may wait: the error itself must be enough. */
START_TEST(the_writer_alone_is_enough)
{
	open_facing(_i);
	broken->deaf = true;
	fake_send(broken, 5000);
	fake_reset(broken);
	fake_send(other, 1000);
	world_pass(&world, SOON);
	assert_broken(5000, false);
}
END_TEST

START_TEST(half_closed_by_the_other)
{
	open_facing(_i);
	fake_end(other);
	world_run(&world);
	ck_assert(broken->fin_sent);
	fake_send(broken, 100);
	world_run(&world);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(100, false);
}
END_TEST

/* What cannot be delivered to who reset is dropped, and its memory comes back. */
START_TEST(with_bytes_held_for_it)
{
	open_facing(_i);
	fake_shut(broken);
	fake_send(other, MIB);
	world_run(&world);
	ck_assert_int_lt(pool_free(&world.memory), 1024);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(0, false);
	ck_assert_int_eq(pool_free(&world.memory), 1024);
}
END_TEST

START_TEST(of_a_paused_source_is_noticed_at_once)
{
	open_facing(_i);
	fake_shut(other);
	fake_send(broken, MIB);
	world_run(&world);
	fake_reset(broken);
	world_run(&world);
	ck_assert_int_eq(pair.session.state, SESSION_LINGER);
	world_pass(&world, GRACE + SOON); /* the other takes nothing, so this is all it gets */
	assert_broken(0, false);
}
END_TEST

START_TEST(of_a_paused_source_while_both_flows_are_paused)
{
	open_facing(_i);
	fake_shut(other);
	fake_shut(broken);
	fake_send(broken, MIB);
	fake_send(other, MIB);
	world_run(&world);
	fake_reset(broken);
	world_pass(&world, GRACE + SOON);
	assert_broken(0, false);
}
END_TEST

/* ---- the grace ------------------------------------------------------------------------------------------------------ */

START_TEST(the_grace_is_not_cut_short)
{
	open_facing(_i);
	fake_shut(other);
	fake_send(broken, 10000);
	world_run(&world);
	fake_reset(broken);
	world_pass(&world, GRACE - SOON);
	ck_assert_uint_eq(pair.closed, 0);
	fake_open(other, FAKE_WIDE);
	world_pass(&world, SOON);
	assert_broken(10000, false);
}
END_TEST

START_TEST(a_slow_reader_gets_all_as_long_as_it_takes_some)
{
	open_facing(_i);
	fake_shut(other);
	fake_send(broken, 300000);
	fake_reset(broken);
	world_run(&world);
	while (other->accepted < 300000) {
		ck_assert_uint_eq(pair.closed, 0);
		fake_open(other, 10000);
		world_pass(&world, GRACE - SOON);
	}
	world_pass(&world, GRACE);
	assert_broken(300000, false);
}
END_TEST

START_TEST(the_abort_waits_for_the_send_queue)
{
	open_facing(_i);
	other->hoards = true;
	fake_send(broken, 300000);
	fake_reset(broken);
	world_run(&world);
	ck_assert_uint_eq(other->queued, 300000);
	while (other->queued > 0) {
		world_pass(&world, GRACE - SOON);
		ck_assert_uint_eq(pair.closed, 0);
		fake_ack(other, 50000);
	}
	world_pass(&world, SOON);
	assert_broken(300000, false);
}
END_TEST

START_TEST(a_send_queue_that_does_not_move_is_given_up)
{
	open_facing(_i);
	other->hoards = true;
	fake_send(broken, 300000);
	fake_reset(broken);
	world_pass(&world, GRACE + SOON);
	assert_broken(0, false);
}
END_TEST

START_TEST(a_unix_socket_has_no_queue_to_wait_for)
{
	open_facing(_i);
	other->endpoint.exempt = true;
	other->hoards = true;
	fake_send(broken, 100);
	fake_reset(broken);
	world_pass(&world, SOON);
	ck_assert_uint_eq(pair.released, 1);
}
END_TEST

/* ---- behind a clean end -------------------------------------------------------------------------------------------- */

START_TEST(behind_an_end_already_passed_on)
{
	open_facing(_i);
	fake_send(broken, 1000);
	fake_end(broken);
	world_run(&world);
	ck_assert(other->fin_sent);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(1000, true);
}
END_TEST

START_TEST(behind_an_end_in_one_event)
{
	open_facing(_i);
	fake_send(broken, 1000);
	fake_end(broken);
	fake_reset(broken);
	world_pass(&world, SOON);
	assert_broken(1000, true);
}
END_TEST

START_TEST(behind_an_end_and_told_to_the_writer)
{
	open_facing(_i);
	broken->deaf = true;
	fake_send(broken, 1000);
	fake_end(broken);
	fake_reset(broken);
	fake_send(other, 10);
	world_pass(&world, SOON);
	assert_broken(1000, true);
}
END_TEST

START_TEST(behind_an_end_while_paused_is_delivered_however_long_it_takes)
{
	open_facing(_i);
	fake_shut(other);
	fake_send(broken, 200000);
	world_run(&world);
	fake_end(broken);
	world_run(&world);
	fake_reset(broken);
	world_pass(&world, HOUR);
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(pair.closed, 0);
		fake_open(other, 10000);
		world_pass(&world, 60 * SECOND);
	}
	assert_broken(200000, true);
}
END_TEST

/* One that reads no more before somebody takes his answers, which nobody will: he gets rid of them. */
START_TEST(behind_an_end_what_is_sent_to_the_broken_one_is_taken_and_lost)
{
	open_facing(_i);
	fake_shut(other);
	fake_shut(broken);
	fake_send(broken, 200000);
	fake_send(other, 3000000);
	world_run(&world);
	fake_end(broken);
	fake_reset(broken);
	world_run(&world);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(other->read, 3000000);
	ck_assert_uint_eq(pair.closed, 0);
	fake_open(other, FAKE_WIDE);
	world_pass(&world, SECOND);
	assert_broken(200000, true);
}
END_TEST

START_TEST(behind_an_end_the_abort_waits_for_the_send_queue)
{
	open_facing(_i);
	other->hoards = true;
	fake_send(broken, 100000);
	fake_end(broken);
	world_run(&world);
	fake_reset(broken);
	while (other->queued > 0) {
		world_pass(&world, GRACE - SOON);
		ck_assert_uint_eq(pair.closed, 0);
		fake_ack(other, 25000);
	}
	world_pass(&world, SOON);
	assert_broken(100000, true);
}
END_TEST

/* Our end is behind the queued bytes: the kernel is left to deliver them, which an abort would prevent. */
START_TEST(behind_an_end_a_stuck_send_queue_is_left_to_the_kernel)
{
	open_facing(_i);
	other->hoards = true;
	fake_send(broken, 100000);
	fake_end(broken);
	world_run(&world);
	fake_reset(broken);
	world_pass(&world, GRACE + SOON);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_uint_eq(fake_delivered(other), 100000);
	ck_assert(fake_saw_end(other));
}
END_TEST

/* ---- both ends, and others ------------------------------------------------------------------------------------------ */

START_TEST(of_both_ends_at_once)
{
	open_facing(_i);
	fake_reset(broken);
	fake_reset(other);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
}
END_TEST

START_TEST(of_the_other_while_the_first_lingers)
{
	open_facing(_i);
	fake_shut(other);
	fake_send(broken, 10000);
	world_run(&world);
	fake_reset(broken);
	world_run(&world);
	fake_reset(other);
	world_run(&world);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, _i == 0 ? CLOSE_CLIENT_RESET : CLOSE_SERVER_RESET);
}
END_TEST

START_TEST(a_timeout_of_the_kernel_is_an_error_and_no_reset)
{
	open_facing(_i);
	fake_send(broken, 10);
	world_run(&world);
	fake_fail(broken, ETIMEDOUT);
	world_pass(&world, SOON);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, _i == 0 ? CLOSE_CLIENT_ERROR : CLOSE_SERVER_ERROR);
	ck_assert(fake_saw_reset(other) && !fake_saw_end(other));
}
END_TEST

START_TEST(while_connecting_frees_everything_soon)
{
	pair_begin(&pair);
	fake_send(&pair.client, 100);
	world_run(&world);
	fake_reset(&pair.client);
	world_pass(&world, SOON);
	ck_assert_uint_eq(pair.hung_up, 1);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_int_eq(pair.session.reason, CLOSE_CLIENT_RESET);
}
END_TEST

START_TEST(behind_an_end_while_connecting_frees_everything_soon)
{
	pair_begin(&pair);
	fake_end(&pair.client);
	world_pass(&world, HOUR);
	ck_assert_uint_eq(pair.hung_up, 0);
	fake_reset(&pair.client);
	world_pass(&world, SOON);
	ck_assert_uint_eq(pair.hung_up, 1);
	ck_assert_uint_eq(pair.released, 1);
}
END_TEST

/* Who sends before the server has answered is asked once, later, and not for every packet. */
START_TEST(while_connecting_is_asked_for_later)
{
	pair_begin(&pair);
	fake_send(&pair.client, 100);
	world_run(&world);
	ck_assert(pair.client.endpoint.suspect);
	world_pass(&world, SOON);
	ck_assert(!pair.client.endpoint.suspect);
	ck_assert_int_eq(pair.session.state, SESSION_CONNECTING);
}
END_TEST

START_TEST(between_connecting_and_the_first_turn)
{
	pair_begin(&pair);
	world_run(&world);
	fake_send(&pair.client, 100);
	fake_reset(&pair.client);
	pair_connect(&pair);
	broken = &pair.client;
	other = &pair.server;
	world_pass(&world, SOON);
	assert_broken(100, false);
}
END_TEST

static TCase *case_of(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* The end has been announced and a turn's worth was read when the reset comes; what is left is read in front of it. */
START_TEST(between_an_end_and_its_last_bytes)
{
	pair_open(&pair);
	broken = _i == 0 ? &pair.client : &pair.server;
	other = _i == 0 ? &pair.server : &pair.client;
	fake_send(broken, 400 * KIB);
	fake_end(broken);
	(void)world_step(&world);
	ck_assert_uint_lt(broken->read, broken->sent);
	fake_reset(broken);
	world_pass(&world, 2 * SECOND);
	ck_assert_uint_eq(other->accepted, 400 * KIB);
	ck_assert(fake_saw_end(other));
	ck_assert(fake_saw_reset(other));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reset");
	TCase *tcase = case_of(suite, "reset");

	tcase_add_loop_test(tcase, idle, 0, 2);
	tcase_add_loop_test(tcase, after_an_exchange, 0, 2);
	tcase_add_loop_test(tcase, between_an_end_and_its_last_bytes, 0, 2);
	tcase_add_loop_test(tcase, right_behind_data, 0, 2);
	tcase_add_loop_test(tcase, right_behind_more_data_than_a_turn_moves, 0, 2);
	tcase_add_loop_test(tcase, between_event_and_read, 0, 2);
	tcase_add_test(tcase, a_server_that_answers_and_resets_is_still_heard);
	tcase_add_loop_test(tcase, the_writer_hears_of_it_first, 0, 2);
	tcase_add_loop_test(tcase, the_writer_hears_of_it_first_and_data_is_left, 0, 2);
	tcase_add_loop_test(tcase, the_writer_alone_is_enough, 0, 2);
	tcase_add_loop_test(tcase, half_closed_by_the_other, 0, 2);
	tcase_add_loop_test(tcase, with_bytes_held_for_it, 0, 2);
	tcase_add_loop_test(tcase, of_a_paused_source_is_noticed_at_once, 0, 2);
	tcase_add_loop_test(tcase, of_a_paused_source_while_both_flows_are_paused, 0, 2);
	tcase = case_of(suite, "grace");
	tcase_add_loop_test(tcase, the_grace_is_not_cut_short, 0, 2);
	tcase_add_loop_test(tcase, a_slow_reader_gets_all_as_long_as_it_takes_some, 0, 2);
	tcase_add_loop_test(tcase, the_abort_waits_for_the_send_queue, 0, 2);
	tcase_add_loop_test(tcase, a_send_queue_that_does_not_move_is_given_up, 0, 2);
	tcase_add_loop_test(tcase, a_unix_socket_has_no_queue_to_wait_for, 0, 2);
	tcase = case_of(suite, "reset behind an end");
	tcase_add_loop_test(tcase, behind_an_end_already_passed_on, 0, 2);
	tcase_add_loop_test(tcase, behind_an_end_in_one_event, 0, 2);
	tcase_add_loop_test(tcase, behind_an_end_and_told_to_the_writer, 0, 2);
	tcase_add_loop_test(tcase, behind_an_end_while_paused_is_delivered_however_long_it_takes, 0, 2);
	tcase_add_loop_test(tcase, behind_an_end_what_is_sent_to_the_broken_one_is_taken_and_lost, 0, 2);
	tcase_add_loop_test(tcase, behind_an_end_the_abort_waits_for_the_send_queue, 0, 2);
	tcase_add_loop_test(tcase, behind_an_end_a_stuck_send_queue_is_left_to_the_kernel, 0, 2);
	tcase = case_of(suite, "reset of both, and early ones");
	tcase_add_loop_test(tcase, of_both_ends_at_once, 0, 2);
	tcase_add_loop_test(tcase, of_the_other_while_the_first_lingers, 0, 2);
	tcase_add_loop_test(tcase, a_timeout_of_the_kernel_is_an_error_and_no_reset, 0, 2);
	tcase_add_test(tcase, while_connecting_frees_everything_soon);
	tcase_add_test(tcase, behind_an_end_while_connecting_frees_everything_soon);
	tcase_add_test(tcase, while_connecting_is_asked_for_later);
	tcase_add_test(tcase, between_connecting_and_the_first_turn);
	return unit_main(suite);
}
