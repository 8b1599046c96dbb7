/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulation - what the tests of the simulator share: a scenario's text goes in, its result and its rows come out.
 */
#ifndef SIMULATION_H
#define SIMULATION_H

#include <stddef.h>
#include <stdint.h>

#include "sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

extern struct sim_result result;
extern struct sim_row *rows;
extern size_t row_count;
extern char *faults; /* what was told */

/* Runs it with every check; in directory_enter()'s directory. Returns what sim_run() does; the scenario must be good. */
int simulate_status(const char *text);

void simulate(const char *text); /* nothing may be wrong */

/* Starts its lists of rows anew, when somebody has kept them. */
void simulate_forget(void);

/* The last row of a flow, 0: of all, at or before a time (ns). */
const struct sim_row *row_at(uint64_t flow, uint64_t at);

/* Whether a number is what was expected, give or take so many hundredths. */
void about(const char *what, uint64_t seen, uint64_t expected, unsigned percent);

#endif
