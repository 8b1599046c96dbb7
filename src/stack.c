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

static struct pool *own_pool(struct stack *stack, const struct policy *policy, unsigned i)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	if (pool_init(pool, policy_pool(policy, i)->name, (uint32_t)policy_pool_size(policy, i)) != 0) {
		free(pool);
		return NULL;
	}
	stack->own[stack->own_count++] = pool;
	return pool;
}

static int add_claims(struct stack *stack, unsigned member)
{
	struct policy *policy = stack->members[member].policy;

	for (unsigned i = 0; i < policy->module->api.pool_count; i++) {
		struct stack_claim *claim = &stack->claims[stack->claim_count];

		claim->member = (uint8_t)member;
		claim->index = (uint8_t)i;
		claim->pool = policy_pool(policy, i)->scope == WEIR_SCOPE_INSTANCE ? policy->pools[i]
										   : own_pool(stack, policy, i);
		if (claim->pool == NULL)
			return -1;
		stack->claim_count++;
	}
	return 0;
}

/* Inserts by (policy->order, index), so that all stacks acquire in one order whatever their own is. */
static void sort_claims(struct stack *stack)
{
	for (unsigned i = 1; i < stack->claim_count; i++) {
		struct stack_claim claim = stack->claims[i];
		unsigned order = stack->members[claim.member].policy->order;
		unsigned at = i;

		while (at > 0 && stack->members[stack->claims[at - 1].member].policy->order > order) {
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
	for (unsigned i = 0; i < stack->own_count; i++) {
		pool_destroy(stack->own[i]);
		free(stack->own[i]);
	}
	memset(stack, 0, sizeof(*stack));
}

const char *stack_cause(const struct stack *stack, uint32_t cause)
{
	return cause < stack->count ? stack->members[cause].policy->name : "memory";
}
