/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greeting - reading the PROXY header that a client must send before anything else.
 *
 * It lives on its worker, before there is a session. Bytes stay in the socket until the header is whole, and no more than
 * the header is taken: what follows belongs to the session. So no client can keep memory by being slow.
 */
#ifndef GREETING_H
#define GREETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint_socket.h"
#include "proxy_header.h"
#include "sched.h"
#include "session.h"

struct greeting_outcome {
	enum close_reason reason;          /* CLOSE_NONE: the header is there */
	const char *error;                 /* what was wrong, for the log; static */
	const struct proxy_header *header; /* only for as long as done() runs, as what it points to */
};

typedef void greeting_done(void *argument, const struct greeting_outcome *outcome, uint64_t now);

struct greeting {
	struct context *context;
	struct endpoint_socket *client; /* NULL: over, or not begun */
	size_t limit;
	uint64_t begun_at; /* ns */
	bool timed_out;
	struct task task;
	struct timer timer;
	greeting_done *done;
	void *argument;
};

/* What the client's socket notifies, with the greeting for its argument. */
void greeting_notify(void *argument);

/*
 * Begins to wait for a header of at most `limit` bytes, for at most `timeout` (ns, WEIR_NEVER). done() is told on a later
 * turn, once. The context's scratch buffer is used meanwhile.
 */
void greeting_start(struct greeting *greeting, struct context *context, struct endpoint_socket *client, size_t limit,
	uint64_t timeout, uint64_t now, greeting_done *done, void *argument);

/* Whether it is still going on. All zero: no. */
bool greeting_waits(const struct greeting *greeting);

/* Gives up; done() will not be called. One that is over is fine. */
void greeting_cancel(struct greeting *greeting);

#endif
