/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_words - see framing_words.h.
 *
 * After SUBSCRIBE and its kin and after MONITOR, what nobody asks for is sent. UNSUBSCRIBE answers each of its arguments,
 * CLIENT REPLY OFF and SKIP and REPLCONF ACK answer nothing, SYNC turns the connection into another one.
 */
#include "framing_words.h"

#include <string.h>

/* What the words so far are the begin of. */
enum { NOTHING, COMMAND, CLIENT, CLIENT_REPLY, SCRIPT };

static const struct {
	const char *word;
	uint8_t after;
	uint8_t becomes;
	uint8_t why; /* enum framing_reason */
} words[] = {
	{"SUBSCRIBE", COMMAND, NOTHING, FRAMING_SUBSCRIBE},
	{"PSUBSCRIBE", COMMAND, NOTHING, FRAMING_PSUBSCRIBE},
	{"SSUBSCRIBE", COMMAND, NOTHING, FRAMING_SSUBSCRIBE},
	{"UNSUBSCRIBE", COMMAND, NOTHING, FRAMING_UNSUBSCRIBE},
	{"PUNSUBSCRIBE", COMMAND, NOTHING, FRAMING_PUNSUBSCRIBE},
	{"SUNSUBSCRIBE", COMMAND, NOTHING, FRAMING_SUNSUBSCRIBE},
	{"MONITOR", COMMAND, NOTHING, FRAMING_MONITOR},
	{"SYNC", COMMAND, NOTHING, FRAMING_SYNC},
	{"PSYNC", COMMAND, NOTHING, FRAMING_PSYNC},
	{"REPLCONF", COMMAND, NOTHING, FRAMING_REPLCONF},
	{"CLIENT", COMMAND, CLIENT, FRAMING_IN_STEP},
	{"REPLY", CLIENT, CLIENT_REPLY, FRAMING_IN_STEP},
	{"OFF", CLIENT_REPLY, NOTHING, FRAMING_REPLY_OFF},
	{"SKIP", CLIENT_REPLY, NOTHING, FRAMING_REPLY_SKIP},
	{"SCRIPT", COMMAND, SCRIPT, FRAMING_IN_STEP},
	{"DEBUG", SCRIPT, NOTHING, FRAMING_SCRIPT_DEBUG},
};

#define WORDS (sizeof(words) / sizeof(words[0]))
#define TOO_LONG (sizeof(((struct framing *)0)->word) + 1)

void framing_words_begin(struct framing *framing)
{
	framing->command = COMMAND;
	framing->word_length = 0;
}

bool framing_words_wanted(const struct framing *framing)
{
	return framing->command != NOTHING;
}

void framing_word_take(struct framing *framing, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length && framing->word_length < TOO_LONG; i++) {
		unsigned char byte = bytes[i];

		if (byte >= 'a' && byte <= 'z')
			byte = (unsigned char)(byte - 'a' + 'A');
		if (framing->word_length < sizeof(framing->word))
			framing->word[framing->word_length] = byte;
		framing->word_length++;
	}
}

enum framing_reason framing_word_end(struct framing *framing)
{
	unsigned after = framing->command;
	size_t length = framing->word_length;

	framing->command = NOTHING;
	framing->word_length = 0;
	for (size_t i = 0; i < WORDS; i++) {
		if (words[i].after == after && strlen(words[i].word) == length &&
			memcmp(words[i].word, framing->word, length) == 0) {
			framing->command = words[i].becomes;
			return words[i].why;
		}
	}
	return FRAMING_IN_STEP;
}
