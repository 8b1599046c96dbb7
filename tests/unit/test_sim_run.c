/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated worlds: what applications, networks and weir do in them is what their laws say, to the byte and to the
 * nanosecond where that can be worked out by hand. Every one of them is checked after each step.
 */
#include <string.h>

#include "directory.h"
#include "simulation.h"
#include "unit.h"

#define LISTENER "[policy smooth]\nmodule = watermark\nhigh = 256K\nlow = 64K\n[listener l]\npolicy = smooth\n"
#define PLAIN "[listener l]\npolicy = none\n"

/* ---- sources and sinks --------------------------------------------------------------------------------------------- */

START_TEST(a_constant_source_delivers_exactly)
{
	simulate("[scenario]\nduration = 10s\ndrain = yes\n"
		 "[source steady]\nkind = constant\nrate = 1000000\nwrite = 1000\nbytes = 5000000\n"
		 "[traffic t]\nup_source = steady\ndown_source = none\n" PLAIN);
	ck_assert_uint_eq(result.sent, 5000000);
	ck_assert_uint_eq(result.read, 5000000);
	ck_assert_uint_eq(result.written, 5000000);
	ck_assert_uint_eq(result.taken, 5000000);
	ck_assert_uint_eq(result.sessions, 1);
	ck_assert_uint_eq(result.ended, 1);
	ck_assert_uint_eq(row_at(1, 2 * SECOND)->taken, 2001 * 1000); /* the first write is at 0 */
	ck_assert_uint_eq(result.held.max, 0);
}
END_TEST

START_TEST(its_end_comes_when_its_last_byte_does)
{
	simulate("[scenario]\nduration = 10s\nsample = 100ms\n"
		 "[source steady]\nkind = constant\nrate = 1000000\nwrite = 1000\nbytes = 3000000\n"
		 "[traffic t]\nup_source = steady\ndown_source = none\n" PLAIN);
	ck_assert_uint_eq(result.ended, 1);
	ck_assert_uint_eq(row_at(1, 10 * SECOND)->at, 2900 * MS); /* there is no row of what has ended */
}
END_TEST

START_TEST(bursts_come_by_the_period)
{
	simulate("[scenario]\nduration = 10s\nsample = 100ms\n"
		 "[source bursty]\nkind = bursts\nburst = 100K\nperiod = 3s\n"
		 "[traffic t]\nup_source = bursty\ndown_source = none\n" PLAIN);
	ck_assert_uint_eq(row_at(1, 2900 * MS)->taken, 100 * KIB);
	ck_assert_uint_eq(row_at(1, 3000 * MS)->taken, 200 * KIB);
	ck_assert_uint_eq(result.taken, 400 * KIB);
}
END_TEST

START_TEST(on_and_off)
{
	simulate("[scenario]\nduration = 9900ms\nsample = 100ms\n"
		 "[source spells]\nkind = onoff\nrate = 1000000\nwrite = 3000\non = 1s\noff = 4s\n"
		 "[traffic t]\nup_source = spells\ndown_source = none\n" PLAIN);
	ck_assert_uint_eq(row_at(1, 1 * SECOND)->taken, 1000000);
	ck_assert_uint_eq(row_at(1, 4900 * MS)->taken, 1000000);
	ck_assert_uint_eq(result.taken, 2000000); /* the rate holds, although it is no multiple of the write */
}
END_TEST

START_TEST(poisson_keeps_its_mean)
{
	simulate("[scenario]\nduration = 100s\n"
		 "[source random]\nkind = poisson\nrate = 1000000\nwrite = 1000\n"
		 "[traffic t]\nup_source = random\ndown_source = none\n" PLAIN);
	about("throughput", result.throughput, 1000000, 2);
}
END_TEST

START_TEST(a_trace_is_played)
{
	static const char trace[] = "0.5 1000\n0.5 500\n2 7\n";

	directory_write("trace", trace, sizeof(trace) - 1);
	simulate("[scenario]\nduration = 3s\nsample = 100ms\n"
		 "[source played]\nkind = trace\ntrace = trace\n"
		 "[traffic t]\nup_source = played\ndown_source = none\n" PLAIN);
	ck_assert_uint_eq(row_at(1, 400 * MS)->taken, 0);
	ck_assert_uint_eq(row_at(1, 500 * MS)->taken, 1500);
	ck_assert_uint_eq(result.taken, 1507);
}
END_TEST

