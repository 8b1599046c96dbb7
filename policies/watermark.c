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
 */
#include <inttypes.h>
#include <stdio.h>

#include "weir/policy.h"

struct options {
	uint64_t high; /* bytes */
	uint64_t low;  /* bytes */
};

struct flow {
	uint32_t paused;
};

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
	{.key = NULL},
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

/*
 * A pause ends below low, also before event() has heard of it: nothing is forbidden to a flow that holds nothing, which
 * could wait for ever. Whenever reading is limited to nothing, held is at least low or high, both more than 0; so the drain that
 * is promised can come.
 */
static void watermark_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct flow *flow = call->flow;

	limits->held_max = options->high;
	if (flow->paused && view->held >= options->low)
		limits->read_to = view->read;
	if (view->held > 0)
		limits->promises |= WEIR_PROMISE_DRAIN;
}

/* Both marks are looked at after every change: a flow between them stays what it was. */
static void watermark_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;

	(void)event;
	if (view->held >= options->high)
		flow->paused = 1;
	else if (view->held < options->low)
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
	.flow_size = sizeof(struct flow),
	.check = watermark_check,
	.ask = watermark_ask,
	.event = watermark_event,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
