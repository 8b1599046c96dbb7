/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shape - a flow moves no more bytes a second than a token bucket gives.
 *
 *     rate --> [ bucket: at most burst ] --> quantum --> read_to, or write_to, = what was paid for + what is leased
 *
 * Each byte costs a token. A full bucket lets a burst pass at any speed; from then on bytes pass as fast as tokens come,
 * and over any time no more than burst + rate x time. Whoever finds the bucket empty queues for a quantum, some 10 ms
 * of the rate, so flows that share a bucket share its rate.
 *
 * Netty's traffic shaping works out after each read or write how long the channel must be silent to come back to the
 * rate (bytes x 1000 / limit - elapsed; nothing below 10 ms, 15 s at most), and starts anew each second. So a read of any
 * size may go before its wait, and a channel alone catches up only with what it missed within that second. Here the
 * bytes are paid before they move: nothing overshoots, and the burst is an option. Reads wait with autoRead off there,
 * with read_to here; writes are queued and delayed there, and the channel is unwritable from 4 MiB or 4 s of it on: here
 * the flow holds them, up to queue, which bounds what a slow sink leaves with it, too. Netty's channel, global and global-channel handlers are scope here: flow, and
 * instance, whose queue is fair to its flows by itself.
 */
#include <inttypes.h>
#include <stdio.h>

#include "weir/policy.h"

#define QUANTUM_MIN 1448 /* bytes: a full packet */
#define QUANTUM_MAX (256 * 1024)
#define AUTO_MIN (64 * 1024) /* of burst = auto */
#define TICKS 200 /* in a second: 5 ms. Timers are late by up to 2, and a bucket that is full by then loses tokens */

struct options {
	uint64_t rate;  /* bytes per second */
	uint64_t burst; /* bytes; UINT64_MAX: auto */
	uint64_t queue; /* bytes */
	uint32_t scope; /* index into scopes */
	uint32_t side;
	uint32_t direction;
};

struct flow {
	uint64_t paid; /* offset up to which tokens have been spent */
};

enum { SIDE_READ, SIDE_WRITE };
enum { DIRECTION_BOTH, DIRECTION_UP, DIRECTION_DOWN };

static const char *const burst_names[] = {"auto", NULL};
static const char *const scope_names[] = {"flow", "client", "listener", "instance", NULL};
static const uint32_t scopes[] = {WEIR_SCOPE_FLOW, WEIR_SCOPE_CLIENT, WEIR_SCOPE_LISTENER, WEIR_SCOPE_INSTANCE};
static const char *const side_names[] = {"read", "write", NULL};
static const char *const direction_names[] = {"both", "up", "down", NULL};

static const struct weir_option option_table[] = {
	{
		.key = "rate",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, rate),
		.min = 1 << 10,
		.max = UINT64_C(1) << 38,
		.doc = "bytes that may pass each second, in the long run",
	},
	{
		.key = "burst",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, burst),
		.def = "auto",
		.min = 1 << 10,
		.max = 1 << 30,
		.names = burst_names,
		.doc = "bytes that may pass at once after a silence; auto: 100 ms of rate, and at least 64K",
	},
	{
		.key = "scope",
		.type = WEIR_OPTION_ENUM,
		.offset = offsetof(struct options, scope),
		.def = "flow",
		.names = scope_names,
		.doc = "who draws from one bucket: each flow from its own, or all of a client, a listener, this section",
	},
	{
		.key = "side",
		.type = WEIR_OPTION_ENUM,
		.offset = offsetof(struct options, side),
		.def = "read",
		.names = side_names,
		.doc = "what is slowed down: reading from the source, or writing to the sink",
	},
	{
		.key = "direction",
		.type = WEIR_OPTION_ENUM,
		.offset = offsetof(struct options, direction),
		.def = "both",
		.names = direction_names,
		.doc = "which flows: both, up to the server only, or down to the client only",
	},
	{
		.key = "queue",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, queue),
		.def = "1M",
		.min = 4 << 10,
		.max = 1 << 30,
		.doc = "a flow holds at most so much that its sink does not take, or may not be written yet",
	},
	{.key = NULL},
};

