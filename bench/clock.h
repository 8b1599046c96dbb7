/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - time as the bench counts it: nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_MS 1000000ULL
#define CLOCK_SECOND 1000000000ULL
#define CLOCK_NEVER UINT64_MAX

static inline uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

#endif
