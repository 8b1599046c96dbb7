/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack - the policies of one listener, in the order of its ini line, and the pools they lease from.
 *
 * Immutable once made. Pools of listener scope are the stack's own. Claims are the pools of all its policies in the one
 * global order in which every flow acquires leases: those that are consumed behind all others, then by policy as the ini
 * file has them, then as the module declares them. The memory pool comes last, always.
 */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"
#include "pool.h"

#define STACK_MAX 8
#define STACK_CLAIMS_MAX (STACK_MAX * WEIR_POOLS_MAX)

struct stack_member {
	struct policy *policy; /* borrowed */
	const struct weir_policy *api;
	uint32_t needs;       /* WEIR_NEED_*, as its options are */
	size_t session_state; /* offset in the session's block of states */
	size_t flow_state[2]; /* the same, by direction */
};

struct stack_claim {
	struct pool *pool[2]; /* by direction, mostly one for both; NULL: each session has its own, at places[] */
	uint32_t floor;       /* units that each flow owns as long as it lives; one pool for both directions then */
	uint8_t member;       /* index into members */
	uint8_t index;        /* the pool's, in the member's declaration */
	uint8_t place[2];     /* in the session's list of pools, by direction */
	bool consumed;        /* the pool is a bucket's */
	bool brief;           /* leased only while something can move */
};

/* A pool that a session has for itself, or for its client, or for the server that it wants to go to. */
struct stack_place {
	uint8_t member;
	uint8_t index;
	uint8_t scope;     /* enum weir_pool_scope */
	uint8_t direction; /* of a directed pool, which of the two; else 0 */
};

#define STACK_PLACES_MAX (2 * STACK_CLAIMS_MAX)

struct stack {
	unsigned count;
	struct stack_member members[STACK_MAX];
	unsigned claim_count;
	struct stack_claim claims[STACK_CLAIMS_MAX];
	unsigned place_count;
	struct stack_place places[STACK_PLACES_MAX];
	unsigned scanner_count;
	uint8_t scanners[STACK_MAX]; /* members that scan, in the order of their policies */
	bool floors;                 /* some claim has one */
	uint32_t needs;              /* of all members: WEIR_NEED_* */
	size_t state_size;           /* bytes of states a session has */
};

/* The policies must have been started; they share by the name of the upstream ("" is one, too), or, if that is NULL, by the
   server that each session wants to go to. 0, or -1 with errno. */
int stack_init(struct stack *stack, struct policy *const *policies, size_t count, const char *upstream)
	__attribute__((warn_unused_result));
void stack_destroy(struct stack *stack);

/*
 * What both flows of one session own of all pools: had before session_open(), which makes it their leases. All of it at once,
 * or nothing and false. Any thread.
 */
bool stack_take_floors(const struct stack *stack) __attribute__((warn_unused_result));
void stack_put_floors(const struct stack *stack);

/* The name of a cause of pauses: a member's policy, or "memory" for stack->count. */
const char *stack_cause(const struct stack *stack, uint32_t cause);

#endif
