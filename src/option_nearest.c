/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option_nearest - which of the known words was meant.
 */
#include <string.h>

#include "option.h"

#define NEAREST_MAX 64 /* longer words are not compared */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to insert, drop, replace, or swap with their neighbour to make one word of the other. */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][NEAREST_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *spare = before;

		before = above;
		above = row;
		row = spare;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[b_length];
}

const char *option_nearest(const char *word, const char *const *candidates)
{
	unsigned best_distance = UINT32_MAX;
	size_t length = strlen(word);
	const char *best = NULL;

	for (; *candidates != NULL && length <= NEAREST_MAX; candidates++) {
		size_t candidate_length = strlen(*candidates);
		size_t longer = length > candidate_length ? length : candidate_length;
		unsigned distance;

		if (longer > NEAREST_MAX)
			continue;
		distance = edit_distance(word, length, *candidates, candidate_length);
		if (distance * 3 <= longer && distance < best_distance) {
			best_distance = distance;
			best = *candidates;
		}
	}
	return best;
}
