/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_resp - Redis: RESP2 and RESP3.
 *
 *     up      *N\r\n and N times $length\r\n...\r\n, or a line of words
 *     down    type and text\r\n | type and length\r\n...\r\n | type and count\r\n and so many values
 *
 * However deep an answer's values are nested, one number says when it ends: how many are still to come. Empty lines, *0 and
 * *-1 are requests that Redis passes over without a word. What Redis itself would refuse is not matched, and more: it
 * looks at no '\n' behind a '\r' and at no end of a bulk, so whoever sends others there means something else.
 */
#include "framing_parts.h"

#include "framing_words.h"

enum {
	BETWEEN,
	BLANK,  /* up: a line that has been empty so far */
	INLINE, /* up: a line of words */
	NEXT,   /* up: a '$' must come; down: a value's type */
	NUMBER,
	NUMBER_LF,
	BODY,
	BODY_CR,
	BODY_LF,
	TEXT, /* down */
	TEXT_LF,
};

#define NUMBER_MAX (UINT64_C(1) << 60)
#define PARTS_MAX (UINT64_C(1) << 62)
#define ARGUMENTS_MAX UINT64_C(0x7fffffff)

static void number_begins(struct framing_side *side, unsigned char type)
{
	side->type = type;
	side->left = 0;
	side->digits = 0;
	side->negative = 0;
	side->state = NUMBER;
}

/* ---- up ------------------------------------------------------------------------------------------------------------ */

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool ends_word(unsigned char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Empty lines pass without a begin: they are told from others before anything of them would be a request's. */
static void request_begins(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_UP];

	if (is_blank(*piece->at)) {
		side->state = *piece->at++ == '\n' ? BETWEEN : BLANK;
	} else if (framing_first(framing, piece)) {
		framing_words_begin(framing);
		if (*piece->at == '*' && side->state == BETWEEN)
			number_begins(side, *piece->at++);
		else
			side->state = INLINE;
	}
}

/* Words are looked at until it is clear that they are harmless. Redis takes quotes off them, and it can hide them in \x. */
static void inline_byte(struct framing *framing, struct framing_piece *piece)
{
	unsigned char byte = *piece->at;
	bool wanted = framing_words_wanted(framing);
	enum framing_reason why = FRAMING_IN_STEP;

	if (byte == '\0')
		why = FRAMING_BROKEN;
	else if (wanted && (byte == '"' || byte == '\''))
		why = FRAMING_QUOTES;
	else if (framing->word_length > 0 && ends_word(byte))
		why = framing_word_end(framing);
	else if (wanted && (framing->word_length > 0 || !is_blank(byte)))
		framing_word_take(framing, &byte, 1);
	if (why != FRAMING_IN_STEP) {
		framing_lose(framing, piece, why);
		return;
	}
	piece->at++;
	if (byte == '\n')
		framing->side[FRAMING_SIDE_UP].state = BETWEEN;
}

static void inline_words(struct framing *framing, struct framing_piece *piece)
{
	while (piece->at < piece->end && piece->mark == FRAMING_NONE && framing->side[FRAMING_SIDE_UP].state == INLINE)
		inline_byte(framing, piece);
}

static void argument_length(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_UP];

	if (side->negative)
		framing_lose(framing, piece, FRAMING_LENGTH);
	else
		side->state = BODY;
}

static void argument_count(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_UP];

	if (!side->negative && side->left > ARGUMENTS_MAX) {
		framing_lose(framing, piece, FRAMING_LENGTH);
	} else if (side->negative || side->left == 0) {
		side->state = BETWEEN;
		framing_cancel(framing, piece);
	} else {
		side->parts = side->left;
		side->state = NEXT;
	}
}

static void argument_begins(struct framing *framing, struct framing_piece *piece)
{
	if (*piece->at == '$')
		number_begins(&framing->side[FRAMING_SIDE_UP], *piece->at++);
	else
		framing_lose(framing, piece, FRAMING_BROKEN);
}

/* ---- down ---------------------------------------------------------------------------------------------------------- */

enum { TYPE_UNKNOWN, TYPE_TEXT, TYPE_BLOB, TYPE_VALUES, TYPE_PUSH };

static const struct {
	uint8_t is;
	uint8_t values;   /* that each of the count stands for */
	uint8_t nullable; /* -1 is no length, but a value of its own */
	uint8_t aside;    /* is no value itself: more is to come */
} types[128] = {
	['+'] = {.is = TYPE_TEXT},
	['-'] = {.is = TYPE_TEXT},
	[':'] = {.is = TYPE_TEXT},
	['_'] = {.is = TYPE_TEXT},
	[','] = {.is = TYPE_TEXT},
	['#'] = {.is = TYPE_TEXT},
	['('] = {.is = TYPE_TEXT},
	['$'] = {.is = TYPE_BLOB, .nullable = 1},
	['!'] = {.is = TYPE_BLOB},
	['='] = {.is = TYPE_BLOB},
	['*'] = {.is = TYPE_VALUES, .values = 1, .nullable = 1},
	['~'] = {.is = TYPE_VALUES, .values = 1},
	['%'] = {.is = TYPE_VALUES, .values = 2},
	['|'] = {.is = TYPE_VALUES, .values = 2, .aside = 1},
	['>'] = {.is = TYPE_PUSH},
};

static void value_begins(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_DOWN];
	unsigned char type = *piece->at;

	switch (type < 128 ? types[type].is : TYPE_UNKNOWN) {
	case TYPE_UNKNOWN:
		framing_lose(framing, piece, FRAMING_TYPE);
		return;
	case TYPE_PUSH:
		framing_lose(framing, piece, FRAMING_PUSH);
		return;
	case TYPE_TEXT:
		side->state = TEXT;
		break;
	default:
		number_begins(side, type);
	}
	piece->at++;
}

