/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor - looks why a plan does not work on this machine, and changes nothing.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdio.h>

#include "plan.h"

/*
 * Looks at kernel, rules, routes, sysctls, sockets and weir itself. Each finding is printed: its name, what is wrong, why it
 * matters, the command that mends it. Returns how many there were, or -1 when it could not look (told on stderr).
 */
int doctor_check(const struct plan *plan, const char *file, FILE *out);

#endif
