/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight-cap - no more than so much is under way: taken from a source and not acknowledged by the sink's host, or asked of
 * a server and not answered.
 *
 *     per_session <= per_upstream <= total        each cap a pool; what is in flight is what is leased of all of them
 *
 * Celeborn's client counts push requests in flight, for each worker and in all, and a caller that finds too many waits until
 * answers have come. Of that are the caps, the timeout of the wait, and slow start (inflight_window). What differs:
 *
 * - There the check comes before the adding, so callers go one beyond the cap, each of those that check together. Here a unit
 *   is leased before the byte is read or the request let pass: the cap is exact, for all workers together.
 * - There the waiter looks every 50 ms, and whoever looks first goes first. Here what comes back wakes the first in the queue.
 * - There an exception ends the wait; here it is an option what a timeout does.
 * - There the caller knows its requests. Bytes in flight need no knowledge (inflight_bytes); for requests the framing must be
 *   named (inflight_requests, framing).
 *
 * Each direction has pools of its own, so a request never waits for an answer's bytes, nor an answer for a request's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "inflight.h"

#define LEAST_BYTES 4096                         /* of a cap: a page of held bytes */
#define LEAST_PATIENCE (UINT64_C(200) * 1000000) /* ns: acknowledgements may be delayed by so much */

static const char *const unlimited_names[] = {"unlimited", NULL};
static const char *const never_names[] = {"never", NULL};
static const char *const unit_names[] = {"bytes", "requests", NULL};
static const char *const framing_names[] = {"none", "line", "resp", "u32be", "pgsql", NULL};
static const char *const direction_names[] = {"both", "up", "down", NULL};
static const char *const timeout_names[] = {"log", "close", "reset", NULL};
static const char *const error_names[] = {"uncounted", "close", NULL};

#define AT(member) .offset = offsetof(struct options, member)
#define CAP(member, text)                                                                                              \
	.key = #member, .type = WEIR_OPTION_SIZE, AT(member), .def = "unlimited", .min = 1, .max = INT32_MAX,          \
	.names = unlimited_names, .doc = text

static const struct weir_option option_table[] = {
	{
		.key = "unit",
		.type = WEIR_OPTION_ENUM,
		AT(unit),
		.def = "bytes",
		.names = unit_names,
		.doc = "what is counted: bytes read and not acknowledged by the sink's host, or requests not answered",
	},
	{
		.key = "framing",
		.type = WEIR_OPTION_ENUM,
		AT(framing),
		.def = "none",
		.names = framing_names,
		.doc = "where requests begin and answers end; needed for requests, and only for them",
	},
	{
		.key = "direction",
		.type = WEIR_OPTION_ENUM,
		AT(direction),
		.def = "both",
		.names = direction_names,
		.doc = "whose bytes: of both flows, up to the server only, or down to the client only",
	},
	{CAP(per_session, "units in flight of one session, in each direction")},
	{CAP(per_upstream, "units in flight to one upstream, all sessions together, in each direction")},
	{CAP(total, "units in flight of all sessions of this section together, in each direction")},
	{
		.key = "queue",
		.type = WEIR_OPTION_SIZE,
		AT(queue),
		.def = "1M",
		.min = 4 << 10,
		.max = 1 << 30,
		.doc = "a flow holds at most so much",
	},
	{
		.key = "timeout",
		.type = WEIR_OPTION_TIME,
		AT(timeout),
		.def = "60s",
		.min = UINT64_C(100) * 1000000,
		.max = UINT64_C(86400) * 1000000000,
		.names = never_names,
		.doc = "what has waited so long for a cap has waited too long",
	},
	{
		.key = "on_timeout",
		.type = WEIR_OPTION_ENUM,
		AT(on_timeout),
		.def = "log",
		.names = timeout_names,
		.doc = "what is done then: log it, close the session, or reset it",
	},
	{
		.key = "on_error",
		.type = WEIR_OPTION_ENUM,
		AT(on_error),
		.def = "uncounted",
		.names = error_names,
		.doc = "a session whose requests cannot be matched to answers goes on uncounted, or is closed",
	},
	{
		.key = "slow_start",
		.type = WEIR_OPTION_BOOL,
		AT(slow_start),
		.def = "no",
		.doc = "whether a session begins with one unit, or 64K, and gets more as long as all goes well",
	},
	{
		.key = "threshold",
		.type = WEIR_OPTION_COUNT,
		AT(threshold),
		.def = "32",
		.min = 1,
		.max = INT32_MAX,
		.doc = "slow_start: from so many on, not each success adds one, but each window of them",
	},
	{
		.key = "congested_after",
		.type = WEIR_OPTION_TIME,
		AT(congested_after),
		.def = "1s",
		.min = UINT64_C(10) * 1000000,
		.max = UINT64_C(3600) * 1000000000,
		.doc = "slow_start: nothing answered or acknowledged for so long, though in flight, halves it",
	},
	{.key = NULL},
};

