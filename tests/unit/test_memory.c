/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory limit: flows wait in order, each direction moves on the page it owns, nobody is dropped, and every page
 * comes back.
 */
#include <stdlib.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define PAIRS 64

static struct world world;
static struct pair pairs[PAIRS];
static unsigned pair_count;

static uint64_t leased(void)
{
	uint64_t pages = world.context.reserve;

	for (unsigned i = 0; i < pair_count; i++)
		pages += pair_pages(&pairs[i]);
	return pages;
}

static void conserved(struct world *of)
{
	MUST(pool_free(&of->memory) >= 0, "%d pages are free", pool_free(&of->memory));
	MUST((uint64_t)pool_free(&of->memory) + leased() == of->memory.size, "%d free, %llu leased, of %u",
		pool_free(&of->memory), (unsigned long long)leased(), of->memory.size);
	for (unsigned i = 0; i < pair_count; i++)
		for (int direction = 0; direction < 2; direction++) {
			const struct flow *flow = pair_flow(&pairs[i], direction);

			MUST(flow->store.pages <= flow->standing.memory + STANDING_FLOOR,
				"more pages are used than leased");
		}
}

/* So many sessions around a memory of so many pages. */
static void begin(uint32_t pages, unsigned count)
{
	world_init(&world, pages);
	world.check = conserved;
	for (pair_count = 0; pair_count < count; pair_count++)
		pair_init(&pairs[pair_count], &world, NULL);
	for (unsigned i = 0; i < count; i++)
		pair_open(&pairs[i]);
}

