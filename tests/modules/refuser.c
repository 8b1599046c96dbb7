/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refuser - refuses the flows of one direction, or of none; says how many are open.
 */
#include <weir/policy.h>

#include <stdatomic.h>
#include <stdio.h>

struct options {
	uint32_t direction;
};

static const char *const directions[] = {"up", "down", "none", NULL};

static const struct weir_option options[] = {
	{"direction", WEIR_OPTION_ENUM, offsetof(struct options, direction), "none", 0, 0, directions,
		"Which flows are refused."},
	{NULL, 0, 0, NULL, 0, 0, NULL, NULL},
};

struct instance {
	_Atomic int open;
};

static void tell(const struct weir_call *call, const char *what, int count)
{
	char text[64];

	snprintf(text, sizeof(text), "%s, open=%d", what, count);
	call->host->log(call, WEIR_LOG_INFO, text);
}

static int open_flow(const struct weir_call *call)
{
	const struct options *set = (const struct options *)call->options;
	struct instance *instance = (struct instance *)call->instance;

	if (set->direction == call->ref.direction)
		return -1;
	tell(call, "opened", atomic_fetch_add(&instance->open, 1) + 1);
	return 0;
}

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)view;
	(void)limits;
}

static void close_flow(const struct weir_call *call)
{
	struct instance *instance = (struct instance *)call->instance;

	tell(call, "closed", atomic_fetch_sub(&instance->open, 1) - 1);
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "refuser",
	.summary = "refuses flows",
	.options = options,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.instance_size = sizeof(struct instance),
	.open = open_flow,
	.ask = ask,
	.close = close_flow,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
