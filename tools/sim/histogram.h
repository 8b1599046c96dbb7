/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram - a distribution in buckets that are 1/64 of their value wide: what is read from it is at most 1.6 % too small.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS 6
#define HISTOGRAM_STEPS (1 << HISTOGRAM_BITS) /* buckets in each doubling */
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) * HISTOGRAM_STEPS)

/* All zero: empty. */
struct histogram {
	uint64_t total;
	uint64_t max;
	uint64_t weights[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t weight);

/* The value that so many hundredths of all weight lie at or below; 0 if there is none. */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent);

#endif
