/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_sections - what an ini file says: sections and keys, in its order, with their lines.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include <stdbool.h>
#include <sys/queue.h>

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

const struct config_key *config_section_key(const struct config_section *section, const char *key); /* or NULL */

/* An empty section behind the others. NULL when memory is short. */
struct config_section *config_sections_add(struct config_sections *sections, unsigned line, const char *kind,
	const char *name) __attribute__((warn_unused_result));

/* The key has this value now, and comes last. 0, or -1 when memory is short. */
int config_section_set(struct config_section *section, unsigned line, const char *key, const char *value)
	__attribute__((warn_unused_result));

void config_sections_free(struct config_sections *sections);

#endif
