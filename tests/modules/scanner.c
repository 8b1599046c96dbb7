/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scanner - writes on whole lines only, and what is left when the source ends.
 */
#include <weir/policy.h>

#define LINE_MAX_HELD 65536 /* bytes; a longer line passes as it comes */

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	limits->held_max = LINE_MAX_HELD;
	limits->promises = WEIR_PROMISE_DRAIN;
	if (view->ended != 0 || view->held >= LINE_MAX_HELD)
		return;
	limits->write_to = view->scanned;
	limits->promises |= WEIR_PROMISE_SOURCE;
}

/* Up to and with the last end of a line. */
static size_t scan(const struct weir_call *call, const void *bytes, size_t length)
{
	const char *text = (const char *)bytes;

	(void)call;
	while (length > 0 && text[length - 1] != '\n')
		length--;
	return length;
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "scanner",
	.summary = "passes whole lines",
	.needs = WEIR_NEED_SCAN,
	.ask = ask,
	.scan = scan,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
