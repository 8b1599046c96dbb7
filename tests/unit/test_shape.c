/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy shape, asked directly: what it wants of its bucket, what it lets pass for it, and what it pays.
 */
#include "trial.h"
#include "unit.h"

static void load_module(void)
{
	trial_load("shape");
}

static void lease(uint64_t units)
{
	trial.view.pools[0].units = units;
}

START_TEST(without_tokens_nothing_is_read)
{
	trial_begin("rate", "1M", NULL);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().held_max, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().want[0], 1048576 / 100);
	ck_assert_uint_eq(trial_ask().grain[0], 1048576 / 100);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	ck_assert_uint_eq(trial_ask().for_writing, 0);
}
END_TEST

START_TEST(a_byte_read_costs_a_token)
{
	trial_begin("rate", "1M", NULL);
	lease(10000);
	ck_assert_uint_eq(trial_room(), 10000);
	trial_turn(1, 6000, 100);
	ck_assert_uint_eq(trial.spent, 6000);
	ck_assert_uint_eq(trial_room(), 4000);
	trial_turn(0, 0, 5900);
	ck_assert_uint_eq(trial.spent, 6000);
	trial_turn(1, 4000, 0);
	ck_assert_uint_eq(trial.spent, 10000);
	ck_assert_uint_eq(trial_room(), 0);
}
END_TEST

/* Asked before event() has paid, as a stack that scans is. */
START_TEST(a_token_lets_one_byte_pass_in_a_turn)
{
	trial_begin("rate", "1M", NULL);
	lease(10000);
	trial.view.read = trial.view.held = 3000;
	ck_assert_uint_eq(trial_room(), 7000);
	ck_assert_uint_eq(trial_ask().used[0], 3000);
	ck_assert_uint_eq(trial_ask().want[0], 3000 + 1048576 / 100);
}
END_TEST

START_TEST(a_byte_written_costs_a_token)
{
	trial_begin("rate", "1M", "side", "write", "queue", "64K", NULL);
	ck_assert_uint_eq(trial_ask().write_to, 0);
	ck_assert_uint_eq(trial_ask().for_writing, 1);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE);
	ck_assert_uint_eq(trial_room(), 65536);
	trial_turn(1, 60000, 0);
	ck_assert_uint_eq(trial.spent, 0);
	ck_assert_uint_eq(trial_room(), 5536);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN);
	lease(10000);
	ck_assert_uint_eq(trial_ask().write_to, 10000);
	trial_turn(0, 0, 9000);
	ck_assert_uint_eq(trial.spent, 9000);
	ck_assert_uint_eq(trial_ask().write_to, 10000);
	ck_assert_uint_eq(trial_room(), 14536);
}
END_TEST

START_TEST(the_other_direction_is_free)
{
	trial_begin("rate", "1M", "direction", _i == WEIR_UP ? "up" : "down", "side", "write", NULL);
	for (uint32_t direction = WEIR_UP; direction <= WEIR_DOWN; direction++) {
		bool concerned = direction == (uint32_t)_i;

		trial.view.direction = direction;
		ck_assert_uint_eq(trial_ask().write_to, concerned ? trial.view.written : WEIR_UNLIMITED);
		ck_assert_uint_eq(trial_ask().want[0] > 0, concerned);
		ck_assert_uint_eq(trial_room() == WEIR_UNLIMITED, !concerned);
	}
	trial.view.direction = (uint32_t)!_i;
	trial_turn(1, 1000, 1000);
	ck_assert_uint_eq(trial.spent, 0);
}
END_TEST

/* Nobody reads any more, but what is held still has to be written. */
START_TEST(behind_the_end_only_writing_wants_tokens)
{
	trial_begin("rate", "1M", "side", _i ? "write" : "read", NULL);
	trial_turn(1, 1000, 0);
	trial.view.ended = 1;
	ck_assert_uint_eq(trial_ask().want[0] > 0, _i);
	ck_assert_uint_eq(trial_ask().write_to, _i ? 0 : WEIR_UNLIMITED);
}
END_TEST

START_TEST(asking_changes_nothing)
{
	trial_begin("rate", "1M", "side", _i ? "write" : "read", NULL);
	lease(10000);
	ck_assert(trial_is_pure());
	trial_turn(2, 5000, 3000);
	ck_assert(trial_is_pure());
	ck_assert_uint_eq(trial.spent, _i ? 3000 : 5000);
}
END_TEST

static const struct {
	const char *rate;
	const char *burst;
	uint64_t quantum;
} quanta[] = {
	{"1K", "auto", 1448},
	{"100000", "auto", 1448},
	{"1M", "auto", 10485},
	{"1000000000", "auto", 262144},
	{"256G", "auto", 262144},
	{"1K", "1K", 1024},
	{"1M", "8K", 8192},
	{"1M", "1M", 10485},
};

/* Some 10 ms of the rate, a packet at least, a full read at most, and never more than the bucket has. */
START_TEST(tokens_are_wanted_by_the_quantum)
{
	trial_begin("rate", quanta[_i].rate, "burst", quanta[_i].burst, NULL);
	ck_assert_str_eq(trial_refusal(), "");
	ck_assert_uint_eq(trial_ask().want[0], quanta[_i].quantum);
	ck_assert_uint_eq(trial_ask().grain[0], quanta[_i].quantum);
}
END_TEST

static const struct {
	const char *rate;
	const char *burst;
	const char *error;
} checks[] = {
	{"100K", "auto", ""},
	{"256G", "auto", ""},
	{"1M", "6K", ""},
	{"1M", "5K",
		"burst = 5K is less than comes in 5 ms, so rate = 1024K could not be reached; expected 6K or more, or "
		"auto"},
};

START_TEST(a_burst_that_could_not_reach_the_rate_is_refused)
{
	trial_begin("rate", checks[_i].rate, "burst", checks[_i].burst, NULL);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("shape");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, without_tokens_nothing_is_read);
	tcase_add_test(tcase, a_byte_read_costs_a_token);
	tcase_add_test(tcase, a_token_lets_one_byte_pass_in_a_turn);
	tcase_add_test(tcase, a_byte_written_costs_a_token);
	tcase_add_loop_test(tcase, the_other_direction_is_free, 0, 2);
	tcase_add_loop_test(tcase, behind_the_end_only_writing_wants_tokens, 0, 2);
	tcase_add_loop_test(tcase, asking_changes_nothing, 0, 2);
	tcase_add_loop_test(tcase, tokens_are_wanted_by_the_quantum, 0, COUNT(quanta));
	tcase_add_loop_test(tcase, a_burst_that_could_not_reach_the_rate_is_refused, 0, COUNT(checks));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
