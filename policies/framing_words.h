/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framing_words - Redis commands after which answers cannot be matched with requests.
 *
 * The first words of a command are compared with a table as they come; of a word, only as much is kept as matters.
 */
#ifndef FRAMING_WORDS_H
#define FRAMING_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "framing_parts.h"

/* A command begins. */
void framing_words_begin(struct framing *framing);

/* May the words so far still become one of these commands? Else no word needs to be told any more. */
bool framing_words_wanted(const struct framing *framing);

/* More bytes of a word; the word is complete. */
void framing_word_take(struct framing *framing, const unsigned char *bytes, size_t length);
enum framing_reason framing_word_end(struct framing *framing);

#endif
