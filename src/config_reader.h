/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_reader - the line-aware half of reading an ini file: sections and keys with their lines, faults of form.
 *
 * inih splits a line into key and value and knows about comments, but it tells neither lines nor sections apart: a
 * second or an empty section is invisible to it, names are cut, and only the first bad line is returned. So the reader that
 * inih gets is ours: it sees every physical line first, keeps the sections itself and hands on only what can be
 * "key = value".
 *
 * Nothing is known here about which sections and keys there are.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stdbool.h>
#include <sys/queue.h>

#include "config_error.h"

#define CONFIG_LINE_MAX 4000               /* bytes, without its end */
#define CONFIG_FILE_MAX (16 * 1024 * 1024) /* bytes; /dev/zero is endless */

struct config_key {
	STAILQ_ENTRY(config_key) link;
	unsigned line;
	char *key;
	char *value; /* "" when there is nothing behind the '=' */
};

struct config_section {
	STAILQ_ENTRY(config_section) link;
	unsigned line;
	char *title;   /* "listener pg": kind and name with one blank between */
	char *kind;    /* "listener" */
	char *name;    /* "pg", or "" */
	bool rejected; /* reported already: its keys are checked, but nothing is made of it */
	STAILQ_HEAD(config_keys, config_key) keys;
};

STAILQ_HEAD(config_sections, config_section);

/* Fills sections, in the order of the file, also when there were errors. False when there was nothing to read. */
bool config_read(const char *file, struct config_sections *sections, struct config_errors *errors);
void config_sections_free(struct config_sections *sections);

const struct config_key *config_section_key(const struct config_section *section, const char *key); /* or NULL */

#endif
