/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who shares a pool with whom: flows, sessions, clients; and what becomes of a client's pool when he has gone.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define PAIRS 4

static struct options {
	uint64_t size;
	uint64_t rate;
	uint32_t scope;
} options;

static const uint32_t scopes[] = {WEIR_SCOPE_FLOW, WEIR_SCOPE_SESSION, WEIR_SCOPE_CLIENT, WEIR_SCOPE_NONE};
enum { FLOW, SESSION, CLIENT, NONE };

static struct weir_pool pool = {
	.name = "tokens",
	.scope = WEIR_SCOPE_OPTION,
	.size_offset = offsetof(struct options, size),
	.rate_offset = offsetof(struct options, rate),
	.scope_offset = offsetof(struct options, scope),
	.scopes = scopes,
};

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)view;
	(void)limits;
}

static const struct weir_policy policy = {.name = "sharing",
	.pools = &pool,
	.pool_stride = sizeof(pool),
	.pool_count = 1,
	.ask = ask};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct pair pairs[PAIRS];
static struct address addresses[PAIRS];

static void begin(unsigned scope, uint32_t flags)
{
	options = (struct options){1000, 1000, scope};
	pool.flags = flags;
	world_init(&world, 100);
	rule_init(&rule, "sharing", &policy, &options);
	rule_stack(&stack, &rule, NULL, NULL);
}

static void end(void)
{
	scopes_destroy(&world.scopes); /* before the policy that made its pools */
	ck_assert_int_eq(scopes_init(&world.scopes), 0);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

/* A session whose client comes from there. */
static void come(unsigned i, const char *from)
{
	char error[200];

	pair_init(&pairs[i], &world, &stack);
	if (from != NULL) {
		ck_assert_msg(address_parse(&addresses[i], from, error, sizeof(error)) == 0, "%s", error);
		pairs[i].peer = &addresses[i];
	}
	pair_open(&pairs[i]);
}

static void go(unsigned i)
{
	session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
}

static struct pool *pool_of(unsigned i, int direction)
{
	return standing_pool(&pair_flow(&pairs[i], direction)->standing, &stack.claims[0]);
}

/* Takes at most so many units and spends them; returns how many. */
static uint32_t use_up(unsigned i, uint32_t most)
{
	uint32_t units = pool_take(pool_of(i, WEIR_UP), 1, most);

	pool_spend(pool_of(i, WEIR_UP), units);
	return units;
}

START_TEST(flows_and_sessions_share_with_nobody)
{
	begin(_i == 0 ? FLOW : SESSION, WEIR_POOL_CONSUMED);
	come(0, "127.0.0.1:1");
	come(1, "127.0.0.1:1");
	ck_assert_ptr_ne(pool_of(0, WEIR_UP), pool_of(1, WEIR_UP));
	ck_assert_int_eq(pool_of(0, WEIR_UP) == pool_of(0, WEIR_DOWN), _i == 1);
	go(0);
	go(1);
	ck_assert_uint_eq(world.scopes.count, 0);
	end();
}
END_TEST

START_TEST(there_may_be_no_pool)
{
	begin(NONE, 0);
	pool.unit_bytes = 4096;
	ck_assert_uint_eq(stack.claim_count, 0);
	ck_assert_uint_eq(policy_pool_bytes(&rule.policy, 2), 0); /* nor does it promise memory */
	come(0, NULL);
	go(0);
	end();
}
END_TEST

static const struct {
	const char *one;
	const char *other;
	bool shared;
} clients[] = {
	{"10.0.0.1:1000", "10.0.0.1:2000", true},
	{"10.0.0.1:1000", "10.0.0.2:1000", false},
	{"10.0.0.1:1000", "[::ffff:10.0.0.1]:3", true},
	{"[2001:db8::1]:1", "[2001:db8::1]:2", true},
	{"[2001:db8::1]:1", "[2001:db8::2]:1", false},
	{"unix:/a", "unix:/b", true},
	{NULL, "unix:/a", true},
	{NULL, "10.0.0.1:1", false},
};

START_TEST(a_client_is_an_address)
{
	begin(CLIENT, _i % 2 == 0 ? WEIR_POOL_CONSUMED : WEIR_POOL_BRIEF);
	come(0, clients[_i].one);
	come(1, clients[_i].other);
	ck_assert_ptr_eq(pool_of(0, WEIR_UP), pool_of(0, WEIR_DOWN));
	ck_assert_int_eq(pool_of(0, WEIR_UP) == pool_of(1, WEIR_UP), clients[_i].shared);
	go(0);
	go(1);
	ck_assert_uint_eq(world.scopes.count, 0); /* full, or no bucket: nothing to remember */
	end();
}
END_TEST

START_TEST(who_hangs_up_and_comes_back_finds_no_more)
{
	begin(CLIENT, WEIR_POOL_CONSUMED);
	come(0, "10.0.0.1:1");
	come(1, "10.0.0.2:1");
	ck_assert_uint_eq(use_up(0, 1000), 1000);
	go(0);
	ck_assert_uint_eq(world.scopes.count, 2);
	world_pass(&world, 100 * MS);
	come(2, "10.0.0.1:2");
	ck_assert_uint_eq(world.scopes.count, 2);
	ck_assert_int_eq(pool_free(pool_of(2, WEIR_UP)), 100); /* what came in since, and no more */
	go(2);
	world_pass(&world, SECOND);
	come(3, "10.0.0.3:1"); /* whoever comes sees to it that the others are forgotten when they are full */
	ck_assert_uint_eq(world.scopes.count, 2);
	go(1);
	go(3);
	ck_assert_uint_eq(world.scopes.count, 0);
	end();
}
END_TEST

/* Many clients come once each: they are forgotten as fast as their buckets fill. */
START_TEST(clients_that_are_gone_take_no_room)
{
	char from[32];
	size_t most = 0;

	begin(CLIENT, WEIR_POOL_CONSUMED);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(from, sizeof(from), "10.1.%u.%u:1", i / 250, i % 250);
		come(0, from);
		ck_assert_uint_gt(use_up(0, 100), 0);
		go(0);
		world_pass(&world, 10 * MS);
		most = world.scopes.count > most ? world.scopes.count : most;
		world.fake_count = 0;
	}
	ck_assert_uint_gt(most, 5);
	ck_assert_uint_lt(most, 30); /* a bucket is full again after ten of them */
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scope");
	TCase *tcase = tcase_create("scope");

	tcase_add_loop_test(tcase, flows_and_sessions_share_with_nobody, 0, 2);
	tcase_add_test(tcase, there_may_be_no_pool);
	tcase_add_loop_test(tcase, a_client_is_an_address, 0, sizeof(clients) / sizeof(clients[0]));
	tcase_add_test(tcase, who_hangs_up_and_comes_back_finds_no_more);
	tcase_add_test(tcase, clients_that_are_gone_take_no_room);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
