/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_line - a request is a line, and so is an answer. A line ends with '\n'; an empty one counts, too.
 */
#include "framing_parts.h"

#include <string.h>

enum { BETWEEN, INSIDE };

static void step(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);
	const unsigned char *newline;

	if (side->state == BETWEEN && !framing_first(framing, piece))
		return;
	newline = memchr(piece->at, '\n', (size_t)(piece->end - piece->at));
	piece->at = newline ? newline + 1 : piece->end;
	side->state = newline ? BETWEEN : INSIDE;
	if (newline)
		framing_last(framing, piece);
}

const struct framing_parser framing_line = {.step = step, .counts = true};
