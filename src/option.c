/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option - the engine behind every option table: text to checked value, value to text, table to help.
 */
#include "option.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define WORDS_MAX 16 /* numbers this near to UINT64_MAX may stand for words */

struct unit {
	const char *name;
	uint64_t factor;
};

/* From the smallest to the largest; the first is what a bare number means. */
static const struct unit size_units[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};
static const struct unit time_units[] = {{"", UINT64_C(1000000000)}, {"us", 1000}, {"ms", 1000000},
	{"s", UINT64_C(1000000000)}, {"m", UINT64_C(60000000000)}, {"h", UINT64_C(3600000000000)}, {NULL, 0}};

static const struct unit *units_of(const struct weir_option *option)
{
	if (option->type == WEIR_OPTION_SIZE)
		return size_units;
	if (option->type == WEIR_OPTION_TIME)
		return time_units;
	return count_units;
}

static bool is_number(const struct weir_option *option)
{
	return option->type == WEIR_OPTION_SIZE || option->type == WEIR_OPTION_TIME ||
		option->type == WEIR_OPTION_COUNT;
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

const struct weir_option *option_at(const struct weir_option *table, size_t stride, size_t i)
{
	const struct weir_option *row;

	if (table == NULL)
		return NULL;
	row = (const struct weir_option *)(const void *)((const char *)table + i * stride);
	return row->key != NULL ? row : NULL;
}

const struct weir_option *option_find(const struct weir_option *table, size_t stride, const char *key)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(table, stride, i)) != NULL; i++)
		if (strcmp(row->key, key) == 0)
			return row;
	return NULL;
}

static void *place_of(const struct weir_option *option, void *options)
{
	return (char *)options + option->offset;
}

static const void *value_of(const struct weir_option *option, const void *options)
{
	return (const char *)options + option->offset;
}

static uint64_t number_of(const struct weir_option *option, const void *options)
{
	uint64_t number;

	memcpy(&number, value_of(option, options), sizeof(number));
	return number;
}

static uint32_t index_of(const struct weir_option *option, const void *options)
{
	uint32_t number;

	memcpy(&number, value_of(option, options), sizeof(number));
	return number;
}

static char *string_of(const struct weir_option *option, const void *options)
{
	char *string;

	memcpy(&string, value_of(option, options), sizeof(string));
	return string;
}

/* The number of words in names; an empty one only holds a place. */
static size_t words_of(const struct weir_option *option)
{
	size_t count = 0;

	while (option->names != NULL && option->names[count] != NULL)
		count++;
	return count;
}

/* ---- text to value ------------------------------------------------------------------------------------------------- */

static bool word_find(const struct weir_option *option, const char *text, size_t *found)
{
	size_t count = words_of(option);

	for (size_t i = 0; i < count; i++)
		if (*text != '\0' && strcmp(option->names[i], text) == 0) {
			*found = i;
			return true;
		}
	return false;
}

static int refuse(const struct weir_option *option, const char *text, const char *what, char *error, size_t error_size)
{
	char quote[TEXT_QUOTE_MAX], expected[TEXT_ERROR_MAX];

	return text_error(error, error_size, "%s %s; expected %s", text_quote(quote, text), what,
		option_expected(option, expected, sizeof(expected)));
}

/* The doc goes along, because it holds the reason for the range. */
static int refuse_range(const struct weir_option *option, const char *text, const char *relation, uint64_t limit,
	char *error, size_t error_size)
{
	char limit_text[TEXT_QUOTE_MAX], quote[TEXT_QUOTE_MAX], expected[TEXT_ERROR_MAX];
	struct weir_option bare = *option;

	bare.names = NULL;
	bare.offset = 0;
	return text_error(error, error_size, "%s is %s %s; expected %s (%s)", text_quote(quote, text), relation,
		option_text(&bare, &limit, limit_text, sizeof(limit_text)),
		option_expected(option, expected, sizeof(expected)), option->doc);
}

static int refuse_tail(const struct weir_option *option, const char *text, const char *tail, char *error,
	size_t error_size)
{
	char what[TEXT_QUOTE_MAX * 2], quote[TEXT_QUOTE_MAX];

	if (*tail == '.' && isdigit((unsigned char)tail[1]))
		return refuse(option, text, "is no whole number", error, error_size);
	text_quote(quote, tail);
	if (option->type == WEIR_OPTION_COUNT) {
		snprintf(what, sizeof(what), "has %s behind the number", quote);
		return refuse(option, text, what, error, error_size);
	}
	return text_error(error, error_size, "\"%.*s\" is followed by the unknown unit %s; expected %s",
		(int)(tail - text > 40 ? 40 : tail - text), text, quote,
		option->type == WEIR_OPTION_SIZE ? "K, M, G, or nothing for bytes"
						 : "us, ms, s, m, h, or nothing for seconds");
}

