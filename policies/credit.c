/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * credit - segments of a pool: each flow owns an exclusive share, and borrows floating ones for its backlog.
 *
 * A flow reads only into segments that it has, so a slow sink costs at most `max` of them, and nothing that others own: its
 * flow stops, and no other does. The exclusive share is leased when a session is accepted, and the flow's as long as it
 * lives. Floating segments are wanted for what waits to be read, handed out first in, first out, one at a time, and go back
 * as soon as they are empty and the source has nothing more, or others wait.
 *
 * Flink's channels do this, and have its numbers. There the receiver tells the sender how many buffers it may send, and
 * each brings its sender's backlog; here the receive window says the one, and the bytes in the receive queue the other.
 * There floating buffers are shared by the channels of a gate; here by all flows of the section, on all workers. As there, a
 * segment is free only when all of it has left: a flow that was stopped goes on with a whole one, not with a few bytes.
 */
#include <inttypes.h>
#include <stdio.h>

#include "weir/policy.h"

struct options {
	uint64_t pool;      /* bytes */
	uint64_t segment;   /* bytes; the rest are segments */
	uint64_t exclusive; /* each flow's own */
	uint64_t floating;  /* borrowed beside them */
	uint64_t max;       /* of both */
};

static const struct weir_option option_table[] = {
	{
		.key = "pool",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, pool),
		.def = "64M",
		.min = 4096,
		.max = UINT64_C(1) << 40,
		.doc = "what all flows of this section hold together, at most",
	},
	{
		.key = "segment",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, segment),
		.def = "32K",
		.min = 1024,
		.max = 1 << 30,
		.doc = "the unit in which it is handed out",
	},
	{
		.key = "exclusive",
		.type = WEIR_OPTION_COUNT,
		.offset = offsetof(struct options, exclusive),
		.def = "2",
		.min = 1,
		.max = 65536,
		.doc = "segments that each flow owns as long as it lives; a session is accepted when both its flows have theirs",
	},
	{
		.key = "floating",
		.type = WEIR_OPTION_COUNT,
		.offset = offsetof(struct options, floating),
		.def = "8",
		.min = 0,
		.max = 65536,
		.doc = "segments that a flow may borrow beside its own",
	},
	{
		.key = "max",
		.type = WEIR_OPTION_COUNT,
		.offset = offsetof(struct options, max),
		.def = "10",
		.min = 1,
		.max = 131072,
		.doc = "segments that a flow may have in all",
	},
	{.key = NULL},
};

static const struct weir_pool pools[] = {
	{
		.name = "segments",
		.scope = WEIR_SCOPE_INSTANCE,
		.size_offset = offsetof(struct options, pool),
		.flags = WEIR_POOL_FLOOR | WEIR_POOL_SEGMENTS | WEIR_POOL_BRIEF,
		.floor_offset = offsetof(struct options, exclusive),
		.unit_offset = offsetof(struct options, segment),
	},
};

/* That the pool has room for one session's share is weir's to check. */
static int credit_check(const void *any_options, char *error, size_t error_size)
{
	const struct options *options = any_options;

	if (options->max >= options->exclusive)
		return 0;
	snprintf(error, error_size, "max = %" PRIu64 " is less than exclusive = %" PRIu64 "; expected max >= exclusive",
		options->max, options->exclusive);
	return -1;
}

/* How many segments so many bytes need. */
static uint64_t segments(uint64_t bytes, uint64_t segment)
{
	return bytes == 0 ? 0 : (bytes - 1) / segment + 1;
}

/* As many as a flow may have. */
static uint64_t most(const struct options *options)
{
	uint64_t fit = options->pool / options->segment;
	uint64_t both = options->exclusive + options->floating;
	uint64_t least = both < options->max ? both : options->max;

	return least < fit ? least : fit;
}

/*
 * Beside what it holds, a flow wants room for its backlog and for as much as its own share again, or it could never find out
 * that there is more. When every segment it has is in use it is stopped, and holds something, which drains: nothing is ever
 * forbidden to a flow that holds nothing, since exclusive is at least 1.
 */
static void credit_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	uint64_t leased = view->pools[0].units;
	uint64_t used = segments(view->held, options->segment);
	uint64_t want = used + segments(view->unread, options->segment) + options->exclusive;

	if (want > most(options))
		want = most(options);
	limits->used[0] = used;
	limits->want[0] = want;
	limits->held_max = leased * options->segment;
	if (leased <= used)
		limits->read_to = view->read;
	if (want > leased)
		limits->promises |= WEIR_PROMISE_LEASE;
	if (view->held > 0)
		limits->promises |= WEIR_PROMISE_DRAIN;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "credit",
	.summary = "hand out segments of a pool, so that a slow flow stops only itself",
	.options = option_table,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.needs = WEIR_NEED_UNREAD,
	.check = credit_check,
	.ask = credit_ask,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
