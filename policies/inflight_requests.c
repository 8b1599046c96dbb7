/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight_requests - requests in flight: let pass to the server, and not answered.
 *
 *     client --> [ read | waiting ] -- a lease each --> server
 *     client <------------------------------- answer -- server      frees the lease, and wakes the flow up
 *
 * The flow up is scanned as far as requests may pass; what follows waits unconsumed, so nothing of it is written, and no
 * more is read behind it. All leases are the flow up's. The flow down is only watched.
 */
#include <stdio.h>

#include "inflight.h"

#define BATCH 16 /* requests that a flow asks room for at once */

static struct window *window_of(const struct weir_call *call)
{
	struct session *session = call->session;

	return &session->windows[WEIR_UP];
}

static uint64_t most_of(const struct weir_call *call)
{
	const struct options *options = call->options;

	return options->slow_start ? least(cap_smallest(options), window_of(call)->size) : cap_smallest(options);
}

/* ---- what is asked -------------------------------------------------------------------------------------------------- */

/* Nothing passes behind what has been scanned, and nothing is read behind that. */
static void hold_back(const struct weir_view *view, struct weir_limits *limits)
{
	limits->read_to = view->read;
	limits->write_to = view->scanned;
}

/*
 * A request that waits goes on with a lease; if the session has used up what it may have, with an answer of its own, which
 * wakes the flow up, also when it has come already. What that sets free goes back first, and the session queues behind those
 * who wait: else one that always has requests would go on with it for ever, and nobody else.
 */
static void ask_waiting(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct session *session = call->session;
	uint64_t want = least(session->in_flight + BATCH, most_of(call));

	hold_back(view, limits);
	limits->promises = session->in_flight > 0 || session->answered > 0 ? WEIR_PROMISE_WAKE : 0;
	if (session->answered > 0)
		cap_return(call->options, view, session->answered, limits);
	else if (want > session->in_flight)
		cap_want(call->options, want, 1, limits);
	wait_ask(call, view, limits);
}

void requests_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;
	const struct session *session = call->session;

	limits->held_max = options->queue;
	limits->for_writing = (UINT32_C(1) << CAPS) - 1;
	if (view->held > 0)
		limits->promises = WEIR_PROMISE_DRAIN;
	if (session->counting == REFUSED) {
		hold_back(view, limits);
		limits->promises = WEIR_PROMISE_WAKE; /* the session is about to end */
	}
	if (session->counting != COUNTED || view->direction == WEIR_DOWN)
		return;
	cap_use(options, session->in_flight, limits);
	if (options->slow_start && !(view->ended && !session->waiting))
		limits->ask_at = window_deadline(window_of(call), options->congested_after);
	if (session->waiting)
		ask_waiting(call, view, limits);
}

/* ---- what cannot be counted ------------------------------------------------------------------------------------------ */

static void wake_up(const struct weir_call *call)
{
	struct weir_ref ref = call->ref;

	ref.direction = WEIR_UP;
	call->host->wake(&ref);
}

static void stop_counting(const struct weir_call *call, enum counting how)
{
	struct session *session = call->session;

	session->counting = (uint32_t)how;
	session->in_flight = 0;
	session->waiting = false;
	window_busy(window_of(call), false, 0);
	if (call->ref.direction == WEIR_DOWN)
		wake_up(call);
}

/* Whether nobody has said so of this ini section. The texts are constants: where they lie is what they are. */
static bool is_news(struct instance *instance, const char *why)
{
	for (unsigned i = 0; i < REASONS; i++) {
		const char *told = NULL;

		if (atomic_compare_exchange_strong(&instance->told[i], &told, why))
			return true;
		if (told == why)
			return false;
	}
	return false;
}

