/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watermark - a flow that holds `high` bytes reads no more until it holds less than `low`.
 *
 * The oldest backpressure scheme there is. The gap between the marks is what keeps a flow from pausing and resuming
 * with every packet: once paused it sleeps until the sink has taken at least high - low bytes.
 *
 * Netty's channels do the same with 64K and 32K, and stop when they hold more than high, so that they overrun it by up
 * to one write. Here held never exceeds high: each read is cut to what is left. With Netty's numbers reads are
 * therefore short as soon as a little is held; the defaults leave room for a full-size one.
 *
 * Flows may share the marks, by session, client or listener. Then `high` bytes are a pool, in which a flow leases what
 * it holds; when it has run short, nobody is served before less than `low` is held. Beside that each flow has FLOOR bytes
 * that nobody can take: else the two directions of a session could wait for each other. A group holds at most high, and
 * FLOOR for each of its flows.
 */
#include <inttypes.h>
#include <stdio.h>

#include "weir/policy.h"

#define FLOOR 4096 /* bytes: as much of weir's memory as each flow owns, too */
#define GRAIN (16 * 1024)
#define QUANTUM_MAX (256 * 1024)

struct options {
	uint64_t high;  /* bytes */
	uint64_t low;   /* bytes */
	uint32_t scope; /* index into scopes */
};

enum { SCOPE_FLOW };

struct flow {
	uint32_t paused;
};

static const char *const scope_names[] = {"flow", "session", "client", "listener", NULL};
static const uint32_t scopes[] = {WEIR_SCOPE_NONE, WEIR_SCOPE_SESSION, WEIR_SCOPE_CLIENT, WEIR_SCOPE_LISTENER};

static const struct weir_option option_table[] = {
	{
		.key = "high",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, high),
		.def = "256K",
		.min = 1,
		.max = 1 << 30,
		.doc = "a flow that holds so much reads no more; it never holds more than that",
	},
	{
		.key = "low",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, low),
		.def = "128K",
		.min = 1,
		.max = 1 << 30,
		.doc = "a paused flow reads again when it holds less than that, which for 0 would be never",
	},
	{
		.key = "scope",
		.type = WEIR_OPTION_ENUM,
		.offset = offsetof(struct options, scope),
		.def = "flow",
		.names = scope_names,
		.doc = "who holds that together: a flow alone, or all flows of a session, a client, a listener",
	},
	{.key = NULL},
};

static const struct weir_pool pools[] = {
	{
		.name = "held",
		.scope = WEIR_SCOPE_OPTION,
		.size_offset = offsetof(struct options, high),
		.flags = WEIR_POOL_BRIEF | WEIR_POOL_LOW,
		.low_offset = offsetof(struct options, low),
		.scope_offset = offsetof(struct options, scope),
		.scopes = scopes,
	},
};

/* Sizes as the user writes them, as far as they are whole kilobytes. */
#define SIZE "%" PRIu64 "%s"
#define SIZE_OF(bytes) (bytes) % 1024 == 0 ? (bytes) / 1024 : (bytes), (bytes) % 1024 == 0 ? "K" : ""

static int watermark_check(const void *any_options, char *error, size_t error_size)
{
	const struct options *options = any_options;

	if (options->low <= options->high)
		return 0;
	snprintf(error, error_size, "low = " SIZE " is above high = " SIZE "; expected low <= high",
		SIZE_OF(options->low), SIZE_OF(options->high));
	return -1;
}

/* What counts of the bytes that a flow holds. */
static uint64_t used(const struct options *options, const struct weir_view *view)
{
	uint64_t floor = options->scope == SCOPE_FLOW ? 0 : FLOOR;

	return view->held > floor ? view->held - floor : 0;
}

/*
 * What a flow leases beyond what it has used, it may read now: a good part of what there is, so that reads are large, but
 * not all, so that others find something, too. An offset, and no ceiling: what drains meanwhile is not this flow's alone.
 */
static void ask_group(const struct options *options, const struct weir_view *view, struct weir_limits *limits)
{
	uint64_t quantum = options->high / 4;
	uint64_t may_hold = FLOOR + view->pools[0].units;

	if (quantum < GRAIN)
		quantum = GRAIN;
	if (quantum > QUANTUM_MAX)
		quantum = QUANTUM_MAX;
	limits->grain[0] = GRAIN;
	limits->want[0] = limits->used[0] + quantum;
	if (limits->want[0] > options->high)
		limits->want[0] = options->high;
	limits->read_to = view->read + (may_hold > view->held ? may_hold - view->held : 0);
	limits->promises |= WEIR_PROMISE_LEASE;
}

/*
 * A pause ends below low, also before event() has heard of it: nothing is forbidden to a flow that holds nothing, which
 * could wait for ever. Whenever reading is limited to nothing, held is at least low or high, both more than 0, or FLOOR;
 * so the drain that is promised can come.
 */
static void watermark_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct flow *flow = call->flow;

	limits->used[0] = used(options, view);
	if (view->held > 0)
		limits->promises |= WEIR_PROMISE_DRAIN;
	if (flow->paused && limits->used[0] >= options->low)
		limits->read_to = view->read;
	else if (options->scope == SCOPE_FLOW)
		limits->held_max = options->high;
	else
		ask_group(options, view, limits);
}

/* Both marks are looked at after every change: a flow between them stays what it was. Nobody else's drain ends the pause of
   a flow that holds all that its group may. */
static void watermark_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;

	(void)event;
	if (used(options, view) >= options->high)
		flow->paused = 1;
	else if (used(options, view) < options->low)
		flow->paused = 0;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "watermark",
	.summary = "pause a flow that holds too much, until it holds little",
	.options = option_table,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.flow_size = sizeof(struct flow),
	.check = watermark_check,
	.ask = watermark_ask,
	.event = watermark_event,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
