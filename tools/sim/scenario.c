/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario - an ini file becomes a struct scenario, or a list of errors.
 *
 * weir's own parts do the reading: a scenario adds kinds of sections to those that weir knows. Where the key config names
 * another file, weir's sections are that one's, and a list of errors of its own follows the scenario's.
 */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "scenario_build.h"
#include "scenario_table.h"
#include "text.h"

/* ---- [scenario] ---------------------------------------------------------------------------------------------------- */

static void build_scenario(struct config_build *own, const struct config_section *section)
{
	struct scenario spare = {0};
	struct scenario *scenario = section->rejected ? &spare : SCENARIO_BUILD(own)->scenario;
	struct config_target target = {section, scenario_table, SCENARIO_TABLE_STRIDE, scenario, NULL, false};

	config_set_keys(own, &target);
	if (section->rejected)
		option_free(scenario_table, SCENARIO_TABLE_STRIDE, &spare);
}

static void resolve_sample(struct scenario *scenario)
{
	if (scenario->sample != SCENARIO_AUTO)
		return;
	scenario->sample = scenario->duration / 1000;
	if (scenario->sample < SCENARIO_SAMPLE_MIN)
		scenario->sample = SCENARIO_SAMPLE_MIN;
}

static const struct config_kind kinds[] = {{"scenario", false, build_scenario}, {"source", true, scenario_build_source},
	{"sink", true, scenario_build_sink}, {"traffic", true, scenario_build_traffic}, {NULL, false, NULL}};

/* ---- where weir's sections are ------------------------------------------------------------------------------------- */

char *scenario_path(const struct scenario_build *build, const char *name)
{
	const char *file = build->own.errors.file;
	const char *slash = strrchr(file, '/');
	char *path;

	if (name[0] == '/' || slash == NULL)
		return strdup(name);
	return asprintf(&path, "%.*s/%s", (int)(slash - file), file, name) < 0 ? NULL : path;
}

/* Weir's sections here, although another file is named for them. */
static void refuse_weir_sections(struct scenario_build *build)
{
	struct config_section *section;

	STAILQ_FOREACH (section, &build->own.sections, link)
		for (const struct config_kind *kind = config_kinds; kind->kind != NULL; kind++)
			/* cppcheck-suppress uninitvar ; it does not follow the list */
			if (!section->rejected && strcmp(section->kind, kind->kind) == 0) {
				section->rejected = true;
				config_error(&build->own.errors, section->line, section->title, NULL,
					"such sections are those of %s, which the key config names; expected it there",
					build->other.errors.file);
			}
}

/* The section of a listener that has nothing but policies: it stands where they do. */
static void add_listener(struct scenario_build *build, const struct config_section *section)
{
	const struct config_key *key = config_section_key(section, "policy");
	struct config_section *listener = config_sections_add(&build->own.sections, section->line, "listener",
		SCENARIO_LISTENER);
	char *title = strdup(section->title);

	if (listener == NULL || title == NULL) {
		free(title);
		config_no_memory(&build->own);
		return;
	}
	free(listener->title);
	listener->title = title;
	if (key != NULL && key->value[0] != '\0' && config_section_set(listener, key->line, key->key, key->value) < 0)
		config_no_memory(&build->own);
}

static void refuse_policy(struct scenario_build *build, const struct config_section *section)
{
	const struct config_key *key = config_section_key(section, "policy");

	if (key != NULL)
		config_error(&build->own.errors, key->line, section->title, key->key,
			"the key is for a scenario without [listener] sections; expected each listener's own");
}

/* Reads the other file. False: it cannot be read. */
static bool read_other(struct scenario_build *build)
{
	char *path = scenario_path(build, build->scenario->config_file);

	if (path == NULL) {
		config_no_memory(&build->own);
		return false;
	}
	build->weir = &build->other;
	build->other.errors.file = path;
	build->other.errors.places = build->own.errors.places;
	build->other.simulated = true;
	refuse_weir_sections(build);
	if (!config_build_begin(&build->other))
		return false;
	config_build_check(&build->other);
	return true;
}

