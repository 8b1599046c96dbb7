/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing - where requests begin and answers end in the bytes of a connection.
 *
 *     client --> [ BEGIN ... | BEGIN ... ] --> server      answers come in the order of the requests
 *     client <-- [ ... ANSWER | ... ANSWER ] <-- server
 *
 * A parser is shown the bytes of both directions, in pieces that end anywhere, and tells what it finds; of a stream of any
 * length it remembers a fixed number of bytes. It allocates nothing and never reads beyond a piece. Whatever it is shown, it
 * ends up either in step with the stream or lost, and once lost it stays so.
 */
#ifndef FRAMING_H
#define FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum framing_kind {
	FRAMING_LINE,  /* a request is a line, so is an answer */
	FRAMING_RESP,  /* Redis */
	FRAMING_U32BE, /* four bytes of length, big endian, and as many bytes */
	FRAMING_PGSQL, /* a Query, or all up to a Sync, until ReadyForQuery */
};

/* What a parser stopped at. */
enum framing_mark {
	FRAMING_NONE,   /* the piece is consumed, and there is nothing to tell */
	FRAMING_BEGIN,  /* up: the next byte, not consumed yet, begins a request; goes on after framing_admit() */
	FRAMING_CANCEL, /* up: what began last turned out to be nothing that will be answered */
	FRAMING_ANSWER, /* down: the last byte consumed ends an answer */
	FRAMING_LOST,   /* what follows cannot be matched; framing_why() says why */
};

/* One direction of a connection; what the fields say depends on the state, which depends on the kind. */
struct framing_side {
	uint64_t left;  /* of a number: what was read so far; of what is skipped: what is to come of it */
	uint64_t parts; /* what else belongs to the message */
	uint8_t state;
	uint8_t type;     /* of the message */
	uint8_t digits;   /* of the number */
	uint8_t negative; /* the number begins with '-' */
};

/* The parser of one connection, both directions; the fields are its own. Zeroed memory and framing_init() begin it. */
struct framing {
	struct framing_side side[2]; /* by direction, up first */
	uint64_t expected;           /* requests that passed and are not answered */
	unsigned char word[16];      /* of a command, in upper case, as far as it matters */
	uint8_t word_length;
	uint8_t command; /* what the words so far may become */
	uint8_t phase;   /* of the connection */
	uint8_t batch;   /* a request is open, the end of which has not been seen */
	uint8_t asked;   /* offers of encryption that are not answered */
	uint8_t kind;    /* enum framing_kind */
	uint8_t gate;    /* whether a begin was told, and whether that request may pass */
	uint8_t why;     /* an index into reasons; 0: in step */
};

void framing_init(struct framing *framing, enum framing_kind kind);

/*
 * Both consume a prefix of the piece and return its length; what stopped them is in *mark. Before it is all consumed there
 * may be more to tell: call again with the rest. A begin is told again until it is admitted. Who is lost consumes nothing.
 */
size_t framing_up(struct framing *framing, const unsigned char *bytes, size_t length, enum framing_mark *mark);
size_t framing_down(struct framing *framing, const unsigned char *bytes, size_t length, enum framing_mark *mark);

/* The request whose begin was told last may pass. Without such a begin it does nothing. */
void framing_admit(struct framing *framing);

/* Why it is lost, in a few words ("SUBSCRIBE", "an accepted SSLRequest"), the same pointer for the same reason; NULL while in step. */
const char *framing_why(const struct framing *framing);

#endif
