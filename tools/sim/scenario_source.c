/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_source - [source NAME]: what an end sends, and which keys belong to which kind.
 */
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "scenario_build.h"
#include "scenario_table.h"
#include "text.h"

#define BIT(kind) (1U << SOURCE_##kind)
#define LINES (BIT(REQUESTS) | BIT(ANSWERS))
#define BYTES (BIT(BULK) | BIT(CONSTANT) | BIT(BURSTS) | BIT(ONOFF) | BIT(POISSON) | BIT(TRACE) | BIT(ECHO))

/* The keys that not every kind has. A required one is more than nothing. */
static const struct key_use {
	const char *key;
	unsigned kinds;
	unsigned required; /* kinds, too */
} uses[] = {
	{"rate", BIT(CONSTANT) | BIT(ONOFF) | BIT(POISSON), 0},
	{"burst", BIT(BURSTS), BIT(BURSTS)},
	{"period", BIT(BURSTS) | BIT(REQUESTS), BIT(BURSTS)},
	{"on", BIT(ONOFF), BIT(ONOFF)},
	{"off", BIT(ONOFF), BIT(ONOFF)},
	{"random", BIT(BURSTS) | BIT(ONOFF) | LINES, 0},
	{"gain", BIT(ECHO), 0},
	{"busy", BIT(ECHO) | BIT(ANSWERS), 0},
	{"trace", BIT(TRACE), BIT(TRACE)},
	{"pipeline", BIT(REQUESTS), 0},
	{"requests", LINES, 0},
	{"service", BIT(ANSWERS), 0},
	{"concurrency", BIT(ANSWERS), 0},
	{"bytes", BYTES, 0},
};

/* "constant, onoff or poisson" */
static void list_kinds(unsigned kinds, char *buffer, size_t size)
{
	buffer[0] = '\0';
	for (uint32_t kind = 0; kinds != 0; kind++) {
		size_t length = strlen(buffer);
		const char *joint = "";

		if ((kinds & 1U << kind) == 0)
			continue;
		kinds &= ~(1U << kind);
		if (length > 0)
			joint = kinds != 0 ? ", " : " or ";
		snprintf(buffer + length, size - length, "%s%s", joint, scenario_source_word(kind));
	}
}

static void refuse_key(struct config_build *build, const struct config_section *section, const struct config_key *key,
	const struct key_use *use, const struct scenario_source *source)
{
	char list[TEXT_ERROR_MAX / 2];

	list_kinds(use->kinds, list, sizeof(list));
	config_error(&build->errors, key->line, section->title, key->key,
		"the key is not for kind = %s; expected it with %s", scenario_source_word(source->kind), list);
}

static void require_key(struct config_build *build, const struct config_section *section, const struct config_key *key,
	const struct key_use *use, const struct scenario_source *source)
{
	const struct weir_option *row = option_find(scenario_source_table, SCENARIO_TABLE_STRIDE, use->key);
	uint64_t number = 0;

	if (key == NULL) {
		config_error(&build->errors, section->line, section->title, NULL,
			"the key %s is missing; expected it with kind = %s (%s)", use->key,
			scenario_source_word(source->kind), row->doc);
		return;
	}
	if (row->type != WEIR_OPTION_STRING)
		memcpy(&number, (const char *)source + row->offset, sizeof(number));
	if (row->type != WEIR_OPTION_STRING && number == 0)
		config_error(&build->errors, key->line, section->title, key->key,
			"is nothing; expected more with kind = %s (%s)", scenario_source_word(source->kind), row->doc);
}

/* Who changes the kind from the command line need not take the old one's keys out of the file. */
static void check_keys(struct config_build *build, const struct config_section *section,
	const struct scenario_source *source)
{
	const struct config_key *kind = config_section_key(section, "kind");
	bool overridden = kind != NULL && kind->line >= CONFIG_PLACES;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const struct config_key *key = config_section_key(section, uses[i].key);
		bool used = (uses[i].kinds & 1U << source->kind) != 0;

		if ((uses[i].required & 1U << source->kind) != 0)
			require_key(build, section, key, &uses[i], source);
		else if (!used && key != NULL && (!overridden || key->line >= CONFIG_PLACES))
			refuse_key(build, section, key, &uses[i], source);
	}
}

/* A policy that is to find lines must be shown bytes. */
static void check_content(struct config_build *build, const struct config_section *section,
	const struct scenario_source *source)
{
	const struct config_key *kind = config_section_key(section, "kind");

	if ((LINES & 1U << source->kind) != 0 && SCENARIO_BUILD(build)->scenario->content == 0)
		config_error(&build->errors, kind->line, section->title, kind->key,
			"%s are lines of real bytes, and content of [scenario] is no; expected content = yes",
			scenario_source_word(source->kind));
}

void scenario_source_free(struct scenario_source *source)
{
	if (source == NULL)
		return;
	option_free(scenario_source_table, SCENARIO_TABLE_STRIDE, source);
	free(source->arrivals);
	free(source->name);
	free(source);
}

static struct scenario_source *source_new(const char *name, unsigned line)
{
	struct scenario_source *source = calloc(1, sizeof(*source));
	char error[TEXT_ERROR_MAX];

	if (source == NULL)
		return NULL;
	source->name = strdup(name);
	source->line = line;
	if (source->name != NULL &&
		option_defaults(scenario_source_table, SCENARIO_TABLE_STRIDE, source, error, sizeof(error)) == 0)
		return source;
	scenario_source_free(source);
	return NULL;
}

int scenario_add_source_none(struct scenario *scenario)
{
	struct scenario_source *source = source_new(SCENARIO_NO_SOURCE, 0);

	if (source == NULL)
		return -1;
	source->kind = SOURCE_NONE;
	scenario->sources[scenario->source_count++] = source;
	return 0;
}

void scenario_build_source(struct config_build *build, const struct config_section *section)
{
	struct scenario *scenario = SCENARIO_BUILD(build)->scenario;
	struct scenario_source *source = source_new(section->name, section->line);
	struct config_target target = {section, scenario_source_table, SCENARIO_TABLE_STRIDE, source, NULL, false};
	size_t errors = build->errors.count;

	if (source == NULL) {
		config_no_memory(build);
		return;
	}
	if (strcmp(section->name, SCENARIO_NO_SOURCE) == 0)
		config_error(&build->errors, section->line, section->title, NULL,
			"the name " SCENARIO_NO_SOURCE " stands for no source; expected another name");
	config_set_keys(build, &target);
	if (build->errors.count == errors)
		check_keys(build, section, source);
	if (build->errors.count == errors)
		check_content(build, section, source);
	if (build->errors.count == errors && source->kind == SOURCE_TRACE)
		scenario_trace_read(SCENARIO_BUILD(build), source, section);
	if (section->rejected)
		scenario_source_free(source);
	else
		scenario->sources[scenario->source_count++] = source;
}
