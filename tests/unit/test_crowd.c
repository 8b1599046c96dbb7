/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several policies in one stack, with pools that many flows share: who waits for the one neither turns in circles over the
 * other, nor keeps of it what he cannot use, nor sees what is another's. Only flows upwards are asked about.
 */
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define PAIRS 6

/* Bytes are paid for with tokens, before they are read or before they are written; or held bytes occupy units. */
struct price {
	uint64_t size;
	uint64_t rate;
	uint64_t grain;
	uint64_t more;  /* wanted beyond the grain */
	uint64_t least; /* units below which nothing is let through */
	bool held;
	bool writing;
};

static struct weir_pool tokens = {
	.name = "tokens",
	.scope = WEIR_SCOPE_INSTANCE,
	.size_offset = offsetof(struct price, size),
	.flags = WEIR_POOL_CONSUMED,
	.rate_offset = offsetof(struct price, rate),
};

static const struct weir_pool marks = {
	.name = "marks",
	.scope = WEIR_SCOPE_INSTANCE,
	.size_offset = offsetof(struct price, size),
	.flags = WEIR_POOL_BRIEF | WEIR_POOL_LOW,
	.low_offset = offsetof(struct price, size),
};

static void price_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct price *price = call->options;
	const uint64_t *paid = call->flow;
	uint64_t units = view->pools[0].units;
	uint64_t moved = price->writing ? view->written : view->read;

	if (call->ref.direction != WEIR_UP)
		return;
	limits->used[0] = price->held ? view->held : moved - *paid;
	limits->grain[0] = price->grain;
	limits->want[0] = limits->used[0] + price->grain + price->more;
	if (limits->want[0] > price->size)
		limits->want[0] = price->size;
	limits->promises = WEIR_PROMISE_LEASE | (price->held && view->held > 0 ? WEIR_PROMISE_DRAIN : 0);
	limits->for_writing = price->writing;
	if (units < price->least)
		units = 0;
	if (price->writing)
		limits->write_to = *paid + units;
	else if (price->held)
		limits->read_to = view->read + (units > view->held ? units - view->held : 0);
	else
		limits->read_to = *paid + units;
}

static void price_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct price *price = call->options;
	uint64_t *paid = call->flow;

	if (call->ref.direction != WEIR_UP || price->held)
		return;
	call->host->lease_spend(call, 0, price->writing ? event->written : event->read);
	*paid = price->writing ? view->written : view->read;
}

#define PRICE(pool)                                                                                                    \
	{                                                                                                              \
		.name = "price", .pools = &(pool), .pool_stride = sizeof(pool), .pool_count = 1,                       \
		.flow_size = sizeof(uint64_t), .ask = price_ask, .event = price_event,                                 \
	}

static const struct weir_policy tokens_price = PRICE(tokens);
static const struct weir_policy marks_price = PRICE(marks);

static struct world world;
static struct rule rules[3];
static struct price prices[2];
static struct stack stack;
static struct pair pairs[PAIRS];
static unsigned pair_count;

/* The second policy may be none, and so may the third. */
static void begin(struct price first, struct price second, const struct weir_policy *third, unsigned count)
{
	capture_begin();
	world_init(&world, 1024);
	world.host.lease_spend = standing_lease_spend;
	prices[0] = first;
	prices[1] = second;
	for (unsigned i = 0; i < 2 && prices[i].size > 0; i++)
		rule_init(&rules[i], i == 0 ? "first" : "second", prices[i].held ? &marks_price : &tokens_price,
			&prices[i]);
	if (third != NULL)
		rule_init(&rules[2], "third", third, NULL);
	rule_stack(&stack, &rules[0], second.size > 0 ? &rules[1] : NULL, third != NULL ? &rules[2] : NULL);
	for (pair_count = 0; pair_count < count; pair_count++) {
		pair_init(&pairs[pair_count], &world, &stack);
		pair_open(&pairs[pair_count]);
	}
}