START_TEST(an_echo_answers_with_its_gain)
{
	simulate("[scenario]\nduration = 10s\ndrain = yes\ncontent = yes\n"
		 "[source steady]\nkind = constant\nrate = 100000\nwrite = 1001\nbytes = 700700\n"
		 "[source server]\nkind = echo\ngain = 250\n"
		 "[traffic t]\nup_source = steady\ndown_source = server\n" PLAIN);
	ck_assert_uint_eq(result.taken, 700700 + 700700 * 250 / 100);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

/* Either reads no more while 16K wait to be sent: only what the kernels and weir have room for keeps them apart. */
START_TEST(echoing_peers_with_small_buffers_do_not_lock_each_other_out)
{
	simulate("[scenario]\nduration = 20s\ndrain = yes\n"
		 "[source fast]\nkind = bulk\nbytes = 20M\n"
		 "[source server]\nkind = echo\nbusy = 16K\n"
		 "[sink small]\nwindow = 16K\nrate = 5M\n"
		 "[traffic t]\nup_source = fast\ndown_source = server\nup_sink = small\ndown_sink = small\n" LISTENER
		 "rcvbuf = 16K\nsndbuf = 32K\nnotsent_lowat = 8K\n");
	ck_assert_uint_eq(result.taken, 40 * MIB);
	ck_assert_uint_eq(result.ended, 1);
}
END_TEST

START_TEST(a_sink_stalls)
{
	simulate("[scenario]\nduration = 20s\nsample = 100ms\n"
		 "[source fast]\nkind = bulk\n"
		 "[sink lazy]\nrate = 1M\nread = 1K\nstall_every = 5s\nstall_for = 2s\n"
		 "[traffic t]\nup_source = fast\ndown_source = none\nup_sink = lazy\n" LISTENER);
	ck_assert_uint_eq(row_at(1, 5 * SECOND)->taken, row_at(1, 6900 * MS)->taken);
	about("taken before the first stall", row_at(1, 5 * SECOND)->taken, 5 * MIB, 1);
	about("taken behind it", row_at(1, 10 * SECOND)->taken, 8 * MIB, 1);
	about("throughput", result.throughput, 14 * MIB / 20, 1); /* of 20 s, three were stalls of 2 s */
}
END_TEST

START_TEST(a_sink_has_a_schedule)
{
	simulate("[scenario]\nduration = 30s\nsample = 100ms\n"
		 "[source fast]\nkind = bulk\n"
		 "[sink moody]\nread = 1K\nschedule = 0s 1M, 10s 0, 20s 2M\n"
		 "[traffic t]\nup_source = fast\ndown_source = none\nup_sink = moody\n" LISTENER);
	about("taken at 10 s", row_at(1, 9900 * MS)->taken, 99 * MIB / 10, 1);
	ck_assert_uint_eq(row_at(1, 10 * SECOND)->taken, row_at(1, 19900 * MS)->taken);
	about("taken", result.taken, 30 * MIB, 1);
}
END_TEST

/* ---- the network --------------------------------------------------------------------------------------------------- */

START_TEST(a_window_in_each_round_trip)
{
	simulate("[scenario]\nduration = 20s\n"
		 "[source fast]\nkind = bulk\n"
		 "[sink far]\nwindow = 100K\nrtt = 100ms\n"
		 "[traffic t]\nup_source = fast\ndown_source = none\nup_sink = far\n" LISTENER);
	about("throughput", result.throughput, 1000 * KIB, 1);
}
END_TEST

START_TEST(a_window_in_each_round_trip_towards_weir)
{
	simulate("[scenario]\nduration = 20s\n"
		 "[source far]\nkind = bulk\nrtt = 50ms\n"
		 "[traffic t]\nup_source = far\ndown_source = none\n" LISTENER "rcvbuf = 100K\n");
	about("throughput", result.throughput, 2000 * KIB, 1);
}
END_TEST

START_TEST(bandwidth_bounds)
{
	simulate("[scenario]\nduration = 20s\n"
		 "[source narrow]\nkind = bulk\nbandwidth = 300000\nrtt = 10ms\n"
		 "[sink wide]\nbandwidth = 1M\n"
		 "[traffic t]\nup_source = narrow\ndown_source = none\nup_sink = wide\n" LISTENER);
	about("throughput", result.throughput, 300000, 1);
	ck_assert_uint_eq(result.held.max, 0);
}
END_TEST

START_TEST(the_first_byte_takes_half_a_round_trip_each_way)
{
	simulate("[scenario]\nduration = 1s\nsample = 1ms\n"
		 "[source far]\nkind = bursts\nburst = 1000\nperiod = 10s\nrtt = 200ms\n"
		 "[sink far2]\nrtt = 100ms\n"
		 "[traffic t]\nup_source = far\ndown_source = none\nup_sink = far2\n" PLAIN);
	ck_assert_uint_eq(row_at(1, 99 * MS)->read, 0);
	ck_assert_uint_eq(row_at(1, 100 * MS)->read, 1000);
	ck_assert_uint_eq(row_at(1, 149 * MS)->taken, 0);
	ck_assert_uint_eq(row_at(1, 150 * MS)->taken, 1000);
}
END_TEST

/* ---- weir in it ---------------------------------------------------------------------------------------------------- */

static uint64_t most_held(uint64_t from)
{
	uint64_t most = 0;

	for (size_t i = 0; i < row_count; i++)
		if (rows[i].flow == 1 && rows[i].at >= from && rows[i].held > most)
			most = rows[i].held;
	return most;
}

static uint64_t least_held(uint64_t from)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < row_count; i++)
		if (rows[i].flow == 1 && rows[i].at >= from && rows[i].held < least)
			least = rows[i].held;
	return least;
}

