/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What simulations are made of: the agenda, chance, wires, distributions.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "chance.h"
#include "histogram.h"
#include "pattern.h"
#include "unit.h"
#include "wire.h"

#define MS UINT64_C(1000000)

/* ---- agenda -------------------------------------------------------------------------------------------------------- */

#define EVENTS 1000

struct mark {
	struct sim_event event;
	unsigned number;
};

static unsigned fired[EVENTS];
static unsigned fired_count;
static uint64_t fired_at[EVENTS];

static void fire(struct sim_event *event, uint64_t now)
{
	fired_at[fired_count] = now;
	fired[fired_count++] = ((struct mark *)event)->number;
}

static struct mark marks[EVENTS];
static struct sim_agenda agenda;

static void make_agenda(void)
{
	memset(&agenda, 0, sizeof(agenda));
	ck_assert_int_eq(agenda_reserve(&agenda, EVENTS), 0);
	for (unsigned i = 0; i < EVENTS; i++) {
		marks[i].number = i;
		agenda_event_init(&marks[i].event, fire);
	}
	fired_count = 0;
}

START_TEST(events_come_in_order_of_time)
{
	struct chance chance;
	uint64_t now = 0;

	make_agenda();
	chance_init(&chance, 1, 0, 0);
	for (unsigned i = 0; i < EVENTS; i++)
		agenda_set(&agenda, &marks[i].event, 1 + chance_below(&chance, 500));
	for (unsigned i = 0; i < EVENTS; i += 3) /* moved, to and fro */
		agenda_set(&agenda, &marks[i].event, 1 + chance_below(&chance, 500));
	for (unsigned i = 0; i < EVENTS; i += 7)
		agenda_set(&agenda, &marks[i].event, AGENDA_NEVER);
	while (agenda_next(&agenda) != AGENDA_NEVER) {
		ck_assert_uint_gt(agenda_next(&agenda), now);
		now = agenda_next(&agenda);
		agenda_run(&agenda, now);
	}
	ck_assert_uint_eq(fired_count, EVENTS - (EVENTS + 6) / 7);
	for (unsigned i = 1; i < fired_count; i++)
		ck_assert_uint_ge(fired_at[i], fired_at[i - 1]);
	agenda_destroy(&agenda);
}
END_TEST

START_TEST(events_of_one_time_come_in_order_of_entry)
{
	make_agenda();
	for (unsigned i = 0; i < 50; i++)
		agenda_set(&agenda, &marks[49 - i].event, 10);
	agenda_set(&agenda, &marks[30].event, 10); /* stays where it is */
	agenda_set(&agenda, &marks[31].event, 11);
	agenda_set(&agenda, &marks[31].event, 10); /* comes anew */
	agenda_run(&agenda, 10);
	ck_assert_uint_eq(fired_count, 50);
	ck_assert_uint_eq(fired[0], 49);
	ck_assert_uint_eq(fired[18], 30);
	ck_assert_uint_eq(fired[49], 31);
	agenda_destroy(&agenda);
}
END_TEST

/* ---- chance -------------------------------------------------------------------------------------------------------- */

START_TEST(exponential_times_have_their_mean)
{
	struct chance chance;
	uint64_t sum = 0;
	unsigned beyond = 0;

	chance_init(&chance, 3, 0, 0);
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t drawn = chance_exponential(&chance, 1000000);

		sum += drawn;
		beyond += drawn > 2302585; /* ten of a hundred are beyond ln 10 means */
	}
	ck_assert_uint_ge(sum / 100000, 990000);
	ck_assert_uint_le(sum / 100000, 1010000);
	ck_assert_uint_ge(beyond, 9700);
	ck_assert_uint_le(beyond, 10300);
}
END_TEST

START_TEST(chance_is_the_same_for_ever)
{
	struct chance chance;

	chance_init(&chance, 1, 2, 3);
	ck_assert_uint_eq(chance_draw(&chance), UINT64_C(2399657773382937285));
	ck_assert_uint_eq(chance_exponential(&chance, 1000000000), 827093671); /* -ln(0.4373...) */
	ck_assert_uint_eq(chance_below(&chance, 1000), 954);
}
END_TEST

