/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_section - is a section one that weir knows, and what do its keys say: names, words and values against tables.
 */
#include <stdlib.h>
#include <string.h>

#include "config_build.h"
#include "config_table.h"
#include "option.h"
#include "text.h"

#define NAME_LENGTH_MAX 63
#define CANDIDATES_MAX 512 /* words to suggest from; a module has at most 256 keys */

void config_no_memory(struct config_build *build)
{
	config_error(&build->errors, 0, NULL, NULL, "no memory; expected enough for the configuration");
}

/* ---- suggestions --------------------------------------------------------------------------------------------------- */

struct candidates {
	const char *words[CANDIDATES_MAX + 1];
	size_t count;
};

static void candidates_add(struct candidates *candidates, const char *word)
{
	if (candidates->count < CANDIDATES_MAX)
		candidates->words[candidates->count++] = word;
	candidates->words[candidates->count] = NULL;
}

/* "did you mean" the nearest, or the whole list, which is not empty. */
static const char *suggest(const struct candidates *candidates, const char *word, char *buffer, size_t size)
{
	const char *nearest = option_nearest(word, candidates->words);
	const char *joint = "";

	if (nearest != NULL) {
		snprintf(buffer, size, "did you mean \"%s\"?", nearest);
		return buffer;
	}
	snprintf(buffer, size, "expected ");
	for (size_t i = 0; i < candidates->count; i++) {
		size_t length = strlen(buffer);

		if (i > 0)
			joint = i + 1 < candidates->count ? ", " : " or ";
		snprintf(buffer + length, size - length, "%s%s", joint, candidates->words[i]);
	}
	return buffer;
}

/* ---- sections ------------------------------------------------------------------------------------------------------ */

static const struct config_kind *kind_at(const struct config_build *build, size_t i)
{
	size_t own = 0;

	while (config_kinds[own].kind != NULL)
		own++;
	if (i < own)
		return &config_kinds[i];
	return build->kinds != NULL && build->kinds[i - own].kind != NULL ? &build->kinds[i - own] : NULL;
}

const struct config_kind *config_build_kind_named(const struct config_build *build, const char *name)
{
	const struct config_kind *kind;
	size_t i = 0;

	while ((kind = kind_at(build, i)) != NULL && strcmp(kind->kind, name) != 0)
		i++;
	return kind;
}

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length <= NAME_LENGTH_MAX &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == length;
}

static void reject(struct config_build *build, struct config_section *section, const char *what)
{
	config_error(&build->errors, section->line, section->title, NULL, "%s", what);
	section->rejected = true;
}

/* "[weir], [policy NAME] or [listener NAME]" */
static void list_kinds(const struct config_build *build, char *buffer, size_t size)
{
	const struct config_kind *kind;

	buffer[0] = '\0';
	for (size_t i = 0; (kind = kind_at(build, i)) != NULL; i++) {
		const char *joint = kind_at(build, i + 1) != NULL ? ", " : " or ";
		size_t length = strlen(buffer);

		snprintf(buffer + length, size - length, "%s[%s%s]", i > 0 ? joint : "", kind->kind,
			kind->named ? " NAME" : "");
	}
}

static void reject_kind(struct config_build *build, struct config_section *section)
{
	char what[TEXT_ERROR_MAX], list[TEXT_ERROR_MAX / 2];
	struct candidates candidates = {.count = 0};
	const struct config_kind *kind;
	const char *nearest;

	for (size_t i = 0; (kind = kind_at(build, i)) != NULL; i++)
		candidates_add(&candidates, kind->kind);
	nearest = option_nearest(section->kind, candidates.words);
	if (nearest != NULL) {
		kind = config_build_kind_named(build, nearest);
		snprintf(what, sizeof(what), "the section is not known; did you mean [%s%s]?", nearest,
			kind->named ? " NAME" : "");
	} else {
		list_kinds(build, list, sizeof(list));
		snprintf(what, sizeof(what), "the section is not known; expected %s", list);
	}
	reject(build, section, what);
}

void config_check_section(struct config_build *build, struct config_section *section)
{
	const struct config_kind *kind = config_build_kind_named(build, section->kind);
	char what[TEXT_ERROR_MAX], quote[TEXT_QUOTE_MAX];

	if (kind == NULL) {
		reject_kind(build, section);
	} else if (!kind->named && section->name[0] != '\0') {
		snprintf(what, sizeof(what), "the section takes no name; expected [%s]", section->kind);
		reject(build, section, what);
	} else if (kind->named && section->name[0] == '\0') {
		snprintf(what, sizeof(what), "the section has no name; expected [%s NAME]", section->kind);
		reject(build, section, what);
	} else if (!is_name(section->name)) {
		snprintf(what, sizeof(what), "%s is no name; expected at most %d letters, digits, '_', '-' and '.'",
			text_quote(quote, section->name), NAME_LENGTH_MAX);
		reject(build, section, what);
	} else if (strcmp(section->title, "policy " CONFIG_NO_POLICY) == 0) {
		reject(build, section, "the name " CONFIG_NO_POLICY " stands for no policy; expected another name");
	} else if (strcmp(section->title, "upstream " CONFIG_ORIGINAL) == 0) {
		reject(build, section,
			"the name " CONFIG_ORIGINAL " stands for where the client wanted to go; expected another name");
	} else if (strcmp(section->title, "policy memory") == 0) {
		reject(build, section, "pauses named memory are those of the memory limit; expected another name");
	}
}

