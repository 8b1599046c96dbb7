/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intercept - rules and routes together: up and down, in an order in which nothing is intercepted that is not delivered.
 */
#ifndef INTERCEPT_H
#define INTERCEPT_H

#include <stdio.h>

#include "plan.h"

/*
 * Puts the plan up instead of whatever was. 0, or -1: told on errors, and what is in force then, too: what was before, or
 * nothing.
 */
int intercept_up(const struct plan *plan, FILE *errors) __attribute__((warn_unused_result));

/* Takes away all of it, of a plan of this configuration, or of an older one. Fine if nothing is up. 0, or -1, told. */
int intercept_down(const struct config *config, FILE *errors) __attribute__((warn_unused_result));

#endif
