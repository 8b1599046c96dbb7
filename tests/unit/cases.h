/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cases - a table of files that are wrong, and what must be said of each.
 *
 * A case is "=== name", the file, "---", the expected lines. Nothing is special in a file but \0ooo, a byte in octal.
 */
#ifndef CASES_H
#define CASES_H

#include <stddef.h>

#define CASES_MAX 200

struct unit_case {
	char name[128];
	char file[8192];
	size_t length;
	char expected[16384];
};

extern struct unit_case cases[CASES_MAX];
extern int case_count;

/* Fills cases; path is relative to $WEIR_SRCDIR. The process ends if it cannot be read. */
void cases_read(const char *path);

#endif
