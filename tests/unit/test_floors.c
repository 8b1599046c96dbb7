/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each flow owns of a pool: from its session's admission to its own end. And whose pools are whose: directed ones, those
 * of an upstream, those that are not there.
 */
#include <stddef.h>
#include <string.h>

#include "admission.h"
#include "fake.h"
#include "rule.h"
#include "text.h"
#include "unit.h"

#define PAIRS 5

static struct script {
	uint64_t size;
	uint64_t floor;
	uint64_t unit;
	uint64_t want; /* units beyond what is held; a unit is a byte then */
} script;

static struct weir_pool pool;

static void script_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	limits->used[0] = view->held;
	limits->want[0] = view->held + script.want;
	limits->held_max = view->pools[0].units;
	limits->promises = WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN;
}

static const struct weir_policy script_policy = {
	.name = "script",
	.pools = &pool,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.ask = script_ask,
};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct pair pairs[PAIRS];
static unsigned pair_count;

static void declare(uint32_t flags, uint32_t scope, struct script as)
{
	script = as;
	pool = (struct weir_pool){
		.name = "units",
		.scope = scope,
		.size_offset = offsetof(struct script, size),
		.flags = flags,
		.floor_offset = offsetof(struct script, floor),
		.unit_offset = offsetof(struct script, unit),
	};
}

static void begin(uint32_t flags, struct script as, unsigned count)
{
	declare(flags, WEIR_SCOPE_INSTANCE, as);
	capture_begin();
	world_init(&world, 1024);
	rule_init(&rule, "floors", &script_policy, &script);
	rule_stack(&stack, &rule, NULL, NULL);
	for (pair_count = 0; pair_count < count; pair_count++) {
		pair_init(&pairs[pair_count], &world, &stack);
		pair_open(&pairs[pair_count]);
	}
}

