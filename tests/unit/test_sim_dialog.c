/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients that ask, and servers that answer: as many a second as can be worked out by hand. Every byte is compared.
 */
#include "directory.h"
#include "simulation.h"
#include "unit.h"

#define BEGIN "[scenario]\nduration = 10s\nsample = 10ms\ncontent = yes\n"
#define ASKS "[source asks]\nkind = requests\nwrite = 100\n"
#define ANSWERS "[source answers]\nkind = answers\nwrite = 50\nservice = 10ms\n"
#define TRAFFIC "[traffic t]\nup_source = asks\ndown_source = answers\n[listener l]\npolicy = none\n"

/* ---- who waits for an answer --------------------------------------------------------------------------------------- */

START_TEST(one_after_the_other)
{
	simulate(BEGIN "drain = yes\n" ASKS "requests = 100\n" ANSWERS TRAFFIC);
	ck_assert_uint_eq(row_at(1, 495 * MS)->taken, 50 * 100);
	ck_assert_uint_eq(row_at(2, 495 * MS)->taken, 49 * 50);
	ck_assert_uint_eq(row_at(2, 10 * SECOND)->at, 990 * MS); /* it ends with the last answer, at 1000 */
	ck_assert_uint_eq(result.taken, 100 * 100 + 100 * 50);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

START_TEST(several_on_their_way_are_served_in_turn)
{
	simulate(BEGIN ASKS "pipeline = 8\n" ANSWERS TRAFFIC);
	ck_assert_uint_eq(row_at(1, 495 * MS)->taken, (49 + 8) * 100);
	ck_assert_uint_eq(row_at(2, 495 * MS)->taken, 49 * 50);
}
END_TEST

START_TEST(several_are_served_at_one_time)
{
	simulate(BEGIN ASKS "pipeline = 8\n" ANSWERS "concurrency = 4\n" TRAFFIC);
	ck_assert_uint_eq(row_at(2, 495 * MS)->taken, 4 * 49 * 50);
}
END_TEST

/* 10 ms from client to weir and back, 20 ms from weir to the server, 10 ms of service: one in 40 ms. */
START_TEST(round_trips_count)
{
	simulate(BEGIN ASKS
		"rtt = 10ms\n" ANSWERS "rtt = 20ms\n[sink there]\nrtt = 20ms\n[sink here]\nrtt = 10ms\n" TRAFFIC
		"[traffic u]\nup_source = asks\ndown_source = answers\nup_sink = there\ndown_sink = here\n");
	ck_assert_uint_eq(row_at(4, 9990 * MS)->taken, 249 * 50); /* the connection to the server took 20 ms, too */
}
END_TEST

START_TEST(no_more_often_than_the_period_says)
{
	simulate(BEGIN ASKS "period = 50ms\n" ANSWERS TRAFFIC);
	ck_assert_uint_eq(row_at(1, 990 * MS)->taken, 20 * 100);
	ck_assert_uint_eq(row_at(2, 990 * MS)->taken, 20 * 50);
}
END_TEST

/* An answer takes 10 ms, so the period is only reached by those who need not wait for it. */
START_TEST(no_more_often_than_the_pipeline_lets_them)
{
	simulate(BEGIN ASKS "period = 1ms\npipeline = 3\n" ANSWERS TRAFFIC);
	ck_assert_uint_eq(row_at(1, 995 * MS)->taken, (99 + 3) * 100);
}
END_TEST

START_TEST(random_services_are_answered_in_order)
{
	simulate(BEGIN "drain = yes\n" ASKS "pipeline = 16\nrequests = 2000\n" ANSWERS
		       "random = yes\nconcurrency = 8\n" TRAFFIC);
	ck_assert_uint_eq(result.taken, 2000 * 150);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

START_TEST(who_leaves_gets_his_answers_yet)
{
	simulate("[scenario]\nduration = 95ms\nsample = 10ms\ncontent = yes\ndrain = yes\n" ASKS
		 "pipeline = 20\n" ANSWERS TRAFFIC);
	ck_assert_uint_eq(result.taken, (9 + 20) * 150);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

START_TEST(a_server_that_ends_leaves_the_rest_unanswered)
{
	simulate(BEGIN ASKS "pipeline = 20\n" ANSWERS "requests = 7\n" TRAFFIC);
	ck_assert_uint_eq(row_at(2, 10 * SECOND)->taken, 6 * 50);
	ck_assert_uint_eq(result.taken, 27 * 100 + 7 * 50);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

START_TEST(nobody_answers)
{
	simulate(BEGIN ASKS "pipeline = 20\n[traffic t]\nup_source = asks\n[listener l]\npolicy = none\n");
	ck_assert_uint_eq(result.taken, 20 * 100);
	ck_assert_uint_eq(result.ended, 0);
}
END_TEST

static Suite *dialog_suite(void)
{
	Suite *suite = suite_create("sim_dialog");
	TCase *dialog = tcase_create("dialog");

	tcase_add_unchecked_fixture(dialog, directory_enter, directory_remove);
	tcase_add_test(dialog, one_after_the_other);
	tcase_add_test(dialog, several_on_their_way_are_served_in_turn);
	tcase_add_test(dialog, several_are_served_at_one_time);
	tcase_add_test(dialog, round_trips_count);
	tcase_add_test(dialog, no_more_often_than_the_period_says);
	tcase_add_test(dialog, no_more_often_than_the_pipeline_lets_them);
	tcase_add_test(dialog, random_services_are_answered_in_order);
	tcase_add_test(dialog, who_leaves_gets_his_answers_yet);
	tcase_add_test(dialog, a_server_that_ends_leaves_the_rest_unanswered);
	tcase_add_test(dialog, nobody_answers);
	suite_add_tcase(suite, dialog);
	return suite;
}

int main(void)
{
	return unit_main(dialog_suite());
}