START_TEST(held_is_a_saw_tooth_between_the_marks)
{
	simulate("[scenario]\nduration = 20s\nsample = 5ms\n"
		 "[source fast]\nkind = bulk\n"
		 "[sink slow]\nrate = 1M\nread = 4K\nwindow = 16K\n"
		 "[traffic t]\nup_source = fast\ndown_source = none\nup_sink = slow\n" LISTENER
		 "notsent_lowat = 16K\nrcvbuf = 64K\n");
	ck_assert_uint_eq(result.held.max, 256 * KIB);
	ck_assert_uint_eq(most_held(SECOND), 256 * KIB);
	ck_assert_msg(least_held(SECOND) >= 64 * KIB && least_held(SECOND) < 72 * KIB, "the least held is %llu",
		(unsigned long long)least_held(SECOND));
	about("pauses", result.pauses, 20 * MIB / (192 * KIB), 10);
	ck_assert_uint_eq(result.flips, result.pauses * 2 * 1000 / 20);
	for (size_t i = 0; i < row_count; i++) {
		ck_assert_uint_le(rows[i].unread, 64 * KIB);
		ck_assert_uint_le(rows[i].queued, 24 * KIB); /* the mark, and a piece of half a window */
	}
}
END_TEST

START_TEST(a_byte_stays_as_long_as_what_is_before_it_takes)
{
	simulate("[scenario]\nduration = 60s\n"
		 "[source fast]\nkind = bulk\n"
		 "[sink slow]\nrate = 1M\nread = 4K\nwindow = 8K\n"
		 "[traffic t]\nup_source = fast\ndown_source = none\nup_sink = slow\n" LISTENER "notsent_lowat = 4K\n");
	about("the longest stay", result.sojourn.max, 250 * MS, 4);
	about("the median stay", result.sojourn.p50, 156 * MS, 4); /* of 62 ms, behind low, to 250 ms, at high */
	ck_assert_uint_ge(result.sojourn.p99, result.sojourn.p50);
	ck_assert_uint_ge(result.sojourn.max, result.sojourn.p99);
}
END_TEST

