/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demand - the sink asks for so many chunks, and asks for more as they are done with.
 *
 *     source -> [ queue ] -> emitted -> [ writes under way ] -> completed -> sink
 *                  requested - emitted: demand left      requested - completed: at most prefetch
 *
 * Reactor's backpressure, as Reactor Netty has it between a connection that is read and one that is written:
 *
 * - MonoSendMany, the sending side, requests `prefetch` = 128 chunks. Each write that completes takes one off; as soon
 *   as no more than `refill` = 64 are left, it requests as many as make it 128 again. The flow does the same in
 *   complete(): a chunk is complete when the sink's socket has taken its last byte.
 * - FluxReceive, the receiving side, queues what is read, emits as much of it as is requested, and goes on reading as
 *   long as demand is left, or when it emitted something and fewer than 32 chunks lie queued. A drain that finds nothing
 *   requested emits nothing, and stops the reading. It comes back with a drain that emits: drain(), line by line.
 *
 * What differs: a chunk is a read, here of up to 256K, in Netty of 64 bytes to 64K. FluxReceive drains after each read
 * and so stops behind the first that nobody asked for; a policy hears once a turn of all its reads, so a turn may read
 * up to `queue` beyond what was asked for, and is one drain. Of the reads of one turn only the sum is known: they count
 * as equally large. Unbounded demand, request(Long.MAX_VALUE), is no backpressure: leave the policy out. And chunks are
 * no bytes: 128 of them may be 128 bytes or 32 MiB, so there is a bound in bytes beside it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "weir/policy.h"

#define RING 512 /* chunks that are not complete: at most prefetch + queue */

struct options {
	uint64_t prefetch; /* chunks; so are the next */
	uint64_t refill;
	uint64_t queue;
	uint64_t bytes;
};

/* Counts of chunks are of all that ever were. */
struct flow {
	uint64_t received;
	uint64_t requested;
	uint64_t emitted;
	uint64_t completed;
	uint64_t complete_to; /* offset at which the last complete chunk ends */
	uint32_t auto_read;
	uint32_t length[RING]; /* of chunk i, at i % RING: of those from completed to received */
};

static const struct weir_option option_table[] = {
	{
		.key = "prefetch",
		.type = WEIR_OPTION_COUNT,
		.offset = offsetof(struct options, prefetch),
		.def = "128",
		.min = 1,
		.max = 256,
		.doc = "chunks that may be under way; a chunk is what one read brings",
	},
	{
		.key = "refill",
		.type = WEIR_OPTION_COUNT,
		.offset = offsetof(struct options, refill),
		.def = "64",
		.min = 0,
		.max = 255,
		.doc = "more are asked for when so many, or fewer, are left of them",
	},
	{
		.key = "queue",
		.type = WEIR_OPTION_COUNT,
		.offset = offsetof(struct options, queue),
		.def = "32",
		.min = 1,
		.max = 256,
		.doc = "so many chunks may be read beyond what was asked for, and then no more until some are asked for",
	},
	{
		.key = "bytes",
		.type = WEIR_OPTION_SIZE,
		.offset = offsetof(struct options, bytes),
		.def = "1M",
		.min = 4 << 10,
		.max = 1 << 30,
		.doc = "however many chunks these are, a flow holds at most so much",
	},
	{.key = NULL},
};

static int demand_check(const void *any_options, char *error, size_t error_size)
{
	const struct options *options = any_options;

	if (options->refill < options->prefetch)
		return 0;
	snprintf(error, error_size,
		"refill = %" PRIu64 " is not below prefetch = %" PRIu64 "; expected refill < prefetch", options->refill,
		options->prefetch);
	return -1;
}

static int demand_open(const struct weir_call *call)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;

	flow->requested = options->prefetch;
	flow->auto_read = 1;
	return 0;
}

/* FluxReceive.drainReceiver(): the queue is what was received and not emitted. */
static void drain(struct flow *flow, const struct options *options)
{
	uint64_t demand = flow->requested - flow->emitted;
	uint64_t queued = flow->received - flow->emitted;
	uint64_t emits = demand < queued ? demand : queued;

	flow->emitted += emits;
	flow->auto_read = demand - emits > 0 || (emits > 0 && queued - emits < options->queue);
}

static uint64_t next_end(const struct flow *flow)
{
	return flow->complete_to + flow->length[flow->completed % RING];
}

/* MonoSendMany.trySuccess(), for the oldest chunk. */
static void complete(struct flow *flow, const struct options *options)
{
	flow->complete_to = next_end(flow);
	flow->completed++;
	if (flow->requested > flow->completed + options->refill)
		return;
	flow->requested = flow->completed + options->prefetch;
	drain(flow, options);
}

/* FluxReceive.onInboundNext(), for bytes that came in so many reads. A ring that is full makes room: better a wrong count
   than none. */
static void receive(struct flow *flow, const struct options *options, uint64_t chunks, uint64_t bytes)
{
	for (; chunks > 0; chunks--) {
		if (flow->received - flow->completed == RING)
			complete(flow, options);
		flow->length[flow->received++ % RING] = (uint32_t)(bytes / chunks);
		bytes -= bytes / chunks;
	}
	drain(flow, options);
}

/*
 * Who is not to read holds at least what nobody has asked for, and all of it will be complete when that is drained: the
 * promise holds. Only an ask in the middle of a turn may find that nothing is held before event() has heard of it.
 */
static void demand_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct flow *flow = call->flow;

	limits->held_max = options->bytes;
	limits->chunks_to = flow->auto_read ? flow->requested + options->queue : view->chunks;
	if (view->held > 0)
		limits->promises = WEIR_PROMISE_DRAIN;
	else if (limits->chunks_to <= view->chunks)
		limits->chunks_to = view->chunks + 1;
}

static void demand_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;

	if (view->chunks > flow->received)
		receive(flow, options, view->chunks - flow->received, event->read);
	while (flow->completed < flow->received && next_end(flow) <= view->written)
		complete(flow, options);
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "demand",
	.summary = "the sink asks for so many chunks at a time",
	.options = option_table,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.flow_size = sizeof(struct flow),
	.check = demand_check,
	.open = demand_open,
	.ask = demand_ask,
	.event = demand_event,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
