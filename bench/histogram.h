/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram - how long things took, in nanoseconds, counted in buckets no wider than 1/64 of what they hold: percentiles
 * are within 1 % of the truth, and counting allocates nothing. The longest is kept exactly.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

/* 64 buckets for the first 64 ns and for every doubling up to 2^63. */
#define HISTOGRAM_STEPS_LOG2 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_STEPS_LOG2 + 1) << HISTOGRAM_STEPS_LOG2)

struct histogram {
	uint64_t count;
	uint64_t longest;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *histogram);
void histogram_count(struct histogram *histogram, uint64_t ns);

/* The value that `share` (0.99 for p99) of all are not above; 0 if nothing was counted. */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
