/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy that lets bytes pass as it scans them, with a unit of its pool only: what happens when the unit comes at odd times.
 */
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define UNITS 2

static struct door {
	uint64_t size;     /* of the pool */
	bool waiting;      /* bytes are held, and may not pass */
	bool shy;          /* wants no unit before the next event */
	struct pool *late; /* gets all its units back at the next event; NULL: none does */
	unsigned asked;
} door;

static void door_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	if (call->ref.direction != WEIR_UP)
		return;
	door.asked++;
	limits->for_writing = 1;
	limits->used[0] = view->scanned > 0;
	if (!door.waiting)
		return;
	limits->read_to = view->read;
	limits->write_to = view->scanned;
	limits->need[0] = limits->want[0] = door.shy ? 0 : 1;
	limits->promises = WEIR_PROMISE_LEASE;
}

static size_t door_scan(const struct weir_call *call, const void *bytes, size_t length)
{
	(void)bytes;
	if (call->ref.direction != WEIR_UP)
		return length;
	door.waiting = call->view->pools[0].units == 0;
	return door.waiting ? 0 : length;
}

static void door_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	struct pool *pool = door.late;

	(void)view;
	(void)event;
	if (call->ref.direction != WEIR_UP)
		return;
	door.shy = false;
	door.late = NULL;
	if (pool != NULL)
		pool_put(pool, UNITS);
}

static const struct weir_pool pools[] = {
	{.name = "units", .scope = WEIR_SCOPE_INSTANCE, .size_offset = offsetof(struct door, size)},
};

static const struct weir_policy door_policy = {
	.name = "door",
	.needs = WEIR_NEED_SCAN,
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.ask = door_ask,
	.event = door_event,
	.scan = door_scan,
};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct pair pair;
static struct pool *pool;

/* Somebody else has all units. */
static void begin(void)
{
	memset(&door, 0, sizeof(door));
	door.size = UNITS;
	capture_begin();
	world_init(&world, 1024);
	rule_init(&rule, "door", &door_policy, &door);
	rule_stack(&stack, &rule, NULL, NULL);
	pool = stack.claims[0].pool[WEIR_UP];
	pair_init(&pair, &world, &stack);
	pair_open(&pair);
	ck_assert_uint_eq(pool_take(pool, UNITS, UNITS), UNITS);
}

static void finish(void)
{
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_int_eq(pool_free(pool), UNITS);
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

static uint64_t send_up(uint64_t bytes)
{
	fake_send(&pair.client, bytes);
	world_run(&world);
	return pair.server.accepted;
}

START_TEST(a_unit_comes_later)
{
	begin();
	ck_assert_uint_eq(send_up(100), 0);
	pool_put(pool, UNITS);
	world_run(&world);
	ck_assert_uint_eq(pair.server.accepted, 100);
	finish();
}
END_TEST

/* Another worker gives back behind the last look at the bytes, and before the turn's last question: one unit is granted, and
   under way, another is free. It is used at once, and nobody is told that the policy broke its promise. */
START_TEST(a_unit_comes_at_the_end_of_the_turn)
{
	begin();
	door.late = pool;
	ck_assert_uint_eq(send_up(100), 100);
	ck_assert_ptr_null(door.late);
	ck_assert_uint_lt(door.asked, 20);
	finish();
}
END_TEST

/* No grant is under way, so nobody would wake the flow for what it took. */
START_TEST(a_unit_is_wanted_at_the_end_of_the_turn)
{
	begin();
	pool_put(pool, UNITS);
	door.shy = true;
	ck_assert_uint_eq(send_up(100), 100);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("door");
	TCase *tcase = tcase_create("door");

	tcase_add_test(tcase, a_unit_comes_later);
	tcase_add_test(tcase, a_unit_comes_at_the_end_of_the_turn);
	tcase_add_test(tcase, a_unit_is_wanted_at_the_end_of_the_turn);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
