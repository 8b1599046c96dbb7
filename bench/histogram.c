/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram - see histogram.h. A bucket's number is the value's leading bits as a tiny floating-point number: the exponent
 * above, the HISTOGRAM_STEPS_LOG2 bits behind the leading one below it.
 */
#include "histogram.h"

#include <math.h>
#include <string.h>

#define STEPS (1U << HISTOGRAM_STEPS_LOG2)

static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < STEPS)
		return (unsigned)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_STEPS_LOG2;
	return (shift << HISTOGRAM_STEPS_LOG2) + (unsigned)(ns >> shift);
}

static uint64_t middle_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * STEPS)
		return bucket;
	shift = (bucket >> HISTOGRAM_STEPS_LOG2) - 1;
	return ((uint64_t)(bucket % STEPS + STEPS) << shift) + (1ULL << shift) / 2;
}

void histogram_clear(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_count(struct histogram *histogram, uint64_t ns)
{
	histogram->buckets[bucket_of(ns)]++;
	histogram->count++;
	if (ns > histogram->longest)
		histogram->longest = ns;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count);
	uint64_t passed = 0;

	for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		passed += histogram->buckets[bucket];
		if (passed >= wanted && passed > 0) {
			uint64_t middle = middle_of(bucket);

			return middle < histogram->longest ? middle : histogram->longest;
		}
	}
	return 0;
}
