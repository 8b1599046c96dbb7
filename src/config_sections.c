/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_sections - what an ini file says.
 */
#include "config_sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void key_free(struct config_key *key)
{
	if (key == NULL)
		return;
	free(key->key);
	free(key->value);
	free(key);
}

static void section_free(struct config_section *section)
{
	struct config_key *key;

	while ((key = STAILQ_FIRST(&section->keys)) != NULL) {
		STAILQ_REMOVE_HEAD(&section->keys, link);
		key_free(key);
	}
	free(section->title);
	free(section->kind);
	free(section->name);
	free(section);
}

void config_sections_free(struct config_sections *sections)
{
	struct config_section *section;

	while ((section = STAILQ_FIRST(sections)) != NULL) {
		STAILQ_REMOVE_HEAD(sections, link);
		section_free(section);
	}
}

struct config_section *config_sections_add(struct config_sections *sections, unsigned line, const char *kind,
	const char *name)
{
	struct config_section *section = calloc(1, sizeof(*section));

	if (section == NULL)
		return NULL;
	STAILQ_INIT(&section->keys);
	section->line = line;
	section->kind = strdup(kind);
	section->name = strdup(name);
	if (asprintf(&section->title, "%s%s%s", kind, name[0] != '\0' ? " " : "", name) < 0)
		section->title = NULL;
	if (section->kind == NULL || section->name == NULL || section->title == NULL) {
		section_free(section);
		return NULL;
	}
	STAILQ_INSERT_TAIL(sections, section, link);
	return section;
}

static struct config_key *find_key(const struct config_section *section, const char *key)
{
	struct config_key *known;

	STAILQ_FOREACH (known, &section->keys, link)
		if (strcmp(known->key, key) == 0)
			return known;
	return NULL;
}

const struct config_key *config_section_key(const struct config_section *section, const char *key)
{
	return find_key(section, key);
}

int config_section_set(struct config_section *section, unsigned line, const char *key, const char *value)
{
	struct config_key *new = calloc(1, sizeof(*new)), *old = find_key(section, key);

	if (new == NULL)
		return -1;
	new->line = line;
	new->key = strdup(key);
	new->value = strdup(value);
	if (new->key == NULL || new->value == NULL) {
		key_free(new);
		return -1;
	}
	if (old != NULL)
		STAILQ_REMOVE(&section->keys, old, config_key, link);
	key_free(old);
	STAILQ_INSERT_TAIL(&section->keys, new, link);
	return 0;
}
