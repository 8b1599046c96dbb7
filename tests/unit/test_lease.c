/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What policies lease from their pools: needed before anything is read, all or none, first come first served, and all of
 * it comes back. Each pair is a slot; the script says what the policy answers for the slot's flow upwards.
 */
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define PAIRS 8

struct answer {
	uint64_t used[2];
	uint64_t need[2];
	uint64_t want[2];
	bool shut;    /* nothing may be read, with the promise of a lease */
	uint64_t put; /* units of the first pool to be given back at the next event */
	unsigned asked;
	unsigned leased; /* events */
};

static struct script {
	uint64_t size[2];
	struct answer answers[PAIRS];
} script;

static void script_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	struct answer *answer = &script.answers[call->ref.slot];

	if (call->ref.direction != WEIR_UP)
		return;
	answer->asked++;
	memcpy(limits->used, answer->used, sizeof(answer->used));
	memcpy(limits->need, answer->need, sizeof(answer->need));
	memcpy(limits->want, answer->want, sizeof(answer->want));
	if (answer->shut) {
		limits->read_to = view->read;
		limits->promises = WEIR_PROMISE_LEASE;
	}
}

static void script_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	struct answer *answer = &script.answers[call->ref.slot];

	(void)view;
	if (call->ref.direction != WEIR_UP)
		return;
	answer->leased += (event->what & WEIR_EVENT_LEASED) != 0;
	if (answer->put > 0)
		call->host->lease_put(call, 0, answer->put);
	answer->put = 0;
}

static const struct weir_pool pools[] = {
	{.name = "first", .scope = WEIR_SCOPE_INSTANCE, .size_offset = offsetof(struct script, size)},
	{.name = "second",
		.scope = WEIR_SCOPE_LISTENER,
		.size_offset = offsetof(struct script, size) + sizeof(uint64_t)},
};

static const struct weir_policy script_policy = {
	.name = "script",
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 2,
	.ask = script_ask,
	.event = script_event,
};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct pair pairs[PAIRS];
static unsigned pair_count;
static struct pool *first;
static struct pool *second;

static void lease_put(const struct weir_call *call, uint32_t pool, uint64_t units)
{
	unsigned member;
	struct standing *standing = standing_of_call(call, &member);

	standing_lease_put(standing, member, pool, units);
}

static uint32_t units(unsigned i, unsigned pool)
{
	return standing_member(&pairs[i].session.up.standing, 0)->leased[pool];
}

/* Of both pools, units on their way included. */
static void conserved(struct world *of)
{
	uint64_t sums[2] = {0, 0};

	(void)of;
	for (unsigned i = 0; i < pair_count; i++) {
		const struct standing *standing = &pairs[i].session.up.standing;

		if (pairs[i].session.owner.states == NULL)
			continue;
		sums[0] += units(i, 0);
		sums[1] += units(i, 1);
		for (unsigned claim = 0; claim < 2; claim++)
			sums[claim] += coming_units(standing, claim);
	}
	MUST(sums[0] + (uint64_t)pool_free(first) == first->size, "first: %llu + %d", (unsigned long long)sums[0],
		pool_free(first));
	MUST(sums[1] + (uint64_t)pool_free(second) == second->size, "second: %llu + %d", (unsigned long long)sums[1],
		pool_free(second));
}

static void begin(uint64_t first_size, uint64_t second_size, unsigned count)
{
	memset(&script, 0, sizeof(script));
	script.size[0] = first_size;
	script.size[1] = second_size;
	capture_begin();
	world_init(&world, 1024);
	world.host.lease_put = lease_put;
	world.check = conserved;
	rule_init(&rule, "loan", &script_policy, &script);
	rule_stack(&stack, &rule, NULL, NULL);
	first = stack.claims[0].pool[WEIR_UP];
	second = stack.claims[1].pool[WEIR_UP];
	for (pair_count = 0; pair_count < count; pair_count++) {
		pair_init(&pairs[pair_count], &world, &stack);
		pairs[pair_count].session.owner.ref.slot = pair_count;
	}
}

static void open_all(void)
{
	for (unsigned i = 0; i < pair_count; i++)
		pair_open(&pairs[i]);
}

