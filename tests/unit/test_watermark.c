/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy watermark, asked directly: its marks, its corners, and that no flow under it can wait for ever.
 */
#include "unit.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/policy.h"

static const struct weir_policy *policy;

/* Laid out as the module's; the option table says where. */
static struct {
	uint64_t high;
	uint64_t low;
} options;

static uint64_t flow_state[8];
static struct weir_call call;
static struct weir_view view;

static void load(void)
{
	const struct weir_policy *(*entry)(void);
	char path[4096];
	void *handle;

	snprintf(path, sizeof(path), "%s/watermark.so", getenv("WEIR_POLICIES"));
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(handle != NULL, "%s", dlerror());
	*(void **)&entry = dlsym(handle, WEIR_POLICY_ENTRY);
	ck_assert_ptr_nonnull(*(void **)&entry);
	policy = entry();
	ck_assert_uint_eq(policy->options[0].offset, 0);
	ck_assert_uint_eq(policy->options[1].offset, sizeof(uint64_t));
	ck_assert_uint_le(policy->flow_size, sizeof(flow_state));
}

static void start(uint64_t high, uint64_t low)
{
	options.high = high;
	options.low = low;
	memset(flow_state, 0, sizeof(flow_state));
	memset(&view, 0, sizeof(view));
	view.size = sizeof(view);
	call = (struct weir_call){.size = sizeof(call), .options = &options, .flow = flow_state};
}

static struct weir_limits ask(void)
{
	struct weir_limits limits = {.size = sizeof(limits),
		.read_to = WEIR_UNLIMITED,
		.write_to = WEIR_UNLIMITED,
		.held_max = WEIR_UNLIMITED,
		.ask_at = WEIR_NEVER};

	policy->ask(&call, &view, &limits);
	return limits;
}

/* How much may be read now, as weir works it out. */
static uint64_t room(void)
{
	struct weir_limits limits = ask();
	uint64_t to_read = limits.read_to > view.read ? limits.read_to - view.read : 0;
	uint64_t to_hold = limits.held_max > view.held ? limits.held_max - view.held : 0;

	return to_read < to_hold ? to_read : to_hold;
}

/* A turn that read and wrote so much. */
static void turn(uint64_t read, uint64_t written)
{
	struct weir_event event = {.size = sizeof(event), .read = read, .written = written};

	view.read += read;
	view.written += written;
	view.held = view.read - view.written;
	event.what = (read > 0 ? WEIR_EVENT_READ : 0) | (written > 0 ? WEIR_EVENT_WROTE : 0);
	policy->event(&call, &view, &event);
}

START_TEST(an_empty_flow_may_read_up_to_high)
{
	start(1000, 500);
	ck_assert_uint_eq(room(), 1000);
	ck_assert_uint_eq(ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(ask().promises, 0);
	ck_assert_uint_eq(ask().ask_at, WEIR_NEVER);
}
END_TEST

START_TEST(reads_are_cut_to_what_is_left)
{
	start(1000, 500);
	turn(700, 0);
	ck_assert_uint_eq(room(), 300);
	turn(299, 0);
	ck_assert_uint_eq(room(), 1);
	ck_assert_uint_eq(ask().promises, WEIR_PROMISE_DRAIN);
}
END_TEST

START_TEST(paused_at_high_until_below_low)
{
	start(1000, 500);
	turn(1000, 0);
	ck_assert_uint_eq(room(), 0);
	ck_assert_uint_eq(ask().promises, WEIR_PROMISE_DRAIN);
	turn(0, 499);
	ck_assert_uint_eq(room(), 0);
	turn(0, 1); /* holds low: not below yet */
	ck_assert_uint_eq(room(), 0);
	turn(0, 1);
	ck_assert_uint_eq(room(), 501);
	turn(500, 0); /* 999: between the marks it stays what it was */
	ck_assert_uint_eq(room(), 1);
	turn(1, 0);
	ck_assert_uint_eq(room(), 0);
}
END_TEST

/* high was reached within a turn, but what was left at its end counts. */
START_TEST(a_turn_that_drains_what_it_read)
{
	start(1000, 500);
	turn(5000, 4999);
	ck_assert_uint_eq(room(), 999);
}
END_TEST

START_TEST(asking_changes_nothing)
{
	struct weir_limits first, second;
	uint64_t before[8];

	start(1000, 500);
	turn(1000, 300);
	memcpy(before, flow_state, sizeof(before));
	first = ask();
	second = ask();
	ck_assert_mem_eq(&first, &second, sizeof(first));
	ck_assert_mem_eq(before, flow_state, sizeof(before));
}
END_TEST

/* Asked before it has heard of the last bytes leaving, it must not forbid what nothing would allow again. */
START_TEST(nothing_held_is_never_a_pause)
{
	start(1000, 500);
	turn(1000, 0);
	view.written = view.read;
	view.held = 0;
	ck_assert_uint_eq(room(), 1000);
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
	uint64_t seed = 88172645463325252u + (uint64_t)_i, high = marks[_i].high;
	unsigned idle = 0;

	start(high, marks[_i].low);
	for (int i = 0; i < 100000; i++) {
		uint64_t read, written, left = room();

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		if (left == 0) {
			ck_assert_uint_gt(view.held, 0);
			ck_assert_uint_eq(ask().promises & WEIR_PROMISE_DRAIN, WEIR_PROMISE_DRAIN);
		}
		read = left == 0 ? 0 : 1 + (seed >> 20) % left;
		written = (seed >> 40) % 3 == 0 ? (seed >> 10) % (view.held + read + 1) : 0;
		idle = read + written == 0 ? idle + 1 : 0;
		turn(read, written);
		ck_assert_uint_le(view.held, high);
		ck_assert_uint_lt(idle, 1000);
	}
	ck_assert_uint_gt(view.written, 1000);
}
END_TEST

static const struct {
	uint64_t high, low;
	const char *error;
} checks[] = {
	{262144, 131072, NULL},
	{1, 1, NULL},
	{65536, 98304, "low = 96K is above high = 64K; expected low <= high"},
	{1000, 1001, "low = 1001 is above high = 1000; expected low <= high"},
};

START_TEST(marks_are_checked)
{
	char error[256] = "";

	start(checks[_i].high, checks[_i].low);
	ck_assert_int_eq(policy->check(&options, error, sizeof(error)), checks[_i].error != NULL ? -1 : 0);
	ck_assert_str_eq(error, checks[_i].error != NULL ? checks[_i].error : "");
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("watermark");
	TCase *tcase = tcase_create("watermark");

	tcase_add_checked_fixture(tcase, load, NULL);
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
