/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_pgsql - PostgreSQL, protocol 3.
 *
 *     up      [length code ...] start-up packets, then [type length ...] messages; a length counts itself
 *     down    a byte for each offer of encryption, then messages
 *
 *     [Query]                      -> ... ReadyForQuery     one request each
 *     [Parse Bind Execute ... Sync] -> ... ReadyForQuery
 *
 * The server says ReadyForQuery once more than it was asked, when it has started. After an error in a batch it passes over
 * everything until Sync, even a Query; so whether a Query before the Sync is answered, nobody can tell from here.
 */
#include "framing_parts.h"

enum {
	START,  /* nothing was seen in this direction */
	PACKET, /* up: of the start */
	TYPE,
	LENGTH,
	BODY,
};

/* Bits of the connection's phase. */
#define STARTED 1   /* a StartupMessage has passed: messages follow */
#define READY_DUE 2 /* and its ReadyForQuery is to come */
#define OVER 4      /* after Terminate or CancelRequest */

#define PACKET_HEADER 8 /* length and code */
#define PACKET_MAX 10000
#define LENGTH_BYTES 4

#define CODE_MAJOR 3
#define CODE_CANCEL 80877102
#define CODE_SSL 80877103
#define CODE_GSSENC 80877104
#define OFFERS 2 /* of encryption: one of each kind */

#define SMALL 10000
#define MIDDLE 65536
#define LARGE ((1 << 30) - 1)

enum {
	MEANS_NOTHING, /* there is no such type */
	MEANS_PASSING,
	MEANS_PASSWORD,
	MEANS_REQUEST, /* and its answer is a ReadyForQuery */
	MEANS_PART,    /* of a batch */
	MEANS_SYNC,
	MEANS_END,
	MEANS_READY,
	MEANS_COPY,
};

/* Lengths are those that server and client allow, or longer. COPY is not followed, so its lengths do not matter. */
struct meaning {
	uint8_t means;
	uint32_t min, max;
};

static const struct meaning up[128] = {
	['B'] = {MEANS_PART, 12, LARGE},     /* Bind */
	['C'] = {MEANS_PART, 6, SMALL},      /* Close */
	['D'] = {MEANS_PART, 6, SMALL},      /* Describe */
	['E'] = {MEANS_PART, 9, SMALL},      /* Execute */
	['F'] = {MEANS_REQUEST, 14, LARGE},  /* FunctionCall */
	['H'] = {MEANS_PART, 4, 4},          /* Flush */
	['P'] = {MEANS_PART, 8, LARGE},      /* Parse */
	['Q'] = {MEANS_REQUEST, 5, LARGE},   /* Query */
	['S'] = {MEANS_SYNC, 4, 4},          /* Sync */
	['X'] = {MEANS_END, 4, 4},           /* Terminate */
	['c'] = {.means = MEANS_COPY},       /* CopyDone */
	['d'] = {.means = MEANS_COPY},       /* CopyData */
	['f'] = {.means = MEANS_COPY},       /* CopyFail */
	['p'] = {MEANS_PASSWORD, 4, MIDDLE}, /* a password, SASL, GSS */
};

static const struct meaning down[128] = {
	['1'] = {MEANS_PASSING, 4, 4},       /* ParseComplete */
	['2'] = {MEANS_PASSING, 4, 4},       /* BindComplete */
	['3'] = {MEANS_PASSING, 4, 4},       /* CloseComplete */
	['A'] = {MEANS_PASSING, 10, LARGE},  /* NotificationResponse */
	['C'] = {MEANS_PASSING, 5, MIDDLE},  /* CommandComplete */
	['D'] = {MEANS_PASSING, 6, LARGE},   /* DataRow */
	['E'] = {MEANS_PASSING, 5, LARGE},   /* ErrorResponse */
	['G'] = {.means = MEANS_COPY},       /* CopyInResponse */
	['H'] = {.means = MEANS_COPY},       /* CopyOutResponse */
	['I'] = {MEANS_PASSING, 4, 4},       /* EmptyQueryResponse */
	['K'] = {MEANS_PASSING, 8, MIDDLE},  /* BackendKeyData */
	['N'] = {MEANS_PASSING, 5, LARGE},   /* NoticeResponse */
	['R'] = {MEANS_PASSING, 8, MIDDLE},  /* Authentication... */
	['S'] = {MEANS_PASSING, 6, MIDDLE},  /* ParameterStatus */
	['T'] = {MEANS_PASSING, 6, LARGE},   /* RowDescription */
	['V'] = {MEANS_PASSING, 8, LARGE},   /* FunctionCallResponse */
	['W'] = {.means = MEANS_COPY},       /* CopyBothResponse */
	['Z'] = {MEANS_READY, 5, 5},         /* ReadyForQuery */
	['c'] = {.means = MEANS_COPY},       /* CopyDone */
	['d'] = {.means = MEANS_COPY},       /* CopyData */
	['n'] = {MEANS_PASSING, 4, 4},       /* NoData */
	['s'] = {MEANS_PASSING, 4, 4},       /* PortalSuspended */
	['t'] = {MEANS_PASSING, 6, LARGE},   /* ParameterDescription */
	['v'] = {MEANS_PASSING, 12, MIDDLE}, /* NegotiateProtocolVersion */
};