static void finish(void)
{
	for (unsigned i = 0; i < pair_count; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_int_eq(pool_free(first), (int)first->size);
	ck_assert_int_eq(pool_free(second), (int)second->size);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

/* Sends so much upwards through the pair; how much of all that it was sent has come through. */
static uint64_t send_up(unsigned i, uint64_t bytes)
{
	fake_send(&pairs[i].client, bytes);
	world_run(&world);
	return pairs[i].server.accepted;
}

static void give_back(unsigned i)
{
	script.answers[i].need[0] = script.answers[i].want[0] = 0;
	script.answers[i].need[1] = script.answers[i].want[1] = 0;
	session_ready(&pairs[i].session);
	world_run(&world);
}

START_TEST(needed_units_are_leased_before_anything_is_read)
{
	begin(10, 10, 1);
	script.answers[0].need[0] = 3;
	script.answers[0].need[1] = 4;
	open_all();
	ck_assert_uint_eq(send_up(0, 100), 100);
	ck_assert_int_eq(pool_free(first), 7);
	ck_assert_int_eq(pool_free(second), 6);
	finish();
}
END_TEST

START_TEST(without_the_needed_units_nothing_is_read)
{
	begin(3, 10, 2);
	script.answers[0].need[0] = 2;
	script.answers[1].need[0] = 2;
	open_all();
	ck_assert_uint_eq(send_up(0, 100), 100);
	ck_assert_uint_eq(send_up(1, 100), 0);
	ck_assert_uint_eq(units(1, 0), 0);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(meter_paused(&pairs[1].session.up.meter, world.now, 0), SECOND);
	ck_assert_uint_eq(meter_spent(&pairs[1].session.up.meter, world.now, METER_HELD), SECOND);
	give_back(0);
	ck_assert_uint_eq(pairs[1].server.accepted, 100);
	ck_assert_uint_eq(units(1, 0), 2);
	finish();
}
END_TEST

START_TEST(who_waited_longest_is_served_first)
{
	begin(4, 10, 4);
	for (int i = 0; i < 4; i++)
		script.answers[i].need[0] = i == 1 ? 4
						   : 2; /* the head of the queue wants more than comes back at first */
	script.answers[0].need[0] = 4;
	open_all();
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(send_up(i, 100), i == 0 ? 100 : 0);
	script.answers[0].need[0] = 2;
	ck_assert_uint_eq(send_up(0, 100), 200);
	ck_assert_int_eq(pool_free(first), 2); /* nobody overtakes the head */
	ck_assert_uint_eq(pairs[2].server.accepted, 0);
	give_back(0);
	ck_assert_uint_eq(pairs[1].server.accepted, 100);
	ck_assert_uint_eq(pairs[2].server.accepted, 0);
	give_back(1);
	ck_assert_uint_eq(pairs[2].server.accepted, 100);
	ck_assert_uint_eq(pairs[3].server.accepted, 100);
	finish();
}
END_TEST

START_TEST(who_finds_one_pool_short_keeps_nothing_of_the_others)
{
	begin(5, 1, 3);
	script.answers[0].need[1] = 1;
	script.answers[1].need[0] = 5;
	script.answers[1].need[1] = 1;
	script.answers[2].need[0] = 5;
	open_all();
	ck_assert_uint_eq(send_up(0, 100), 100);
	ck_assert_uint_eq(send_up(1, 100), 0);
	ck_assert_uint_eq(units(1, 0), 0);
	ck_assert_uint_eq(send_up(2, 100), 100);
	give_back(2);
	give_back(0);
	ck_assert_uint_eq(pairs[1].server.accepted, 100);
	finish();
}
END_TEST

/* One has the first pool and needs the second, the other has the second and needs the first. */
START_TEST(no_circle_waits_for_two_pools)
{
	begin(1, 1, 2);
	script.answers[0].need[0] = 1;
	script.answers[1].need[1] = 1;
	open_all();
	ck_assert_uint_eq(send_up(0, 100), 100);
	ck_assert_uint_eq(send_up(1, 100), 100);
	script.answers[0].need[1] = 1;
	script.answers[1].need[0] = 1;
	send_up(_i, 100);
	send_up(!_i, 100);
	ck_assert_uint_eq(pairs[0].server.accepted, 200); /* it kept the first, and the other gave the second up */
	give_back(0);
	ck_assert_uint_eq(pairs[1].server.accepted, 200);
	finish();
}
END_TEST

/* Both have half of the pool, and need more than half. What held bytes occupy is not given up for that. */
START_TEST(no_circle_waits_within_a_pool)
{
	begin(4, 1, 2);
	for (int i = 0; i < 2; i++) {
		script.answers[i].need[0] = 2;
		script.answers[i].used[0] = (uint64_t)_i;
	}
	open_all();
	send_up(0, 100);
	send_up(1, 100);
	script.answers[0].need[0] = script.answers[1].need[0] = 3;
	send_up(0, 100);
	ck_assert_uint_eq(units(0, 0), (uint32_t)_i);
	send_up(1, 100);
	ck_assert_uint_eq(pairs[0].server.accepted, 200);
	ck_assert_uint_eq(pairs[1].server.accepted, 100);
	give_back(0);
	ck_assert_uint_eq(pairs[1].server.accepted, 200);
	finish();
}
END_TEST

START_TEST(wanted_units_are_taken_as_far_as_they_go)
{
	begin(5, 10, 2);
	script.answers[0].want[0] = 3;
	script.answers[1].need[0] = 1;
	script.answers[1].want[0] = 4;
	open_all();
	ck_assert_uint_eq(send_up(0, 100), 100);
	ck_assert_uint_eq(send_up(1, 100), 100);
	ck_assert_uint_eq(units(0, 0), 3);
	ck_assert_uint_eq(units(1, 0), 2);
	finish();
}
END_TEST

/* It got some at once, and is told when more comes, although nothing happens to the flow meanwhile. */
START_TEST(wanted_units_that_are_missing_come_later)
{
	begin(5, 10, 2);
	script.answers[0].want[0] = 3;
	script.answers[1].want[0] = 5;
	open_all();
	send_up(0, 100);
	ck_assert_uint_eq(units(1, 0), 2);
	give_back(0);
	ck_assert_uint_eq(units(1, 0), 5);
	ck_assert_uint_gt(script.answers[1].leased, 0);
	finish();
}
END_TEST

START_TEST(a_limit_of_nothing_that_waits_for_more_units_gets_them)
{
	begin(5, 10, 2);
	script.answers[0].want[0] = 3;
	open_all();
	send_up(0, 100);
	script.answers[1].want[0] = 5;
	script.answers[1].shut = true;
	ck_assert_uint_eq(send_up(1, 100), 0);
	ck_assert_uint_eq(units(1, 0), 2);
	give_back(0);
	ck_assert_uint_eq(units(1, 0), 5);
	ck_assert_uint_eq(capture_count("promises nothing"),
		1); /* it has what it wanted, and lets nothing be read still */
	finish();
}
END_TEST

START_TEST(what_is_leased_above_want_is_given_back)
{
	begin(5, 10, 1);
	script.answers[0].want[0] = 5;
	open_all();
	ck_assert_uint_eq(units(0, 0), 5);
	script.answers[0].want[0] = 1;
	send_up(0, 100);
	ck_assert_uint_eq(units(0, 0), 1);
	ck_assert_int_eq(pool_free(first), 4);
	finish();
}
END_TEST

START_TEST(lease_put_gives_back_at_most_what_is_leased)
{
	begin(5, 10, 1);
	script.answers[0].want[0] = 5;
	open_all();
	script.answers[0].want[0] = 3;
	script.answers[0].put = 1000;
	send_up(0, 100);
	ck_assert_uint_eq(units(0, 0), 3); /* asked again behind the event */
	ck_assert_int_eq(pool_free(first), 2);
	finish();
}
END_TEST

START_TEST(a_want_beyond_the_pool_is_cut_and_logged_once)
{
	begin(5, 10, 2);
	script.answers[0].need[0] = 6;
	script.answers[0].want[0] = 1000000000000;
	open_all();
	ck_assert_uint_eq(send_up(0, 100), 100);
	ck_assert_uint_eq(units(0, 0), 5);
	for (int i = 0; i < 10; i++)
		send_up(0, 100);
	ck_assert_uint_eq(capture_count("policy loan (script): wants 1000000000000 units of pool first"), 1);
	ck_assert_uint_eq(capture_count("first"), 1);
	finish();
}
END_TEST

/* Nothing to wait for is left of such a want: the promise of a lease cannot come true. */
START_TEST(a_promise_to_lease_beyond_the_pool_is_broken)
{
	unsigned asked;

	begin(5, 10, 1);
	script.answers[0].want[0] = 6;
	script.answers[0].shut = true;
	open_all();
	send_up(0, 100);
	asked = script.answers[0].asked;
	world_pass(&world, 10 * SECOND);
	ck_assert_uint_ge(script.answers[0].asked - asked, 100);
	ck_assert_uint_eq(capture_count("promises nothing"), 1);
	finish();
}
END_TEST

START_TEST(a_direction_that_is_over_keeps_no_units)
{
	begin(5, 10, 1);
	script.answers[0].need[0] = 5;
	open_all();
	send_up(0, 100);
	fake_end(&pairs[0].client);
	world_run(&world);
	ck_assert(pairs[0].server.fin_sent);
	ck_assert_uint_eq(pairs[0].closed, 0);
	ck_assert_int_eq(pool_free(first), 5);
	finish();
}
END_TEST

START_TEST(a_session_that_closes_leaves_the_queue)
{
	begin(5, 10, 3);
	script.answers[0].need[0] = script.answers[1].need[0] = script.answers[2].need[0] = 5;
	open_all();
	send_up(0, 100);
	send_up(1, 100);
	send_up(2, 100);
	session_close(&pairs[1].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	session_close(&pairs[0].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(pairs[2].server.accepted, 100);
	finish();
}
END_TEST

START_TEST(a_session_that_closes_returns_units_on_their_way)
{
	begin(5, 10, 2);
	script.answers[0].need[0] = script.answers[1].need[0] = 5;
	open_all();
	send_up(0, 100);
	send_up(1, 100);
	session_close(&pairs[0].session, CLOSE_SHUTDOWN, world.now);
	session_close(&pairs[1].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_int_eq(pool_free(first), 5);
	finish();
}
END_TEST

START_TEST(a_flow_that_another_policy_pauses_takes_no_units)
{
	struct marks marks = {1000, 500};
	struct rule smooth;
	struct stack both;

	begin(5, 10, 1);
	rule_init(&smooth, "smooth", &marks_policy, &marks);
	rule_stack(&both, &smooth, &rule, NULL);
	pairs[0].profile.stack = &both;
	second = both.claims[1].pool[WEIR_UP];
	world.check = NULL;
	open_all();
	fake_shut(&pairs[0].server);
	send_up(0, 2000);
	script.answers[0].need[0] = 5;
	session_ready(&pairs[0].session);
	world_run(&world);
	ck_assert_int_eq(pool_free(first), 5);
	fake_open(&pairs[0].server, 1000);
	world_run(&world);
	ck_assert_int_eq(pool_free(first), 0);
	session_close(&pairs[0].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	stack_destroy(&both);
	second = stack.claims[1].pool[WEIR_UP];
	rule_destroy(&smooth);
	finish();
}
END_TEST

START_TEST(a_scope_says_who_shares_a_pool)
{
	struct stack other;

	begin(5, 10, 0);
	rule_stack(&other, &rule, NULL, NULL);
	ck_assert_ptr_eq(other.claims[0].pool[WEIR_UP], stack.claims[0].pool[WEIR_UP]);
	ck_assert_ptr_ne(other.claims[1].pool[WEIR_UP], stack.claims[1].pool[WEIR_UP]);
	stack_destroy(&other);
	finish();
}
END_TEST

/* A flow has one ticket: waiting for units that it would only like must not keep it from waiting for memory. */
START_TEST(memory_comes_before_units_that_are_only_wanted)
{
	begin(1, 10, 3);
	world_destroy(&world);
	world_init(&world, STORE_SEGMENT_PAGES);
	script.answers[0].need[0] = 1;
	script.answers[1].want[0] = 1;
	open_all();
	ck_assert_uint_eq(pool_waiters(first), 1);
	for (unsigned i = 0; i < 3; i++)
		fake_shut(&pairs[i].server);
	send_up(2, 20000);
	ck_assert_int_lt(pool_free(&world.memory), STORE_SEGMENT_PAGES);
	send_up(1, 50000);
	ck_assert_uint_lt(pairs[1].session.up.store.held, STORE_PAGE);
	fake_open(&pairs[2].server, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_gt(pairs[1].session.up.store.held, STORE_PAGE);
	finish();
}
END_TEST

START_TEST(pages_of_memory_are_no_lease_of_a_policy)
{
	begin(1, 10, 2);
	world_destroy(&world);
	world_init(&world, STORE_SEGMENT_PAGES);
	open_all();
	fake_shut(&pairs[0].server);
	fake_shut(&pairs[1].server);
	send_up(0, 20000);
	send_up(1, 50000);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_gt(pairs[1].session.up.store.held, STORE_PAGE);
	ck_assert_uint_eq(script.answers[1].leased, 0);
	finish();
}
END_TEST

/* Needs of the second pool only grow with the first's, as ordered acquisition demands. */
START_TEST(random_needs_are_conserved_and_everybody_gets_a_turn)
{
	draw_seed((uint64_t)_i);
	begin(7, 5, PAIRS);
	open_all();
	for (int round = 0; round < 300; round++) {
		struct answer *answer = &script.answers[draw(PAIRS)];
		unsigned i = (unsigned)(answer - script.answers);

		answer->need[0] = draw(8);
		answer->want[0] = draw(12);
		answer->need[1] = draw(6);
		answer->want[1] = draw(6);
		if (draw(3) == 0)
			give_back(i);
		else if (pairs[i].client.sent - pairs[i].client.read < MIB)
			send_up(i, 100);
	}
	for (unsigned i = 0; i < PAIRS; i++)
		give_back(i);
	for (unsigned i = 0; i < PAIRS; i++)
		ck_assert_uint_eq(pairs[i].server.accepted, pairs[i].client.sent);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lease");
	TCase *tcase = tcase_create("lease");

	tcase_add_test(tcase, needed_units_are_leased_before_anything_is_read);
	tcase_add_test(tcase, without_the_needed_units_nothing_is_read);
	tcase_add_test(tcase, who_waited_longest_is_served_first);
	tcase_add_test(tcase, who_finds_one_pool_short_keeps_nothing_of_the_others);
	tcase_add_loop_test(tcase, no_circle_waits_for_two_pools, 0, 2);
	tcase_add_loop_test(tcase, no_circle_waits_within_a_pool, 0, 2);
	tcase_add_test(tcase, wanted_units_are_taken_as_far_as_they_go);
	tcase_add_test(tcase, wanted_units_that_are_missing_come_later);
	tcase_add_test(tcase, a_limit_of_nothing_that_waits_for_more_units_gets_them);
	tcase_add_test(tcase, what_is_leased_above_want_is_given_back);
	tcase_add_test(tcase, lease_put_gives_back_at_most_what_is_leased);
	tcase_add_test(tcase, a_want_beyond_the_pool_is_cut_and_logged_once);
	tcase_add_test(tcase, a_promise_to_lease_beyond_the_pool_is_broken);
	tcase_add_test(tcase, a_direction_that_is_over_keeps_no_units);
	tcase_add_test(tcase, a_session_that_closes_leaves_the_queue);
	tcase_add_test(tcase, a_session_that_closes_returns_units_on_their_way);
	tcase_add_test(tcase, a_flow_that_another_policy_pauses_takes_no_units);
	tcase_add_test(tcase, a_scope_says_who_shares_a_pool);
	tcase_add_test(tcase, memory_comes_before_units_that_are_only_wanted);
	tcase_add_test(tcase, pages_of_memory_are_no_lease_of_a_policy);
	tcase_add_loop_test(tcase, random_needs_are_conserved_and_everybody_gets_a_turn, 0, 30);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