static const struct weir_pool pools[] = {
	{
		.name = "tokens",
		.scope = WEIR_SCOPE_OPTION,
		.size_offset = offsetof(struct options, burst),
		.flags = WEIR_POOL_CONSUMED,
		.rate_offset = offsetof(struct options, rate),
		.scope_offset = offsetof(struct options, scope),
		.scopes = scopes,
	},
};

/* Sizes as the user writes them, as far as they are whole kilobytes. */
#define SIZE "%" PRIu64 "%s"
#define SIZE_OF(bytes) (bytes) % 1024 == 0 ? (bytes) / 1024 : (bytes), (bytes) % 1024 == 0 ? "K" : ""

static int shape_check(const void *any_options, char *error, size_t error_size)
{
	const struct options *options = any_options;
	uint64_t least = (options->rate / TICKS + 1023) / 1024 * 1024;

	if (options->burst >= options->rate / TICKS)
		return 0;
	snprintf(error, error_size,
		"burst = " SIZE " is less than comes in 5 ms, so rate = " SIZE " could not be reached; expected " SIZE
		" or more, or auto",
		SIZE_OF(options->burst), SIZE_OF(options->rate), SIZE_OF(least));
	return -1;
}

static int concerns(const struct options *options, const struct weir_view *view)
{
	return options->direction == DIRECTION_BOTH ||
		(options->direction == DIRECTION_UP) == (view->direction == WEIR_UP);
}

/* Of the bucket, as weir makes it. */
static uint64_t capacity(const struct options *options)
{
	uint64_t automatic = options->rate / 10;

	if (options->burst != UINT64_MAX)
		return options->burst;
	return automatic < AUTO_MIN ? AUTO_MIN : automatic;
}

/*
 * Tokens that are worth waiting for: few enough to share, enough for a read of a decent size. Half a bucket at most, or it
 * would be full whenever a timer is due, and what comes until it fires would be lost.
 */
static uint64_t quantum(const struct options *options)
{
	uint64_t units = options->rate / 100;

	if (units < QUANTUM_MIN)
		units = QUANTUM_MIN;
	if (units > QUANTUM_MAX)
		units = QUANTUM_MAX;
	return units < capacity(options) / 2 ? units : capacity(options) / 2;
}

static uint64_t moved(const struct options *options, const struct weir_view *view)
{
	return options->side == SIDE_WRITE ? view->written : view->read;
}

/*
 * Within a turn the offset runs ahead of what was paid: used is what the turn has used up so far, which stays the flow's
 * until event() spends it. A limit of nothing means that nothing is left of the lease, so more is wanted, and tokens
 * come to whoever waits: the promise holds, also for a flow that holds nothing.
 */
static void shape_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct flow *flow = call->flow;

	limits->held_max = options->queue;
	if (view->held > 0)
		limits->promises = WEIR_PROMISE_DRAIN;
	if (!concerns(options, view))
		return;
	limits->used[0] = moved(options, view) - flow->paid;
	if (options->side == SIDE_READ) {
		limits->read_to = flow->paid + view->pools[0].units;
		if (view->ended || view->held >= options->queue)
			return; /* no use for tokens any more, or not yet */
	} else {
		limits->write_to = flow->paid + view->pools[0].units;
		limits->for_writing = 1;
	}
	limits->grain[0] = quantum(options);
	limits->want[0] = limits->used[0] + limits->grain[0];
	if (limits->want[0] > capacity(options))
		limits->want[0] = capacity(options);
	limits->promises |= WEIR_PROMISE_LEASE;
}

static void shape_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;

	(void)event;
	if (!concerns(options, view) || moved(options, view) == flow->paid)
		return;
	call->host->lease_spend(call, 0, moved(options, view) - flow->paid);
	flow->paid = moved(options, view);
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "shape",
	.summary = "a token bucket: so many bytes a second, after a burst",
	.options = option_table,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.flow_size = sizeof(struct flow),
	.check = shape_check,
	.ask = shape_ask,
	.event = shape_event,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