static void close_all(void)
{
	for (unsigned i = 0; i < pair_count; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_pass(&world, 10 * SECOND); /* a bucket's timer may still be set */
	stack_destroy(&stack);
	for (unsigned i = 0; i < 3; i++)
		if (rules[i].policy.name != NULL)
			rule_destroy(&rules[i]);
	world_destroy(&world);
}

static void finish(void)
{
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	close_all();
}

static uint32_t leased(unsigned i, unsigned member)
{
	return standing_member(&pairs[i].session.up.standing, member)->leased[0];
}

/* All want to hold something, and none has tokens: what one cannot use just now is no reason to pass it around. */
START_TEST(who_waits_for_tokens_keeps_his_place)
{
	uint64_t rounds;

	begin((struct price){.size = 64 * KIB, .grain = 16 * KIB, .held = true},
		(struct price){.size = 6000, .rate = 60000, .grain = 600}, NULL, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++)
		fake_send(&pairs[i].client, MIB);
	world_run(&world);
	rounds = world.rounds;
	world_pass(&world, 10 * SECOND);
	MUST(world.rounds - rounds < 10 * 60000 / 600 * 10, "%llu rounds", (unsigned long long)(world.rounds - rounds));
	for (unsigned i = 0; i < PAIRS; i++)
		MUST(pairs[i].server.accepted >= 97000 && pairs[i].server.accepted <= 103000, "flow %u: %llu bytes", i,
			(unsigned long long)pairs[i].server.accepted);
	finish();
}
END_TEST

/* Tokens for writing are for those who have something to write, or may read something. */
START_TEST(who_may_not_read_needs_nothing_to_write)
{
	begin((struct price){.size = 5000, .rate = 1, .grain = 500},
		(struct price){.size = 50000, .rate = 1, .grain = 500, .writing = true}, NULL, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++)
		fake_send(&pairs[i].client, 10000);
	world_run(&world);
	for (unsigned i = 0; i < PAIRS; i++)
		MUST(leased(i, 1) == 0, "flow %u keeps %u units", i, leased(i, 1));
	ck_assert_int_eq(pool_free(stack.claims[1].pool[WEIR_UP]), 45000);
	finish();
}
END_TEST

/* ---- promises --------------------------------------------------------------------------------------------------------- */

/* It is leased its grain, wants more before it lets anything pass, and nobody queues for that: asked again by timer. */
START_TEST(a_grain_that_does_not_suffice_hangs_nobody)
{
	begin((struct price){.size = 1000, .grain = 100, .more = 400, .least = 300, .held = true}, (struct price){0},
		NULL, 2);
	fake_shut(&pairs[0].server);
	fake_send(&pairs[0].client, 800);
	world_run(&world);
	ck_assert_uint_eq(leased(0, 0), 800);
	fake_send(&pairs[1].client, 10);
	world_run(&world);
	ck_assert_uint_eq(leased(1, 0), 200);
	ck_assert_uint_eq(pairs[1].server.accepted, 0);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(pairs[1].server.accepted, 10);
	ck_assert_uint_eq(capture_count("promises nothing"), 1);
	close_all();
}
END_TEST

static size_t scan(const struct weir_call *call, const void *bytes, size_t length)
{
	(void)call;
	(void)bytes;
	return length;
}

static void ask_nothing(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)view;
	(void)limits;
}

/* Policies are asked within a turn, too, when a lease is used up and not yet spent. */
START_TEST(a_promise_is_looked_at_when_the_turn_is_over)
{
	static const struct weir_policy scans = {.name = "scans",
		.needs = WEIR_NEED_SCAN,
		.ask = ask_nothing,
		.scan = scan};

	begin((struct price){.size = 1000, .rate = 1000, .grain = 1000}, (struct price){0}, &scans, 1);
	fake_send(&pairs[0].client, 5000);
	world_pass(&world, 5 * SECOND);
	ck_assert_uint_eq(pairs[0].server.accepted, 5000);
	finish();
}
END_TEST

static void ask_alone(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)limits;
	for (unsigned i = 0; i < WEIR_POOLS_MAX; i++)
		MUST(view->pools[i].units == 0 && view->pools[i].free == 0, "pool %u: %llu units, %llu free", i,
			(unsigned long long)view->pools[i].units, (unsigned long long)view->pools[i].free);
}

