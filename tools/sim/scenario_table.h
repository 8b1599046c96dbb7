/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_table - the option tables of a scenario's own sections: every key, its default, range and meaning, said once.
 */
#ifndef SCENARIO_TABLE_H
#define SCENARIO_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "weir/policy.h"

extern const struct weir_option scenario_table[];         /* struct scenario */
extern const struct weir_option scenario_source_table[];  /* struct scenario_source */
extern const struct weir_option scenario_sink_table[];    /* struct scenario_sink */
extern const struct weir_option scenario_traffic_table[]; /* struct scenario_traffic */

/* Of a schedule's step, and of a trace's line; neither is a key. */
extern const struct weir_option scenario_step_table[];    /* at, rate: struct scenario_step */
extern const struct weir_option scenario_arrival_table[]; /* bytes: struct scenario_arrival */

#define SCENARIO_TABLE_STRIDE sizeof(struct weir_option)
#define SCENARIO_AUTO UINT64_MAX /* sample, before it is worked out */
#define SCENARIO_SAMPLE_MIN UINT64_C(1000000)

/* Names that exist without a section. */
#define SCENARIO_NO_SOURCE "none"
#define SCENARIO_FAST_SINK "fast"
#define SCENARIO_LISTENER "sim" /* when the scenario has no [listener] section */

/* The word of an enum source_kind. */
const char *scenario_source_word(uint32_t kind);

/* Every key of every table, for weir-sim --help-scenario. */
void scenario_help(FILE *out);

#endif
