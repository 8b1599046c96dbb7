/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child - a process that never outlives the demo, however that ends.
 */
#ifndef DEMO_CHILD_H
#define DEMO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* fork() whose child dies with us and has none of our signal settings. */
pid_t child_fork(void) __attribute__((warn_unused_result));

/* Has it ended by itself? Leaves it to child_end to collect it. */
bool child_gone(pid_t pid);

/* Asks it to end, more than once, then kills it; collects it. *pid is 0 afterwards, and may be 0 before. */
void child_end(pid_t *pid);

#endif