void config_build_check(struct config_build *build)
{
	struct config_section *section;

	STAILQ_FOREACH (section, &build->sections, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		config_check_section(build, section);
	}
}

const struct config_section *config_build_section(const struct config_build *build, const char *kind, const char *name)
{
	const struct config_section *section;

	STAILQ_FOREACH (section, &build->sections, link)
		if (strcmp(section->kind, kind) == 0 && (name == NULL || strcmp(section->name, name) == 0))
			return section;
	return NULL;
}

/* ---- keys ---------------------------------------------------------------------------------------------------------- */

/* What inih makes of comments is a surprise to many: said where a value that may be due to it is refused. */
const char *config_comment_hint(const char *value)
{
	if (strstr(value, " #") != NULL || strstr(value, "\t#") != NULL)
		return " ('#' begins no comment behind a value; a blank and ';' do)";
	if (value[0] == '"' || value[0] == '\'')
		return " (quotes are part of the value, and a blank and ';' end it even inside them)";
	if (strchr(value, ';') != NULL)
		return " (a comment behind a value begins with a blank and ';')";
	return "";
}

void config_unknown_name(struct config_build *build, const struct config_key *key, const struct config_section *section,
	const char *kind, const char *name, const char *const *extra)
{
	struct candidates candidates = {.count = 0};
	const struct config_section *other;
	char hint[TEXT_ERROR_MAX];

	STAILQ_FOREACH (other, &build->sections, link)
		if (strcmp(other->kind, kind) == 0 && !other->rejected)
			candidates_add(&candidates, other->name);
	for (; *extra != NULL; extra++)
		candidates_add(&candidates, *extra);
	if (candidates.count > 0)
		suggest(&candidates, name, hint, sizeof(hint));
	else
		snprintf(hint, sizeof(hint), "expected one%s", strcmp(kind, "upstream") == 0 ? ", or an address" : "");
	config_error(&build->errors, key->line, section->title, key->key, "no section [%s %.*s]; %s%s", kind,
		TEXT_QUOTE_MAX, name, hint, config_comment_hint(key->value));
}

static void unknown_key(struct config_build *build, const struct config_target *target, const struct config_key *key)
{
	struct candidates candidates = {.count = 0};
	const struct weir_option *row;
	char hint[TEXT_ERROR_MAX];

	if (target->also != NULL)
		candidates_add(&candidates, target->also);
	for (size_t i = 0; (row = option_at(target->table, target->stride, i)) != NULL; i++)
		candidates_add(&candidates, row->key);
	config_error(&build->errors, key->line, target->section->title, key->key, "the key is not known; %s",
		suggest(&candidates, key->key, hint, sizeof(hint)));
}

static void set_key(struct config_build *build, const struct config_target *target, const struct config_key *key)
{
	const struct weir_option *row = option_find(target->table, target->stride, key->key);
	char error[TEXT_ERROR_MAX];

	if (row == NULL)
		unknown_key(build, target, key);
	else if (key->value[0] == '\0')
		config_error(&build->errors, key->line, target->section->title, key->key,
			"the value is empty; expected %s (%s)", option_expected(row, error, sizeof(error)), row->doc);
	else if (option_set(row, target->options, key->value, error, sizeof(error)) < 0)
		config_error(&build->errors, key->line, target->section->title, key->key, "%s%s", error,
			config_comment_hint(key->value));
}

void config_missing_key(struct config_build *build, const struct config_section *section, const struct weir_option *row)
{
	char expected[TEXT_ERROR_MAX];

	config_error(&build->errors, section->line, section->title, NULL, "the key %s is missing; expected %s (%s)",
		row->key, option_expected(row, expected, sizeof(expected)), row->doc);
}

/* Applies every key, and looks for the required ones that are missing. */
void config_set_keys(struct config_build *build, const struct config_target *target)
{
	const struct config_section *section = target->section;
	const struct weir_option *row;
	const struct config_key *key;

	STAILQ_FOREACH (key, &section->keys, link)
		if (target->also == NULL || strcmp(target->also, key->key) != 0)
			set_key(build, target, key);
	for (size_t i = 0; (row = option_at(target->table, target->stride, i)) != NULL; i++)
		if (row->def == NULL && !target->optional && config_section_key(section, row->key) == NULL)
			config_missing_key(build, section, row);
}

/* Our own tables' defaults parse: a test says so. Only memory can be short. */
void config_set_defaults(struct config_build *build, const struct weir_option *table, void *options)
{
	char error[TEXT_ERROR_MAX];

	if (option_defaults(table, CONFIG_TABLE_STRIDE, options, error, sizeof(error)) < 0)
		config_error(&build->errors, 0, NULL, NULL, "%s", error);
}
