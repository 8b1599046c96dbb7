/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site - what the acceptors and connections of one worker stand on; and commons, what all workers share.
 *
 * Plain data. A site is its worker's, and only that worker's thread touches it, but for its sched's mailbox. The commons
 * are the server's, and everything in them may be used from any thread.
 */
#ifndef SITE_H
#define SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "dial.h"
#include "loops.h"
#include "pipe.h"
#include "pool.h"
#include "sched.h"
#include "scope.h"
#include "slab.h"
#include "store.h"

struct site;

struct commons {
	struct pool memory;                                 /* pages of 4 KiB that are nobody's own */
	struct pool sessions;                               /* max_sessions */
	struct scopes scopes;                               /* clients' pools */
	struct loops loops;                                 /* what weir knows itself by */
	_Atomic uint64_t complained_at[CLOSE_REASON_COUNT]; /* ns: when that was logged last, of whatever session */
	_Atomic unsigned spreading;                         /* open acceptors that hand clients over to other workers */
	struct site **sites;                                /* of all workers; set before threads start */
	unsigned site_count;
};

struct site {
	struct commons *commons;
	struct event_base *events;
	struct sched sched;
	struct context context;
	struct store_depots depots;
	struct dial_base dials;
	struct pipes pipes;
	struct slab connections;
	uint32_t session_count; /* slots that are in use, or kept for the next client */
	uint64_t now;           /* ns, at the begin of this round */
	bool stopping;          /* no session may begin any more */
	bool closing;           /* clients will come no more */
};

/* Whether what many sessions may meet at once may be logged now: for all workers together, each reason once a second. */
bool commons_may_complain(struct commons *commons, enum close_reason reason, uint64_t now);

#endif
