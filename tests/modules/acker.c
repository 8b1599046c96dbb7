/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acker - no more than `cap` bytes are read and not yet acknowledged by the sink's host.
 */
#include <weir/policy.h>

struct options {
	uint64_t cap;
};

static const struct weir_option options[] = {
	{"cap", WEIR_OPTION_SIZE, offsetof(struct options, cap), "64K", 1, 1 << 30, NULL, "Bytes outstanding at most."},
	{NULL, 0, 0, NULL, 0, 0, NULL, NULL},
};

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *set = (const struct options *)call->options;

	limits->read_to = view->acked + set->cap;
	limits->promises = WEIR_PROMISE_ACKED;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "acker",
	.summary = "caps what is outstanding",
	.options = options,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.needs = WEIR_NEED_ACKED,
	.ask = ask,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
