/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cases - a table of files that are wrong, and what must be said of each.
 */
#include "cases.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit_case cases[CASES_MAX];
int case_count;

/* Appends the line, with \0ooo made a byte. */
static void add_bytes(char *to, size_t *length, const char *line)
{
	while (*line != '\0') {
		if (strncmp(line, "\\0", 2) == 0) {
			char octal[4] = {line[2], line[3], line[4], '\0'};

			to[(*length)++] = (char)strtoul(octal, NULL, 8);
			line += 5;
		} else {
			to[(*length)++] = *line++;
		}
	}
}

static void append(char *to, size_t size, const char *line)
{
	size_t length = strlen(to);

	snprintf(to + length, size - length, "%s", line);
}

/* A blank line before the next case belongs to neither. */
static void read_lines(FILE *table)
{
	bool in_file = false, in_expected = false;
	char line[8192];

	while (fgets(line, sizeof(line), table) != NULL) {
		if (strncmp(line, "=== ", 4) == 0) {
			snprintf(cases[case_count++].name, sizeof(cases[0].name), "%.100s", line + 4);
			in_file = true;
			in_expected = false;
		} else if (in_file && strcmp(line, "---\n") == 0) {
			in_file = false;
			in_expected = true;
		} else if (in_file) {
			add_bytes(cases[case_count - 1].file, &cases[case_count - 1].length, line);
		} else if (in_expected && strcmp(line, "\n") != 0) {
			append(cases[case_count - 1].expected, sizeof(cases[0].expected), line);
		}
	}
}

void cases_read(const char *path)
{
	char whole[4096];
	FILE *table;

	snprintf(whole, sizeof(whole), "%s/%s", getenv("WEIR_SRCDIR"), path);
	table = fopen(whole, "r");
	if (table == NULL) {
		perror(whole);
		exit(99);
	}
	read_lines(table);
	fclose(table);
}
