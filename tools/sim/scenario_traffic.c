/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_traffic - [traffic NAME]: what its words stand for, and whether so many sessions are admitted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "scenario_build.h"
#include "scenario_table.h"
#include "text.h"

/* ---- names --------------------------------------------------------------------------------------------------------- */

static const struct scenario_source *find_source(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; name != NULL && i < scenario->source_count; i++)
		if (strcmp(scenario->sources[i]->name, name) == 0)
			return scenario->sources[i];
	return NULL;
}

static const struct scenario_sink *find_sink(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; name != NULL && i < scenario->sink_count; i++)
		if (strcmp(scenario->sinks[i]->name, name) == 0)
			return scenario->sinks[i];
	return NULL;
}

/* The defaults exist, so an unknown name has a key. A section that is no good was told as such. */
static void unknown(struct config_build *build, const struct config_section *section, const char *key, const char *kind,
	const char *name, const char *also)
{
	const char *const extra[] = {also, NULL};

	if (config_build_section(build, kind, name) == NULL)
		config_unknown_name(build, config_section_key(section, key), section, kind, name, extra);
}

static const struct scenario_source *link_source(struct config_build *build, const struct config_section *section,
	const char *key, const char *name)
{
	const struct scenario_source *source = find_source(SCENARIO_BUILD(build)->scenario, name);

	if (source == NULL && name != NULL)
		unknown(build, section, key, "source", name, SCENARIO_NO_SOURCE);
	return source;
}

static const struct scenario_sink *link_sink(struct config_build *build, const struct config_section *section,
	const char *key, const char *name)
{
	const struct scenario_sink *sink = find_sink(SCENARIO_BUILD(build)->scenario, name);

	if (sink == NULL && name != NULL)
		unknown(build, section, key, "sink", name, SCENARIO_FAST_SINK);
	return sink;
}

/* ---- the listener -------------------------------------------------------------------------------------------------- */

static void unknown_listener(struct config_build *build, const struct config_section *section, const char *name)
{
	const struct config_build *weir = SCENARIO_BUILD(build)->weir;
	const struct config *config = weir->config;
	const char **extra;

	if (config_build_section(weir, "listener", name) != NULL)
		return; /* and why it is not there has been told */
	extra = calloc(config->listener_count + 1, sizeof(*extra));
	if (extra == NULL) {
		config_no_memory(build);
		return;
	}
	for (size_t i = 0; weir != build && i < config->listener_count; i++)
		extra[i] = config->listeners[i]->name;
	config_unknown_name(build, config_section_key(section, "listener"), section, "listener", name, extra);
	free(extra);
}

static void link_listener(struct config_build *build, const struct config_section *section,
	struct scenario_traffic *traffic)
{
	const struct config *config = SCENARIO_BUILD(build)->weir->config;

	if (config == NULL || traffic->listener_name == NULL)
		return;
	if (traffic->listener_name[0] == '\0') {
		if (config->listener_count == 1)
			traffic->listener = config->listeners[0];
		else if (config->listener_count > 1)
			config_error(&build->errors, section->line, section->title, NULL,
				"the key listener is missing; expected the name of one of %zu listeners",
				config->listener_count);
		return;
	}
	for (size_t i = 0; i < config->listener_count; i++)
		if (strcmp(config->listeners[i]->name, traffic->listener_name) == 0)
			traffic->listener = config->listeners[i];
	if (traffic->listener == NULL)
		unknown_listener(build, section, traffic->listener_name);
}

/* ---- the section --------------------------------------------------------------------------------------------------- */

void scenario_traffic_free(struct scenario_traffic *traffic)
{
	if (traffic == NULL)
		return;
	option_free(scenario_traffic_table, SCENARIO_TABLE_STRIDE, traffic);
	free(traffic->name);
	free(traffic);
}

static void check_numbers(struct config_build *build, const struct config_section *section,
	const struct scenario_traffic *traffic)
{
	const struct config_key *end = config_section_key(section, "arrivals_end");

	if (traffic->sessions == 0 && traffic->arrivals == 0)
		config_error(&build->errors, config_section_key(section, "sessions")->line, section->title, "sessions",
			"is 0, and so are arrivals; expected one of them to be more");
	if (end != NULL && traffic->arrivals_end <= traffic->start)
		config_error(&build->errors, end->line, section->title, end->key,
			"is not later than start; expected that it is");
}

static void refuse_source(struct config_build *build, const struct config_section *section, const char *key,
	const struct scenario_source *source, const char *expected)
{
	const struct config_key *at = config_section_key(section, key);

	config_error(&build->errors, at != NULL ? at->line : section->line, section->title, key,
		"%s is of kind %s; expected %s", source->name, scenario_source_word(source->kind), expected);
}

