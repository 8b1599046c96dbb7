/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage - see usage.h.
 */
#include "usage.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "scope.h"

/* A declaration, and the pools that come of it; or memory. */
struct kind {
	const struct policy *policy; /* NULL: memory */
	unsigned index;
	const char *name;
	uint64_t size;
	const struct pool **fixed; /* those that are there all the time */
	size_t fixed_count;
	uint64_t used_max;
	uint64_t used_sum;  /* of all samples */
	uint64_t shortages; /* in pools that are gone */
};

/* A pool of some client's, shared by his sessions. */
struct shared {
	const struct pool *pool;
	uint64_t users;
	uint64_t shortages; /* before the first of them */
};

struct usage {
	struct kind *kinds;
	size_t kind_count;
	uint64_t samples;
	void *shared; /* tsearch(3)'s, by pool: only looked up, so its order is nobody's matter */
};

/* ---- what there is ------------------------------------------------------------------------------------------------- */

static bool is_of(const struct kind *kind, const struct stack *stack, unsigned member, unsigned index)
{
	return kind->policy == stack->members[member].policy && kind->index == index;
}

static void add_fixed(struct kind *kind, const struct pool *pool)
{
	for (size_t i = 0; i < kind->fixed_count; i++)
		if (kind->fixed[i] == pool)
			return;
	kind->fixed[kind->fixed_count++] = pool;
}

static int find_fixed(struct kind *kind, const struct sim_world *world)
{
	kind->fixed = calloc(2 * world->listener_count + 1, sizeof(*kind->fixed));
	if (kind->fixed == NULL)
		return -1;
	for (size_t i = 0; i < world->listener_count; i++) {
		const struct stack *stack = &world->listeners[i].stack;

		for (unsigned c = 0; world->listeners[i].ready && c < stack->claim_count; c++)
			for (int direction = 0; direction < 2; direction++)
				if (stack->claims[c].pool[direction] != NULL &&
					is_of(kind, stack, stack->claims[c].member, stack->claims[c].index))
					add_fixed(kind, stack->claims[c].pool[direction]);
	}
	return 0;
}

static int add_kind(struct usage *usage, const struct sim_world *world, const struct policy *policy, unsigned index)
{
	struct kind *kind = &usage->kinds[usage->kind_count];

	usage->kind_count++;
	kind->policy = policy;
	kind->index = index;
	if (policy == NULL) {
		kind->name = "memory";
		kind->size = world->memory.size;
	} else {
		kind->name = policy_pool(policy, index).name;
		kind->size = policy_pool_size(policy, index);
	}
	if (find_fixed(kind, world) != 0)
		return -1;
	if (policy == NULL)
		add_fixed(kind, &world->memory);
	return 0;
}

static int add_kinds(struct usage *usage, const struct sim_world *world)
{
	const struct config *config = world->scenario->config;

	for (size_t i = 0; i < config->policy_count; i++)
		for (unsigned p = 0; p < config->policies[i]->module->api.pool_count; p++)
			if (usage->kind_count + 1 < SIM_POOLS_MAX &&
				policy_pool(config->policies[i], p).scope != WEIR_SCOPE_NONE &&
				add_kind(usage, world, config->policies[i], p) != 0)
				return -1;
	return add_kind(usage, world, NULL, 0);
}

struct usage *usage_new(const struct sim_world *world)
{
	struct usage *usage = calloc(1, sizeof(*usage));

	if (usage == NULL)
		return NULL;
	usage->kinds = calloc(SIM_POOLS_MAX, sizeof(*usage->kinds));
	if (usage->kinds == NULL || add_kinds(usage, world) != 0) {
		usage_free(usage);
		return NULL;
	}
	return usage;
}

void usage_free(struct usage *usage)
{
	if (usage == NULL)
		return;
	for (size_t i = 0; i < usage->kind_count; i++)
		free(usage->kinds[i].fixed);
	free(usage->kinds);
	tdestroy(usage->shared, free);
	free(usage);
}

/* ---- looking ------------------------------------------------------------------------------------------------------- */

static uint64_t used(const struct pool *pool)
{
	int64_t out = (int64_t)pool->size - pool_free(pool);

	return out > 0 ? (uint64_t)out : 0;
}

/* Pages that workers keep at hand are nobody's yet. */
static uint64_t at_hand(const struct sim_world *world)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < world->worker_count; i++)
		pages += world->workers[i].context.reserve;
	return pages;
}

static uint64_t fullest_fixed(const struct kind *kind, const struct sim_world *world)
{
	uint64_t fullest = 0;

	if (kind->policy == NULL)
		return used(&world->memory) - at_hand(world);
	for (size_t i = 0; i < kind->fixed_count; i++)
		if (used(kind->fixed[i]) > fullest)
			fullest = used(kind->fixed[i]);
	return fullest;
}

