/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - monotonic nanoseconds.
 */
#ifndef DEMO_CLOCK_H
#define DEMO_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND UINT64_C(1000000000)
#define CLOCK_MS UINT64_C(1000000)

static inline uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

/* How long, in a form that poll and its kin take; nothing if it has passed. */
static inline struct timespec clock_until(uint64_t when)
{
	uint64_t now = clock_now();
	uint64_t left = when > now ? when - now : 0;

	return (struct timespec){.tv_sec = (time_t)(left / CLOCK_SECOND), .tv_nsec = (long)(left % CLOCK_SECOND)};
}

#endif