/* Clients ask, servers answer; who is asked knows how long a request is, and who asks, how long an answer. */
static void check_dialog(struct config_build *build, const struct config_section *section,
	const struct scenario_traffic *traffic)
{
	const struct scenario_source *up = traffic->up_source;
	const struct scenario_source *down = traffic->down_source;

	if (up == NULL || down == NULL)
		return;
	if (up->kind == SOURCE_ANSWERS)
		refuse_source(build, section, "up_source", up, "answers to come from the server, as down_source");
	else if (down->kind == SOURCE_REQUESTS)
		refuse_source(build, section, "down_source", down, "requests to come from the client, as up_source");
	else if (up->kind == SOURCE_REQUESTS && down->kind != SOURCE_ANSWERS && down->kind != SOURCE_NONE)
		refuse_source(build, section, "down_source", down, "answers, or none, to what sends requests");
	else if (down->kind == SOURCE_ANSWERS && up->kind != SOURCE_REQUESTS)
		refuse_source(build, section, "up_source", up, "requests for what sends answers");
}

static void link_all(struct config_build *build, const struct config_section *section, struct scenario_traffic *traffic)
{
	link_listener(build, section, traffic);
	traffic->up_source = link_source(build, section, "up_source", traffic->up_source_name);
	traffic->up_sink = link_sink(build, section, "up_sink", traffic->up_sink_name);
	traffic->down_source = link_source(build, section, "down_source", traffic->down_source_name);
	traffic->down_sink = link_sink(build, section, "down_sink", traffic->down_sink_name);
}

void scenario_build_traffic(struct config_build *build, const struct config_section *section)
{
	struct scenario *scenario = SCENARIO_BUILD(build)->scenario;
	struct scenario_traffic *traffic = calloc(1, sizeof(*traffic));
	struct config_target target = {section, scenario_traffic_table, SCENARIO_TABLE_STRIDE, traffic, NULL, false};
	size_t errors = build->errors.count;

	if (traffic == NULL || (traffic->name = strdup(section->name)) == NULL) {
		scenario_traffic_free(traffic);
		config_no_memory(build);
		return;
	}
	traffic->line = section->line;
	config_set_defaults(build, scenario_traffic_table, traffic);
	config_set_keys(build, &target);
	if (build->errors.count == errors)
		check_numbers(build, section, traffic);
	link_all(build, section, traffic);
	check_dialog(build, section, traffic);
	if (section->rejected)
		scenario_traffic_free(traffic);
	else
		scenario->traffics[scenario->traffic_count++] = traffic;
}

/* ---- what policies need -------------------------------------------------------------------------------------------- */

/* Of lengths alone there is nothing that could be looked at. */
static void check_scans(struct scenario_build *build, const struct scenario_traffic *traffic)
{
	const struct config_section *section = config_build_section(&build->own, "traffic", traffic->name);
	const struct config_listener *listener = traffic->listener;

	for (size_t i = 0; i < listener->policy_count; i++)
		if ((policy_needs(listener->policies[i]) & WEIR_NEED_SCAN) != 0)
			config_error(&build->own.errors, section->line, section->title, NULL,
				"policy %s of [listener %s] looks at bytes, and content of [scenario] is no; expected "
				"content = yes",
				listener->policies[i]->name, listener->name);
}

void scenario_check_content(struct scenario_build *build)
{
	const struct scenario *scenario = build->scenario;

	if (scenario->content != 0 || build->own.errors.count > 0 || build->weir->errors.count > 0)
		return;
	for (size_t i = 0; i < scenario->traffic_count; i++)
		check_scans(build, scenario->traffics[i]);
}

/* ---- how many ------------------------------------------------------------------------------------------------------ */

/* Sessions that begin together, at this time, with this listener (NULL: any). */
static uint64_t sessions_at(const struct scenario *scenario, uint64_t start, const struct config_listener *listener)
{
	uint64_t sessions = 0;

	for (size_t i = 0; i < scenario->traffic_count; i++)
		if (scenario->traffics[i]->start == start &&
			(listener == NULL || scenario->traffics[i]->listener == listener))
			sessions += scenario->traffics[i]->sessions;
	return sessions;
}

static void complain(struct scenario_build *build, const struct scenario_traffic *traffic, uint64_t sessions,
	uint64_t limit, const char *limited)
{
	const struct config_section *section = config_build_section(&build->own, "traffic", traffic->name);
	const struct config_key *key = config_section_key(section, "sessions");

	config_error(&build->own.errors, key != NULL ? key->line : section->line, section->title, "sessions",
		"%" PRIu64 " sessions begin at once, and max_sessions of [%s] is %" PRIu64 "; expected at most that",
		sessions, limited, limit);
}

void scenario_check_sessions(struct scenario_build *build)
{
	const struct scenario *scenario = build->scenario;
	char limited[TEXT_QUOTE_MAX * 2];

	if (build->own.errors.count > 0 || build->weir->errors.count > 0)
		return;
	for (size_t i = 0; i < scenario->traffic_count; i++) {
		const struct scenario_traffic *traffic = scenario->traffics[i];
		const struct config_listener *listener = traffic->listener;
		uint64_t all = sessions_at(scenario, traffic->start, NULL);
		uint64_t its = sessions_at(scenario, traffic->start, listener);

		snprintf(limited, sizeof(limited), "listener %s", listener->name);
		if (all > build->weir->config->weir.max_sessions)
			complain(build, traffic, all, build->weir->config->weir.max_sessions, "weir");
		else if (its > listener->max_sessions)
			complain(build, traffic, its, listener->max_sessions, limited);
	}
}