/* ---- wires --------------------------------------------------------------------------------------------------------- */

START_TEST(a_way_without_length_is_at_once)
{
	struct sim_wire wire;

	wire_init(&wire, 0, WIRE_UNLIMITED, 10000);
	wire_write(&wire, 15000);
	ck_assert(wire_push(&wire, 5));
	ck_assert_uint_eq(wire_unread(&wire), 10000);
	ck_assert_uint_eq(wire_unsent(&wire), 5000);
	ck_assert_uint_eq(wire_due(&wire), WIRE_NEVER);
	wire_take(&wire, 2895, 6); /* less than two segments: not told of */
	ck_assert(!wire_push(&wire, 6));
	wire_take(&wire, 1, 6);
	ck_assert(wire_push(&wire, 6));
	ck_assert_uint_eq(wire_unread(&wire), 10000);
	ck_assert_uint_eq(wire_queued(&wire), 15000 - 12896);
	wire_destroy(&wire);
}
END_TEST

START_TEST(a_long_way_takes_time)
{
	struct sim_wire wire;

	wire_init(&wire, 100 * MS, WIRE_UNLIMITED, 10000);
	wire_write(&wire, 15000);
	ck_assert(wire_push(&wire, 0));
	ck_assert_uint_eq(wire_unread(&wire), 0);
	ck_assert_uint_eq(wire_due(&wire), 50 * MS);
	wire_run(&wire, 50 * MS);
	ck_assert_uint_eq(wire_unread(&wire), 10000);
	ck_assert_uint_eq(wire_queued(&wire), 15000);
	wire_take(&wire, 10000, 60 * MS);
	ck_assert_uint_eq(wire_due(&wire), 100 * MS);
	wire_run(&wire, 100 * MS);
	ck_assert_uint_eq(wire_queued(&wire), 5000); /* acknowledged, but the window is closed still */
	ck_assert(!wire_push(&wire, 100 * MS));
	wire_run(&wire, 110 * MS);
	ck_assert(wire_push(&wire, 110 * MS));
	ck_assert_uint_eq(wire_due(&wire), 160 * MS);
	wire_destroy(&wire);
}
END_TEST

START_TEST(bandwidth_takes_time)
{
	struct sim_wire wire;
	uint64_t now = 0;

	wire_init(&wire, 0, 1000000, 1000000);
	wire_write(&wire, 500000);
	while (wire_push(&wire, now), wire_due(&wire) != WIRE_NEVER) {
		now = wire_due(&wire);
		wire_run(&wire, now);
		ck_assert_uint_le(wire_unread(&wire), now / 1000);
	}
	ck_assert_uint_eq(wire_unread(&wire), 500000);
	ck_assert_uint_ge(now, 500 * MS);
	ck_assert_uint_le(now, 500 * MS + 1000);
	wire_destroy(&wire);
}
END_TEST

START_TEST(an_end_needs_room)
{
	struct sim_wire wire;

	wire_init(&wire, 0, WIRE_UNLIMITED, 10000);
	wire_write(&wire, 10000);
	wire_end(&wire);
	wire_push(&wire, 0);
	ck_assert_uint_eq(wire_unread(&wire), 10000);
	ck_assert(!wire_end_arrived(&wire));
	ck_assert_uint_eq(wire_queued(&wire), 1);
	wire_take(&wire, 10000, 1);
	wire_push(&wire, 1);
	ck_assert(wire_end_arrived(&wire));
	ck_assert_uint_eq(wire_unread(&wire), 0);
	ck_assert_uint_eq(wire_queued(&wire), 0);
	wire_destroy(&wire);
}
END_TEST

START_TEST(a_reset_comes_behind_what_is_under_way)
{
	struct sim_wire wire;

	wire_init(&wire, 20 * MS, WIRE_UNLIMITED, 10000);
	wire_write(&wire, 15000);
	wire_push(&wire, 0);
	wire_cut(&wire, 5 * MS);
	ck_assert_uint_eq(wire_queued(&wire), 0);
	wire_run(&wire, 10 * MS);
	ck_assert_uint_eq(wire_unread(&wire), 10000);
	ck_assert(!wire.reset);
	ck_assert_uint_eq(wire_due(&wire), 15 * MS);
	wire_run(&wire, 15 * MS);
	ck_assert(wire.reset);
	ck_assert_uint_eq(wire_unread(&wire), 10000);
	ck_assert_uint_eq(wire_due(&wire), WIRE_NEVER);
	wire_destroy(&wire);
}
END_TEST

