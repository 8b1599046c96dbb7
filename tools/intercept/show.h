/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show - a plan as the shell commands that do the same.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stdio.h>

#include "plan.h"

/* file is what the plan was made of, for a comment. */
void show_plan(const struct plan *plan, const char *file, FILE *out);

#endif
