/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern - bytes that sender and receiver know both, so that every one is checked where it arrives.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a stream. Where there are lines, a newline stands at the end of each, and nowhere else. */
struct sim_pattern {
	uint32_t number;
	uint32_t line; /* bytes of each, the newline with them; 0: none */
};

/* The bytes of a stream of this pattern from an offset on. */
void pattern_fill(struct sim_pattern pattern, uint64_t offset, void *bytes, size_t length);

bool pattern_matches(struct sim_pattern pattern, uint64_t offset, const void *bytes, size_t length);

#endif
