/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backwards - its limits jump: two times in three they lie far behind what has been read and written already.
 */
#include <weir/policy.h>

#define STEP UINT64_C(1000000) /* ns */

static uint64_t behind(uint64_t offset)
{
	return offset / 2;
}

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	limits->ask_at = (view->now / STEP + 1) * STEP;
	limits->promises = WEIR_PROMISE_TIME;
	switch (view->now / STEP % 3) {
	case 0:
		limits->read_to = behind(view->read);
		limits->write_to = view->written + 70000;
		break;
	case 1:
		limits->read_to = view->read + 100000;
		limits->write_to = behind(view->written);
		limits->held_max = 100000;
		break;
	default:
		limits->read_to = 0;
		limits->write_to = view->written + 30000;
		limits->held_max = view->held / 2;
		break;
	}
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "backwards",
	.summary = "limits that go backwards",
	.ask = ask,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