static void answer_begins(struct framing *framing, struct framing_piece *piece)
{
	if (*piece->at == '>') {
		framing_lose(framing, piece, FRAMING_PUSH);
	} else if (framing_first(framing, piece)) {
		framing->side[FRAMING_SIDE_DOWN].parts = 1;
		value_begins(framing, piece);
	}
}

static void value_ends(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_DOWN];

	side->state = side->parts > 0 ? NEXT : BETWEEN;
	if (side->parts == 0)
		framing_last(framing, piece);
}

static void values_begin(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_DOWN];
	uint64_t parts = side->left * types[side->type].values;

	if (parts > PARTS_MAX - side->parts) {
		framing_lose(framing, piece, FRAMING_LENGTH);
		return;
	}
	side->parts += parts;
	if (!types[side->type].aside)
		side->parts--;
	value_ends(framing, piece);
}

static void value_number(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_DOWN];

	if (side->negative && (side->left != 1 || !types[side->type].nullable)) {
		framing_lose(framing, piece, FRAMING_LENGTH);
	} else if (side->negative) {
		side->parts--;
		value_ends(framing, piece);
	} else if (types[side->type].is == TYPE_BLOB) {
		side->state = BODY;
	} else {
		values_begin(framing, piece);
	}
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

static void number_ends(struct framing *framing, struct framing_piece *piece)
{
	if (piece->direction == FRAMING_SIDE_DOWN)
		value_number(framing, piece);
	else if (framing->side[FRAMING_SIDE_UP].type == '*')
		argument_count(framing, piece);
	else
		argument_length(framing, piece);
}

/* No sign but '-', no leading zero, and nothing that does not fit. */
static bool number_takes(struct framing_side *side, unsigned char byte)
{
	unsigned digit = (unsigned)byte - '0';

	if (byte == '-' && side->digits == 0 && !side->negative) {
		side->negative = 1;
		return true;
	}
	if (digit > 9 || (side->digits == 1 && side->left == 0) || (digit == 0 && side->digits == 0 && side->negative))
		return false;
	side->left = side->left * 10 + digit;
	side->digits++;
	return side->left <= NUMBER_MAX;
}

static void number_byte(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);
	unsigned char byte = *piece->at;

	if (byte == '\r' && side->digits > 0)
		side->state = NUMBER_LF;
	else if (byte == '?' && piece->direction == FRAMING_SIDE_DOWN && side->digits == 0 && !side->negative)
		framing_lose(framing, piece, FRAMING_STREAMED);
	else if (!number_takes(side, byte))
		framing_lose(framing, piece, FRAMING_BROKEN);
	if (piece->mark == FRAMING_NONE)
		piece->at++;
}

static void body_bytes(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);
	const unsigned char *begin = piece->at;
	bool whole = framing_skip(side, piece);

	if (piece->direction == FRAMING_SIDE_UP && framing_words_wanted(framing)) {
		enum framing_reason why = FRAMING_IN_STEP;

		framing_word_take(framing, begin, (size_t)(piece->at - begin));
		if (whole)
			why = framing_word_end(framing);
		if (why != FRAMING_IN_STEP)
			framing_lose(framing, piece, why);
	}
	if (whole)
		side->state = BODY_CR;
}

static void body_ends(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);

	side->parts--;
	if (piece->direction == FRAMING_SIDE_DOWN)
		value_ends(framing, piece);
	else
		side->state = side->parts > 0 ? NEXT : BETWEEN;
}

static void text_bytes(struct framing *framing, struct framing_piece *piece)
{
	while (piece->at < piece->end && *piece->at != '\r' && *piece->at != '\n')
		piece->at++;
	if (piece->at == piece->end)
		return;
	if (*piece->at == '\n')
		framing_lose(framing, piece, FRAMING_BROKEN);
	else
		framing->side[FRAMING_SIDE_DOWN].state = TEXT_LF;
	if (piece->mark == FRAMING_NONE)
		piece->at++;
}

/* Is this the byte that must come here? Then it is consumed. */
static bool expect(struct framing *framing, struct framing_piece *piece, unsigned char byte)
{
	if (*piece->at != byte) {
		framing_lose(framing, piece, FRAMING_BROKEN);
		return false;
	}
	piece->at++;
	return true;
}

static void between(struct framing *framing, struct framing_piece *piece)
{
	if (piece->direction == FRAMING_SIDE_UP)
		request_begins(framing, piece);
	else
		answer_begins(framing, piece);
}

static void next(struct framing *framing, struct framing_piece *piece)
{
	if (piece->direction == FRAMING_SIDE_UP)
		argument_begins(framing, piece);
	else
		value_begins(framing, piece);
}

static void step(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);

	switch (side->state) {
	case BETWEEN:
	case BLANK:
		between(framing, piece);
		break;
	case INLINE:
		inline_words(framing, piece);
		break;
	case NEXT:
		next(framing, piece);
		break;
	case NUMBER:
		number_byte(framing, piece);
		break;
	case NUMBER_LF:
		if (expect(framing, piece, '\n'))
			number_ends(framing, piece);
		break;
	case BODY:
		body_bytes(framing, piece);
		break;
	case BODY_CR:
		if (expect(framing, piece, '\r'))
			side->state = BODY_LF;
		break;
	case BODY_LF:
		if (expect(framing, piece, '\n'))
			body_ends(framing, piece);
		break;
	case TEXT:
		text_bytes(framing, piece);
		break;
	default:
		if (expect(framing, piece, '\n')) {
			side->parts--;
			value_ends(framing, piece);
		}
	}
}

const struct framing_parser framing_resp = {.step = step, .counts = true};
