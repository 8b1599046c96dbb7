/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a flow goes through a pipe, and that nobody can tell but by counting. Every byte is checked where it arrives.
 */
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define PAIRS (WORLD_PIPES + 2)
#define PIPE_PAGES (PIPE_CAPACITY / 4096)

static struct world world;
static struct rule rule;
static struct stack stack;
static struct marks marks = {256 * KIB, 128 * KIB};
static struct pair pairs[PAIRS];
static unsigned count;

static void begin(enum pipe_use splice, unsigned pair_count, uint32_t pages)
{
	count = pair_count;
	world_init(&world, pages);
	rule_init(&rule, "smooth", &marks_policy, &marks);
	rule_stack(&stack, &rule, NULL, NULL);
	for (unsigned i = 0; i < count; i++) {
		pair_init(&pairs[i], &world, &stack);
		pairs[i].profile.splice = splice;
		pair_open(&pairs[i]);
	}
}

static void finish(void)
{
	for (unsigned i = 0; i < count; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

/* Bytes go up, so many at a time. */
static void send_up(struct pair *pair, unsigned times, uint64_t bytes)
{
	for (unsigned i = 0; i < times; i++) {
		fake_send(&pair->client, bytes);
		world_run(&world);
	}
}

static unsigned spliced(const struct pair *pair)
{
	return pair->client.splices;
}

static void expect_all(const struct pair *pair)
{
	ck_assert_uint_eq(pair->server.accepted, pair->client.sent);
}

/* ---- when ---------------------------------------------------------------------------------------------------------- */

START_TEST(bulk_is_spliced)
{
	unsigned reads;

	begin(PIPE_USE_AUTO, 1, 1024);
	send_up(&pairs[0], 10, 200 * KIB);
	ck_assert_uint_gt(spliced(&pairs[0]), 5);
	reads = pairs[0].client.reads;
	send_up(&pairs[0], 10, 200 * KIB);
	ck_assert_uint_eq(pairs[0].client.reads, reads);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

START_TEST(small_messages_are_copied)
{
	begin(PIPE_USE_AUTO, 1, 1024);
	send_up(&pairs[0], 200, _i == 0 ? 1 : 16 * KIB);
	ck_assert_uint_eq(spliced(&pairs[0]), 0);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

START_TEST(what_was_bulk_and_became_chatty_is_copied)
{
	unsigned splices;

	begin(PIPE_USE_AUTO, 1, 1024);
	send_up(&pairs[0], 10, 200 * KIB);
	send_up(&pairs[0], 20, KIB);
	splices = spliced(&pairs[0]);
	send_up(&pairs[0], 20, KIB);
	ck_assert_uint_eq(spliced(&pairs[0]), splices);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

START_TEST(each_direction_for_itself)
{
	begin(PIPE_USE_AUTO, 1, 1024);
	for (int i = 0; i < 20; i++) {
		fake_send(&pairs[0].server, 100);
		send_up(&pairs[0], 1, 200 * KIB);
	}
	ck_assert(pairs[0].session.up.bulk);
	ck_assert(!pairs[0].session.down.bulk);
	finish();
}
END_TEST

START_TEST(on_and_off_are_obeyed)
{
	begin(_i == 0 ? PIPE_USE_ON : PIPE_USE_OFF, 1, 1024);
	send_up(&pairs[0], 5, 10);
	ck_assert_int_eq(spliced(&pairs[0]) > 0, _i == 0);
	send_up(&pairs[0], 10, 200 * KIB);
	ck_assert_int_eq(spliced(&pairs[0]) > 0, _i == 0);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

START_TEST(an_end_without_resets_is_copied)
{
	begin(PIPE_USE_ON, 0, 1024);
	count = 1;
	pair_init(&pairs[0], &world, &stack);
	pairs[0].profile.splice = PIPE_USE_ON;
	pairs[0].server.endpoint.exempt = true;
	pair_open(&pairs[0]);
	send_up(&pairs[0], 10, 200 * KIB);
	ck_assert_uint_eq(spliced(&pairs[0]), 0);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

/* ---- pipes --------------------------------------------------------------------------------------------------------- */

START_TEST(flows_that_keep_up_share_one_pipe)
{
	begin(PIPE_USE_AUTO, PAIRS, 1024);
	for (int i = 0; i < 20; i++)
		for (unsigned p = 0; p < count; p++)
			send_up(&pairs[p], 1, 200 * KIB);
	for (unsigned p = 0; p < count; p++) {
		ck_assert_uint_gt(spliced(&pairs[p]), 0);
		ck_assert_ptr_null(pairs[p].session.up.store.pipe);
		expect_all(&pairs[p]);
	}
	ck_assert_uint_eq(world.pipes.count, 1);
	ck_assert_int_eq(pool_free(&world.memory), (int32_t)world.memory.size);
	finish();
}
END_TEST

START_TEST(a_pipe_is_kept_while_the_sink_refuses_and_counts_whole)
{
	struct pair *pair = &pairs[0];

	begin(PIPE_USE_ON, 1, 1024);
	fake_shut(&pair->server);
	send_up(pair, 1, 10);
	ck_assert_ptr_nonnull(pair->session.up.store.pipe);
	ck_assert_uint_eq(pair_pages(pair), PIPE_PAGES - 1);
	fake_open(&pair->server, 9);
	world_run(&world);
	ck_assert_ptr_nonnull(pair->session.up.store.pipe);
	fake_open(&pair->server, 100);
	world_run(&world);
	ck_assert_ptr_null(pair->session.up.store.pipe);
	ck_assert_uint_eq(pair_pages(pair), 0);
	expect_all(pair);
	finish();
}
END_TEST

START_TEST(the_mark_holds_for_a_pipe)
{
	begin(PIPE_USE_ON, 1, 1024);
	fake_shut(&pairs[0].server);
	send_up(&pairs[0], 10, 100 * KIB);
	ck_assert_uint_eq(pairs[0].session.up.store.held, marks.high);
	ck_assert_uint_eq(pairs[0].session.up.held_max, marks.high);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

START_TEST(without_a_pipe_bytes_are_copied)
{
	begin(PIPE_USE_ON, PAIRS, 4096);
	for (unsigned p = 0; p < count; p++) {
		fake_shut(&pairs[p].server);
		send_up(&pairs[p], 1, 50 * KIB);
		ck_assert_uint_eq(pairs[p].session.up.store.held, 50 * KIB);
		ck_assert_int_eq(pairs[p].session.up.store.pipe != NULL, p < WORLD_PIPES);
	}
	for (unsigned p = 0; p < count; p++) {
		fake_open(&pairs[p].server, FAKE_WIDE);
		send_up(&pairs[p], 3, 100 * KIB);
		expect_all(&pairs[p]);
	}
	finish();
}
END_TEST

START_TEST(without_memory_for_a_pipe_bytes_are_copied)
{
	begin(PIPE_USE_ON, 1, PIPE_PAGES - 2);
	fake_shut(&pairs[0].server);
	send_up(&pairs[0], 1, 100 * KIB);
	ck_assert_uint_eq(spliced(&pairs[0]), 0);
	ck_assert_uint_eq(pairs[0].session.up.store.held, 100 * KIB);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	expect_all(&pairs[0]);
	finish();
}
END_TEST

/* An urgent byte, or a pipe whose slots are full: splice says EAGAIN, and there is something to read. */
START_TEST(what_does_not_go_into_the_pipe_is_copied_behind_it)
{
	struct pair *pair = &pairs[0];

	begin(PIPE_USE_ON, 1, 1024);
	fake_shut(&pair->server);
	send_up(pair, 1, 1000);
	pair->client.urgent = true;
	send_up(pair, 3, 1000);
	ck_assert_uint_eq(store_piped(&pair->session.up.store), 1000);
	ck_assert_uint_eq(pair->session.up.store.held, 4000);
	pair->client.urgent = false;
	send_up(pair, 1, 1000); /* not into the pipe: it would come before what is behind it */
	ck_assert_uint_eq(store_piped(&pair->session.up.store), 1000);
	fake_open(&pair->server, 1500);
	world_run(&world);
	ck_assert_uint_eq(pair->server.accepted, 1500);
	fake_open(&pair->server, FAKE_WIDE);
	world_run(&world);
	send_up(pair, 1, 1000);
	expect_all(pair);
	finish();
}
END_TEST

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

START_TEST(the_end_comes_behind_what_the_pipe_holds)
{
	struct pair *pair = &pairs[0];

	begin(PIPE_USE_ON, 1, 1024);
	fake_shut(&pair->server);
	send_up(pair, 1, 1000);
	fake_end(&pair->client);
	world_run(&world);
	ck_assert(!pair->server.fin_sent);
	fake_open(&pair->server, 999);
	world_run(&world);
	ck_assert(!pair->server.fin_sent);
	fake_open(&pair->server, 1);
	world_run(&world);
	ck_assert(pair->server.fin_sent);
	expect_all(pair);
	finish();
}
END_TEST

START_TEST(an_end_behind_an_urgent_byte_comes_last)
{
	struct pair *pair = &pairs[0];

	begin(PIPE_USE_ON, 1, 1024);
	pair->client.urgent = true;
	fake_send(&pair->client, 1000);
	fake_end(&pair->client);
	world_run(&world);
	expect_all(pair);
	ck_assert(pair->server.fin_sent);
	finish();
}
END_TEST

START_TEST(what_a_broken_sink_left_in_a_pipe_reaches_nobody)
{
	begin(PIPE_USE_ON, 2, 1024);
	fake_shut(&pairs[0].server);
	send_up(&pairs[0], 1, 1000);
	fake_reset(&pairs[0].server);
	world_run(&world);
	ck_assert_ptr_null(pairs[0].session.up.store.pipe);
	send_up(&pairs[1], 10, 100 * KIB);
	expect_all(&pairs[1]);
	finish();
}
END_TEST

START_TEST(a_reset_behind_spliced_bytes_is_passed_on)
{
	begin(PIPE_USE_ON, 1, 1024);
	fake_send(&pairs[0].client, 1000);
	fake_reset(&pairs[0].client);
	world_pass(&world, 2 * SECOND);
	expect_all(&pairs[0]);
	ck_assert(fake_saw_reset(&pairs[0].server));
	ck_assert(!fake_saw_end(&pairs[0].server));
	ck_assert_uint_eq(pairs[0].closed, 1);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("splice");
	TCase *tcase = tcase_create("splice");

	tcase_add_test(tcase, bulk_is_spliced);
	tcase_add_loop_test(tcase, small_messages_are_copied, 0, 2);
	tcase_add_test(tcase, what_was_bulk_and_became_chatty_is_copied);
	tcase_add_test(tcase, each_direction_for_itself);
	tcase_add_loop_test(tcase, on_and_off_are_obeyed, 0, 2);
	tcase_add_test(tcase, an_end_without_resets_is_copied);
	tcase_add_test(tcase, flows_that_keep_up_share_one_pipe);
	tcase_add_test(tcase, a_pipe_is_kept_while_the_sink_refuses_and_counts_whole);
	tcase_add_test(tcase, the_mark_holds_for_a_pipe);
	tcase_add_test(tcase, without_a_pipe_bytes_are_copied);
	tcase_add_test(tcase, without_memory_for_a_pipe_bytes_are_copied);
	tcase_add_test(tcase, what_does_not_go_into_the_pipe_is_copied_behind_it);
	tcase_add_test(tcase, the_end_comes_behind_what_the_pipe_holds);
	tcase_add_test(tcase, an_end_behind_an_urgent_byte_comes_last);
	tcase_add_test(tcase, what_a_broken_sink_left_in_a_pipe_reaches_nobody);
	tcase_add_test(tcase, a_reset_behind_spliced_bytes_is_passed_on);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
