/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fair - a flow may hold `alpha` times what is still free of a pool: those that want much share it, and the rest stays free.
 *
 * The dynamic threshold of Choudhury and Hahne (1998), which switches use for their packet memory. With n flows that want all
 * they can get, each comes to hold alpha x pool / (1 + n x alpha), and pool / (1 + n x alpha) stays free: for a newcomer, who
 * need not wait for anybody's sink. Nobody has to know n. A limit on each flow alone would have to be pool / n, for the
 * largest n that may ever come.
 *
 * weight = drain multiplies a flow's threshold by how fast its sink drains, compared with the fastest of all, as ABM does
 * (2022): memory that a sink empties in no time holds nobody up, so the slow ones get less.
 *
 * There a packet that comes above the threshold is dropped. Here a flow is not read until it has drained. Beside its threshold
 * each flow has FLOOR bytes that nobody can take, as in a watermark's group: else the two directions of a session could
 * wait for each other.
 */
#include <stdatomic.h>

#include "weir/policy.h"

#define FLOOR 4096 /* bytes: as much of weir's memory as each flow owns, too */
#define GRAIN (16 * 1024)
#define QUANTUM_MAX (256 * 1024)
#define MILLISECOND UINT64_C(1000000)
#define HALF_LIFE 1000 /* ms: after so long, the fastest rate seen counts half */
#define APART 60000    /* ms, far more than workers' clocks can be */

/* Thresholds are worked out in these parts: alphas are powers of two from an eighth on, weights have so many steps. */
#define ALPHA_ONE UINT64_C(8)
#define WEIGHT_ONE UINT64_C(256)
#define WEIGHT_LEAST (WEIGHT_ONE / 16)

struct options {
	uint64_t pool;  /* bytes */
	uint32_t alpha; /* index into alpha_names: 2^alpha eighths */
	uint32_t weight;
};

enum { WEIGHT_NONE };

/* The fastest drain rate lately, and when that was, in one word: KiB a second, and ms << 32. 0: none yet. */
struct instance {
	_Atomic uint64_t fastest;
};

static const char *const alpha_names[] = {"1/8", "1/4", "1/2", "1", "2", "4", "8", NULL};
static const char *const weight_names[] = {"none", "drain", NULL};

static const struct weir_option option_table[] = {
	{
		.key = "pool",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, pool),
		.def = "64M",
		.min = 64 * 1024,
		.max = INT32_MAX,
		.doc = "what all flows of this section hold together, at most, beside 4K each",
	},
	{
		.key = "alpha",
		.type = WEIR_OPTION_ENUM,
		.offset = offsetof(struct options, alpha),
		.def = "1",
		.names = alpha_names,
		.doc = "a flow may hold so many times what is still free",
	},
	{
		.key = "weight",
		.type = WEIR_OPTION_ENUM,
		.offset = offsetof(struct options, weight),
		.def = "none",
		.names = weight_names,
		.doc = "what a flow's threshold is multiplied by: nothing, or its drain rate as a part of the fastest one",
	},
	{.key = NULL},
};

static const struct weir_pool pools[] = {
	{
		.name = "held",
		.scope = WEIR_SCOPE_INSTANCE,
		.size_offset = offsetof(struct options, pool),
		.unit_bytes = 1,
		.flags = WEIR_POOL_BRIEF,
	},
};

/* ---- the weight ---------------------------------------------------------------------------------------------------- */

/* KiB a second, at least 1. */
static uint32_t rate_of(const struct weir_view *view)
{
	uint64_t rate = view->drain_rate / 1024;

	return rate == 0 ? 1 : rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

static uint32_t milliseconds(uint64_t now)
{
	return (uint32_t)(now / MILLISECOND);
}

/* What is left of the fastest rate by now. Workers' clocks may be a little apart: what comes from ahead is new. */
static uint32_t fastest_at(uint64_t fastest, uint64_t now)
{
	uint32_t age = milliseconds(now) - (uint32_t)(fastest >> 32);
	uint32_t halvings = age < UINT32_MAX - APART ? age / HALF_LIFE : 0;

	return halvings < 32 ? (uint32_t)fastest >> halvings : 0;
}

/* In parts of WEIGHT_ONE. A flow whose rate is not known yet is taken for a fast one. */
static uint64_t weight(const struct weir_call *call, const struct weir_view *view)
{
	const struct options *options = call->options;
	struct instance *instance = call->instance;
	uint32_t fastest;
	uint64_t part;

	if (options->weight == WEIGHT_NONE || view->drain_rate == 0)
		return WEIGHT_ONE;
	fastest = fastest_at(atomic_load_explicit(&instance->fastest, memory_order_relaxed), view->now);
	if (rate_of(view) >= fastest)
		return WEIGHT_ONE;
	part = rate_of(view) * WEIGHT_ONE / fastest;
	return part < WEIGHT_LEAST ? WEIGHT_LEAST : part;
}

/* Of two workers that both have a faster one, either may win: the other comes again. */
static void fair_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct instance *instance = call->instance;
	uint64_t before;
	uint64_t after = (uint64_t)milliseconds(view->now) << 32 | rate_of(view);

	if (options->weight == WEIGHT_NONE || view->drain_rate == 0 || (event->what & WEIR_EVENT_WROTE) == 0)
		return;
	before = atomic_load_explicit(&instance->fastest, memory_order_relaxed);
	if (rate_of(view) >= fastest_at(before, view->now) && after != before)
		atomic_store_explicit(&instance->fastest, after, memory_order_relaxed);
}

/* ---- the threshold ------------------------------------------------------------------------------------------------- */

/*
 * What a flow may lease, x: alpha times what is free once it does. What is its own already or free now is x + free then, so
 * x = alpha x (leased + free) / (1 + alpha).
 */
static uint64_t threshold(const struct weir_call *call, const struct weir_view *view)
{
	const struct options *options = call->options;
	uint64_t alpha = weight(call, view) << options->alpha;

	return (view->pools[0].units + view->pools[0].free) * alpha / (ALPHA_ONE * WEIGHT_ONE + alpha);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t quantum(const struct options *options)
{
	uint64_t quarter = options->pool / 4;

	return quarter < QUANTUM_MAX ? quarter : QUANTUM_MAX;
}

/*
 * A flow that has come to its threshold reads again when there is room for a GRAIN, or half of the threshold if that is less:
 * not for each packet that its sink takes. Whenever nothing may be read, FLOOR bytes are held, so the drain that is
 * promised can come; the threshold grows with what others drain, too, but who is stopped would only hold more.
 */
static void fair_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	uint64_t leased = view->pools[0].units;
	uint64_t used = view->held > FLOOR ? view->held - FLOOR : 0;
	uint64_t may = threshold(call, view);
	uint64_t may_hold = FLOOR + leased;

	limits->used[0] = used;
	limits->want[0] = used;
	limits->grain[0] = GRAIN;
	if (may >= used + least(GRAIN, may / 2))
		limits->want[0] = least(used + quantum(options), may);
	limits->read_to = view->read + (may_hold > view->held ? may_hold - view->held : 0);
	if (limits->want[0] > leased)
		limits->promises |= WEIR_PROMISE_LEASE;
	if (view->held > 0)
		limits->promises |= WEIR_PROMISE_DRAIN;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "fair",
	.summary = "let each flow hold a multiple of what is still free, so that hogs share and newcomers find room",
	.options = option_table,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.instance_size = sizeof(struct instance),
	.ask = fair_ask,
	.event = fair_event,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
