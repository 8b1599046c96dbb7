/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sharer - every client's flow needs some units of one pool as long as it lives; answers need none.
 */
#include <weir/policy.h>

struct options {
	uint64_t units;
	uint64_t need;
};

static const struct weir_option options[] = {
	{"units", WEIR_OPTION_COUNT, offsetof(struct options, units), "2", 1, 100000, NULL, "Units in the pool."},
	{"need", WEIR_OPTION_COUNT, offsetof(struct options, need), "1", 1, 100000, NULL, "Units that a flow needs."},
	{NULL, 0, 0, NULL, 0, 0, NULL, NULL},
};

static const struct weir_pool pools[] = {
	{.name = "slots", .scope = WEIR_SCOPE_INSTANCE, .size_offset = offsetof(struct options, units)},
};

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *set = (const struct options *)call->options;

	if (view->direction != WEIR_UP)
		return;
	limits->need[0] = limits->want[0] = set->need;
	limits->promises = WEIR_PROMISE_LEASE;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "sharer",
	.summary = "flows share a pool",
	.options = options,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.ask = ask,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
