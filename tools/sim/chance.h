/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chance - what is random, drawn from a seed: the same numbers from every compiler, because they are whole ones.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

/* Who draws has one of his own, so that nobody else's draws change what he gets. */
struct chance {
	uint64_t state;
};

/* What `who` and `part` of a world with this seed draw. */
void chance_init(struct chance *chance, uint64_t seed, uint64_t who, uint64_t part);

uint64_t chance_draw(struct chance *chance);                       /* any number */
uint64_t chance_below(struct chance *chance, uint64_t bound);      /* 0 .. bound - 1; bound >= 1 */
uint64_t chance_exponential(struct chance *chance, uint64_t mean); /* at least 1 */

#endif
