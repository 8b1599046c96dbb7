/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients who wait at weir's door: for a limit on sessions, or for what the flows of a session own; and what is told of
 * policies that count.
 */
#include <string.h>

#include "directory.h"
#include "simulation.h"
#include "unit.h"

#define CREDIT                                                                                                         \
	"[policy own]\nmodule = credit\nsegment = 32K\nexclusive = 2\nfloating = 0\nmax = 2\npool = 384K\n" /* 3 sessions */
#define STEADY                                                                                                         \
	"[source steady]\nkind = constant\nrate = 100000\nwrite = 1000\nbytes = 100000\n" /* ends after a second */

/* What has been taken of all by then, in sessions' worth. */
static uint64_t served(uint64_t at)
{
	return row_at(0, at)->taken / 100000;
}

/* ---- limits -------------------------------------------------------------------------------------------------------- */

START_TEST(no_more_than_weir_admits)
{
	simulate("[scenario]\nduration = 6s\n[weir]\nmax_sessions = 2\n" STEADY
		 "[traffic a]\nup_source = steady\nsessions = 2\n"
		 "[traffic b]\nup_source = steady\nstart = 100ms\nsessions = 2\n"
		 "[traffic c]\nup_source = steady\nstart = 200ms\nsessions = 1\n[listener l]\npolicy = none\n");
	ck_assert_uint_eq(result.sessions, 5);
	ck_assert_uint_eq(result.ended, 5);
	ck_assert_uint_eq(served(1100 * MS), 2);
	ck_assert_uint_eq(served(2100 * MS), 4);
	ck_assert_uint_eq(served(3100 * MS), 5);
}
END_TEST

START_TEST(no_more_than_the_listener_admits)
{
	simulate("[scenario]\nduration = 6s\n" STEADY
		 "[traffic a]\nup_source = steady\nlistener = narrow\nsessions = 1\n"
		 "[traffic b]\nup_source = steady\nlistener = narrow\nstart = 100ms\n"
		 "[traffic c]\nup_source = steady\nlistener = wide\nstart = 200ms\nsessions = 3\n"
		 "[listener narrow]\npolicy = none\nmax_sessions = 1\n[listener wide]\npolicy = none\n");
	ck_assert_uint_eq(result.ended, 5);
	ck_assert_uint_eq(served(1300 * MS), 4); /* those of the other listener did not wait */
	ck_assert_uint_eq(served(2100 * MS), 5);
}
END_TEST

/* ---- what flows own ------------------------------------------------------------------------------------------------ */

START_TEST(no_more_than_have_what_they_own)
{
	simulate("[scenario]\nduration = 6s\n" STEADY
		 "[traffic a]\nup_source = steady\nsessions = 7\n[listener l]\npolicy = own\n" CREDIT);
	ck_assert_uint_eq(result.sessions, 7);
	ck_assert_uint_eq(served(1100 * MS), 3);
	ck_assert_uint_eq(served(2100 * MS), 6);
	ck_assert_uint_eq(served(3100 * MS), 7);
	ck_assert_str_eq(result.pools[0].name, "segments");
	ck_assert_uint_eq(result.pools[0].used_max, 12);
	ck_assert_uint_ge(result.pools[0].shortages, 2);
}
END_TEST

/* Two doors, one client each that cannot come in: he who came first is first, whichever section is. */
START_TEST(who_came_first_is_let_in_first)
{
	simulate("[scenario]\nduration = 6s\ntraced = 10\n" STEADY
		 "[source slow]\nkind = constant\nrate = 50000\nwrite = 1000\n"
		 "[source endless]\nkind = constant\nrate = 1000\nwrite = 10\n"
		 "[traffic late]\nup_source = slow\nstart = 300ms\n"
		 "[traffic early]\nup_source = steady\nstart = 200ms\n"
		 "[traffic first]\nup_source = steady\nsessions = 1\n"
		 "[traffic for_ever]\nup_source = endless\nsessions = 2\n[listener l]\npolicy = own\n" CREDIT);
	ck_assert_uint_eq(result.sessions, 5);
	about("of early, which began at 1 s", row_at(4, 1490 * MS)->taken, 50000, 2);
	about("of late, which began at 2 s", row_at(5, 2490 * MS)->taken, 25000, 4);
}
END_TEST

START_TEST(who_waits_goes_home_in_the_end)
{
	simulate("[scenario]\nduration = 50ms\ndrain = yes\n[source fast]\nkind = bulk\n"
		 "[traffic a]\nup_source = fast\nsessions = 9\n[listener l]\npolicy = own\n" CREDIT);
	ck_assert_uint_eq(result.sessions, 3);
	ck_assert_uint_eq(result.ended, 3);
}
END_TEST

/* ---- counters ------------------------------------------------------------------------------------------------------ */

START_TEST(what_policies_count_is_told)
{
	simulate("[scenario]\nduration = 3s\ncontent = yes\n[source asks]\nkind = requests\nwrite = 100\npipeline = 2\n"
		 "[source slow]\nkind = answers\nservice = 2500ms\n[traffic t]\nup_source = asks\ndown_source = slow\n"
		 "[listener l]\npolicy = cap\n[policy cap]\nmodule = inflight-cap\nunit = requests\nframing = line\n"
		 "total = 1\ntimeout = 2s\n");
	ck_assert_uint_ge(result.counter_count, 2);
	for (size_t i = 0; i < result.counter_count; i++) {
		ck_assert_str_eq(result.counters[i].policy, "cap");
		ck_assert_uint_eq(result.counters[i].count, strcmp(result.counters[i].name, "timeouts") == 0);
	}
}
END_TEST

static Suite *doors_suite(void)
{
	Suite *suite = suite_create("sim_doors");
	TCase *doors = tcase_create("doors");

	tcase_add_unchecked_fixture(doors, directory_enter, directory_remove);
	tcase_add_test(doors, no_more_than_weir_admits);
	tcase_add_test(doors, no_more_than_the_listener_admits);
	tcase_add_test(doors, no_more_than_have_what_they_own);
	tcase_add_test(doors, who_came_first_is_let_in_first);
	tcase_add_test(doors, who_waits_goes_home_in_the_end);
	tcase_add_test(doors, what_policies_count_is_told);
	suite_add_tcase(suite, doors);
	return suite;
}

int main(void)
{
	return unit_main(doors_suite());
}
