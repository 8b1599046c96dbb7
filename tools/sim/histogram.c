/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram - a bucket's number is its value's exponent, and the bits behind the first.
 */
#include "histogram.h"

static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < HISTOGRAM_STEPS)
		return (unsigned)value;
	shift = 63 - HISTOGRAM_BITS - (unsigned)__builtin_clzll(value);
	return (shift + 1) * HISTOGRAM_STEPS + (unsigned)(value >> shift) - HISTOGRAM_STEPS;
}

static uint64_t value_of(unsigned bucket)
{
	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	return (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << (bucket / HISTOGRAM_STEPS - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t weight)
{
	histogram->weights[bucket_of(value)] += weight;
	histogram->total += weight;
	if (value > histogram->max && weight > 0)
		histogram->max = value;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned percent)
{
	unsigned __int128 wanted = (unsigned __int128)histogram->total * percent;
	unsigned __int128 below = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && histogram->total > 0; i++) {
		below += histogram->weights[i];
		if (below * 100 >= wanted)
			return value_of(i);
	}
	return 0;
}
