/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scanner - writes on whole lines only, and what is left when the source ends.
 */
#include <weir/policy.h>

#define LINE_MAX_HELD 65536 /* bytes; a longer line passes as it comes */

struct flow {
	uint64_t seen;  /* bytes that scan() was shown */
	uint64_t whole; /* of these, up to and with the last end of a line */
};

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct flow *flow = (const struct flow *)call->flow;

	limits->held_max = LINE_MAX_HELD;
	limits->promises = WEIR_PROMISE_DRAIN;
	if (view->ended != 0 || view->held >= LINE_MAX_HELD)
		return;
	limits->write_to = flow->whole;
	limits->promises |= WEIR_PROMISE_SOURCE;
}

/* A line may come in several pieces: all of them are consumed, and only the end of the last line is kept in mind. */
static size_t scan(const struct weir_call *call, const void *bytes, size_t length)
{
	struct flow *flow = (struct flow *)call->flow;
	const char *text = (const char *)bytes;

	for (size_t i = 0; i < length; i++) {
		flow->seen++;
		if (text[i] == '\n')
			flow->whole = flow->seen;
	}
	return length;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "scanner",
	.summary = "passes whole lines",
	.flow_size = sizeof(struct flow),
	.needs = WEIR_NEED_SCAN,
	.ask = ask,
	.scan = scan,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