/* ---- distributions ------------------------------------------------------------------------------------------------- */

START_TEST(what_is_read_is_little_too_small)
{
	static struct histogram histogram;

	for (uint64_t value = 1; value < UINT64_MAX / 3; value = value * 3 + 1) {
		memset(&histogram, 0, sizeof(histogram));
		histogram_add(&histogram, value, 10);
		ck_assert_uint_le(histogram_percentile(&histogram, 50), value);
		ck_assert_uint_ge(histogram_percentile(&histogram, 50), value - value / 64);
		ck_assert_uint_eq(histogram.max, value);
	}
}
END_TEST

START_TEST(percentiles_are_of_the_weight)
{
	static struct histogram histogram;

	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 0);
	histogram_add(&histogram, 10, 980);
	histogram_add(&histogram, 20, 10);
	histogram_add(&histogram, UINT64_MAX, 10);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 10);
	ck_assert_uint_eq(histogram_percentile(&histogram, 98), 10);
	ck_assert_uint_eq(histogram_percentile(&histogram, 99), 20);
	ck_assert_uint_gt(histogram_percentile(&histogram, 100), UINT64_MAX / 65 * 64);
}
END_TEST

START_TEST(patterns_know_their_bytes)
{
	static const struct sim_pattern patterns[] = {{7, 0}, {7, 33}, {7, 1000}};
	struct sim_pattern pattern = patterns[_i];
	struct sim_pattern other = {8, pattern.line};
	unsigned char bytes[100];

	for (uint64_t offset = 0; offset < 40; offset++) {
		pattern_fill(pattern, offset, bytes, sizeof(bytes));
		ck_assert(pattern_matches(pattern, offset, bytes, sizeof(bytes)));
		ck_assert(pattern_matches(pattern, offset + 13, bytes + 13, sizeof(bytes) - 13));
		ck_assert(!pattern_matches(pattern, offset + 1, bytes, sizeof(bytes)));
		ck_assert(!pattern_matches(other, offset, bytes, sizeof(bytes)));
		bytes[99] ^= 1;
		ck_assert(!pattern_matches(pattern, offset, bytes, sizeof(bytes)));
	}
}
END_TEST

START_TEST(lines_end_where_they_should)
{
	struct sim_pattern pattern = {7, 33};
	unsigned char bytes[3300];

	for (uint64_t offset = 0; offset < 70; offset++) {
		pattern_fill(pattern, offset, bytes, sizeof(bytes));
		for (uint64_t i = 0; i < sizeof(bytes); i++)
			ck_assert_int_eq(bytes[i] == '\n', (offset + i) % 33 == 32);
	}
}
END_TEST

static Suite *parts_suite(void)
{
	Suite *suite = suite_create("sim_parts");
	TCase *parts = tcase_create("parts");

	tcase_add_test(parts, events_come_in_order_of_time);
	tcase_add_test(parts, events_of_one_time_come_in_order_of_entry);
	tcase_add_test(parts, exponential_times_have_their_mean);
	tcase_add_test(parts, chance_is_the_same_for_ever);
	tcase_add_test(parts, a_way_without_length_is_at_once);
	tcase_add_test(parts, a_long_way_takes_time);
	tcase_add_test(parts, bandwidth_takes_time);
	tcase_add_test(parts, an_end_needs_room);
	tcase_add_test(parts, a_reset_comes_behind_what_is_under_way);
	tcase_add_test(parts, what_is_read_is_little_too_small);
	tcase_add_test(parts, percentiles_are_of_the_weight);
	tcase_add_loop_test(parts, patterns_know_their_bytes, 0, 3);
	tcase_add_test(parts, lines_end_where_they_should);
	suite_add_tcase(suite, parts);
	return suite;
}

int main(void)
{
	return unit_main(parts_suite());
}
