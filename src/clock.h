/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - the one place where weir reads the time. Only what drives a sched calls it; everything below is told.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* ns, monotonic */
uint64_t clock_now(void);

#endif
