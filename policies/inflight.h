/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight - what the parts of inflight-cap share: options, state, and what is the same for both units.
 */
#ifndef INFLIGHT_H
#define INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framing.h"
#include "inflight_window.h"
#include "weir/policy.h"

struct options {
	uint64_t per_session; /* units; UINT64_MAX: no such cap; so are the next */
	uint64_t per_upstream;
	uint64_t total;
	uint64_t queue;   /* bytes */
	uint64_t timeout; /* ns; UINT64_MAX: never */
	uint64_t threshold;
	uint64_t congested_after; /* ns */
	uint32_t unit;            /* indexes of words, all of them */
	uint32_t framing;
	uint32_t direction;
	uint32_t on_timeout;
	uint32_t on_error;
	uint32_t slow_start;
};

enum { UNIT_BYTES, UNIT_REQUESTS };
enum { FRAMING_UNNAMED }; /* the others are 1 + enum framing_kind */
enum { DIRECTION_BOTH, DIRECTION_UP, DIRECTION_DOWN };
enum { TIMEOUT_LOG, TIMEOUT_CLOSE, TIMEOUT_RESET };
enum { ERROR_UNCOUNTED, ERROR_CLOSE };

enum { CAP_SESSION, CAP_UPSTREAM, CAP_TOTAL, CAPS }; /* pools */
enum { COUNTER_TIMEOUTS, COUNTER_UNCOUNTED, COUNTER_CONGESTED, COUNTERS };

#define REASONS 32 /* room for all the reasons for which requests cannot be matched */

struct instance {
	_Atomic(const char *) told[REASONS]; /* those that have been logged */
};

enum counting {
	COUNTED,
	UNCOUNTED, /* everything passes */
	REFUSED,   /* nothing passes: the session ends */
};

struct session {
	struct framing framing;
	struct window windows[2]; /* by direction */
	uint64_t in_flight;       /* requests that were let pass, and are not answered */
	uint64_t answered;        /* and that were, since any were let pass */
	uint32_t counting;        /* enum counting */
	bool waiting;             /* a request that was read may not pass yet */
};

struct flow {
	uint64_t moved_at; /* ns: when bytes were read last, or a request was let pass */
	uint64_t told_at;  /* ns: when a wait was last too long */
	uint64_t acked;    /* bytes that are not in flight any more */
	uint64_t rest;     /* bytes acknowledged that are no success yet */
};

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The size of one cap, UINT64_MAX if there is none; and of the smallest. */
uint64_t cap_size(const struct options *options, unsigned cap);
uint64_t cap_smallest(const struct options *options);

/* What the flow leases of every cap there is. */
uint64_t cap_leased(const struct options *options, const struct weir_view *view);

/* This much is used of each cap; and no more is wanted than that. */
void cap_use(const struct options *options, uint64_t used, struct weir_limits *limits);

/* No more of each is wanted than is leased, but for this much, or what is used. */
void cap_return(const struct options *options, const struct weir_view *view, uint64_t units,
	struct weir_limits *limits);

/* More is wanted of each, by the grain; promised as a lease. */
void cap_want(const struct options *options, uint64_t want, uint64_t grain, struct weir_limits *limits);

/* The flow waits, and is asked again when it has done so for too long. */
void wait_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits);

/* Acts on a wait that has become too long, once. `what` waits, with so many units of its own in flight. */
void wait_judge(const struct weir_call *call, const struct weir_view *view, const char *what, uint64_t in_flight);

/* ---- unit = bytes -------------------------------------------------------------------------------------------------- */

void bytes_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits);
void bytes_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event);

/* ---- unit = requests ----------------------------------------------------------------------------------------------- */

void requests_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits);
void requests_event(const struct weir_call *call, const struct weir_view *view);
size_t requests_scan(const struct weir_call *call, const void *bytes, size_t length);

#endif