/* Of what digits may be, 16 or 10; *text is moved behind what says so. A number of things may be a mark of bits, too. */
static uint64_t base_of(const struct weir_option *option, const char **text)
{
	bool hex = option->type == WEIR_OPTION_COUNT && (*text)[0] == '0' && (*text)[1] == 'x' &&
		isxdigit((unsigned char)(*text)[2]);

	*text += hex ? 2 : 0;
	return hex ? 16 : 10;
}

static uint64_t digit_of(char digit)
{
	return isdigit((unsigned char)digit) ? (uint64_t)(digit - '0')
					     : (uint64_t)(tolower((unsigned char)digit) - 'a' + 10);
}

/* digits, then one of the option's units. The whole text, or it is an error that says which part is wrong. */
static int number_parse(const struct weir_option *option, const char *text, uint64_t *number, char *error,
	size_t error_size)
{
	const struct unit *unit = units_of(option);
	const char *tail = text;
	bool overflow = false;
	uint64_t value = 0, base = base_of(option, &tail);

	if (*text == '-' && isdigit((unsigned char)text[1]))
		return refuse(option, text, "is negative", error, error_size);
	for (; base == 16 ? isxdigit((unsigned char)*tail) : isdigit((unsigned char)*tail); tail++)
		overflow |= __builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, digit_of(*tail), &value);
	if (tail == text)
		return refuse(option, text, "is no number", error, error_size);
	while (unit->name != NULL && strcmp(unit->name, tail) != 0)
		unit++;
	if (unit->name == NULL)
		return refuse_tail(option, text, tail, error, error_size);
	overflow |= __builtin_mul_overflow(value, unit->factor, &value);
	if (overflow || value > option->max || (words_of(option) > 0 && value > UINT64_MAX - WORDS_MAX))
		return refuse_range(option, text, "above", option->max, error, error_size);
	if (value < option->min)
		return refuse_range(option, text, "below", option->min, error, error_size);
	*number = value;
	return 0;
}

static int set_number(const struct weir_option *option, void *options, const char *text, char *error, size_t error_size)
{
	uint64_t number = 0;
	size_t word;

	if (word_find(option, text, &word))
		number = UINT64_MAX - word;
	else if (number_parse(option, text, &number, error, error_size) < 0)
		return -1;
	memcpy(place_of(option, options), &number, sizeof(number));
	return 0;
}

static int set_bool(const struct weir_option *option, void *options, const char *text, char *error, size_t error_size)
{
	uint32_t value = strcmp(text, "yes") == 0;

	if (value == 0 && strcmp(text, "no") != 0)
		return refuse(option, text, "is neither yes nor no", error, error_size);
	memcpy(place_of(option, options), &value, sizeof(value));
	return 0;
}

static int set_enum(const struct weir_option *option, void *options, const char *text, char *error, size_t error_size)
{
	uint32_t value;
	size_t word;

	if (!word_find(option, text, &word))
		return refuse(option, text, "is not known", error, error_size);
	value = (uint32_t)word;
	memcpy(place_of(option, options), &value, sizeof(value));
	return 0;
}

static int set_string(const struct weir_option *option, void *options, const char *text, char *error, size_t error_size)
{
	char **place = place_of(option, options);
	char *copy = strdup(text);

	if (copy == NULL)
		return text_error(error, error_size, "cannot be kept: %s; expected free memory", strerror(errno));
	free(*place);
	*place = copy;
	return 0;
}

int option_set(const struct weir_option *option, void *options, const char *text, char *error, size_t error_size)
{
	switch (option->type) {
	case WEIR_OPTION_SIZE:
	case WEIR_OPTION_TIME:
	case WEIR_OPTION_COUNT:
		return set_number(option, options, text, error, error_size);
	case WEIR_OPTION_BOOL:
		return set_bool(option, options, text, error, error_size);
	case WEIR_OPTION_ENUM:
		return set_enum(option, options, text, error, error_size);
	case WEIR_OPTION_STRING:
		return set_string(option, options, text, error, error_size);
	default:
		return text_error(error, error_size, "the option's type %" PRIu32 " is unknown; expected %d to %d",
			option->type, WEIR_OPTION_SIZE, WEIR_OPTION_STRING);
	}
}

int option_defaults(const struct weir_option *table, size_t stride, void *options, char *error, size_t error_size)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(table, stride, i)) != NULL; i++) {
		char reason[TEXT_ERROR_MAX];

		if (row->def != NULL && option_set(row, options, row->def, reason, sizeof(reason)) < 0)
			return text_error(error, error_size, "default of %s: %s", row->key, reason);
	}
	return 0;
}

