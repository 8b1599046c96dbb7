/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * broken_promise - after each read it lets nothing be read for a while, and does not say what will end that.
 */
#include <weir/policy.h>

#define WHILE UINT64_C(20000000) /* ns */

struct flow {
	uint64_t until;
};

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct flow *flow = (const struct flow *)call->flow;

	limits->read_to = view->now < flow->until ? view->read : view->read + 65536;
}

static void event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event_of)
{
	struct flow *flow = (struct flow *)call->flow;

	if ((event_of->what & WEIR_EVENT_READ) != 0)
		flow->until = view->now + WHILE;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "broken_promise",
	.summary = "stops without a promise",
	.flow_size = sizeof(struct flow),
	.ask = ask,
	.event = event,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
