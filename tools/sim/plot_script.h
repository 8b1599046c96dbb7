/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot_script - what gnuplot is told to draw.
 */
#ifndef PLOT_SCRIPT_H
#define PLOT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "scenario.h"
#include "sim.h"

/* rows: in order of time, of all together and of flows in any order. letters: a picture of letters. */
void plot_script(FILE *out, const struct scenario *scenario, const struct sim_row *rows, size_t count, bool letters);

#endif