static void lose(const struct weir_call *call)
{
	const struct options *options = call->options;
	const struct session *session = call->session;
	const char *why = framing_why(&session->framing);
	char text[128];

	stop_counting(call, options->on_error == ERROR_CLOSE ? REFUSED : UNCOUNTED);
	call->host->count(call, COUNTER_UNCOUNTED, 1);
	if (options->on_error == ERROR_CLOSE) {
		snprintf(text, sizeof(text), "requests cannot be matched: %s", why);
		call->host->end(call, WEIR_END_CLOSE, text);
	} else if (is_news(call->instance, why)) {
		snprintf(text, sizeof(text),
			"%s: requests cannot be matched; not counting such sessions, and not "
			"telling of that again",
			why);
		call->host->log(call, WEIR_LOG_WARNING, text);
	}
}

/* ---- what is seen ----------------------------------------------------------------------------------------------------- */

static void let_pass(const struct weir_call *call)
{
	struct session *session = call->session;
	struct flow *flow = call->flow;

	framing_admit(&session->framing);
	session->in_flight++;
	flow->moved_at = call->view->now;
	window_busy(window_of(call), true, call->view->now);
}

/* One request less. */
static void settle(const struct weir_call *call)
{
	struct session *session = call->session;

	if (session->in_flight > 0)
		session->in_flight--;
	window_busy(window_of(call), session->in_flight > 0, call->view->now);
}

static bool may_pass(const struct weir_call *call)
{
	const struct session *session = call->session;

	return session->in_flight < least(cap_leased(call->options, call->view), most_of(call));
}

static size_t scan_up(const struct weir_call *call, const unsigned char *bytes, size_t length)
{
	struct session *session = call->session;
	size_t done = 0;

	session->waiting = false;
	session->answered = 0;
	while (session->counting == COUNTED) {
		enum framing_mark mark;

		done += framing_up(&session->framing, bytes + done, length - done, &mark);
		if (mark == FRAMING_NONE)
			break;
		if (mark == FRAMING_LOST) {
			lose(call);
		} else if (mark == FRAMING_CANCEL) {
			settle(call);
		} else if (may_pass(call)) {
			let_pass(call);
		} else {
			session->waiting = true;
			break;
		}
	}
	return done;
}

static void answer(const struct weir_call *call)
{
	const struct options *options = call->options;
	struct session *session = call->session;

	window_succeed(window_of(call), 1, cap_smallest(options), call->view->now);
	settle(call);
	session->answered++;
}

static size_t scan_down(const struct weir_call *call, const unsigned char *bytes, size_t length)
{
	struct session *session = call->session;
	uint64_t before = session->in_flight;
	size_t done = 0;

	while (session->counting == COUNTED) {
		enum framing_mark mark;

		done += framing_down(&session->framing, bytes + done, length - done, &mark);
		if (mark == FRAMING_NONE)
			break;
		if (mark == FRAMING_LOST)
			lose(call);
		else if (mark == FRAMING_ANSWER)
			answer(call);
	}
	if (session->in_flight < before)
		wake_up(call);
	return done;
}

size_t requests_scan(const struct weir_call *call, const void *bytes, size_t length)
{
	const struct session *session = call->session;
	size_t done = call->ref.direction == WEIR_UP ? scan_up(call, bytes, length) : scan_down(call, bytes, length);

	return session->counting == UNCOUNTED ? length : done;
}

/* Behind the end of the server's stream nothing is answered any more: what is in flight is so for ever. */
static void event_down(const struct weir_call *call, const struct weir_view *view)
{
	const struct session *session = call->session;

	if (view->ended && view->scanned == view->read && session->counting == COUNTED)
		stop_counting(call, UNCOUNTED);
}

void requests_event(const struct weir_call *call, const struct weir_view *view)
{
	const struct options *options = call->options;
	const struct session *session = call->session;

	if (view->direction == WEIR_DOWN) {
		event_down(call, view);
		return;
	}
	if (options->slow_start && window_judge(window_of(call), options->congested_after, view->now))
		call->host->count(call, COUNTER_CONGESTED, 1);
	if (session->waiting)
		wait_judge(call, view, "a request", session->in_flight);
}
