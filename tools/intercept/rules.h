/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules - the nftables table of a plan, put up and taken away in one transaction.
 */
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stdio.h>

#include "plan.h"

/* Whether the kernel would take the table; changes nothing. 0, or -1, told on errors with the rule that it is about. */
int rules_check(const struct plan *plan, FILE *errors) __attribute__((warn_unused_result));

/* Puts it into force instead of what is there; a plan of nothing takes it away. 0, or -1 as above: then nothing has changed. */
int rules_apply(const struct plan *plan, FILE *errors) __attribute__((warn_unused_result));

/* Whether there is such a table, whatever is in it. */
bool rules_exist(void);

#endif
