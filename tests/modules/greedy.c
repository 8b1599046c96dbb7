/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greedy - every flow needs more units than its pool has at all.
 */
#include <weir/policy.h>

struct options {
	uint64_t units;
};

static const struct weir_option options[] = {
	{"units", WEIR_OPTION_COUNT, offsetof(struct options, units), "4", 1, 1000, NULL, "Units in the pool."},
	{NULL, 0, 0, NULL, 0, 0, NULL, NULL},
};

static const struct weir_pool pools[] = {
	{.name = "pie", .scope = WEIR_SCOPE_INSTANCE, .size_offset = offsetof(struct options, units)},
};

/* Only while there is something to do with it: those who wait get their turn when it comes back. */
static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	if (view->ended != 0)
		return;
	limits->need[0] = 1000000;
	limits->want[0] = 2000000;
	limits->held_max = 65536;
	limits->promises = WEIR_PROMISE_LEASE | WEIR_PROMISE_DRAIN;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "greedy",
	.summary = "wants beyond its pool",
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
