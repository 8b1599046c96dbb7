/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the rows of a simulation as CSV: one header, one line a row; times in seconds.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdio.h>

#include "sim.h"

void trace_header(FILE *out);
void trace_row(FILE *out, const struct sim_row *row);

#endif
