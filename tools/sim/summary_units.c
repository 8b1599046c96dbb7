/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary_units - numbers as people read them.
 */
#include "summary_units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* number / unit, to three digits: 1.23, 12.3, 123, 1234. */
static void three_digits(char buffer[SUMMARY_UNITS_MAX], uint64_t number, uint64_t unit, const char *name)
{
	unsigned __int128 twice = (unsigned __int128)number * 200 + unit;
	uint64_t hundredths = (uint64_t)(twice / 2 / unit);
	uint64_t tenths = (uint64_t)(((unsigned __int128)number * 20 + unit) / 2 / unit);
	uint64_t whole = (uint64_t)(((unsigned __int128)number * 2 + unit) / 2 / unit);

	if (hundredths < 1000)
		snprintf(buffer, SUMMARY_UNITS_MAX, "%" PRIu64 ".%02" PRIu64 "%s", hundredths / 100, hundredths % 100,
			name);
	else if (tenths < 1000)
		snprintf(buffer, SUMMARY_UNITS_MAX, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, name);
	else
		snprintf(buffer, SUMMARY_UNITS_MAX, "%" PRIu64 "%s", whole, name);
}

/* In the largest unit that is not above the number; exact in the smallest one. */
static const char *with_unit(char buffer[SUMMARY_UNITS_MAX], uint64_t number, uint64_t factor, const char *const *names)
{
	uint64_t unit = 1;
	size_t i = 0;

	while (names[i + 1] != NULL && number / factor >= unit) {
		unit *= factor;
		i++;
	}
	if (i == 0)
		snprintf(buffer, SUMMARY_UNITS_MAX, "%" PRIu64 "%s", number, names[0]);
	else
		three_digits(buffer, number, unit, names[i]);
	return buffer;
}

const char *summary_bytes(char buffer[SUMMARY_UNITS_MAX], uint64_t bytes)
{
	static const char *const names[] = {"", "K", "M", "G", "T", NULL};

	return with_unit(buffer, bytes, 1024, names);
}

const char *summary_rate(char buffer[SUMMARY_UNITS_MAX], uint64_t bytes)
{
	static const char *const names[] = {"/s", "K/s", "M/s", "G/s", "T/s", NULL};

	return with_unit(buffer, bytes, 1024, names);
}

const char *summary_time(char buffer[SUMMARY_UNITS_MAX], uint64_t ns)
{
	static const char *const names[] = {"ns", "us", "ms", "s", NULL};

	if (ns == 0)
		snprintf(buffer, SUMMARY_UNITS_MAX, "0s");
	else
		with_unit(buffer, ns, 1000, names);
	return buffer;
}

const char *summary_percent(char buffer[SUMMARY_UNITS_MAX], uint64_t part, uint64_t whole)
{
	uint64_t tenths = whole == 0 ? 0 : (uint64_t)(((unsigned __int128)part * 2000 + whole) / 2 / whole);

	snprintf(buffer, SUMMARY_UNITS_MAX, "%" PRIu64 ".%" PRIu64 "%%", tenths / 10, tenths % 10);
	return buffer;
}

const char *summary_thousandths(char buffer[SUMMARY_UNITS_MAX], uint64_t thousandths)
{
	snprintf(buffer, SUMMARY_UNITS_MAX, "%" PRIu64 ".%03" PRIu64, thousandths / 1000, thousandths % 1000);
	return buffer;
}
