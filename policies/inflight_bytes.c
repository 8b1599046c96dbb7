/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight_bytes - bytes in flight: read from the source, and not acknowledged by the sink's host.
 *
 *     source --> [ held ] --> [ sink's socket: not acknowledged ] --> sink's host
 *                |<--------- read - acked <= every lease --------->|
 *
 * What is leased is used up by reading and comes back with acknowledgements, whatever else becomes of the flow.
 */
#include "inflight.h"

#define GRAIN (16 * 1024)        /* bytes worth a read */
#define QUANTUM_MAX (256 * 1024) /* what a turn reads */
#define SUCCESS (64 * 1024)      /* bytes acknowledged that count as one; the window is in such, too */

static bool concerns(const struct options *options, const struct weir_view *view)
{
	return options->direction == DIRECTION_BOTH ||
		(options->direction == DIRECTION_UP) == (view->direction == WEIR_UP);
}

/* What this flow may have in flight, whatever the others have. */
static uint64_t most_of(const struct weir_call *call, uint32_t direction)
{
	const struct options *options = call->options;
	const struct session *session = call->session;

	if (!options->slow_start)
		return cap_smallest(options);
	return least(cap_smallest(options), session->windows[direction].size * SUCCESS);
}

/* A good part of what there is, so that reads are large; of what others share not all, so that they find something. */
static uint64_t quantum(const struct options *options)
{
	uint64_t units = least(options->per_session, least(options->per_upstream / 4, options->total / 4));

	return least(units > GRAIN ? units : GRAIN, QUANTUM_MAX);
}

/*
 * What is acknowledged counts from the event that tells of it, at the end of a turn. Then it goes back, if others wait, and
 * the flow queues behind them; before, a flow that uses up a cap would go on with it for ever, and nobody else.
 */
static uint64_t in_flight(const struct weir_call *call, const struct weir_view *view)
{
	const struct flow *flow = call->flow;

	return view->read - flow->acked;
}

/*
 * Nobody reads without a lease for it. A flow that may not read either has something in flight, which drains, or is held,
 * or is acknowledged; or it has nothing, and then it wants a lease.
 */
static void ask_more(const struct weir_call *call, const struct weir_view *view, uint64_t used,
	struct weir_limits *limits)
{
	const struct options *options = call->options;
	uint64_t most = most_of(call, view->direction);
	uint64_t want = least(used + quantum(options), most);

	limits->read_to = view->read - used + least(cap_leased(options, view), most);
	if (view->held >= options->queue)
		return; /* no use for more */
	if (want > used)
		cap_want(options, want, least(GRAIN, most / 2), limits);
	if (limits->read_to <= view->read && view->waited > 0) /* an idle flow needs no timer */
		wait_ask(call, view, limits);
}

void bytes_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct session *session = call->session;
	uint64_t used = in_flight(call, view);

	limits->held_max = options->queue;
	limits->promises = (view->held > 0 ? WEIR_PROMISE_DRAIN : 0) |
		(view->acked < view->written ? WEIR_PROMISE_ACKED : 0);
	if (!concerns(options, view))
		return;
	cap_use(options, used, limits);
	if (view->ended)
		return;
	if (options->slow_start)
		limits->ask_at = window_deadline(&session->windows[view->direction], options->congested_after);
	ask_more(call, view, used, limits);
}

static void judge_window(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct session *session = call->session;
	struct window *window = &session->windows[view->direction];
	struct flow *flow = call->flow;

	if (event->acked > 0) {
		flow->rest += event->acked;
		window_succeed(window, flow->rest / SUCCESS, (cap_smallest(options) + SUCCESS - 1) / SUCCESS,
			view->now);
		flow->rest %= SUCCESS;
	}
	window_busy(window, in_flight(call, view) > 0, view->now);
	if (window_judge(window, options->congested_after, view->now))
		call->host->count(call, COUNTER_CONGESTED, 1);
}

void bytes_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;
	struct flow *flow = call->flow;

	if (!concerns(options, view))
		return;
	flow->acked = view->acked;
	if (event->read > 0)
		flow->moved_at = view->now;
	if (options->slow_start)
		judge_window(call, view, event);
	if (!view->ended && view->held < options->queue)
		wait_judge(call, view, view->direction == WEIR_UP ? "bytes up" : "bytes down", in_flight(call, view));
}
