/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_u32be - a message is four bytes of length, big endian, and as many bytes; the length does not count itself.
 */
#include "framing_parts.h"

enum { BETWEEN, LENGTH, BODY };

#define LENGTH_BYTES 4

static void end(struct framing *framing, struct framing_piece *piece)
{
	framing_side(framing, piece)->state = BETWEEN;
	framing_last(framing, piece);
}

static void step(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);

	switch (side->state) {
	case BETWEEN:
		if (!framing_first(framing, piece))
			return;
		side->left = 0;
		side->digits = 0;
		side->state = LENGTH;
		return;
	case LENGTH:
		side->left = side->left << 8 | *piece->at++;
		if (++side->digits < LENGTH_BYTES)
			return;
		side->state = BODY;
		if (side->left == 0)
			end(framing, piece);
		return;
	default:
		if (framing_skip(side, piece))
			end(framing, piece);
	}
}

const struct framing_parser framing_u32be = {.step = step, .counts = true};
