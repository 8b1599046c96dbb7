/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_override - what the command line says in place of the files: "policy.smooth.high" = "64K".
 *
 * An override becomes a key of its section before anything is built, so that it is judged as if the file had said it.
 */
#include <stdlib.h>
#include <string.h>

#include "scenario_build.h"
#include "text.h"

/* KIND.KEY or KIND.NAME.KEY; names may have dots, kinds and keys have none. */
struct override {
	const char *value;
	unsigned line;    /* its place in messages */
	char *kind;       /* the one to be freed */
	const char *name; /* "" for none */
	const char *key;
};

static bool override_split(struct override *override, const struct scenario_override *text, unsigned line)
{
	char *first, *last;

	*override = (struct override){.value = text->value, .line = line, .kind = strdup(text->key), .name = ""};
	if (override->kind == NULL)
		return false;
	first = strchr(override->kind, '.');
	if (first == NULL)
		return true;
	last = strrchr(first, '.');
	*first = '\0';
	*last = '\0';
	override->key = last + 1;
	if (last != first)
		override->name = first + 1;
	return true;
}

static bool is_weirs(const char *kind)
{
	for (const struct config_kind *known = config_kinds; known->kind != NULL; known++)
		if (strcmp(known->kind, kind) == 0)
			return true;
	return false;
}

/* ---- which are none ------------------------------------------------------------------------------------------------ */

/* What is wrong with a kind or a name is said as of a section of the file. */
static void check_one(struct scenario_build *build, const struct override *override)
{
	struct config_sections probe = STAILQ_HEAD_INITIALIZER(probe);
	struct config_section *section;

	if (override->key == NULL || override->key[0] == '\0')
		config_error(&build->own.errors, override->line, NULL, NULL,
			"no key is named; expected KIND.NAME.KEY, or KIND.KEY for scenario and weir");
	else if ((section = config_sections_add(&probe, override->line, override->kind, override->name)) == NULL)
		config_no_memory(&build->own);
	else
		config_check_section(&build->own, section);
	config_sections_free(&probe);
}

void scenario_override_check(struct scenario_build *build)
{
	for (size_t i = 0; i < build->override_count; i++) {
		struct override override;

		if (override_split(&override, &build->overrides[i], CONFIG_PLACES + (unsigned)i))
			check_one(build, &override);
		else
			config_no_memory(&build->own);
		free(override.kind);
	}
}

/* ---- which are some ------------------------------------------------------------------------------------------------ */

static struct config_section *find_section(struct config_build *file, const struct override *override)
{
	struct config_section *section;

	STAILQ_FOREACH (section, &file->sections, link)
		if (strcmp(section->kind, override->kind) == 0 && strcmp(section->name, override->name) == 0)
			return section;
	return NULL;
}

/* Where the error of a name that is none belongs. */
static void unknown_section(struct config_build *file, const struct override *override)
{
	static const char *const extra[] = {NULL};
	struct config_key key = {.line = override->line,
		.key = (char *) override->key,
		.value = (char *) override->value};

	config_unknown_name(file, &key, STAILQ_FIRST(&file->sections), override->kind, override->name, extra);
}

static void apply_one(struct config_build *file, const struct override *override)
{
	const struct config_kind *kind = config_build_kind_named(file, override->kind);
	struct config_section *section;

	if (kind == NULL || kind->named != (override->name[0] != '\0') || override->key == NULL ||
		override->key[0] == '\0')
		return; /* and that has been told */
	section = find_section(file, override);
	if (section == NULL && kind->named) {
		unknown_section(file, override);
		return;
	}
	if (section == NULL)
		section = config_sections_add(&file->sections, 0, override->kind, "");
	if (section == NULL || config_section_set(section, override->line, override->key, override->value) < 0)
		config_no_memory(file);
}

/* Whether weir's sections are another file's is known only once the scenario's own overrides have been applied. */
static bool is_of(const struct scenario_build *build, const struct config_build *file, const struct override *override)
{
	const struct config_section *section = config_build_section(&build->own, "scenario", "");
	const struct config_key *config = config_section_key(section, "config");

	if (!is_weirs(override->kind))
		return file == &build->own;
	return (file == &build->own) == (config == NULL);
}

void scenario_override_apply(struct scenario_build *build, struct config_build *file)
{
	for (int weirs = 0; weirs <= 1; weirs++)
		for (size_t i = 0; i < build->override_count; i++) {
			struct override override;

			if (!override_split(&override, &build->overrides[i], CONFIG_PLACES + (unsigned)i))
				config_no_memory(file);
			else if (is_weirs(override.kind) == weirs && is_of(build, file, &override))
				apply_one(file, &override);
			free(override.kind);
		}
}
