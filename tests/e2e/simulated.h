/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulated - the scenarios of doc/scenarios: the same policies before real sockets, and what weir-sim says of them.
 */
#ifndef SIMULATED_H
#define SIMULATED_H

#include <stdint.h>

#include "wire.h"

/*
 * Starts weir with the sections policy and listener of a scenario. What stands in place of `change` is `by`, as in
 * "scope = client"; both may be NULL.
 */
struct weir *simulated_start(const char *scenario, const struct server *server, const char *change, const char *by);

/* A number of the simulation's summary; a path of JSON keys such as "held_bytes max". */
double simulated(const char *scenario, const char *path);

/* The last figure of a flow in its trace: a column such as "taken_bytes". */
uint64_t simulated_last(const char *scenario, unsigned flow, const char *column);

#endif
