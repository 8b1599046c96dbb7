/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing - any conversation, parsed in pieces of different sizes, must be found to be the same; see fuzz.h.
 */
#include "fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A connection that is parsed. */
struct line {
	struct framing framing;
	uint64_t offsets[2];
	uint64_t open;   /* requests begun, not answered */
	uint64_t marks;  /* how many were found */
	uint64_t digest; /* of what they were, and where */
	uint64_t random;
	size_t piece; /* so many bytes at a time; 0: drawn */
	const char *wrong;
};

static void mix(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	*digest ^= *digest >> 29;
}

static void must(struct line *line, int condition, const char *wrong)
{
	if (!condition && !line->wrong)
		line->wrong = wrong;
}

static void mark_found(struct line *line, int down, enum framing_mark mark)
{
	line->marks++;
	mix(&line->digest, (uint64_t)mark << 1 | (uint64_t)down);
	mix(&line->digest, line->offsets[down]);
	switch (mark) {
	case FRAMING_BEGIN:
		must(line, !down, "a begin down");
		framing_admit(&line->framing);
		line->open++;
		break;
	case FRAMING_CANCEL:
	case FRAMING_ANSWER:
		must(line, down == (mark == FRAMING_ANSWER), "a mark in the wrong direction");
		must(line, line->open > 0, "more answers than requests");
		line->open--;
		break;
	default:
		must(line, mark == FRAMING_LOST, "an unknown mark");
	}
}

static size_t parse(struct line *line, int down, const unsigned char *bytes, size_t length)
{
	const char *before = framing_why(&line->framing), *why;
	enum framing_mark mark = FRAMING_NONE;
	size_t consumed = (down ? framing_down : framing_up)(&line->framing, bytes, length, &mark);

	why = framing_why(&line->framing);
	must(line, consumed <= length, "more consumed than there was");
	must(line, mark != FRAMING_NONE || consumed == length, "not all consumed, and nothing told");
	must(line, (why != NULL) == (mark == FRAMING_LOST), "lost without a reason, or the other way round");
	must(line, !before || (why == before && consumed == 0), "found again");
	line->offsets[down] += consumed;
	if (mark != FRAMING_NONE && !before)
		mark_found(line, down, mark);
	return mark == FRAMING_LOST ? length : consumed;
}

/* On the heap, in so many bytes as there are: AddressSanitizer sees who reads beyond. */
static void hand_over(struct line *line, int down, const unsigned char *bytes, size_t length)
{
	unsigned char *piece = malloc(length);
	size_t done = 0;

	if (!piece)
		abort();
	memcpy(piece, bytes, length);
	while (done < length && !line->wrong)
		done += parse(line, down, piece + done, length - done);
	free(piece);
}

static size_t next_piece(struct line *line, size_t left)
{
	size_t length = line->piece;

	if (length == 0) {
		mix(&line->random, left);
		length = 1 + (size_t)(line->random >> 40) % 16;
	}
	return length < left ? length : left;
}

static void converse(struct line *line, const unsigned char *input, size_t length)
{
	while (length > 1) {
		int down = input[0] >> 7;
		size_t said = (size_t)(input[0] & 127) + 1;

		input++;
		length--;
		if (said > length)
			said = length;
		for (size_t done = 0, piece; done < said; done += piece) {
			piece = next_piece(line, said - done);
			hand_over(line, down, input + done, piece);
		}
		input += said;
		length -= said;
	}
}

const char *fuzz_framing(enum framing_kind kind, const unsigned char *input, size_t length)
{
	struct line lines[] = {{.piece = SIZE_MAX}, {.piece = 1}, {.piece = 0, .random = length}};

	for (int i = 0; i < 3; i++) {
		framing_init(&lines[i].framing, kind);
		converse(&lines[i], input, length);
		must(&lines[i], lines[i].marks == lines[0].marks, "more or fewer marks in pieces of another size");
		must(&lines[i], lines[i].digest == lines[0].digest, "other marks in pieces of another size");
		must(&lines[i], framing_why(&lines[i].framing) == framing_why(&lines[0].framing),
			"lost for another reason");
		if (lines[i].wrong)
			return lines[i].wrong;
	}
	return NULL;
}
