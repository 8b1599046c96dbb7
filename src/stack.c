/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack - lays out the states, collects and orders the claims.
 */
#include "stack.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static size_t place(size_t *end, size_t size)
{
	size_t offset = *end;

	*end += (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	return offset;
}

static uint8_t add_place(struct stack *stack, const struct stack_claim *claim, uint32_t scope, int direction)
{
	stack->places[stack->place_count] = (struct stack_place){claim->member, claim->index, (uint8_t)scope,
		(uint8_t)direction};
	return (uint8_t)stack->place_count++;
}

static int share(struct stack_claim *claim, struct pool *const *pools)
{
	if (pools == NULL)
		return -1;
	claim->pool[WEIR_UP] = pools[WEIR_UP];
	claim->pool[WEIR_DOWN] = pools[WEIR_DOWN];
	return 0;
}

/* Where the claim's pool is: here for all, or in a place of each session. */
static int find_pool(struct stack *stack, struct stack_claim *claim, const struct weir_pool *pool, const char *upstream)
{
	struct policy *policy = stack->members[claim->member].policy;
	bool directed = (pool->flags & WEIR_POOL_DIRECTED) != 0;

	if (pool->scope == WEIR_SCOPE_INSTANCE)
		return share(claim, policy->pools[claim->index]);
	if (pool->scope == WEIR_SCOPE_UPSTREAM && upstream != NULL)
		return share(claim, policy_upstream_pools(policy, claim->index, upstream));
	if (pool->scope == WEIR_SCOPE_LISTENER)
		return policy_pools_new(policy, claim->index, 0, claim->pool);
	claim->place[WEIR_UP] = add_place(stack, claim, pool->scope, WEIR_UP);
	claim->place[WEIR_DOWN] = claim->place[WEIR_UP];
	if (directed || pool->scope == WEIR_SCOPE_FLOW)
		claim->place[WEIR_DOWN] = add_place(stack, claim, pool->scope, WEIR_DOWN);
	return 0;
}

static int add_claims(struct stack *stack, unsigned member, const char *upstream)
{
	const struct policy *policy = stack->members[member].policy;

	for (unsigned i = 0; i < policy->module->api.pool_count; i++) {
		struct weir_pool pool = policy_pool(policy, i);
		struct stack_claim *claim = &stack->claims[stack->claim_count];

		if (pool.scope == WEIR_SCOPE_NONE)
			continue;
		claim->member = (uint8_t)member;
		claim->index = (uint8_t)i;
		claim->consumed = (pool.flags & WEIR_POOL_CONSUMED) != 0;
		claim->brief = claim->consumed || (pool.flags & WEIR_POOL_BRIEF) != 0;
		claim->floor = policy_pool_floor(policy, i);
		stack->floors |= claim->floor > 0;
		if (find_pool(stack, claim, &pool, upstream) != 0)
			return -1;
		stack->claim_count++;
	}
	return 0;
}

/* Whether flows acquire a after b. */
static bool is_behind(const struct stack *stack, const struct stack_claim *a, const struct stack_claim *b)
{
	if (a->consumed != b->consumed)
		return a->consumed;
	return stack->members[a->member].policy->order > stack->members[b->member].policy->order;
}

/*
 * Inserts by (consumed, policy->order, index), so that all stacks acquire in one order whatever their own is. What comes by
 * time is last: nobody holds it while he waits for what others must give back.
 */
static void sort_claims(struct stack *stack)
{
	for (unsigned i = 1; i < stack->claim_count; i++) {
		struct stack_claim claim = stack->claims[i];
		unsigned at = i;

		while (at > 0 && is_behind(stack, &stack->claims[at - 1], &claim)) {
			stack->claims[at] = stack->claims[at - 1];
			at--;
		}
		stack->claims[at] = claim;
	}
}

/* Inserts by policy->order: what one policy holds back, those behind it have not seen yet, so their units are not
   taken in different orders by different stacks. */
static void add_scanner(struct stack *stack, unsigned member)
{
	unsigned at = stack->scanner_count++;

	while (at > 0 && stack->members[stack->scanners[at - 1]].policy->order > stack->members[member].policy->order) {
		stack->scanners[at] = stack->scanners[at - 1];
		at--;
	}
	stack->scanners[at] = (uint8_t)member;
}

int stack_init(struct stack *stack, struct policy *const *policies, size_t count, const char *upstream)
{
	assert(count <= STACK_MAX);
	memset(stack, 0, sizeof(*stack));
	for (unsigned i = 0; i < count; i++) {
		struct stack_member *member = &stack->members[i];

		member->policy = policies[i];
		member->api = &policies[i]->module->api;
		member->needs = policy_needs(policies[i]);
		member->session_state = place(&stack->state_size, member->api->session_size);
		member->flow_state[WEIR_UP] = place(&stack->state_size, member->api->flow_size);
		member->flow_state[WEIR_DOWN] = place(&stack->state_size, member->api->flow_size);
		stack->needs |= member->needs;
		stack->count++;
		if ((member->needs & WEIR_NEED_SCAN) != 0)
			add_scanner(stack, i);
		if (add_claims(stack, i, upstream) != 0) {
			stack_destroy(stack);
			return -1;
		}
	}
	sort_claims(stack);
	return 0;
}

void stack_destroy(struct stack *stack)
{
	for (unsigned i = 0; i < stack->claim_count; i++) {
		struct stack_claim *claim = &stack->claims[i];
		const struct policy *policy = stack->members[claim->member].policy;

		if (policy_pool(policy, claim->index).scope == WEIR_SCOPE_LISTENER)
			policy_pools_free(policy, claim->index, claim->pool);
	}
	memset(stack, 0, sizeof(*stack));
}

/* Of the first `count` claims. */
static void put_floors(const struct stack *stack, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (stack->claims[i].floor > 0)
			pool_put(stack->claims[i].pool[WEIR_UP], 2 * stack->claims[i].floor);
}

bool stack_take_floors(const struct stack *stack)
{
	for (unsigned i = 0; i < stack->claim_count; i++) {
		uint32_t units = 2 * stack->claims[i].floor;

		if (units > 0 && pool_take(stack->claims[i].pool[WEIR_UP], units, units) == 0) {
			put_floors(stack, i);
			return false;
		}
	}
	return true;
}

void stack_put_floors(const struct stack *stack)
{
	put_floors(stack, stack->claim_count);
}

const char *stack_cause(const struct stack *stack, uint32_t cause)
{
	return cause < stack->count ? stack->members[cause].policy->name : "memory";
}
