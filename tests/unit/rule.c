/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule - see rule.h.
 */
#include "rule.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void rule_init(struct rule *rule, const char *name, const struct weir_policy *api, void *options)
{
	static unsigned order;

	memset(rule, 0, sizeof(*rule));
	rule->module.name = (char *)(api->name != NULL ? api->name : "odd");
	rule->module.api = *api;
	rule->policy.name = (char *)name;
	rule->policy.module = &rule->module;
	rule->policy.options = options;
	rule->policy.order = order++;
	atomic_flag_clear(&rule->policy.promise_broken);
	atomic_flag_clear(&rule->policy.want_beyond);
	ck_assert_int_eq(policy_start(&rule->policy, 1), 0);
}

void rule_destroy(struct rule *rule)
{
	for (unsigned i = 0; i < 2 * WEIR_POOLS_MAX; i++) {
		struct pool *pool = rule->policy.pools[i / 2][i % 2];

		if (pool != NULL)
			ck_assert_msg(pool->capped || pool_free(pool) == (int32_t)pool->size, "%d of %u units are back",
				pool_free(pool), pool->size);
	}
	policy_stop(&rule->policy);
}

void rule_stack(struct stack *stack, struct rule *first, struct rule *second, struct rule *third)
{
	struct rule *rules[] = {first, second, third};
	struct policy *policies[3];
	size_t count = 0;

	for (size_t i = 0; i < 3; i++)
		if (rules[i] != NULL)
			policies[count++] = &rules[i]->policy;
	ck_assert_int_eq(stack_init(stack, policies, count, ""), 0);
}

/* ---- marks --------------------------------------------------------------------------------------------------------- */

struct marks_flow {
	uint32_t paused;
};

static void marks_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct marks *marks = call->options;
	const struct marks_flow *flow = call->flow;

	limits->held_max = marks->high;
	if (flow->paused && view->held >= marks->low)
		limits->read_to = view->read;
	if (view->held > 0)
		limits->promises |= WEIR_PROMISE_DRAIN;
}

static void marks_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct marks *marks = call->options;
	struct marks_flow *flow = call->flow;

	(void)event;
	if (view->held >= marks->high)
		flow->paused = 1;
	else if (view->held < marks->low)
		flow->paused = 0;
}

const struct weir_policy marks_policy = {
	.name = "marks",
	.flow_size = sizeof(struct marks_flow),
	.ask = marks_ask,
	.event = marks_event,
};

/* ---- the log ------------------------------------------------------------------------------------------------------- */

static int captured = -1;

void capture_begin(void)
{
	captured = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(captured, 0);
	ck_assert_int_ge(dup2(captured, STDERR_FILENO), 0);
}

unsigned capture_count(const char *text)
{
	static char log[64 * 1024];
	ssize_t n = pread(captured, log, sizeof(log) - 1, 0);
	unsigned count = 0;
	char *rest = NULL;

	ck_assert_int_ge(n, 0);
	log[n] = '\0';
	for (char *line = strtok_r(log, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		count += strstr(line, text) != NULL;
	return count;
}