START_TEST(who_has_no_pool_sees_none)
{
	static const struct weir_pool none = {.name = "none", .scope = WEIR_SCOPE_NONE};
	static const struct weir_policy alone = {.name = "alone",
		.pools = &none,
		.pool_stride = sizeof(none),
		.pool_count = 1,
		.ask = ask_alone};

	begin((struct price){.size = 1000, .grain = 100, .held = true}, (struct price){0}, &alone, 1);
	fake_shut(&pairs[0].server);
	fake_send(&pairs[0].client, 500);
	world_run(&world);
	ck_assert_uint_eq(leased(0, 0), 500);
	finish();
}
END_TEST

/* Under one policy that has its units of the marks, and nothing else. */
static void begin_alone(const struct weir_policy *policy, struct price *options, unsigned count)
{
	begin((struct price){.size = 1000, .held = true}, (struct price){0}, NULL, 0);
	rule_init(&rules[2], policy->name, policy, options);
	stack_destroy(&stack);
	rule_stack(&stack, &rules[2], NULL, NULL);
	for (pair_count = 0; pair_count < count; pair_count++) {
		pair_init(&pairs[pair_count], &world, &stack);
		pair_open(&pairs[pair_count]);
	}
}

static void ask_braggart(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)view;
	limits->used[0] = 100;
	limits->grain[0] = 50;
	limits->want[0] = 300;
}

/* It says that it uses what it does not lease; with a source that rests, it may lease no more than that. */
START_TEST(who_uses_what_he_does_not_have_is_leased_it)
{
	static const struct weir_policy braggart = {.name = "braggart",
		.pools = &marks,
		.pool_stride = sizeof(marks),
		.pool_count = 1,
		.ask = ask_braggart};
	struct price options = {.size = 1000};

	begin_alone(&braggart, &options, 1);
	world_run(&world);
	ck_assert_uint_eq(leased(0, 0), 100);
	finish();
}
END_TEST

static void ask_held(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	limits->used[0] = view->held;
}

/* In the round in which it is served, the flow loses its use for what it waited for, and has nothing else to do. */
START_TEST(a_grant_that_comes_too_late_goes_back)
{
	static const struct weir_policy holder = {.name = "holder",
		.pools = &marks,
		.pool_stride = sizeof(marks),
		.pool_count = 1,
		.ask = ask_held};
	struct price options = {.size = 1000};

	begin_alone(&holder, &options, 2);
	for (unsigned i = 0; i < 2; i++) {
		fake_shut(&pairs[i].server);
		fake_send(&pairs[i].client, i == 0 ? 1000 : 10);
		world_run(&world);
	}
	ck_assert_uint_eq(pool_waiters(stack.claims[0].pool[WEIR_UP]), 1);
	fake_open(&pairs[0].server, FAKE_WIDE);
	fake_open(&pairs[1].server, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(leased(1, 0), 0);
	ck_assert_int_eq(pool_free(stack.claims[0].pool[WEIR_UP]), 1000);
	finish();
}
END_TEST

/*
 * What has moved gives back what it has of the first pool, since others wait there, and so may do nothing any more. If it kept the
 * second, the next would wait for it for ever; and nobody wakes those who have nothing under way.
 */
START_TEST(who_gives_up_the_one_keeps_nothing_of_the_other)
{
	struct price all = {.size = 10, .grain = 10, .held = true};

	begin(all, all, NULL, 3);
	for (unsigned i = 0; i < 3; i++)
		fake_send(&pairs[i].client, 1000);
	world_run(&world);
	for (unsigned i = 0; i < 3; i++)
		MUST(pairs[i].server.accepted == 1000, "flow %u has %llu bytes of 1000", i,
			(unsigned long long)pairs[i].server.accepted);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crowd");
	TCase *tcase = tcase_create("crowd");

	tcase_add_test(tcase, who_waits_for_tokens_keeps_his_place);
	tcase_add_test(tcase, who_may_not_read_needs_nothing_to_write);
	tcase_add_test(tcase, a_grain_that_does_not_suffice_hangs_nobody);
	tcase_add_test(tcase, a_promise_is_looked_at_when_the_turn_is_over);
	tcase_add_test(tcase, who_has_no_pool_sees_none);
	tcase_add_test(tcase, who_uses_what_he_does_not_have_is_leased_it);
	tcase_add_test(tcase, a_grant_that_comes_too_late_goes_back);
	tcase_add_test(tcase, who_gives_up_the_one_keeps_nothing_of_the_other);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
