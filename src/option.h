/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option - the engine behind every option table: weir's own sections and the modules'.
 *
 * A table is an array of struct weir_option ending with a NULL key. `stride` is the size of one row as its owner was
 * compiled, so that a module built against an older header still reads right. Text goes in, a checked value lies at
 * `offset` in the owner's struct; the default goes through the same door as the user's text.
 *
 * SIZE, TIME and COUNT rows may have names too: words that stand in place of a number, names[i] being stored as
 * UINT64_MAX - i whatever min and max say ("never", "auto").
 */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "weir/policy.h"

/* The row of this key, or NULL. */
const struct weir_option *option_find(const struct weir_option *table, size_t stride, const char *key);

/* The i-th row, or NULL at the end. */
const struct weir_option *option_at(const struct weir_option *table, size_t stride, size_t i);

/*
 * Parses text into the row's place in options. 0, or -1 with "what is wrong; what was expected" in error and options
 * as they were. A STRING is copied; the value it replaces is freed. Never stores an out-of-range value.
 */
int option_set(const struct weir_option *option, void *options, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* Sets every row that has a default; rows without one are left as they are. options must be zeroed before. -1 with an
   error text if a default does not parse: a fault of the table's author. */
int option_defaults(const struct weir_option *table, size_t stride, void *options, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* The value as it could stand in the ini, shortest exact form (64K, 5s, yes). Returns buffer. */
const char *option_text(const struct weir_option *option, const void *options, char *buffer, size_t size);

/* What the row accepts, in words for messages and help: "a size from 1 to 1G, or auto". Returns buffer. */
const char *option_expected(const struct weir_option *option, char *buffer, size_t size);

/* Prints the whole table with types, ranges, defaults and docs, for --help-policy. */
void option_help(FILE *out, const struct weir_option *table, size_t stride);

/* Frees the STRING values and sets them to NULL. */
void option_free(const struct weir_option *table, size_t stride, void *options);

/*
 * The candidate nearest to word by edit distance, or NULL when none is near enough to be what was meant (more than
 * a third of its letters differ). candidates ends with NULL.
 */
const char *option_nearest(const char *word, const char *const *candidates);

#endif
