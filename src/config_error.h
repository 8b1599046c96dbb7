/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_error - everything that is wrong with a file, kept until the whole of it has been looked at.
 *
 * Faults are found in the order of the checks and told in the order of the lines. Format of one:
 *
 *     file:line: [section] key: what is wrong; what was expected
 *
 * where key, section or line are left out when there is none. What was not said by the file has a place of its own
 * instead, such as "command line: weir.workers=2".
 */
#ifndef CONFIG_ERROR_H
#define CONFIG_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONFIG_ERRORS_MAX 100 /* the rest is only counted: a file of junk need not fill a screen a thousand times */

#define CONFIG_PLACES 0x80000000U /* lines from this one on are no lines, but places[line - CONFIG_PLACES] */

struct config_fault;

struct config_errors {
	const char *file;
	const char *const *places; /* borrowed; NULL: none */
	struct config_fault *faults;
	size_t count; /* of faults, also of those beyond the maximum */
};

/* line 0, section NULL or "", key NULL: none. */
void config_error(struct config_errors *errors, unsigned line, const char *section, const char *key, const char *format,
	...) __attribute__((format(printf, 5, 6)));

/* Prints all, one line each, and frees them. */
void config_errors_flush(struct config_errors *errors, FILE *out);

#endif
