/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generator - draws scenarios, as text, from a seed.
 *
 * All sizes and rates of a scenario are multiples of one unit, drawn first: whether marks are of 100 bytes or of megabytes, a run
 * takes about as many steps, and so about as long.
 */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <stdint.h>

#include "document.h"

#define GENERATOR_FAMILY_COUNT 15

/* Policies that a family may draw, a bit each. */
#define GENERATOR_WATERMARK 1u
#define GENERATOR_SHAPE 2u
#define GENERATOR_DEMAND 4u
#define GENERATOR_CREDIT 8u
#define GENERATOR_FAIR 16u
#define GENERATOR_BYTES 32u    /* inflight-cap of this unit, as the next one */
#define GENERATOR_REQUESTS 64u /* only where all clients send requests */

/* Scenarios that have something in common. */
struct generator_family {
	const char *name;
	const char *what;
	/* at most, of each scenario */
	unsigned workers;
	unsigned sessions;
	/* in a stack, at least and at most */
	unsigned least;
	unsigned most;
	unsigned policies; /* GENERATOR_*: which */
	/* per cent of what could be so */
	unsigned grouped; /* policies that several flows share */
	unsigned content; /* scenarios with real bytes */
	unsigned echo;    /* servers that answer */
	unsigned dialog;  /* traffic of requests and answers: none, or all of it */
	unsigned far;     /* ends with a round-trip time */
	unsigned slow;    /* sinks that do not keep up */
	unsigned passing; /* traffic that does not last until its sources have ended */
	unsigned resets;  /* of that */
	unsigned tight;   /* scenarios with little memory */
};

extern const struct generator_family generator_families[GENERATOR_FAMILY_COUNT];

/* The scenario of this seed, which is of family seed % GENERATOR_FAMILY_COUNT. */
void generator_draw(struct document *document, uint64_t seed);

#endif