static unsigned means(const struct meaning *table, unsigned char type)
{
	return type < 128 ? table[type].means : MEANS_NOTHING;
}

static void ready(struct framing *framing, struct framing_piece *piece)
{
	if (framing->phase & READY_DUE)
		framing->phase &= (uint8_t)~READY_DUE;
	else
		framing_last(framing, piece);
}

static const struct meaning *message_meaning(const struct framing_side *side, const struct framing_piece *piece)
{
	return &(piece->direction == FRAMING_SIDE_UP ? up : down)[side->type];
}

static void bytes_begin(struct framing_side *side, unsigned state)
{
	side->left = 0;
	side->digits = 0;
	side->state = (uint8_t)state;
}

static void body_ends(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);
	bool packets = piece->direction == FRAMING_SIDE_UP && !(framing->phase & (STARTED | OVER));

	if (piece->direction == FRAMING_SIDE_DOWN && down[side->type].means == MEANS_READY)
		ready(framing, piece);
	bytes_begin(side, packets ? PACKET : TYPE);
}

static void body_begins(struct framing *framing, struct framing_piece *piece, uint64_t length)
{
	struct framing_side *side = framing_side(framing, piece);

	side->left = length;
	side->state = BODY;
	if (length == 0)
		body_ends(framing, piece);
}

/* ---- up, the start ------------------------------------------------------------------------------------------------- */

static void offer_encryption(struct framing *framing, struct framing_piece *piece)
{
	if (framing->asked >= OFFERS)
		framing_lose(framing, piece, FRAMING_BROKEN);
	else
		framing->asked++;
}

static void packet_code(struct framing *framing, struct framing_piece *piece, uint32_t code)
{
	if (code == CODE_SSL || code == CODE_GSSENC)
		offer_encryption(framing, piece);
	else if (code == CODE_CANCEL)
		framing->phase |= OVER;
	else if (code >> 16 == CODE_MAJOR)
		framing->phase |= STARTED | READY_DUE;
	else
		framing_lose(framing, piece, FRAMING_VERSION);
}

static void packet_byte(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_UP];
	uint64_t length;

	side->left = side->left << 8 | *piece->at++;
	if (++side->digits < PACKET_HEADER)
		return;
	length = side->left >> 32;
	if (length < PACKET_HEADER || length > PACKET_MAX) {
		framing_lose(framing, piece, FRAMING_LENGTH);
		return;
	}
	packet_code(framing, piece, (uint32_t)side->left);
	body_begins(framing, piece, length - PACKET_HEADER);
}

/* ---- up, messages -------------------------------------------------------------------------------------------------- */

/* A password belongs to the start, and there is no Query in a batch that could be matched. */
static enum framing_reason refused(const struct framing *framing, unsigned means)
{
	if (framing->phase & OVER)
		return FRAMING_BROKEN;
	if (means == MEANS_NOTHING || (means == MEANS_PASSWORD && !(framing->phase & READY_DUE)))
		return FRAMING_TYPE;
	if (means == MEANS_COPY)
		return FRAMING_COPY;
	return means == MEANS_REQUEST && framing->batch ? FRAMING_MIXED : FRAMING_IN_STEP;
}