START_TEST(times_add_up)
{
	uint64_t sum = 0;

	simulate(
		"[scenario]\nduration = 10s\n"
		"[source fast]\nkind = bulk\n"
		"[sink slow]\nrate = 1M\n"
		"[traffic t]\nsessions = 3\nstart = 1s\nup_source = fast\ndown_source = none\nup_sink = slow\n" LISTENER);
	for (unsigned i = 0; i < METER_STATE_COUNT; i++)
		sum += result.spent[i];
	ck_assert_uint_eq(sum, 3 * 9 * SECOND);
	ck_assert_uint_eq(result.flows, 3);
	about("blocked", result.spent[METER_BLOCKED], 27 * SECOND, 1);
	ck_assert_uint_eq(result.jain, 1000000);
}
END_TEST

START_TEST(unequal_shares_are_told)
{
	simulate("[scenario]\nduration = 100s\n"
		 "[source one]\nkind = constant\nrate = 100000\n"
		 "[sink poor]\nrate = 100K\nstall_every = 10s\nstall_for = 5s\nrandom = yes\n"
		 "[traffic t]\nsessions = 20\nup_source = one\ndown_source = none\nup_sink = poor\n" LISTENER);
	ck_assert_uint_lt(result.jain, 1000000);
	ck_assert_uint_gt(result.jain, 900000);
}
END_TEST

START_TEST(memory_is_counted)
{
	simulate("[scenario]\nduration = 10s\n"
		 "[source fast]\nkind = bulk\n"
		 "[sink slow]\nrate = 1M\n"
		 "[traffic t]\nsessions = 10\nup_source = fast\ndown_source = none\nup_sink = slow\n" LISTENER
		 "[weir]\nmemory = 1M\nmax_sessions = 10\n");
	ck_assert_str_eq(result.pools[result.pool_count - 1].name, "memory");
	ck_assert_uint_eq(result.pools[result.pool_count - 1].size, (1024 - 80) / 4);
	ck_assert_uint_gt(result.pools[result.pool_count - 1].used_max, 200);
	ck_assert_uint_gt(result.pools[result.pool_count - 1].shortages, 0);
	ck_assert_str_eq(result.causes[result.cause_count - 1].name, "memory");
	ck_assert_uint_gt(result.causes[result.cause_count - 1].pauses, 0);
	ck_assert_uint_le(result.held_all.max, MIB);
}
END_TEST

static Suite *sim_suite(void)
{
	Suite *suite = suite_create("sim_run");
	TCase *applications = tcase_create("applications");
	TCase *network = tcase_create("network");
	TCase *weir = tcase_create("weir");

	tcase_add_unchecked_fixture(applications, directory_enter, directory_remove);
	tcase_add_test(applications, a_constant_source_delivers_exactly);
	tcase_add_test(applications, its_end_comes_when_its_last_byte_does);
	tcase_add_test(applications, bursts_come_by_the_period);
	tcase_add_test(applications, on_and_off);
	tcase_add_test(applications, poisson_keeps_its_mean);
	tcase_add_test(applications, a_trace_is_played);
	tcase_add_test(applications, an_echo_answers_with_its_gain);
	tcase_add_test(applications, echoing_peers_with_small_buffers_do_not_lock_each_other_out);
	tcase_add_test(applications, a_sink_stalls);
	tcase_add_test(applications, a_sink_has_a_schedule);
	suite_add_tcase(suite, applications);
	tcase_add_unchecked_fixture(network, directory_enter, directory_remove);
	tcase_add_test(network, a_window_in_each_round_trip);
	tcase_add_test(network, a_window_in_each_round_trip_towards_weir);
	tcase_add_test(network, bandwidth_bounds);
	tcase_add_test(network, the_first_byte_takes_half_a_round_trip_each_way);
	suite_add_tcase(suite, network);
	tcase_add_unchecked_fixture(weir, directory_enter, directory_remove);
	tcase_add_test(weir, held_is_a_saw_tooth_between_the_marks);
	tcase_add_test(weir, a_byte_stays_as_long_as_what_is_before_it_takes);
	tcase_add_test(weir, times_add_up);
	tcase_add_test(weir, unequal_shares_are_told);
	tcase_add_test(weir, memory_is_counted);
	suite_add_tcase(suite, weir);
	return suite;
}

int main(void)
{
	return unit_main(sim_suite());
}