static void finish(void)
{
	for (unsigned i = 0; i < pair_count; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

static struct pool *units(void)
{
	return stack.claims[0].pool[WEIR_UP];
}

static uint32_t leased(unsigned i, int direction)
{
	return standing_member(&pair_flow(&pairs[i], direction)->standing, 0)->leased[0];
}

START_TEST(each_flow_has_its_share_from_the_begin)
{
	begin(WEIR_POOL_FLOOR | WEIR_POOL_BRIEF, (struct script){.size = 100, .floor = 20}, 2);
	ck_assert_int_eq(pool_free(units()), 20);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(leased(i / 2, i % 2), 20);
	ck_assert(!stack_take_floors(&stack)); /* a third does not fit */
	ck_assert_int_eq(pool_free(units()), 20);
	finish();
}
END_TEST

/* Somebody holds all that is free, and his sink takes nothing. */
START_TEST(a_short_pool_leaves_each_flow_its_share)
{
	begin(WEIR_POOL_FLOOR | WEIR_POOL_BRIEF, (struct script){.size = 100, .floor = 20, .want = 100}, 2);
	fake_shut(&pairs[0].server);
	fake_send(&pairs[0].client, 1000);
	world_run(&world);
	ck_assert_uint_eq(leased(0, WEIR_UP), 40);
	ck_assert_int_eq(pool_free(units()), 0);
	for (unsigned i = 0; i < 50; i++) {
		fake_send(&pairs[1].client, 100);
		fake_send(&pairs[1].server, 100);
		world_run(&world);
		ck_assert_uint_ge(leased(1, WEIR_UP), 20);
		ck_assert_uint_ge(leased(1, WEIR_DOWN), 20);
	}
	ck_assert_uint_eq(pairs[1].server.accepted, 5000);
	ck_assert_uint_eq(pairs[1].client.accepted, 5000);
	finish();
}
END_TEST

START_TEST(a_direction_that_is_over_gives_its_share_back)
{
	begin(WEIR_POOL_FLOOR | WEIR_POOL_BRIEF, (struct script){.size = 100, .floor = 20}, 1);
	fake_send(&pairs[0].client, 10);
	fake_end(&pairs[0].client);
	world_run(&world);
	ck_assert(fake_saw_end(&pairs[0].server));
	ck_assert_uint_eq(leased(0, WEIR_UP), 0);
	ck_assert_uint_eq(leased(0, WEIR_DOWN), 20);
	ck_assert_int_eq(pool_free(units()), 80);
	finish();
}
END_TEST

START_TEST(a_module_cannot_give_its_share_away)
{
	begin(WEIR_POOL_FLOOR, (struct script){.size = 100, .floor = 20, .want = 30}, 1);
	fake_shut(&pairs[0].server);
	fake_send(&pairs[0].client, 10);
	world_run(&world);
	ck_assert_uint_eq(leased(0, WEIR_UP), 40);
	standing_lease_put(&pairs[0].session.up.standing, 0, 0, 5);
	ck_assert_uint_eq(leased(0, WEIR_UP), 35);
	standing_lease_put(&pairs[0].session.up.standing, 0, 0, UINT64_MAX);
	ck_assert_uint_eq(leased(0, WEIR_UP), 20);
	finish();
}
END_TEST

/* ---- admission ----------------------------------------------------------------------------------------------------- */

static unsigned grants;

static void granted(struct pool_ticket *ticket)
{
	(void)ticket;
	grants++;
}

START_TEST(who_admits_takes_limits_and_shares)
{
	struct pool limit;
	struct admission admission;

	begin(WEIR_POOL_FLOOR, (struct script){.size = 100, .floor = 20}, 0);
	ck_assert_int_eq(pool_init(&limit, "sessions", 1), 0);
	admission_init(&admission, &stack, NULL, &limit, granted);
	ck_assert(admission_take(&admission));
	ck_assert_int_eq(pool_free(&limit), 0);
	ck_assert_int_eq(pool_free(units()), 60);
	admission_put(&admission);
	ck_assert_int_eq(pool_free(&limit), 1);
	ck_assert_int_eq(pool_free(units()), 100);
	ck_assert(admission_try(&admission));
	admission_pass(&admission); /* the session's; nothing is in hand */
	admission_put(&admission);
	ck_assert_int_eq(pool_free(&limit), 0);
	ck_assert_int_eq(pool_free(units()), 60);
	pool_put(&limit, 1);
	stack_put_floors(&stack);
	pool_destroy(&limit);
	finish();
}
END_TEST

/* First in, first out, with those who want to read. */
START_TEST(a_share_is_waited_for_in_the_pools_queue)
{
	struct admission first;
	struct admission second;

	begin(WEIR_POOL_FLOOR, (struct script){.size = 100, .floor = 20}, 2);
	grants = 0;
	admission_init(&first, &stack, NULL, NULL, granted);
	admission_init(&second, &stack, NULL, NULL, granted);
	ck_assert(!admission_try(&first));
	ck_assert(!admission_waits(&first));
	ck_assert(!admission_take(&first));
	ck_assert(admission_waits(&first));
	ck_assert(!admission_take(&second));
	ck_assert(!admission_take(&second)); /* once */
	ck_assert_uint_eq(pool_waiters(units()), 2);
	session_close(&pairs[0].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(grants, 1);
	admission_collect(&first);
	ck_assert(admission_take(&first));
	ck_assert(!admission_take(&second));
	ck_assert_int_eq(pool_free(units()), 20);
	admission_put(&first);
	ck_assert_uint_eq(grants, 2);
	ck_assert(!admission_leave(&second)); /* the grant is there already */
	admission_collect(&second);
	ck_assert(admission_leave(&second));
	ck_assert_int_eq(pool_free(units()), 60);
	ck_assert_uint_eq(pool_waiters(units()), 0);
	finish();
}
END_TEST

START_TEST(who_leaves_the_queue_wakes_the_next)
{
	struct admission first;
	struct admission second;
	struct pool limit;

	begin(WEIR_POOL_FLOOR, (struct script){.size = 50, .floor = 20}, 1);
	ck_assert_int_eq(pool_init(&limit, "sessions", 1), 0);
	grants = 0;
	admission_init(&first, &stack, &limit, NULL, granted);
	admission_init(&second, &stack, &limit, NULL, granted);
	ck_assert(!admission_take(&first)); /* has the limit's unit, waits for the share */
	ck_assert(!admission_take(&second));
	ck_assert_uint_eq(pool_waiters(&limit), 1);
	ck_assert(admission_leave(&first));
	ck_assert_uint_eq(grants, 1);
	admission_collect(&second);
	ck_assert(!admission_take(&second));
	ck_assert_uint_eq(pool_waiters(units()), 1);
	ck_assert(admission_leave(&second));
	ck_assert_int_eq(pool_free(&limit), 1);
	pool_destroy(&limit);
	finish();
}
END_TEST

/* ---- what is refused at load ----------------------------------------------------------------------------------------- */

static const struct {
	uint32_t flags;
	struct script script;
	const char *error; /* NULL: it is fine */
} sizes[] = {
	{WEIR_POOL_FLOOR, {.size = 4, .floor = 2}, NULL},
	{WEIR_POOL_FLOOR, {.size = 3, .floor = 2},
		"pool units has 3 units, and each of a session's two flows owns 2; expected at least that for one session, "
		"or a smaller share"},
	{WEIR_POOL_FLOOR, {.size = 3}, "pool units leaves each flow nothing of its own; expected at least 1 unit"},
	{WEIR_POOL_FLOOR | WEIR_POOL_SEGMENTS, {.size = 128 << 10, .unit = 32 << 10, .floor = 2}, NULL},
	{WEIR_POOL_FLOOR | WEIR_POOL_SEGMENTS, {.size = 127 << 10, .unit = 32 << 10, .floor = 2},
		"pool units = 127K is less than one session's share, 2 x 2 segments of 32K; expected at least that, or a "
		"smaller share"},
	{WEIR_POOL_SEGMENTS, {.size = 1 << 10, .unit = 32 << 10},
		"pool units = 1K is less than one segment of 32K; expected at least that"},
	{WEIR_POOL_SEGMENTS, {.size = 1 << 10}, "pool units has units of 0 bytes; expected 1 to 1073741824"},
	{WEIR_POOL_SEGMENTS, {.size = UINT64_C(1) << 40, .unit = 1},
		"pool units has 1099511627776 units; expected 1 to 2147483647"},
	{WEIR_POOL_FLOOR, {.size = UINT64_MAX, .floor = 1}, NULL}, /* there is no such pool */
};

START_TEST(a_pool_below_one_sessions_share_is_refused)
{
	char error[TEXT_ERROR_MAX] = "";
	int result;

	begin(0, (struct script){.size = 100}, 0);
	declare(sizes[_i].flags, WEIR_SCOPE_INSTANCE, sizes[_i].script);
	result = policy_pool_check(&rule.policy, 0, error, sizeof(error));
	declare(0, WEIR_SCOPE_INSTANCE, (struct script){.size = 100});
	if (sizes[_i].error == NULL)
		ck_assert_msg(result == 0, "%s", error);
	else
		ck_assert_str_eq(error, sizes[_i].error);
	finish();
}
END_TEST

START_TEST(segments_are_counted_and_their_bytes_promised)
{
	begin(WEIR_POOL_SEGMENTS, (struct script){.size = 100 << 10, .unit = 32 << 10}, 0);
	ck_assert_uint_eq(units()->size, 3);
	ck_assert_uint_eq(policy_pool_bytes(&rule.policy, 1), 96 << 10);
	finish();
}
END_TEST

/* ---- whose pool it is ------------------------------------------------------------------------------------------------ */

START_TEST(a_pool_without_a_limit_is_none)
{
	begin(0, (struct script){.size = UINT64_MAX, .want = 5}, 0);
	ck_assert_uint_eq(stack.claim_count, 0);
	ck_assert_uint_eq(policy_pool_bytes(&rule.policy, 1), 0);
	finish();
}
END_TEST

START_TEST(directions_do_not_share_a_directed_pool)
{
	begin(WEIR_POOL_DIRECTED, (struct script){.size = 100, .want = 30}, 2);
	ck_assert_ptr_ne(stack.claims[0].pool[WEIR_UP], stack.claims[0].pool[WEIR_DOWN]);
	for (unsigned i = 0; i < 2; i++) {
		fake_shut(&pairs[i].server);
		fake_send(&pairs[i].client, 1000);
	}
	world_run(&world);
	ck_assert_int_eq(pool_free(stack.claims[0].pool[WEIR_UP]), 0);
	ck_assert_int_eq(pool_free(stack.claims[0].pool[WEIR_DOWN]), 40);
	fake_send(&pairs[1].server, 1000);
	world_run(&world);
	ck_assert_uint_eq(pairs[1].client.accepted, 1000);
	finish();
}
END_TEST

START_TEST(those_of_one_upstream_share_its_pool)
{
	struct policy *policies[] = {&rule.policy};
	struct stack same;
	struct stack other;

	declare(WEIR_POOL_DIRECTED, WEIR_SCOPE_UPSTREAM, (struct script){.size = 100});
	capture_begin();
	world_init(&world, 1024);
	rule_init(&rule, "floors", &script_policy, &script);
	ck_assert_int_eq(stack_init(&stack, policies, 1, "db"), 0);
	ck_assert_int_eq(stack_init(&same, policies, 1, "db"), 0);
	ck_assert_int_eq(stack_init(&other, policies, 1, "log"), 0);
	for (int direction = 0; direction < 2; direction++) {
		ck_assert_ptr_eq(same.claims[0].pool[direction], stack.claims[0].pool[direction]);
		ck_assert_ptr_ne(other.claims[0].pool[direction], stack.claims[0].pool[direction]);
	}
	ck_assert_ptr_ne(stack.claims[0].pool[WEIR_UP], stack.claims[0].pool[WEIR_DOWN]);
	stack_destroy(&same);
	stack_destroy(&other);
	finish();
}
END_TEST

/* No upstream has been named: each client says where it wants to go, and all who say the same share. */
START_TEST(those_of_one_destination_share_its_pool)
{
	static const char *const wanted[] = {"10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:81", "[::ffff:10.0.0.2]:80",
		"10.0.0.2:80"};
	static const unsigned same_as[] = {0, 0, 2, 3, 3};
	struct policy *policies[] = {&rule.policy};
	struct address addresses[5];
	char error[128];

	declare(0, WEIR_SCOPE_UPSTREAM, (struct script){.size = 100, .want = 1});
	capture_begin();
	world_init(&world, 1024);
	rule_init(&rule, "floors", &script_policy, &script);
	ck_assert_int_eq(stack_init(&stack, policies, 1, NULL), 0);
	for (pair_count = 0; pair_count < 5; pair_count++) {
		struct pair *pair = &pairs[pair_count];

		ck_assert_int_eq(address_parse(&addresses[pair_count], wanted[pair_count], error, sizeof(error)), 0);
		pair_init(pair, &world, &stack);
		pair->wanted = &addresses[pair_count];
		pair_open(pair);
	}
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < 5; j++) {
			bool shared = standing_places(&pairs[i].session.owner)[0].pool ==
				standing_places(&pairs[j].session.owner)[0].pool;

			ck_assert_msg(shared == (same_as[i] == same_as[j]), "%s and %s: %s", wanted[i], wanted[j],
				shared ? "shared" : "not shared");
		}
	finish();
}
END_TEST

static const uint32_t own_scopes[] = {WEIR_SCOPE_FLOW, WEIR_SCOPE_SESSION, WEIR_SCOPE_CLIENT};

START_TEST(a_directed_pool_of_a_session_is_two)
{
	const struct stack_claim *claim = &stack.claims[0];
	const struct scope_place *places;

	declare(WEIR_POOL_DIRECTED, own_scopes[_i], (struct script){.size = 100, .want = 1});
	capture_begin();
	world_init(&world, 1024);
	rule_init(&rule, "floors", &script_policy, &script);
	rule_stack(&stack, &rule, NULL, NULL);
	pair_init(&pairs[0], &world, &stack);
	pair_open(&pairs[0]);
	pair_count = 1;
	places = standing_places(&pairs[0].session.owner);
	ck_assert_ptr_ne(places[claim->place[WEIR_UP]].pool, places[claim->place[WEIR_DOWN]].pool);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("floors");
	TCase *tcase = tcase_create("floors");

	tcase_add_test(tcase, each_flow_has_its_share_from_the_begin);
	tcase_add_test(tcase, a_short_pool_leaves_each_flow_its_share);
	tcase_add_test(tcase, a_direction_that_is_over_gives_its_share_back);
	tcase_add_test(tcase, a_module_cannot_give_its_share_away);
	tcase_add_test(tcase, who_admits_takes_limits_and_shares);
	tcase_add_test(tcase, a_share_is_waited_for_in_the_pools_queue);
	tcase_add_test(tcase, who_leaves_the_queue_wakes_the_next);
	tcase_add_loop_test(tcase, a_pool_below_one_sessions_share_is_refused, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tcase, segments_are_counted_and_their_bytes_promised);
	tcase_add_test(tcase, a_pool_without_a_limit_is_none);
	tcase_add_test(tcase, directions_do_not_share_a_directed_pool);
	tcase_add_test(tcase, those_of_one_upstream_share_its_pool);
	tcase_add_test(tcase, those_of_one_destination_share_its_pool);
	tcase_add_loop_test(tcase, a_directed_pool_of_a_session_is_two, 0, sizeof(own_scopes) / sizeof(own_scopes[0]));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
