/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - the few things that messages need everywhere: an error text to fill, a value to quote, a size to write, a list to
 * split.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_ERROR_MAX 1024 /* room for any "what is wrong; what was expected" */
#define TEXT_QUOTE_MAX 64   /* a quoted value, cut if it is longer */
#define TEXT_SIZE_MAX 24    /* a size with its unit */

/* Formats into error, cut to fit. */
void text_reason(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, and is -1, so that a function can fail in one line. A macro, so that compilers see the -1, too. */
#define text_error(...) (text_reason(__VA_ARGS__), -1)

/* The text in quotes, cut with "..." when long: a message is as readable as the worst value in it. Returns buffer. */
const char *text_quote(char buffer[TEXT_QUOTE_MAX], const char *text);

/* Bytes in the largest unit that is exact: 64K, 1G, 4097. Returns buffer. */
const char *text_size(char buffer[TEXT_SIZE_MAX], uint64_t bytes);

/* The next word of a list with commas, without the blanks around it; NULL behind the last. Cuts up *rest. */
char *text_next_word(char **rest);

/* How many there are: one more than commas. */
size_t text_count_words(const char *list);

/* Control bytes become '?': what others wrote must not steer a terminal or break a log line in two. */
void text_clean(char *text);

#endif