#define POOL(member, whose)                                                                                            \
	{                                                                                                              \
		.name = #member, .scope = (whose), .size_offset = offsetof(struct options, member),                    \
		.flags = WEIR_POOL_BRIEF | WEIR_POOL_DIRECTED                                                          \
	}

static const struct weir_pool pools[CAPS] = {
	[CAP_SESSION] = POOL(per_session, WEIR_SCOPE_SESSION),
	[CAP_UPSTREAM] = POOL(per_upstream, WEIR_SCOPE_UPSTREAM),
	[CAP_TOTAL] = POOL(total, WEIR_SCOPE_INSTANCE),
};

static const struct weir_counter counters[COUNTERS] = {
	[COUNTER_TIMEOUTS] = {"timeouts", "waits for a cap that lasted longer than timeout"},
	[COUNTER_UNCOUNTED] = {"uncounted", "sessions whose requests could not be matched to answers"},
	[COUNTER_CONGESTED] = {"congested", "times a session's window was halved"},
};

/* ---- options ------------------------------------------------------------------------------------------------------- */

/* What is wrong with the caps themselves, NULL if nothing. */
static int check_caps(const struct options *options, char *error, size_t error_size)
{
	for (unsigned cap = 0; cap < CAPS && options->unit == UNIT_BYTES; cap++) {
		if (cap_size(options, cap) >= LEAST_BYTES)
			continue;
		snprintf(error, error_size,
			"%s = %" PRIu64 " is too small for bytes, with which a flow would crawl; expected 4K or more",
			pools[cap].name, cap_size(options, cap));
		return -1;
	}
	if (cap_smallest(options) != UINT64_MAX)
		return 0;
	snprintf(error, error_size, "nothing is limited; expected at least one of per_session, per_upstream, total");
	return -1;
}

/* What goes with one unit and not with the other; NULL if all is well. */
static const char *contradiction(const struct options *options)
{
	if (options->unit == UNIT_REQUESTS && options->framing == FRAMING_UNNAMED)
		return "unit = requests without framing; expected line, resp, u32be or pgsql";
	if (options->unit == UNIT_REQUESTS && options->direction != DIRECTION_BOTH)
		return "unit = requests has no direction, requests go up and answers down; expected both";
	if (options->unit == UNIT_BYTES && options->framing != FRAMING_UNNAMED)
		return "framing without unit = requests; expected none";
	if (options->unit == UNIT_BYTES && options->on_error != ERROR_UNCOUNTED)
		return "on_error = close without unit = requests: all bytes can be counted; expected uncounted";
	if (options->unit == UNIT_BYTES && options->slow_start && options->congested_after < LEAST_PATIENCE)
		return "congested_after is less than acknowledgements may be delayed; expected 200ms or more for bytes";
	return NULL;
}

static int inflight_check(const void *any_options, char *error, size_t error_size)
{
	const struct options *options = any_options;
	const char *text = contradiction(options);

	if (text == NULL)
		return check_caps(options, error, error_size);
	snprintf(error, error_size, "%s", text);
	return -1;
}

static uint32_t inflight_needs_of(const void *any_options)
{
	const struct options *options = any_options;

	return options->unit == UNIT_BYTES ? WEIR_NEED_ACKED : WEIR_NEED_SCAN;
}

/* ---- flows --------------------------------------------------------------------------------------------------------- */

static int inflight_open(const struct weir_call *call)
{
	const struct options *options = call->options;
	struct session *session = call->session;

	window_init(&session->windows[call->ref.direction], options->threshold);
	if (options->unit == UNIT_REQUESTS && call->ref.direction == WEIR_UP)
		framing_init(&session->framing, (enum framing_kind)(options->framing - 1));
	return 0;
}

static void inflight_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *options = call->options;

	if (options->unit == UNIT_BYTES)
		bytes_ask(call, view, limits);
	else
		requests_ask(call, view, limits);
}

static void inflight_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	const struct options *options = call->options;

	if (options->unit == UNIT_BYTES)
		bytes_event(call, view, event);
	else
		requests_event(call, view);
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "inflight-cap",
	.summary = "no more than so many bytes, or requests, under way at a time",
	.options = option_table,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.pools = pools,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = CAPS,
	.instance_size = sizeof(struct instance),
	.session_size = sizeof(struct session),
	.flow_size = sizeof(struct flow),
	.needs = WEIR_NEED_ACKED | WEIR_NEED_SCAN,
	.check = inflight_check,
	.open = inflight_open,
	.ask = inflight_ask,
	.event = inflight_event,
	.scan = requests_scan,
	.needs_of = inflight_needs_of,
	.counters = counters,
	.counter_stride = sizeof(struct weir_counter),
	.counter_count = COUNTERS,
};

const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
