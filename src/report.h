/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - the lines that tell of a session: one at its end, one whenever its status is asked for, one when it could not
 * connect; for debugging, one when it did. Keys are documented in weir(8).
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "connection.h"
#include "dial.h"

/* That it is connected, at level debug. */
void report_connected(const struct connection *connection);

/* The access line. */
void report_access(const struct connection *connection, uint64_t now);

/* Where it stands. */
void report_status(const struct connection *connection, uint64_t now);

/* Why it could not connect. */
void report_failure(const struct connection *connection, const struct dial_outcome *outcome);

#endif
