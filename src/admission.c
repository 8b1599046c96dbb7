/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admission - step by step.
 */
#include "admission.h"

#include <string.h>

void admission_init(struct admission *admission, const struct stack *stack, struct pool *first, struct pool *second,
	void (*granted)(struct pool_ticket *ticket))
{
	memset(admission, 0, sizeof(*admission));
	admission->stack = stack;
	admission->limits[0] = first;
	admission->limits[1] = second;
	admission->ticket.granted = granted;
}

static unsigned step_count(const struct admission *admission)
{
	return ADMISSION_LIMITS + (admission->stack->floors ? admission->stack->claim_count : 0);
}

/* The pool of a step, and how many units it takes; 0: none. */
static struct pool *step_pool(const struct admission *admission, unsigned step, uint32_t *units)
{
	const struct stack_claim *claim;

	if (step < ADMISSION_LIMITS) {
		*units = admission->limits[step] != NULL;
		return admission->limits[step];
	}
	claim = &admission->stack->claims[step - ADMISSION_LIMITS];
	*units = 2 * claim->floor;
	return claim->pool[WEIR_UP];
}

bool admission_waits(const struct admission *admission)
{
	return admission->ticket.pool != NULL;
}

bool admission_try(struct admission *admission)
{
	while (admission->had < step_count(admission)) {
		uint32_t units;
		struct pool *pool = step_pool(admission, admission->had, &units);

		if (units > 0 && pool_take(pool, units, units) == 0)
			return false;
		admission->had++;
	}
	return true;
}

bool admission_take(struct admission *admission)
{
	struct pool *pool;
	uint32_t units;

	if (admission_waits(admission))
		return false;
	if (admission_try(admission))
		return true;
	pool = step_pool(admission, admission->had, &units);
	pool_wait(pool, &admission->ticket, units, units);
	return false;
}

void admission_collect(struct admission *admission)
{
	if (pool_collect(&admission->ticket) > 0)
		admission->had++;
}

void admission_pass(struct admission *admission)
{
	admission->had = 0;
}

void admission_put(struct admission *admission)
{
	while (admission->had > 0) {
		uint32_t units;
		struct pool *pool = step_pool(admission, --admission->had, &units);

		if (units > 0)
			pool_put(pool, units);
	}
}

bool admission_leave(struct admission *admission)
{
	if (admission_waits(admission) && !pool_leave(&admission->ticket))
		return false;
	admission_put(admission);
	return true;
}
