/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of several workers, each a thread with a scheduler of its own, share the memory limit and a policy's pool: units
 * are handed from thread to thread. Above all for ThreadSanitizer.
 */
#include <pthread.h>
#include <sched.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define WORKERS 3
#define PAIRS 6 /* of each */
#define BYTES (400 * KIB)
#define ROUNDS 200000 /* at most; a few hundred are enough */

struct options {
	uint64_t size;
};

struct worker {
	struct world world;
	struct pair pairs[PAIRS];
	pthread_t thread;
	unsigned done; /* sessions that ended well */
};

static struct worker workers[WORKERS];
static struct pool memory;
static struct rule rule;
static struct stack stack;

/* A unit for each flow upwards, from its begin to its end. */
static void permit_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)view;
	limits->need[0] = call->ref.direction == WEIR_UP;
}

static const struct weir_pool permits = {.name = "permits",
	.scope = WEIR_SCOPE_INSTANCE,
	.size_offset = offsetof(struct options, size)};

static const struct weir_policy permit_policy = {
	.name = "permit",
	.pools = &permits,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.ask = permit_ask,
};

static void prepare(struct worker *worker)
{
	world_init(&worker->world, 0);
	worker->world.context.memory = &memory;
	for (unsigned i = 0; i < PAIRS; i++) {
		struct pair *pair = &worker->pairs[i];

		pair_init(pair, &worker->world, &stack);
		pair_begin(pair);
		pair_connect(pair);
		fake_shut(&pair->client);
		fake_shut(&pair->server);
		fake_send(&pair->client, BYTES);
		fake_send(&pair->server, BYTES);
		fake_end(&pair->client);
		fake_end(&pair->server);
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned released = 0;

	for (unsigned round = 0; round < ROUNDS && released < PAIRS; round++) {
		released = 0;
		for (unsigned i = 0; i < PAIRS; i++) {
			fake_open(&worker->pairs[i].client, 900 + i);
			fake_open(&worker->pairs[i].server, 1100 - i);
			released += worker->pairs[i].released;
		}
		while (world_step(&worker->world))
			;
		sched_yield();
	}
	for (unsigned i = 0; i < PAIRS; i++)
		worker->done += worker->pairs[i].session.reason == CLOSE_DONE &&
			worker->pairs[i].client.accepted == BYTES && worker->pairs[i].server.accepted == BYTES;
	return NULL;
}

START_TEST(threads_share_memory_and_units)
{
	struct options options = {2};

	(void)fake_pattern(0, 0); /* made now, not by two threads at once */
	ck_assert_int_eq(pool_init(&memory, "memory", 20), 0);
	rule_init(&rule, "permit", &permit_policy, &options);
	rule_stack(&stack, &rule, NULL, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		prepare(&workers[i]);
	for (unsigned i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		ck_assert_uint_eq(workers[i].done, PAIRS);
		world_destroy(&workers[i].world);
	}
	ck_assert_int_eq(pool_free(&memory), 20);
	ck_assert_uint_eq(pool_waiters(&memory), 0);
	pool_destroy(&memory);
	stack_destroy(&stack);
	rule_destroy(&rule);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers");
	TCase *tcase = tcase_create("workers");

	tcase_add_test(tcase, threads_share_memory_and_units);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
