/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot - the rows of a simulation as a picture, drawn by gnuplot: what is held against the marks, and below it the rates.
 *
 * A file NAME.svg is a picture; NAME.txt is one of letters, for manuals.
 */
#ifndef PLOT_H
#define PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "scenario.h"
#include "sim.h"

struct plot;

/* Starts gnuplot and opens the file, so that what is missing is told before a long run and not after it. NULL with a
   sentence in error. */
struct plot *plot_open(const char *file, char *error, size_t error_size) __attribute__((warn_unused_result));

/* Keeps a row. */
void plot_row(struct plot *plot, const struct sim_row *row);

/* Draws, and frees the plot. 0, or -1 with a sentence in error: there is no picture then. scenario NULL: gives up. */
int plot_close(struct plot *plot, const struct scenario *scenario, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* Does the name end as one of a picture does? */
bool plot_is_name(const char *file);

#endif
