/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routes - the routing rule and the route of a plan, for each family that needs them: packets with the mark are delivered to
 * this machine, wherever they go to.
 *
 * Routing knows no transactions. So what is new is made first and what is old goes last, and in between both are there: a
 * packet of a connection that lives always finds its way.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include <stdio.h>

#include "plan.h"

/* Makes what the plan needs beside what is there. 0, or -1, told on errors. */
int routes_add(const struct plan *plan, FILE *errors) __attribute__((warn_unused_result));

/*
 * Takes away what is weir's and not the plan's: rules and routes with PLAN_PROTOCOL, rules with the mark or to the table of
 * the plan's configuration, and all that is in that table, whoever made it. Fine if there is nothing. 0, or -1, told.
 */
int routes_prune(const struct plan *plan, FILE *errors) __attribute__((warn_unused_result));

#endif
