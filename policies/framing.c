/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing - who parses what, and what all of them do alike; see framing.h and framing_parts.h.
 */
#include "framing.h"

#include "framing_parts.h"

/* A begin is told, and told again, until the request is admitted; then its first byte may be consumed. */
enum { CLOSED, TOLD, OPEN };

static const struct framing_parser *const parsers[] = {
	[FRAMING_LINE] = &framing_line,
	[FRAMING_RESP] = &framing_resp,
	[FRAMING_U32BE] = &framing_u32be,
	[FRAMING_PGSQL] = &framing_pgsql,
};

static const char *const reasons[] = {
	[FRAMING_BROKEN] = "broken framing",
	[FRAMING_TYPE] = "a message of unknown type",
	[FRAMING_LENGTH] = "a message of impossible length",
	[FRAMING_UNASKED] = "an answer to no request",
	[FRAMING_QUOTES] = "a quoted inline command",
	[FRAMING_PUSH] = "a push",
	[FRAMING_STREAMED] = "a streamed answer",
	[FRAMING_SUBSCRIBE] = "SUBSCRIBE",
	[FRAMING_PSUBSCRIBE] = "PSUBSCRIBE",
	[FRAMING_SSUBSCRIBE] = "SSUBSCRIBE",
	[FRAMING_UNSUBSCRIBE] = "UNSUBSCRIBE",
	[FRAMING_PUNSUBSCRIBE] = "PUNSUBSCRIBE",
	[FRAMING_SUNSUBSCRIBE] = "SUNSUBSCRIBE",
	[FRAMING_MONITOR] = "MONITOR",
	[FRAMING_REPLY_OFF] = "CLIENT REPLY OFF",
	[FRAMING_REPLY_SKIP] = "CLIENT REPLY SKIP",
	[FRAMING_SCRIPT_DEBUG] = "SCRIPT DEBUG",
	[FRAMING_SYNC] = "SYNC",
	[FRAMING_PSYNC] = "PSYNC",
	[FRAMING_REPLCONF] = "REPLCONF",
	[FRAMING_SSL] = "an accepted SSLRequest",
	[FRAMING_GSSENC] = "an accepted GSSENCRequest",
	[FRAMING_COPY] = "COPY",
	[FRAMING_MIXED] = "a Query in a batch without its Sync",
	[FRAMING_VERSION] = "another version of the protocol",
};

void framing_init(struct framing *framing, enum framing_kind kind)
{
	*framing = (struct framing){.kind = (uint8_t)kind};
}

void framing_lose(struct framing *framing, struct framing_piece *piece, enum framing_reason why)
{
	framing->why = (uint8_t)why;
	piece->mark = FRAMING_LOST;
}

bool framing_first(struct framing *framing, struct framing_piece *piece)
{
	if (piece->direction == FRAMING_SIDE_DOWN) {
		if (framing->expected == 0)
			framing_lose(framing, piece, FRAMING_UNASKED);
		return framing->expected > 0;
	}
	if (framing->gate == OPEN) {
		framing->gate = CLOSED;
		return true;
	}
	framing->gate = TOLD;
	piece->mark = FRAMING_BEGIN;
	return false;
}

void framing_last(struct framing *framing, struct framing_piece *piece)
{
	if (piece->direction == FRAMING_SIDE_UP)
		return;
	if (framing->expected == 0) { /* it was cancelled after this answer had begun */
		framing_lose(framing, piece, FRAMING_UNASKED);
		return;
	}
	framing->expected--;
	piece->mark = FRAMING_ANSWER;
}

void framing_cancel(struct framing *framing, struct framing_piece *piece)
{
	if (!parsers[framing->kind]->counts) {
		piece->mark = FRAMING_CANCEL;
	} else if (framing->expected == 0) { /* it was answered nevertheless */
		framing_lose(framing, piece, FRAMING_UNASKED);
	} else {
		framing->expected--;
		piece->mark = FRAMING_CANCEL;
	}
}

bool framing_skip(struct framing_side *side, struct framing_piece *piece)
{
	uint64_t there = (uint64_t)(piece->end - piece->at);
	uint64_t skipped = side->left < there ? side->left : there;

	piece->at += skipped;
	side->left -= skipped;
	return side->left == 0;
}

static size_t look_at(struct framing *framing, struct framing_piece piece, enum framing_mark *mark)
{
	const unsigned char *begin = piece.at;

	if (framing->why != FRAMING_IN_STEP)
		piece.mark = FRAMING_LOST;
	while (piece.at < piece.end && piece.mark == FRAMING_NONE)
		parsers[framing->kind]->step(framing, &piece);
	*mark = piece.mark;
	return (size_t)(piece.at - begin);
}

size_t framing_up(struct framing *framing, const unsigned char *bytes, size_t length, enum framing_mark *mark)
{
	return look_at(framing, (struct framing_piece){bytes, bytes + length, FRAMING_NONE, FRAMING_SIDE_UP}, mark);
}

size_t framing_down(struct framing *framing, const unsigned char *bytes, size_t length, enum framing_mark *mark)
{
	return look_at(framing, (struct framing_piece){bytes, bytes + length, FRAMING_NONE, FRAMING_SIDE_DOWN}, mark);
}

void framing_admit(struct framing *framing)
{
	if (framing->gate != TOLD)
		return;
	framing->gate = OPEN;
	if (parsers[framing->kind]->counts)
		framing->expected++;
}

const char *framing_why(const struct framing *framing)
{
	return reasons[framing->why];
}
