/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern - bytes that sender and receiver know both, so that every one is checked where it arrives.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of a stream of this pattern from an offset on. */
void pattern_fill(uint32_t pattern, uint64_t offset, void *bytes, size_t length);

bool pattern_matches(uint32_t pattern, uint64_t offset, const void *bytes, size_t length);

#endif
