/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated worlds: sessions that come, go, and are cut off; and that chance is the seed's.
 */
#include <string.h>

#include "directory.h"
#include "simulation.h"
#include "unit.h"

#define LISTENER "[policy smooth]\nmodule = watermark\nhigh = 256K\nlow = 64K\n[listener l]\npolicy = smooth\n"
#define PLAIN "[listener l]\npolicy = none\n"

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

START_TEST(an_end_follows_the_last_byte)
{
	simulate(
		"[scenario]\nduration = 10s\nsample = 10ms\ncontent = yes\n"
		"[source fast]\nkind = bulk\nbytes = 5M\nrtt = 30ms\n"
		"[sink slow]\nrate = 1M\nrtt = 20ms\nwindow = 30K\n"
		"[traffic t]\nsessions = 3\nup_source = fast\ndown_source = fast\nup_sink = slow\ndown_sink = slow\n" LISTENER);
	ck_assert_uint_eq(result.sent, 30 * MIB);
	ck_assert_uint_eq(result.taken, 30 * MIB);
	ck_assert_uint_eq(result.ended, 3);
	about("the last row's time", row_at(1, 10 * SECOND)->at, 5 * SECOND, 4);
}
END_TEST

START_TEST(who_only_listens_ends_with_the_other)
{
	simulate("[scenario]\nduration = 5s\nsample = 10ms\n"
		 "[source short]\nkind = constant\nrate = 1M\nbytes = 1M\nrtt = 40ms\n"
		 "[sink near]\nrtt = 40ms\n"
		 "[traffic t]\nup_source = none\ndown_source = short\ndown_sink = near\n" PLAIN);
	ck_assert_uint_eq(result.taken, MIB);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

START_TEST(a_client_leaves_in_peace)
{
	simulate("[scenario]\nduration = 10s\nsample = 10ms\n"
		 "[source steady]\nkind = constant\nrate = 1M\nwrite = 1K\nrtt = 20ms\n"
		 "[traffic t]\nlifetime = 2s\nup_source = steady\ndown_source = steady\n" LISTENER);
	ck_assert_uint_eq(result.ended, 1);
	ck_assert_uint_eq(result.sent, result.taken);
	about("taken", result.taken, 4 * MIB, 2);
}
END_TEST

START_TEST(a_client_resets)
{
	simulate(
		"[scenario]\nduration = 10s\nsample = 10ms\n"
		"[source steady]\nkind = constant\nrate = 1M\nwrite = 1K\nrtt = 20ms\n"
		"[sink slow]\nrate = 500K\n"
		"[traffic t]\nlifetime = 2s\nleave = reset\nup_source = steady\ndown_source = steady\nup_sink = slow\n" LISTENER);
	ck_assert_uint_eq(result.ended, 1);
	ck_assert_uint_lt(result.taken, result.sent);
}
END_TEST

START_TEST(whoever_comes_goes)
{
	simulate("[scenario]\nduration = 60s\ndrain = yes\n"
		 "[source steady]\nkind = constant\nrate = 100K\nwrite = 5K\nrtt = 10ms\n"
		 "[sink slow]\nrate = 120K\n"
		 "[traffic kind]\nsessions = 10\narrivals = 300\nlifetime = 3s\nrandom = yes\nclients = 4\n"
		 "up_source = steady\ndown_source = steady\nup_sink = slow\n"
		 "[traffic rude]\narrivals = 300\nlifetime = 2s\nrandom = yes\nleave = reset\n"
		 "up_source = steady\ndown_source = steady\n" LISTENER);
	ck_assert_uint_gt(result.sessions, 500);
	ck_assert_uint_eq(result.ended, result.sessions);
}
END_TEST

START_TEST(who_finds_it_full_waits)
{
	simulate("[scenario]\nduration = 10s\nsample = 100ms\ntraced = 9\n"
		 "[source short]\nkind = constant\nrate = 100000\nwrite = 1000\nbytes = 100000\n"
		 "[traffic t]\nsessions = 3\nup_source = short\ndown_source = none\n"
		 "[traffic u]\nsessions = 3\nstart = 200ms\nup_source = short\ndown_source = none\n"
		 "[traffic v]\nsessions = 3\nstart = 100ms\nup_source = short\ndown_source = none\n" PLAIN
		 "[weir]\nmax_sessions = 3\n");
	ck_assert_uint_eq(result.ended, 9);
	ck_assert_uint_eq(result.taken, 900000);
	ck_assert_uint_eq(row_at(3, 10 * SECOND)->at, 900 * MS);
	ck_assert_uint_eq(row_at(6, 10 * SECOND)->at, 1900 * MS);
	ck_assert_uint_eq(row_at(9, 10 * SECOND)->at, 2900 * MS);
}
END_TEST

START_TEST(what_does_not_end_is_a_fault)
{
	ck_assert_int_eq(simulate_status("[scenario]\nduration = 1s\nsample = 1h\ndrain = yes\n"
					 "[source fast]\nkind = bulk\n"
					 "[sink dead]\nschedule = 0s 0\n"
					 "[traffic t]\nup_source = fast\ndown_source = none\nup_sink = dead\n" PLAIN
					 "idle_timeout = never\nstall_timeout = never\nhalf_close_timeout = never\n"),
		1);
	ck_assert_msg(strstr(faults, "1 sessions have not ended") != NULL, "%s", faults);
}
END_TEST

/* ---- chance -------------------------------------------------------------------------------------------------------- */

#define MIXED                                                                                                          \
	"[source a]\nkind = poisson\nrate = 1M\nwrite = 3000\nrtt = 7ms\n"                                             \
	"[source b]\nkind = echo\ngain = 170\nbusy = 20K\n"                                                            \
	"[sink slow]\nrate = 900K\nread = 5K\nstall_every = 1s\nstall_for = 200ms\nrandom = yes\nrtt = 9ms\n"          \
	"[traffic t]\nsessions = 5\narrivals = 200\nlifetime = 4s\nrandom = yes\nup_source = a\ndown_source = b\n"     \
	"up_sink = slow\ndown_sink = slow\n" LISTENER "[weir]\nworkers = 3\nmemory = 2M\nmax_sessions = 100\n"

static struct sim_result first;
static struct sim_row *first_rows;
static size_t first_count;

static void keep(void)
{
	first = result;
	first_rows = rows;
	first_count = row_count;
	simulate_forget();
}

START_TEST(the_same_seed_gives_the_same)
{
	simulate("[scenario]\nduration = 3s\nseed = 5\n" MIXED);
	keep();
	simulate("[scenario]\nduration = 3s\nseed = 5\n" MIXED);
	ck_assert_mem_eq(&result, &first, sizeof(result));
	ck_assert_uint_eq(row_count, first_count);
	ck_assert_mem_eq(rows, first_rows, row_count * sizeof(*rows));
	ck_assert_uint_gt(result.taken, 0);
}
END_TEST

START_TEST(another_seed_gives_another)
{
	simulate("[scenario]\nduration = 3s\nseed = 5\n" MIXED);
	keep();
	simulate("[scenario]\nduration = 3s\nseed = 6\n" MIXED);
	ck_assert_uint_ne(result.taken, first.taken);
}
END_TEST

START_TEST(bytes_arrive_as_they_were_sent)
{
	simulate("[scenario]\nduration = 3s\ndrain = yes\ncontent = yes\n" MIXED);
	ck_assert_uint_gt(result.taken, 3 * MIB);
}
END_TEST

/* Bytes that are counted only go the same way at the same time as those that are there. */
START_TEST(lengths_are_enough)
{
	simulate("[scenario]\nduration = 3s\ndrain = yes\ncontent = yes\n" MIXED);
	keep();
	simulate("[scenario]\nduration = 3s\ndrain = yes\ncontent = no\n" MIXED);
	ck_assert_mem_eq(&result, &first, sizeof(result));
	ck_assert_mem_eq(rows, first_rows, row_count * sizeof(*rows));
}
END_TEST

static Suite *sim_suite(void)
{
	Suite *suite = suite_create("sim_ends");
	TCase *ends = tcase_create("ends");
	TCase *chance = tcase_create("chance");

	tcase_add_unchecked_fixture(ends, directory_enter, directory_remove);
	tcase_add_test(ends, an_end_follows_the_last_byte);
	tcase_add_test(ends, who_only_listens_ends_with_the_other);
	tcase_add_test(ends, a_client_leaves_in_peace);
	tcase_add_test(ends, a_client_resets);
	tcase_add_test(ends, whoever_comes_goes);
	tcase_add_test(ends, who_finds_it_full_waits);
	tcase_add_test(ends, what_does_not_end_is_a_fault);
	suite_add_tcase(suite, ends);
	tcase_add_unchecked_fixture(chance, directory_enter, directory_remove);
	tcase_add_test(chance, the_same_seed_gives_the_same);
	tcase_add_test(chance, another_seed_gives_another);
	tcase_add_test(chance, bytes_arrive_as_they_were_sent);
	tcase_add_test(chance, lengths_are_enough);
	suite_add_tcase(suite, chance);
	return suite;
}

int main(void)
{
	return unit_main(sim_suite());
}
