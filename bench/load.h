/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load - what the command line asked for, and the measures that it can ask for. Each makes its load, prints one JSON object
 * on stdout and returns the exit status.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

struct load {
	uint16_t port;
	unsigned connections;
	double settle;
	double seconds;
	struct cpu cpu;
	/* bulk */
	bool up;
	bool down;
	/* rounds, churn, mice */
	uint32_t size;
	unsigned at_once;
	unsigned mice;
	unsigned elephants;
	/* idle, stalled */
	uint64_t used;
	uint64_t warm_up;
};

int serve(const struct load *load);
int bulk(const struct load *load);
int rounds(const struct load *load);
int mice(const struct load *load);
int churn(const struct load *load);
int idle(const struct load *load);
int stalled(const struct load *load);

#endif
