/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drawing - see drawing.h.
 */
#include "drawing.h"

#include <inttypes.h>
#include <stdio.h>

bool drawing_hits(struct drawing *drawing, unsigned percent)
{
	return chance_below(&drawing->chance, 100) < percent;
}

uint64_t drawing_between(struct drawing *drawing, uint64_t least, uint64_t most)
{
	return least + chance_below(&drawing->chance, most - least + 1);
}

uint64_t drawing_scale(struct drawing *drawing, uint64_t least, uint64_t most)
{
	unsigned doublings = 0;
	uint64_t from;

	while (least << doublings <= most / 2)
		doublings++;
	from = least << drawing_between(drawing, 0, doublings);
	return drawing_between(drawing, from, from > most / 2 ? most : 2 * from - 1);
}

uint64_t drawing_size(struct drawing *drawing, uint64_t least_units, uint64_t most_units, uint64_t least, uint64_t most)
{
	uint64_t bytes = drawing_scale(drawing, least_units, most_units) * drawing->unit;

	if (drawing_hits(drawing, 50))
		bytes += drawing_between(drawing, 0, drawing->unit); /* not all in step */
	return bytes < least ? least : bytes > most ? most : bytes;
}

uint64_t drawing_rate(struct drawing *drawing)
{
	return drawing_size(drawing, 20, 2000, DRAWING_KIB, UINT64_C(1) << 36);
}

void drawing_add(struct drawing *drawing, const char *key, uint64_t value)
{
	document_add(drawing->document, key, "%" PRIu64, value);
}

void drawing_add_ms(struct drawing *drawing, const char *key, uint64_t value)
{
	document_add(drawing->document, key, "%" PRIu64 "ms", value);
}

void drawing_begin(struct drawing *drawing, const char *kind, char letter, unsigned number)
{
	char name[16];

	snprintf(name, sizeof(name), "%c%u", letter, number);
	document_begin(drawing->document, kind, name);
}
