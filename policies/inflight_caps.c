/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight_caps - what a flow has of the caps, and how long it waits for more.
 */
#include <inttypes.h>
#include <stdio.h>

#include "inflight.h"

uint64_t cap_size(const struct options *options, unsigned cap)
{
	switch (cap) {
	case CAP_SESSION:
		return options->per_session;
	case CAP_UPSTREAM:
		return options->per_upstream;
	default:
		return options->total;
	}
}

uint64_t cap_smallest(const struct options *options)
{
	return least(options->per_session, least(options->per_upstream, options->total));
}

uint64_t cap_leased(const struct options *options, const struct weir_view *view)
{
	uint64_t leased = UINT64_MAX;

	for (unsigned cap = 0; cap < CAPS; cap++)
		if (cap_size(options, cap) != UINT64_MAX)
			leased = least(leased, view->pools[cap].units);
	return leased;
}

void cap_use(const struct options *options, uint64_t used, struct weir_limits *limits)
{
	for (unsigned cap = 0; cap < CAPS; cap++)
		if (cap_size(options, cap) != UINT64_MAX)
			limits->used[cap] = limits->want[cap] = used;
}

void cap_return(const struct options *options, const struct weir_view *view, uint64_t units, struct weir_limits *limits)
{
	for (unsigned cap = 0; cap < CAPS; cap++)
		if (cap_size(options, cap) != UINT64_MAX && view->pools[cap].units > limits->used[cap] + units)
			limits->want[cap] = view->pools[cap].units - units;
}

void cap_want(const struct options *options, uint64_t want, uint64_t grain, struct weir_limits *limits)
{
	for (unsigned cap = 0; cap < CAPS; cap++) {
		if (cap_size(options, cap) == UINT64_MAX)
			continue;
		limits->want[cap] = want;
		limits->grain[cap] = grain;
	}
	limits->promises |= WEIR_PROMISE_LEASE;
}

/* ---- waiting ------------------------------------------------------------------------------------------------------- */

/*
 * weir sees a wait where turn after turn ends with a limit of nothing, even if each of them moves something. When one begins it
 * has been asked already; but a flow whose acknowledgements are looked for gets another turn some ms later.
 */
static uint64_t wait_begin(const struct flow *flow, const struct weir_view *view)
{
	uint64_t begin = view->now - view->waited;

	return begin > flow->moved_at ? begin : flow->moved_at;
}

void wait_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct flow *flow = call->flow;
	uint64_t begin = view->waited > 0 ? wait_begin(flow, view) : view->now;

	if (options->timeout != UINT64_MAX && flow->told_at <= begin)
		limits->ask_at = least(limits->ask_at, begin + options->timeout);
}

static void act(const struct weir_call *call, const char *text)
{
	const struct options *options = call->options;

	call->host->count(call, COUNTER_TIMEOUTS, 1);
	if (options->on_timeout == TIMEOUT_LOG)
		call->host->log(call, WEIR_LOG_WARNING, text);
	else
		call->host->end(call, options->on_timeout == TIMEOUT_CLOSE ? WEIR_END_CLOSE : WEIR_END_RESET, text);
}

void wait_judge(const struct weir_call *call, const struct weir_view *view, const char *what, uint64_t in_flight)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;
	uint64_t begin = wait_begin(flow, view);
	uint64_t ms = (view->now - begin) / 1000000;
	char text[128];

	if (view->waited == 0 || flow->told_at > begin || view->now - begin < options->timeout)
		return;
	flow->told_at = view->now;
	snprintf(text, sizeof(text),
		"session %" PRIu32 ".%" PRIu32 ".%" PRIu32 ": %s waited for %" PRIu64 ".%03us, with %" PRIu64
		" in flight",
		call->ref.worker, call->ref.slot, call->ref.generation, what, ms / 1000, (unsigned)(ms % 1000),
		in_flight);
	act(call, text);
}
