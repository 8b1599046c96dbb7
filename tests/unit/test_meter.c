/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The meter: states add up, pauses overlap.
 */
#include <string.h>

#include "meter.h"
#include "unit.h"

static struct meter meter;
static struct meter_pause pauses[3];

static void set_up(void)
{
	memset(pauses, 0, sizeof(pauses));
	meter_init(&meter, 100, pauses, 3);
}

START_TEST(states_add_up_to_the_age)
{
	uint64_t sum = 0;

	meter_set(&meter, 110, METER_BLOCKED, 0);
	meter_set(&meter, 115, METER_BLOCKED, 0);
	meter_set(&meter, 140, METER_HELD, 0);
	meter_set(&meter, 141, METER_MOVING, 0);
	meter_set(&meter, 141, METER_IDLE, 0);
	ck_assert_uint_eq(meter_spent(&meter, 200, METER_BLOCKED), 30);
	ck_assert_uint_eq(meter_spent(&meter, 200, METER_HELD), 1);
	ck_assert_uint_eq(meter_spent(&meter, 200, METER_MOVING), 0);
	for (int state = 0; state < METER_STATE_COUNT; state++)
		sum += meter_spent(&meter, 200, (enum meter_state)state);
	ck_assert_uint_eq(sum, 100);
}
END_TEST

START_TEST(pauses_are_timed_apart_open_ones_included)
{
	meter_set(&meter, 110, METER_HELD, 1);
	meter_set(&meter, 120, METER_HELD, 1 | 4);
	meter_set(&meter, 150, METER_HELD, 4);
	ck_assert_uint_eq(meter_paused(&meter, 200, 0), 40);
	ck_assert_uint_eq(meter_paused(&meter, 200, 1), 0);
	ck_assert_uint_eq(meter_paused(&meter, 200, 2), 80);
	meter_set(&meter, 210, METER_IDLE, 0);
	ck_assert_uint_eq(meter_paused(&meter, 300, 2), 90);
}
END_TEST

START_TEST(a_pause_counts_from_edge_to_edge)
{
	for (uint64_t now = 110; now < 120; now++)
		meter_set(&meter, now, METER_HELD, 2);
	ck_assert_uint_eq(pauses[1].count, 1);
	meter_set(&meter, 120, METER_IDLE, 0);
	meter_set(&meter, 130, METER_HELD, 2);
	ck_assert_uint_eq(pauses[1].count, 2);
	ck_assert_uint_eq(meter_paused(&meter, 135, 1), 15);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("meter");
	TCase *tcase = tcase_create("meter");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, states_add_up_to_the_age);
	tcase_add_test(tcase, pauses_are_timed_apart_open_ones_included);
	tcase_add_test(tcase, a_pause_counts_from_edge_to_edge);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
