/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window - the part of a load that is measured: it begins when the load has warmed up, and what happens before and after it
 * does not count.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdint.h>

#include "cpu.h"
#include "poller.h"

struct window {
	const struct cpu *cpu;
	uint64_t began;
	uint64_t ended;
	uint64_t cpu_ns;
};

/* Runs the load for so many seconds, then begins: whoever counts, now counts from 0. */
__attribute__((warn_unused_result)) int window_begin(struct window *window, const struct cpu *cpu, double settle,
	struct poller *poller);

/*
 * Runs the load for so many seconds, or until poller_stop(), and ends. While *count is 0 - nothing has happened on a machine
 * that has other things to do - it goes on, for up to ten times as long; count may be NULL.
 */
__attribute__((warn_unused_result)) int window_run(struct window *window, double seconds, const uint64_t *count,
	struct poller *poller);

double window_seconds(const struct window *window);

/* CPU time per unit, in seconds; 0 if there was no unit. */
double window_cost(const struct window *window, double units);

#endif
