/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep - the values that one key takes in turn.
 *
 * What kind of number a key takes is known only once a scenario is loaded, so a range goes by the units written in it: K, M
 * and G make sizes of its numbers, ms, s, m and h times.
 */
#include "sweep.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum family { PLAIN, SIZES, TIMES };

/* From the largest to the smallest of each family. A bare number is bytes or seconds. */
static const struct unit {
	const char *name;
	enum family family;
	uint64_t factor;
} units[] = {{"G", SIZES, 1 << 30}, {"M", SIZES, 1 << 20}, {"K", SIZES, 1 << 10}, {"h", TIMES, 3600000},
	{"m", TIMES, 60000}, {"s", TIMES, 1000}, {"ms", TIMES, 1}};

#define UNITS (sizeof(units) / sizeof(units[0]))
#define BARE_SECOND 1000

struct range {
	uint64_t from;
	uint64_t to;
	uint64_t step;
	bool multiplies;
	enum family family;
};

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

struct number {
	uint64_t value;
	const struct unit *unit; /* NULL: none */
};

static bool parse_number(struct number *number, const char *text, size_t length)
{
	size_t i = 0;

	*number = (struct number){0};
	for (; i < length && isdigit((unsigned char)text[i]); i++)
		if (__builtin_mul_overflow(number->value, 10, &number->value) ||
			__builtin_add_overflow(number->value, (uint64_t)(text[i] - '0'), &number->value))
			return false;
	if (i == 0)
		return false;
	for (size_t j = 0; j < UNITS && i < length; j++)
		if (strlen(units[j].name) == length - i && strncmp(units[j].name, text + i, length - i) == 0)
			number->unit = &units[j];
	return i == length || number->unit != NULL;
}

/* The number in the family's smallest unit. */
static bool resolve(const struct number *number, enum family family, uint64_t *value)
{
	uint64_t factor = number->unit != NULL ? number->unit->factor : family == TIMES ? BARE_SECOND : 1;

	return (number->unit == NULL || number->unit->family == family) &&
		!__builtin_mul_overflow(number->value, factor, value);
}

/* In the largest unit that is exact. */
static char *number_text(enum family family, uint64_t value)
{
	char *text;

	for (size_t i = 0; i < UNITS; i++)
		if (units[i].family == family && value != 0 && value % units[i].factor == 0)
			return asprintf(&text, "%" PRIu64 "%s", value / units[i].factor, units[i].name) < 0 ? NULL
													    : text;
	return asprintf(&text, "%" PRIu64, value) < 0 ? NULL : text;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static int add_value(struct sweep *sweep, char *value, char *error, size_t error_size)
{
	if (value == NULL)
		return text_error(error, error_size, "no memory; expected enough for the values");
	if (sweep->count == SWEEP_MAX) {
		free(value);
		return text_error(error, error_size, "more than %d values; expected fewer", SWEEP_MAX);
	}
	sweep->values[sweep->count++] = value;
	return 0;
}

static int add_list(struct sweep *sweep, const char *list, char *error, size_t error_size)
{
	for (;;) {
		size_t length = strcspn(list, ",");

		if (length == 0)
			return text_error(error, error_size, "a value is empty; expected values with commas between");
		if (add_value(sweep, strndup(list, length), error, error_size) < 0)
			return -1;
		if (list[length] == '\0')
			return 0;
		list += length + 1;
	}
}

static int add_range(struct sweep *sweep, const struct range *range, char *error, size_t error_size)
{
	uint64_t value = range->from;

	while (value <= range->to) {
		if (add_value(sweep, number_text(range->family, value), error, error_size) < 0)
			return -1;
		if (range->multiplies ? __builtin_mul_overflow(value, range->step, &value)
				      : __builtin_add_overflow(value, range->step, &value))
			break;
	}
	return 0;
}

/* dots: where ".." is. */
static int parse_range(struct range *range, const char *text, const char *dots, char *error, size_t error_size)
{
	const char *colon = strchr(dots, ':');
	struct number from, to, step;

	if (colon == NULL || (colon[1] != 'x' && colon[1] != '+') ||
		!parse_number(&from, text, (size_t)(dots - text)) ||
		!parse_number(&to, dots + 2, (size_t)(colon - dots - 2)) ||
		!parse_number(&step, colon + 2, strlen(colon + 2)))
		return text_error(error, error_size, "%s is no range; expected A..B:xFACTOR or A..B:+STEP", text);
	range->multiplies = colon[1] == 'x';
	range->family = from.unit != NULL ? from.unit->family : to.unit != NULL ? to.unit->family : PLAIN;
	if (range->family == PLAIN && step.unit != NULL)
		range->family = step.unit->family;
	if (!resolve(&from, range->family, &range->from) || !resolve(&to, range->family, &range->to) ||
		!resolve(&step, range->family, &range->step))
		return text_error(error, error_size,
			"the numbers of %s do not go together; expected all sizes or all times", text);
	if (range->multiplies)
		range->step = step.value;
	if (range->from > range->to)
		return text_error(error, error_size, "%s begins behind its end; expected the smaller number first",
			text);
	if (range->multiplies ? step.unit != NULL || step.value < 2 || range->from == 0 : range->step == 0)
		return text_error(error, error_size,
			"%s does not grow; expected a factor of at least 2 of more than 0, or a step of more than 0",
			text);
	return 0;
}

int sweep_parse(struct sweep *sweep, const char *text, char *error, size_t error_size)
{
	const char *equal = strchr(text, '=');
	struct range range;
	const char *dots;

	*sweep = (struct sweep){.values = calloc(SWEEP_MAX, sizeof(*sweep->values))};
	if (equal == NULL || equal == text)
		return text_error(error, error_size,
			"no KEY= in front; expected KEY=A..B:xF, KEY=A..B:+S or KEY=A,B,C");
	sweep->key = strndup(text, (size_t)(equal - text));
	if (sweep->values == NULL || sweep->key == NULL)
		return text_error(error, error_size, "no memory; expected enough for the values");
	dots = strstr(equal + 1, "..");
	if (dots == NULL)
		return add_list(sweep, equal + 1, error, error_size);
	if (parse_range(&range, equal + 1, dots, error, error_size) < 0)
		return -1;
	return add_range(sweep, &range, error, error_size);
}

void sweep_free(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++)
		free(sweep->values[i]);
	free(sweep->values);
	free(sweep->key);
	*sweep = (struct sweep){0};
}