static uint64_t fullest_place(const struct kind *kind, const struct sim_session *visit)
{
	const struct stack *stack = &visit->listener->stack;
	const struct scope_place *places;
	uint64_t fullest = 0;

	if (stack->place_count == 0 || visit->released)
		return 0;
	places = standing_places(&visit->session.owner);
	for (unsigned i = 0; i < stack->place_count; i++)
		if (is_of(kind, stack, stack->places[i].member, stack->places[i].index) &&
			used(places[i].pool) > fullest)
			fullest = used(places[i].pool);
	return fullest;
}

static void note(struct kind *kind, uint64_t fullest)
{
	if (fullest > kind->used_max)
		kind->used_max = fullest;
}

void usage_round(struct usage *usage, const struct sim_world *world)
{
	for (size_t i = 0; i < usage->kind_count; i++)
		note(&usage->kinds[i], fullest_fixed(&usage->kinds[i], world));
}

void usage_sample(struct usage *usage, const struct sim_world *world)
{
	const struct sim_session *visit;

	usage->samples++;
	for (size_t i = 0; i < usage->kind_count; i++) {
		struct kind *kind = &usage->kinds[i];
		uint64_t fullest = fullest_fixed(kind, world);

		if (kind->fixed_count == 0)
			for (visit = TAILQ_FIRST(&world->sessions); visit != NULL; visit = TAILQ_NEXT(visit, link))
				if (fullest_place(kind, visit) > fullest)
					fullest = fullest_place(kind, visit);
		note(kind, fullest);
		kind->used_sum += fullest;
	}
}

/* ---- pools that come and go ---------------------------------------------------------------------------------------- */

static int by_pool(const void *a, const void *b)
{
	uintptr_t one = (uintptr_t)((const struct shared *)a)->pool;
	uintptr_t other = (uintptr_t)((const struct shared *)b)->pool;

	return one < other ? -1 : one > other;
}

static uint64_t shortages_of(const struct pool *pool)
{
	return atomic_load_explicit(&pool->shortages, memory_order_relaxed);
}

static int share(struct usage *usage, const struct pool *pool)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	struct shared **found;

	if (shared == NULL)
		return -1;
	shared->pool = pool;
	shared->shortages = shortages_of(pool);
	found = tsearch(shared, &usage->shared, by_pool);
	if (found == NULL || *found != shared)
		free(shared);
	if (found == NULL)
		return -1;
	(*found)->users++;
	return 0;
}

/* Returns the shortages of a pool that nobody uses any more. */
static uint64_t part(struct usage *usage, const struct pool *pool)
{
	const struct shared key = {.pool = pool};
	struct shared **found = tfind(&key, &usage->shared, by_pool);
	struct shared *shared;
	uint64_t shortages;

	if (found == NULL || --(*found)->users > 0)
		return 0;
	shared = *found;
	shortages = shortages_of(pool) - shared->shortages;
	tdelete(&key, &usage->shared, by_pool);
	free(shared);
	return shortages;
}

int usage_opened(struct usage *usage, const struct sim_session *visit)
{
	const struct stack *stack = &visit->listener->stack;
	const struct scope_place *places;

	if (stack->place_count == 0)
		return 0;
	places = standing_places(&visit->session.owner);
	for (unsigned i = 0; i < stack->place_count; i++)
		if (share(usage, places[i].pool) != 0)
			return -1;
	return 0;
}

void usage_closed(struct usage *usage, const struct sim_session *visit)
{
	const struct stack *stack = &visit->listener->stack;
	const struct scope_place *places;

	if (stack->place_count == 0)
		return;
	places = standing_places(&visit->session.owner);
	for (unsigned i = 0; i < stack->place_count; i++) {
		uint64_t shortages = part(usage, places[i].pool);

		for (size_t k = 0; k < usage->kind_count; k++)
			if (is_of(&usage->kinds[k], stack, stack->places[i].member, stack->places[i].index))
				usage->kinds[k].shortages += shortages;
	}
}

/* ---- the result ---------------------------------------------------------------------------------------------------- */

void usage_result(const struct usage *usage, struct sim_result *result)
{
	for (size_t i = 0; i < usage->kind_count; i++) {
		const struct kind *kind = &usage->kinds[i];
		struct sim_pool *told = &result->pools[result->pool_count++];

		if (kind->policy != NULL)
			snprintf(told->policy, sizeof(told->policy), "%s", kind->policy->name);
		snprintf(told->name, sizeof(told->name), "%s", kind->name);
		told->size = kind->size;
		told->used_max = kind->used_max;
		told->used_mean = usage->samples == 0 ? 0 : kind->used_sum / usage->samples;
		told->shortages = kind->shortages;
		for (size_t p = 0; p < kind->fixed_count; p++)
			told->shortages += shortages_of(kind->fixed[p]);
	}
}
