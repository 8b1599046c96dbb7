/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - the few things that messages need everywhere.
 */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_reason(char *error, size_t error_size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, error_size, format, arguments);
	va_end(arguments);
}

const char *text_quote(char buffer[TEXT_QUOTE_MAX], const char *text)
{
	int room = TEXT_QUOTE_MAX - (int)sizeof("\"...\"");

	if (strlen(text) <= (size_t)room)
		snprintf(buffer, TEXT_QUOTE_MAX, "\"%s\"", text);
	else
		snprintf(buffer, TEXT_QUOTE_MAX, "\"%.*s...\"", room, text);
	return buffer;
}

const char *text_size(char buffer[TEXT_SIZE_MAX], uint64_t bytes)
{
	static const char *const units[] = {"", "K", "M", "G"};
	size_t unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, TEXT_SIZE_MAX, "%" PRIu64 "%s", bytes, units[unit]);
	return buffer;
}

char *text_next_word(char **rest)
{
	char *word = strsep(rest, ",");
	size_t length;

	if (word == NULL)
		return NULL;
	word += strspn(word, " \t");
	length = strlen(word);
	while (length > 0 && strchr(" \t", word[length - 1]) != NULL)
		word[--length] = '\0';
	return word;
}

size_t text_count_words(const char *list)
{
	size_t count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

void text_clean(char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f)
			*text = '?';
	}
}
