/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_parts - what the parsers of framing are made of.
 *
 * A parser is a step: it looks at the first byte that is not consumed, and consumes it and as many more as it can, changes
 * the state, or leaves a mark. framing_up() and framing_down() step as long as there are bytes and no mark.
 */
#ifndef FRAMING_PARTS_H
#define FRAMING_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "framing.h"

enum { FRAMING_SIDE_UP, FRAMING_SIDE_DOWN };

enum framing_reason {
	FRAMING_IN_STEP,
	FRAMING_BROKEN,
	FRAMING_TYPE,
	FRAMING_LENGTH,
	FRAMING_UNASKED,
	/* Redis */
	FRAMING_QUOTES,
	FRAMING_PUSH,
	FRAMING_STREAMED,
	FRAMING_SUBSCRIBE,
	FRAMING_PSUBSCRIBE,
	FRAMING_SSUBSCRIBE,
	FRAMING_UNSUBSCRIBE,
	FRAMING_PUNSUBSCRIBE,
	FRAMING_SUNSUBSCRIBE,
	FRAMING_MONITOR,
	FRAMING_REPLY_OFF,
	FRAMING_REPLY_SKIP,
	FRAMING_SCRIPT_DEBUG,
	FRAMING_SYNC,
	FRAMING_PSYNC,
	FRAMING_REPLCONF,
	/* PostgreSQL */
	FRAMING_SSL,
	FRAMING_GSSENC,
	FRAMING_COPY,
	FRAMING_MIXED,
	FRAMING_VERSION,
};

/* What is being looked at. */
struct framing_piece {
	const unsigned char *at, *end;
	enum framing_mark mark;
	unsigned direction;
};

struct framing_parser {
	void (*step)(struct framing *, struct framing_piece *); /* only while at < end and nothing is marked */
	bool counts; /* each request is expected to be answered as soon as it is admitted; else the step says when */
};

extern const struct framing_parser framing_line, framing_resp, framing_u32be, framing_pgsql;

static inline struct framing_side *framing_side(struct framing *framing, const struct framing_piece *piece)
{
	return &framing->side[piece->direction];
}

/* From here on nothing can be matched. */
void framing_lose(struct framing *framing, struct framing_piece *piece, enum framing_reason why);

/* May what begins with this byte begin? Up: not before it is admitted. Down: never if nobody asked. Else it is marked. */
bool framing_first(struct framing *framing, struct framing_piece *piece);

/* What began was all consumed. Down it is an answer. */
void framing_last(struct framing *framing, struct framing_piece *piece);

/* What began last will not be answered. */
void framing_cancel(struct framing *framing, struct framing_piece *piece);

/* Consumes what it can of side->left; true if nothing is left. */
bool framing_skip(struct framing_side *side, struct framing_piece *piece);

#endif
