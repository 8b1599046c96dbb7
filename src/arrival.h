/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrival - how a client came: who it is, where it wanted to go, whether it may. It lasts from accepting to being connected,
 * and only listeners have it that need to know: those that intercept, speak the PROXY protocol, keep lists of networks, or
 * give the server their client's address.
 */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "dial.h"
#include "greeting.h"
#include "loops.h"
#include "session.h"

struct arrival {
	const struct config_listener *listener;
	struct address peer;        /* who really connected */
	struct address client;      /* as the listener's proxies say, else the same */
	struct address destination; /* length 0: not known */
	enum close_reason refused;  /* CLOSE_NONE: it may come in */
	const char *error;          /* what was wrong with its PROXY header, static; or NULL */
	struct greeting greeting;
	struct dial_terms terms;
	unsigned char *preface; /* the PROXY header for the server; freed with the arrival */
};

/* What a connection keeps of its client's way, for listeners that want to know it. */
struct passage {
	struct arrival *arrival;         /* until it is connected */
	bool intercepted;                /* it did not come to weir as it is: */
	union address_brief destination; /* where it wanted to go, as far as that is known */
	union address_brief proxy;       /* who brought it, if its PROXY header named another client */
	struct departure departure;      /* where weir went for it, while that lasts */
};

/* Whether clients of this listener have one. */
bool arrival_needed(const struct config_listener *listener);

/* For an accepted client. NULL when memory is short. arrival_free() ends it; NULL is fine there. */
struct arrival *arrival_new(const struct config_listener *listener, int fd, const struct address *peer)
	__attribute__((warn_unused_result));
void arrival_free(struct arrival *arrival);

/* Whether it must send a PROXY header first. One that may come in only as a proxy, and is none, is refused. */
bool arrival_must_greet(struct arrival *arrival);

/*
 * Decides whether it may come in, once all is known of it: header is what it sent, or NULL. Refuses, or makes
 * arrival->terms. 0, or -1 when memory is short.
 */
int arrival_admit(struct arrival *arrival, struct loops *loops, int fd, const struct proxy_header *header)
	__attribute__((warn_unused_result));

/*
 * Whether it has turned out to be weir's own connection come back. It may have been accepted before the worker that made it
 * could note it; when its own dial is done, that is long past. Then it is refused.
 */
bool arrival_returns(struct arrival *arrival, struct loops *loops);

/* Whether it was refused for what it is, or wanted, or said; not because it left, or weir stops. */
bool arrival_offends(const struct arrival *arrival);

/* Logs why it was refused. */
void arrival_complain(const struct arrival *arrival);

#endif
