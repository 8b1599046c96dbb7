/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drawing - a scenario that is being drawn: what it has so far, and how numbers for it are drawn.
 */
#ifndef DRAWING_H
#define DRAWING_H

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"
#include "document.h"
#include "generator.h"

#define DRAWING_KIB UINT64_C(1024)
#define DRAWING_MIB (1024 * DRAWING_KIB)
#define DRAWING_GIB (1024 * DRAWING_MIB)
#define DRAWING_WRITE_MAX (256 * DRAWING_KIB) /* bytes of a write, and of a read */

struct drawing {
	const struct generator_family *family;
	struct document *document;
	struct chance chance;
	uint64_t unit;     /* bytes */
	uint64_t sessions; /* that begin at once */
	unsigned sources;  /* sections; so are the next */
	unsigned sinks;
	unsigned policies;
	unsigned listeners;
	uint64_t promised; /* bytes, by pools of policies */
	bool dialog;       /* all clients send requests */
	unsigned alone;    /* GENERATOR_*: whose caps are of each session alone */
};

/* So often of a hundred times. */
bool drawing_hits(struct drawing *drawing, unsigned percent);

uint64_t drawing_between(struct drawing *drawing, uint64_t least, uint64_t most);

/* The same, but every doubling is as likely as the next: small numbers come as often as large ones. least >= 1. */
uint64_t drawing_scale(struct drawing *drawing, uint64_t least, uint64_t most);

/* Bytes: so many units, give or take, and within bounds. */
uint64_t drawing_size(struct drawing *drawing, uint64_t least_units, uint64_t most_units, uint64_t least,
	uint64_t most);

uint64_t drawing_rate(struct drawing *drawing);

/* A key of the section that was begun last. */
void drawing_add(struct drawing *drawing, const char *key, uint64_t value);
void drawing_add_ms(struct drawing *drawing, const char *key, uint64_t value);

/* A section whose name is a letter and a number. */
void drawing_begin(struct drawing *drawing, const char *kind, char letter, unsigned number);

/* A [policy] section, of those that the family draws (drawing_policy.c). */
void drawing_policy(struct drawing *drawing, unsigned number);

#endif
