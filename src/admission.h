/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admission - what must be in hand before a client is accepted: a unit of each limit on sessions, then what the flows of a
 * session own of their policies' pools.
 *
 *     limits[0] -> limits[1] -> the stack's floors, in the order of its claims
 *
 * All who admit take in this one order, and wait with what they have for what is short, so no circle can form: the limits are
 * nobody's to lease, and a floor waits for what held bytes occupy, which draining alone frees. First in, first out, beside
 * the flows that wait in the same pools.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <stdbool.h>

#include "pool.h"
#include "stack.h"

#define ADMISSION_LIMITS 2

struct admission {
	const struct stack *stack;
	struct pool *limits[ADMISSION_LIMITS]; /* NULL: no limit */
	unsigned had;                          /* steps that are done, those that ask for nothing included */
	struct pool_ticket ticket;
};

/* granted: called on the giver's thread, as in struct pool_ticket; then admission_collect() is due on the owner's. */
void admission_init(struct admission *admission, const struct stack *stack, struct pool *first, struct pool *second,
	void (*granted)(struct pool_ticket *ticket));

/* Whether all is in hand for one session, as far as it can be had without waiting. It must not wait. */
bool admission_try(struct admission *admission) __attribute__((warn_unused_result));

/* The same; if not, it waits in a queue, once. */
bool admission_take(struct admission *admission) __attribute__((warn_unused_result));

/* Takes note of a grant. */
void admission_collect(struct admission *admission);

/* Whether it waits, or has been granted what it has not taken note of. */
bool admission_waits(const struct admission *admission);

/* All that is in hand is a session's now. */
void admission_pass(struct admission *admission);

/* Gives back what is in hand: nobody came for it. It must not wait. */
void admission_put(struct admission *admission);

/* Leaves the queue, and gives back what is in hand. False: a grant is on its way, and it is not over before that was
   collected and put. */
bool admission_leave(struct admission *admission) __attribute__((warn_unused_result));

#endif
