/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary - what came of a scenario, told: to people, and as JSON.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdio.h>

#include "scenario.h"
#include "sim.h"

/* One value of a sweep, and what came of it. */
struct summary_row {
	const char *value;
	struct sim_result result;
};

void summary_print(FILE *out, const struct scenario *scenario, const struct sim_result *result);
void summary_table(FILE *out, const char *key, const struct summary_row *rows, size_t count);

/* All of struct sim_result; every name ends with its unit. */
void summary_json(FILE *out, const struct scenario *scenario, const struct sim_result *result);
/* An array, each object with key, value and result. */
void summary_json_table(FILE *out, const char *key, const struct summary_row *rows, size_t count);

#endif