void option_free(const struct weir_option *table, size_t stride, void *options)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(table, stride, i)) != NULL; i++)
		if (row->type == WEIR_OPTION_STRING) {
			free(string_of(row, options));
			memset(place_of(row, options), 0, sizeof(char *));
		}
}

/* ---- value to text ------------------------------------------------------------------------------------------------- */

static void time_text(uint64_t value, char *buffer, size_t size)
{
	const struct unit *unit = &time_units[sizeof(time_units) / sizeof(time_units[0]) - 2]; /* the largest */

	while (unit > &time_units[1] && value % unit->factor != 0)
		unit--;
	if (value == 0)
		snprintf(buffer, size, "0");
	else
		snprintf(buffer, size, "%" PRIu64 "%s", value / unit->factor, unit->name);
}

static void number_text(const struct weir_option *option, uint64_t value, char *buffer, size_t size)
{
	char bytes[TEXT_SIZE_MAX];

	if (option->names != NULL && UINT64_MAX - value < words_of(option))
		snprintf(buffer, size, "%s", option->names[UINT64_MAX - value]);
	else if (option->type == WEIR_OPTION_TIME)
		time_text(value, buffer, size);
	else if (option->type == WEIR_OPTION_SIZE)
		snprintf(buffer, size, "%s", text_size(bytes, value));
	else
		snprintf(buffer, size, "%" PRIu64, value);
}

const char *option_text(const struct weir_option *option, const void *options, char *buffer, size_t size)
{
	if (is_number(option)) {
		number_text(option, number_of(option, options), buffer, size);
	} else if (option->type == WEIR_OPTION_STRING) {
		const char *string = string_of(option, options);

		snprintf(buffer, size, "%s", string != NULL ? string : "");
	} else if (option->type == WEIR_OPTION_BOOL) {
		snprintf(buffer, size, "%s", index_of(option, options) != 0 ? "yes" : "no");
	} else {
		uint32_t i = index_of(option, options);

		snprintf(buffer, size, "%s", option->names != NULL && i < words_of(option) ? option->names[i] : "?");
	}
	return buffer;
}

/* ---- help ---------------------------------------------------------------------------------------------------------- */

/* Adds the words to the text in buffer: "a", "a or b", "a, b or c"; behind a number ", or a" and ", a or b". */
static void add_words(const struct weir_option *option, bool behind_number, char *buffer, size_t size)
{
	size_t count = words_of(option), put = 0;

	for (size_t i = 0; option->names != NULL && i < count; i++) {
		size_t length = strlen(buffer);
		const char *joint = i + 1 == count ? " or " : ", ";

		if (option->names[i][0] == '\0')
			continue;
		if (put++ == 0)
			joint = !behind_number ? "" : i + 1 == count ? ", or " : ", ";
		snprintf(buffer + length, size - length, "%s%s", joint, option->names[i]);
	}
}

static void add_range(const struct weir_option *option, char *buffer, size_t size)
{
	static const char *const nouns[] =
		{[WEIR_OPTION_SIZE] = "a size", [WEIR_OPTION_TIME] = "a time", [WEIR_OPTION_COUNT] = "a number"};
	struct weir_option bare = *option;
	char min[TEXT_SIZE_MAX], max[TEXT_SIZE_MAX];

	bare.names = NULL;
	number_text(&bare, option->min, min, sizeof(min));
	number_text(&bare, option->max, max, sizeof(max));
	if (option->max == UINT64_MAX)
		snprintf(buffer, size, "%s of at least %s", nouns[option->type], min);
	else
		snprintf(buffer, size, "%s from %s to %s", nouns[option->type], min, max);
}

const char *option_expected(const struct weir_option *option, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (option->type == WEIR_OPTION_BOOL)
		snprintf(buffer, size, "yes or no");
	else if (option->type == WEIR_OPTION_STRING)
		snprintf(buffer, size, "a text");
	else if (option->type == WEIR_OPTION_ENUM)
		add_words(option, false, buffer, size);
	else if (is_number(option)) {
		add_range(option, buffer, size);
		add_words(option, true, buffer, size);
	}
	return buffer;
}

void option_help(FILE *out, const struct weir_option *table, size_t stride)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(table, stride, i)) != NULL; i++) {
		char expected[TEXT_ERROR_MAX];

		fprintf(out, "  %s = %s\n", row->key, row->def != NULL ? row->def : "(required)");
		fprintf(out, "      %s\n", option_expected(row, expected, sizeof(expected)));
		fprintf(out, "      %s\n", row->doc);
	}
}