static void build_weir(struct scenario_build *build, const struct config_section *section, const char *module_dir)
{
	if (build->scenario->config_file != NULL && build->scenario->config_file[0] != '\0') {
		refuse_policy(build, section);
		if (!read_other(build))
			return;
		scenario_override_apply(build, &build->other);
	} else if (config_build_section(&build->own, "listener", NULL) == NULL) {
		add_listener(build, section);
	} else {
		refuse_policy(build, section);
	}
	config_build_weir(build->weir, module_dir);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static int make_room(struct scenario_build *build)
{
	struct scenario *scenario = build->scenario;
	const struct config_section *section;
	size_t count = 1;

	STAILQ_FOREACH (section, &build->own.sections, link)
		count++;
	scenario->sources = calloc(count, sizeof(struct scenario_source *));
	scenario->sinks = calloc(count, sizeof(struct scenario_sink *));
	scenario->traffics = calloc(count, sizeof(struct scenario_traffic *));
	build->files = calloc(count, sizeof(*build->files));
	if (scenario->sources == NULL || scenario->sinks == NULL || scenario->traffics == NULL || build->files == NULL)
		return -1;
	return scenario_add_source_none(scenario) < 0 ? -1 : scenario_add_sink_fast(scenario);
}

/* There is always one, so that what is said of it has a place. */
static const struct config_section *scenario_section(struct scenario_build *build)
{
	const struct config_section *section = config_build_section(&build->own, "scenario", "");

	return section != NULL ? section : config_sections_add(&build->own.sections, 0, "scenario", "");
}

static void build_all(struct scenario_build *build, const char *module_dir)
{
	const struct config_section *section;

	config_build_check(&build->own);
	section = scenario_section(build);
	if (section == NULL || make_room(build) < 0) {
		config_no_memory(&build->own);
		return;
	}
	scenario_override_check(build);
	scenario_override_apply(build, &build->own);
	config_set_defaults(&build->own, scenario_table, build->scenario);
	config_build_kind(&build->own, "scenario");
	resolve_sample(build->scenario);
	build_weir(build, section, module_dir);
	config_build_kind(&build->own, "source");
	config_build_kind(&build->own, "sink");
	config_build_kind(&build->own, "traffic");
	if (config_build_section(&build->own, "traffic", NULL) == NULL)
		config_error(&build->own.errors, 0, NULL, NULL, "no traffic; expected a section [traffic NAME]");
	scenario_check_sessions(build);
	scenario_check_content(build);
}

/* The sections of overrides that the scenario itself has no other file for are looked up here, too. */
static int make_places(struct scenario_build *build)
{
	build->places = calloc(build->override_count + 1, sizeof(*build->places));
	for (size_t i = 0; build->places != NULL && i < build->override_count; i++)
		if (asprintf(&build->places[i], "command line: %s=%s", build->overrides[i].key,
			    build->overrides[i].value) < 0) {
			build->places[i] = NULL;
			return -1;
		}
	build->own.errors.places = (const char *const *)build->places;
	return build->places != NULL ? 0 : -1;
}

/* Tells all errors, file by file. True if there were any. */
static bool end(struct scenario_build *build, FILE *errors)
{
	bool failed = build->own.errors.count > 0 || build->other.errors.count > 0;
	struct config *own, *other = NULL;

	own = config_build_end(&build->own, errors);
	if (build->weir == &build->other)
		other = config_build_end(&build->other, errors);
	for (size_t i = 0; i < build->file_count; i++) {
		failed |= build->files[i].count > 0;
		config_errors_flush(&build->files[i], errors);
		free((char *)build->files[i].file);
	}
	free(build->files);
	build->scenario->config = build->weir == &build->other ? other : own;
	if (build->weir == &build->other) {
		config_free(own);
		free((char *)build->other.errors.file);
	}
	for (size_t i = 0; build->places != NULL && i < build->override_count; i++)
		free(build->places[i]);
	free(build->places);
	return failed;
}

struct scenario *scenario_load(const char *file, const char *module_dir, const struct scenario_override *overrides,
	size_t override_count, FILE *errors)
{
	struct scenario_build build = {.own = {.errors = {.file = file}, .kinds = kinds, .simulated = true},
		.overrides = overrides,
		.override_count = override_count,
		.scenario = calloc(1, sizeof(struct scenario))};
	bool failed;

	build.weir = &build.own;
	if (build.scenario == NULL) {
		fprintf(errors, "%s: no memory; expected enough for the scenario\n", file);
		return NULL;
	}
	if (make_places(&build) < 0)
		config_no_memory(&build.own);
	else if (config_build_begin(&build.own))
		build_all(&build, module_dir);
	failed = end(&build, errors);
	if (failed) {
		scenario_free(build.scenario);
		return NULL;
	}
	return build.scenario;
}

void scenario_free(struct scenario *scenario)
{
	if (scenario == NULL)
		return;
	for (size_t i = 0; i < scenario->source_count; i++)
		scenario_source_free(scenario->sources[i]);
	for (size_t i = 0; i < scenario->sink_count; i++)
		scenario_sink_free(scenario->sinks[i]);
	for (size_t i = 0; i < scenario->traffic_count; i++)
		scenario_traffic_free(scenario->traffics[i]);
	free(scenario->sources);
	free(scenario->sinks);
	free(scenario->traffics);
	option_free(scenario_table, SCENARIO_TABLE_STRIDE, scenario);
	config_free(scenario->config);
	free(scenario);
}
