/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_sample - when to look, and looking.
 */
#include "flow_sample.h"

#include "least.h"

#define MIN (UINT64_C(1) * 1000000)    /* ns between samples, at least */
#define LAX (UINT64_C(50) * 1000000)   /* ns, while they make no difference */
#define MAX (UINT64_C(1000) * 1000000) /* ns, at most */
#define SAMPLED (WEIR_NEED_ACKED | WEIR_NEED_UNREAD | WEIR_NEED_RTT)

static uint32_t needs_of(const struct flow *flow)
{
	return flow->standing.owner->stack->needs;
}

size_t flow_sample_room(const struct stack *stack)
{
	return (stack->needs & SAMPLED) != 0 ? sizeof(struct flow_samples) : 0;
}

/* Whether they may decide what happens next. Who splices learns of what is left to read from them alone. */
static bool is_pressed(const struct flow *flow)
{
	return flow->meter.paused != 0 || (flow->bulk && (needs_of(flow) & WEIR_NEED_UNREAD) != 0) ||
		standing_is_crowded(&flow->standing);
}

static uint64_t interval(const struct flow *flow)
{
	uint64_t paced = flow->samples->interval;

	return is_pressed(flow) || paced > LAX ? paced : LAX;
}

/* About half a round trip apart, because nobody is told when bytes are acknowledged; rarer while nothing changes. */
static void pace(struct flow_samples *samples, bool changed)
{
	uint64_t next = changed ? samples->rtt / 2 : samples->interval * 2;

	if (next < MIN)
		next = MIN;
	samples->interval = least(next, MAX);
}

static bool sample_source(struct flow *flow)
{
	uint64_t before = flow->samples->unread;
	struct endpoint_sample taken;

	endpoint_sample(flow->source, ENDPOINT_UNREAD, &taken);
	flow->samples->unread = taken.unread;
	return taken.unread != before;
}

static bool sample_sink(struct flow *flow)
{
	uint64_t before = flow->acked;
	uint64_t acked;
	struct endpoint_sample taken;
	bool rtt = (needs_of(flow) & WEIR_NEED_RTT) != 0;

	endpoint_sample(flow->sink, ENDPOINT_QUEUED | (rtt ? ENDPOINT_RTT : 0), &taken);
	flow->samples->rtt = taken.rtt;
	acked = flow->written > taken.queued ? flow->written - taken.queued : 0;
	if (acked > flow->acked)
		flow->acked = acked;
	return flow->acked != before;
}

void flow_sample(struct flow *flow, bool anyway, uint64_t now)
{
	struct flow_samples *samples = flow->samples;
	bool changed = false;

	if (samples == NULL) {
		flow->acked = flow->written;
		return;
	}
	if (!anyway && samples->taken_at != 0 && now < samples->taken_at + interval(flow))
		return;
	samples->taken_at = now;
	if ((needs_of(flow) & WEIR_NEED_UNREAD) != 0)
		changed = sample_source(flow);
	if ((needs_of(flow) & (WEIR_NEED_ACKED | WEIR_NEED_RTT)) != 0)
		changed |= sample_sink(flow);
	pace(samples, changed);
}

bool flow_sample_late(struct flow *flow, uint64_t now)
{
	struct flow_samples *samples = flow->samples;

	if (samples == NULL || flow->meter.paused == 0 || flow->acked == flow->written || now < samples->taken_at + MIN)
		return false;
	samples->interval = MIN;
	return true;
}

/*
 * What is out may be acknowledged at any time. While nothing is, a limit that keeps bytes waiting may still depend on time: it
 * is looked at the rarer, the longer it has lasted already.
 */
uint64_t flow_sample_at(const struct flow *flow)
{
	const struct flow_samples *samples = flow->samples;
	uint64_t lasts;

	if (samples == NULL)
		return WEIR_NEVER;
	if (flow->acked < flow->written)
		return samples->taken_at + interval(flow);
	if (flow->meter.paused == 0 || (needs_of(flow) & (WEIR_NEED_ACKED | WEIR_NEED_RTT)) == 0)
		return WEIR_NEVER;
	lasts = least(meter_newest(&flow->meter, samples->taken_at), MAX);
	return samples->taken_at + (lasts > MIN ? lasts : MIN);
}
