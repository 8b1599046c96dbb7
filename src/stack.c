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

static uint8_t add_place(struct stack *stack, const struct stack_claim *claim, uint32_t scope)
{
	stack->places[stack->place_count] = (struct stack_place){claim->member, claim->index, (uint8_t)scope};
	return (uint8_t)stack->place_count++;
}

/* Where the claim's pool is: here for all, or in a place of each session. */
static int find_pool(struct stack *stack, struct stack_claim *claim, uint32_t scope)
{
	const struct policy *policy = stack->members[claim->member].policy;

	switch (scope) {
	case WEIR_SCOPE_INSTANCE:
		claim->pool = policy->pools[claim->index];
		return 0;
	case WEIR_SCOPE_LISTENER:
		claim->pool = policy_pool_new(policy, claim->index, 0);
		return claim->pool != NULL ? 0 : -1;
	default:
		claim->place[WEIR_UP] = add_place(stack, claim, scope);
		claim->place[WEIR_DOWN] = scope == WEIR_SCOPE_FLOW ? add_place(stack, claim, scope)
								   : claim->place[WEIR_UP];
		return 0;
	}
}

static int add_claims(struct stack *stack, unsigned member)
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
		if (find_pool(stack, claim, pool.scope) != 0)
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

int stack_init(struct stack *stack, struct policy *const *policies, size_t count)
{
	assert(count <= STACK_MAX);
	memset(stack, 0, sizeof(*stack));
	for (unsigned i = 0; i < count; i++) {
		struct stack_member *member = &stack->members[i];

		member->policy = policies[i];
		member->api = &policies[i]->module->api;
		member->session_state = place(&stack->state_size, member->api->session_size);
		member->flow_state[WEIR_UP] = place(&stack->state_size, member->api->flow_size);
		member->flow_state[WEIR_DOWN] = place(&stack->state_size, member->api->flow_size);
		stack->needs |= member->api->needs;
		stack->count++;
		if (add_claims(stack, i) != 0) {
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
		const struct stack_claim *claim = &stack->claims[i];
		const struct policy *policy = stack->members[claim->member].policy;

		if (policy_pool(policy, claim->index).scope == WEIR_SCOPE_LISTENER)
			policy_pool_free(policy, claim->index, claim->pool);
	}
	memset(stack, 0, sizeof(*stack));
}

const char *stack_cause(const struct stack *stack, uint32_t cause)
{
	return cause < stack->count ? stack->members[cause].policy->name : "memory";
}