static void finish(void)
{
	for (unsigned i = 0; i < pair_count; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	for (unsigned i = 0; i < pair_count; i++)
		ck_assert_uint_eq(pairs[i].released, 1);
	world_destroy(&world);
}

/* Fills the flow that way, with a sink that takes nothing. */
static struct flow *stall(struct pair *pair, int direction, uint64_t bytes)
{
	fake_shut(pair_sink(pair, direction));
	fake_send(pair_source(pair, direction), bytes);
	world_run(&world);
	return pair_flow(pair, direction);
}

START_TEST(without_any_memory_both_directions_move_on_their_own_page)
{
	begin(0, 1);
	for (int direction = 0; direction < 2; direction++)
		ck_assert_uint_eq(stall(&pairs[0], direction, MIB)->store.pages, 1);
	for (int i = 0; i < 10000 && (pairs[0].client.accepted < MIB || pairs[0].server.accepted < MIB); i++) {
		fake_open(&pairs[0].client, 1000);
		fake_open(&pairs[0].server, 700);
		world_run(&world);
	}
	ck_assert_uint_eq(pairs[0].client.accepted, MIB);
	ck_assert_uint_eq(pairs[0].server.accepted, MIB);
	finish();
}
END_TEST

START_TEST(a_pause_for_memory_is_named_so)
{
	struct flow *flow;

	begin(0, 1);
	flow = stall(&pairs[0], _i, MIB);
	world_pass(&world, SECOND);
	ck_assert_str_eq(stack_cause(&no_policies, 0), "memory");
	ck_assert_uint_eq(flow->meter.pauses[0].count, 1);
	ck_assert_uint_eq(meter_paused(&flow->meter, world.now, 0), SECOND);
	finish();
}
END_TEST

START_TEST(waiting_for_memory_takes_no_turns)
{
	uint64_t rounds;

	begin(16, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++)
		stall(&pairs[i], (int)(i % 2), MIB);
	rounds = world.rounds;
	world_pass(&world, HOUR);
	ck_assert_uint_lt(world.rounds - rounds, 20);
	finish();
}
END_TEST

START_TEST(one_direction_cannot_lock_the_other_out)
{
	begin(32, 2);
	stall(&pairs[0], _i, MIB);
	stall(&pairs[1], _i, MIB);
	ck_assert_int_eq(pool_free(&world.memory), 0);
	stall(&pairs[0], 1 - _i, MIB);
	fake_open(pair_sink(&pairs[0], 1 - _i), FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(pair_sink(&pairs[0], 1 - _i)->accepted, MIB);
	finish();
}
END_TEST

START_TEST(a_freed_page_goes_to_who_waited_longest)
{
	struct flow *flows[4];
	uint64_t floor;

	begin(STORE_SEGMENT_PAGES, 4);
	for (int i = 0; i < 4; i++)
		flows[i] = stall(&pairs[i], i % 2, MIB);
	floor = flows[3]->store.held;
	for (int i = 1; i < 4; i++) {
		ck_assert_uint_eq(flows[i]->store.held, floor);
		fake_open(flows[i - 1] == &pairs[i - 1].session.up ? &pairs[i - 1].server : &pairs[i - 1].client,
			FAKE_WIDE);
		world_run(&world);
		ck_assert_uint_eq(flows[i - 1]->written, MIB);
		ck_assert_uint_gt(flows[i]->store.held, floor);
	}
	finish();
}
END_TEST

START_TEST(who_leaves_the_queue_passes_its_turn_on)
{
	struct flow *flow;

	begin(STORE_SEGMENT_PAGES, 3);
	stall(&pairs[0], 0, MIB);
	stall(&pairs[1], 0, MIB);
	flow = stall(&pairs[2], 0, MIB);
	ck_assert_uint_eq(pool_waiters(&world.memory), 3); /* the first one would like more, too */
	session_close(&pairs[1].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(pool_waiters(&world.memory), 2);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_gt(flow->store.held, STORE_PAGE);
	finish();
}
END_TEST

/* Far too little memory for all, every sink slow: nobody is dropped, nobody starves, nothing is lost. */
START_TEST(many_flows_share_few_pages_and_all_get_through)
{
	const uint64_t bytes = 100 * KIB;
	bool done = false;

	begin((uint32_t)_i, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++) {
		fake_shut(&pairs[i].client);
		fake_shut(&pairs[i].server);
		fake_send(&pairs[i].client, bytes);
		fake_send(&pairs[i].server, bytes);
		fake_end(&pairs[i].client);
		fake_end(&pairs[i].server);
	}
	for (int round = 0; round < 1000 && !done; round++) {
		done = true;
		for (unsigned i = 0; i < PAIRS; i++) {
			fake_open(&pairs[i].client, 3000 + i * 100);
			fake_open(&pairs[i].server, 9000 - i * 100);
			done &= pairs[i].released;
		}
		world_run(&world);
	}
	for (unsigned i = 0; i < PAIRS; i++) {
		ck_assert_str_eq(close_reason_names[pairs[i].session.reason], "done");
		ck_assert_uint_eq(pairs[i].client.accepted, bytes);
		ck_assert_uint_eq(pairs[i].server.accepted, bytes);
	}
	finish();
}
END_TEST

START_TEST(closing_while_a_page_is_on_its_way_returns_it)
{
	begin(STORE_SEGMENT_PAGES, 2);
	stall(&pairs[0], 0, MIB);
	stall(&pairs[1], 0, MIB);
	session_close(&pairs[0].session, CLOSE_SHUTDOWN, world.now); /* posts a grant to the second */
	session_close(&pairs[1].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_int_eq(pool_free(&world.memory), STORE_SEGMENT_PAGES);
	finish();
}
END_TEST

/* The sink breaks in the very round in which the awaited pages come; the session lives on for its other direction. */
START_TEST(a_flow_that_is_over_keeps_no_page_that_comes_late)
{
	struct pair *broken = &pairs[1];

	begin(STORE_SEGMENT_PAGES - 1, 2);
	stall(broken, 1 - _i, 100);
	stall(&pairs[0], 0, 10000);
	stall(broken, _i, MIB);
	ck_assert_uint_eq(pool_waiters(&world.memory), 1);
	fake_end(pair_sink(broken, _i));
	world_run(&world);
	fake_open(&pairs[0].server, FAKE_WIDE);
	fake_reset(pair_sink(broken, _i));
	world_run(&world);
	ck_assert_uint_eq(pairs[0].server.accepted, 10000);
	ck_assert_int_eq(broken->session.state, SESSION_LINGER);
	ck_assert_int_eq(pool_free(&world.memory), STORE_SEGMENT_PAGES - 1);
	finish();
}
END_TEST

/* ---- the worker's reserve ------------------------------------------------------------------------------------------ */

#define TURN_PAGES (CONTEXT_SCRATCH / 4096)

START_TEST(a_reserve_is_asked_once_for_many_reads)
{
	begin(TURN_PAGES, 1);
	world.context.reserve_max = TURN_PAGES;
	for (int i = 0; i < 10; i++) {
		fake_send(&pairs[0].client, 256 * KIB);
		world_run(&world);
		ck_assert_uint_eq(world.context.reserve, TURN_PAGES);
		ck_assert_uint_eq(pair_pages(&pairs[0]), 0);
	}
	ck_assert_uint_eq(pairs[0].server.accepted, 10 * 256 * KIB);
	ck_assert_uint_le(pairs[0].client.reads, 20);
	finish();
}
END_TEST

START_TEST(what_a_flow_keeps_is_its_own_and_the_reserve_fills_up_again)
{
	begin(2 * TURN_PAGES, 1);
	world.context.reserve_max = TURN_PAGES;
	stall(&pairs[0], 0, 200 * KIB);
	ck_assert_uint_eq(world.context.reserve, TURN_PAGES);
	ck_assert_uint_ge(pair_pages(&pairs[0]), 200 / 4);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(pair_pages(&pairs[0]), 0);
	ck_assert_int_eq(pool_free(&world.memory), TURN_PAGES);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	tcase_add_test(tcase, without_any_memory_both_directions_move_on_their_own_page);
	tcase_add_loop_test(tcase, a_pause_for_memory_is_named_so, 0, 2);
	tcase_add_test(tcase, waiting_for_memory_takes_no_turns);
	tcase_add_loop_test(tcase, one_direction_cannot_lock_the_other_out, 0, 2);
	tcase_add_test(tcase, a_freed_page_goes_to_who_waited_longest);
	tcase_add_test(tcase, who_leaves_the_queue_passes_its_turn_on);
	tcase_add_loop_test(tcase, many_flows_share_few_pages_and_all_get_through, 0, 20);
	tcase_add_test(tcase, closing_while_a_page_is_on_its_way_returns_it);
	tcase_add_loop_test(tcase, a_flow_that_is_over_keeps_no_page_that_comes_late, 0, 2);
	tcase_add_test(tcase, a_reserve_is_asked_once_for_many_reads);
	tcase_add_test(tcase, what_a_flow_keeps_is_its_own_and_the_reserve_fills_up_again);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
