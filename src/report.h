/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - the lines that tell of a session: one at its end, one whenever its status is asked for, one when it could not
 * connect; for debugging, one when it did. Keys are documented in weir(8).
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "arrival.h"
#include "dial.h"
#include "endpoint_socket.h"
#include "session.h"

/* A session, and who its ends are. */
struct report {
	const struct session *session;
	const struct endpoint_socket *client;
	const struct endpoint_socket *server;
	const struct config_upstream *upstream;
	const struct passage *passage; /* NULL: the client came as it is */
};

/* That it is connected, at level debug. */
void report_connected(const struct report *report);

/* The access line. */
void report_access(const struct report *report, uint64_t now);

/* Where it stands. */
void report_status(const struct report *report, uint64_t now);

/* That this client has been asked for its PROXY header for so long (ns), as its status. */
void report_greeting(const char *listener, const struct endpoint_socket *client, uint64_t age);

/* What is used of a policy's pools, but those of a listener, client, session or flow; and what its module has counted. */
void report_policy(const struct policy *policy);

/* Why it could not connect. */
void report_failure(const struct report *report, const struct dial_outcome *outcome);

#endif