/* May a message that means this begin? If not, it is marked why. */
static bool message_begins(struct framing *framing, struct framing_piece *piece, unsigned means)
{
	bool asks = means == MEANS_REQUEST || means == MEANS_PART || means == MEANS_SYNC;
	enum framing_reason why = refused(framing, means);

	if (why != FRAMING_IN_STEP) {
		framing_lose(framing, piece, why);
		return false;
	}
	return !asks || framing->batch || framing_first(framing, piece);
}

static void message_type(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_UP];
	unsigned type = *piece->at;
	unsigned meaning = means(up, (unsigned char)type);

	if (!message_begins(framing, piece, meaning))
		return;
	piece->at++;
	side->type = (uint8_t)type;
	bytes_begin(side, LENGTH);
	if (meaning == MEANS_REQUEST || meaning == MEANS_SYNC)
		framing->expected++;
	if (meaning == MEANS_END) {
		framing->phase |= OVER;
		if (framing->batch)
			framing_cancel(framing, piece);
	}
	if (meaning == MEANS_PART)
		framing->batch = 1;
	else if (meaning == MEANS_SYNC || meaning == MEANS_END)
		framing->batch = 0;
}

/* ---- down ---------------------------------------------------------------------------------------------------------- */

/* To an offer of encryption the server says yes or no in one byte. */
static void encryption_answer(struct framing *framing, struct framing_piece *piece)
{
	switch (*piece->at) {
	case 'N':
		piece->at++;
		framing->asked--;
		break;
	case 'S':
		framing_lose(framing, piece, FRAMING_SSL);
		break;
	case 'G':
		framing_lose(framing, piece, FRAMING_GSSENC);
		break;
	default:
		framing_lose(framing, piece, FRAMING_BROKEN);
	}
}

static enum framing_reason unexpected(const struct framing *framing, unsigned means)
{
	bool due = framing->phase & READY_DUE || framing->expected > 0;

	if (!(framing->phase & STARTED) || (means == MEANS_READY && !due))
		return FRAMING_UNASKED;
	if (means == MEANS_NOTHING)
		return FRAMING_TYPE;
	return means == MEANS_COPY ? FRAMING_COPY : FRAMING_IN_STEP;
}

static void answer_type(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = &framing->side[FRAMING_SIDE_DOWN];
	enum framing_reason why;

	if (framing->asked > 0) {
		encryption_answer(framing, piece);
		return;
	}
	why = unexpected(framing, means(down, *piece->at));
	if (why != FRAMING_IN_STEP) {
		framing_lose(framing, piece, why);
		return;
	}
	side->type = *piece->at++;
	bytes_begin(side, LENGTH);
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

static bool is_status(unsigned char byte)
{
	return byte == 'I' || byte == 'T' || byte == 'E';
}

static void length_byte(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);
	const struct meaning *meaning = message_meaning(side, piece);

	side->left = side->left << 8 | *piece->at++;
	if (++side->digits < LENGTH_BYTES)
		return;
	if (side->left < meaning->min || side->left > meaning->max) {
		framing_lose(framing, piece, FRAMING_LENGTH);
		return;
	}
	body_begins(framing, piece, side->left - LENGTH_BYTES);
}

static void body_bytes(struct framing *framing, struct framing_piece *piece)
{
	struct framing_side *side = framing_side(framing, piece);

	if (piece->direction == FRAMING_SIDE_DOWN && down[side->type].means == MEANS_READY && !is_status(*piece->at))
		framing_lose(framing, piece, FRAMING_BROKEN);
	else if (framing_skip(side, piece))
		body_ends(framing, piece);
}

static void step(struct framing *framing, struct framing_piece *piece)
{
	switch (framing_side(framing, piece)->state) {
	case START:
		bytes_begin(framing_side(framing, piece), piece->direction == FRAMING_SIDE_UP ? PACKET : TYPE);
		break;
	case PACKET:
		packet_byte(framing, piece);
		break;
	case TYPE:
		if (piece->direction == FRAMING_SIDE_UP)
			message_type(framing, piece);
		else
			answer_type(framing, piece);
		break;
	case LENGTH:
		length_byte(framing, piece);
		break;
	default:
		body_bytes(framing, piece);
	}
}

const struct framing_parser framing_pgsql = {.step = step};
