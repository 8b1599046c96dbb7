/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chance - splitmix64 (Steele, Lea, Flood 2014), and a logarithm in whole numbers.
 */
#include "chance.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define LOG_BITS 32                   /* of a logarithm's fraction */
#define LN_2 UINT64_C(0xb17217f7d1cf) /* in units of 2^-48 */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void chance_init(struct chance *chance, uint64_t seed, uint64_t who, uint64_t part)
{
	chance->state = mix(mix(mix(seed + GOLDEN) + who + GOLDEN) + part + GOLDEN);
}

uint64_t chance_draw(struct chance *chance)
{
	chance->state += GOLDEN;
	return mix(chance->state);
}

uint64_t chance_below(struct chance *chance, uint64_t bound)
{
	return (uint64_t)((unsigned __int128)chance_draw(chance) * bound >> 64);
}

/* -log2(x / 2^64) in units of 2^-LOG_BITS; x >= 1. Squaring doubles a logarithm: each time it passes 1, that is a bit. */
static uint64_t minus_log2(uint64_t x)
{
	unsigned zeros = (unsigned)__builtin_clzll(x);
	uint64_t mantissa = x << zeros; /* 2^63 .. 2^64 - 1 stand for 1 .. 2 */
	uint64_t fraction = 0;

	for (unsigned i = 0; i < LOG_BITS; i++) {
		unsigned __int128 square = (unsigned __int128)mantissa * mantissa;
		unsigned carry = (unsigned)(square >> 127);

		fraction = fraction << 1 | carry;
		mantissa = (uint64_t)(square >> (63 + carry));
	}
	return ((uint64_t)(zeros + 1) << LOG_BITS) - fraction;
}

uint64_t chance_exponential(struct chance *chance, uint64_t mean)
{
	uint64_t log2 = minus_log2(chance_draw(chance) | 1);
	uint64_t ln = (uint64_t)((unsigned __int128)log2 * LN_2 >> 48);
	unsigned __int128 drawn = (unsigned __int128)mean * ln >> LOG_BITS;

	return drawn == 0 ? 1 : drawn > UINT64_MAX ? UINT64_MAX : (uint64_t)drawn;
}
