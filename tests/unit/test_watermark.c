/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy watermark, asked directly: its marks, its corners, and that no flow under it can wait for ever.
 */
#include <stdio.h>

#include "fake.h"
#include "trial.h"
#include "unit.h"

static void load_module(void)
{
	trial_load("watermark");
}

static void start(uint64_t high, uint64_t low)
{
	char texts[2][32];

	snprintf(texts[0], sizeof(texts[0]), "%llu", (unsigned long long)high);
	snprintf(texts[1], sizeof(texts[1]), "%llu", (unsigned long long)low);
	trial_begin("high", texts[0], "low", texts[1], NULL);
}

START_TEST(an_empty_flow_may_read_up_to_high)
{
	start(1000, 500);
	ck_assert_uint_eq(trial_room(), 1000);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().promises, 0);
	ck_assert_uint_eq(trial_ask().ask_at, WEIR_NEVER);
}
END_TEST

START_TEST(reads_are_cut_to_what_is_left)
{
	start(1000, 500);
	trial_turn(1, 700, 0);
	ck_assert_uint_eq(trial_room(), 300);
	trial_turn(1, 299, 0);
	ck_assert_uint_eq(trial_room(), 1);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
}
END_TEST

START_TEST(paused_at_high_until_below_low)
{
	start(1000, 500);
	trial_turn(1, 1000, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
	trial_turn(1, 0, 499);
	ck_assert_uint_eq(trial_room(), 0);
	trial_turn(1, 0, 1); /* holds low: not below yet */
	ck_assert_uint_eq(trial_room(), 0);
	trial_turn(1, 0, 1);
	ck_assert_uint_eq(trial_room(), 501);
	trial_turn(1, 500, 0); /* 999: between the marks it stays what it was */
	ck_assert_uint_eq(trial_room(), 1);
	trial_turn(1, 1, 0);
	ck_assert_uint_eq(trial_room(), 0);
}
END_TEST

/* high was reached within a turn, but what was left at its end counts. */
START_TEST(a_turn_that_drains_what_it_read)
{
	start(1000, 500);
	trial_turn(1, 5000, 4999);
	ck_assert_uint_eq(trial_room(), 999);
}
END_TEST

START_TEST(asking_changes_nothing)
{
	start(1000, 500);
	trial_turn(1, 1000, 300);
	ck_assert(trial_is_pure());
}
END_TEST

/* Asked before it has heard of the last bytes leaving, it must not forbid what nothing would allow again. */
START_TEST(nothing_held_is_never_a_pause)
{
	start(1000, 500);
	trial_turn(1, 1000, 0);
	trial.view.written = trial.view.read;
	trial.view.held = 0;
	ck_assert_uint_eq(trial_room(), 1000);
}
END_TEST

static const struct {
	uint64_t high, low;
} marks[] = {{1, 1}, {2, 1}, {2, 2}, {3, 2}, {1000, 1000}, {1000, 1}, {1 << 30, 1 << 30}, {262144, 131072}};

/*
 * A source that always has bytes, a sink that takes what chance gives: held stays at most high, every limit of nothing
 * carries a promise that the bytes held keep, and all of it gets through.
 */
START_TEST(never_above_high_and_never_stuck)
{
	uint64_t high = marks[_i].high;
	unsigned idle = 0;

	draw_seed((uint64_t)_i);
	start(high, marks[_i].low);
	for (int i = 0; i < 100000; i++) {
		uint64_t read, written, left = trial_room();

		if (left == 0) {
			MUST(trial.view.held > 0, "paused, and nothing is held");
			MUST((trial_ask().promises & WEIR_PROMISE_DRAIN) != 0, "no promise");
		}
		read = left == 0 ? 0 : 1 + draw(left);
		written = draw(3) == 0 ? draw(trial.view.held + read + 1) : 0;
		idle = read + written == 0 ? idle + 1 : 0;
		trial_turn(1, read, written);
		MUST(trial.view.held <= high, "%llu bytes are held", (unsigned long long)trial.view.held);
		MUST(idle < 1000, "stuck");
	}
	ck_assert_uint_gt(trial.view.written, 1000);
}
END_TEST

static const struct {
	uint64_t high, low;
	const char *error;
} checks[] = {
	{262144, 131072, ""},
	{1, 1, ""},
	{65536, 98304, "low = 96K is above high = 64K; expected low <= high"},
	{1000, 1001, "low = 1001 is above high = 1000; expected low <= high"},
};

START_TEST(marks_are_checked)
{
	start(checks[_i].high, checks[_i].low);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("watermark");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, an_empty_flow_may_read_up_to_high);
	tcase_add_test(tcase, reads_are_cut_to_what_is_left);
	tcase_add_test(tcase, paused_at_high_until_below_low);
	tcase_add_test(tcase, a_turn_that_drains_what_it_read);
	tcase_add_test(tcase, asking_changes_nothing);
	tcase_add_test(tcase, nothing_held_is_never_a_pause);
	tcase_add_loop_test(tcase, never_above_high_and_never_stuck, 0, COUNT(marks));
	tcase_add_loop_test(tcase, marks_are_checked, 0, COUNT(checks));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
