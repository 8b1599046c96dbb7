/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_sink - [sink NAME]: how an end takes what it is sent, and the steps of its schedule.
 */
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "scenario_build.h"
#include "scenario_table.h"
#include "text.h"

#define BLANKS " \t"

/* ---- the schedule -------------------------------------------------------------------------------------------------- */

static bool parse_step(struct scenario_step *step, char *text, char *error, size_t error_size)
{
	char copy[TEXT_QUOTE_MAX], quote[TEXT_QUOTE_MAX], *rest = text;
	const char *at, *rate;

	snprintf(copy, sizeof(copy), "%s", text);
	at = strtok_r(text, BLANKS, &rest);
	rate = strtok_r(NULL, BLANKS, &rest);
	if (rate == NULL || strtok_r(NULL, BLANKS, &rest) != NULL) {
		text_reason(error, error_size, "%s is no step; expected TIME RATE, as in 10s 1M",
			text_quote(quote, copy + strspn(copy, BLANKS)));
		return false;
	}
	return option_set(&scenario_step_table[0], step, at, error, error_size) == 0 &&
		option_set(&scenario_step_table[1], step, rate, error, error_size) == 0;
}

/* The first step is at 0, so that there is never a time without a rate. */
static bool add_step(struct scenario_sink *sink, char *text, char *error, size_t error_size)
{
	struct scenario_step step = {0};
	size_t count = sink->step_count;

	if (!parse_step(&step, text, error, error_size))
		return false;
	if (count == 0 && step.at != 0) {
		text_reason(error, error_size, "the first step is not at 0s; expected that it is");
		return false;
	}
	if (count > 0 && step.at <= sink->steps[count - 1].at) {
		text_reason(error, error_size, "step %zu is not later than step %zu; expected steps in order of time",
			count + 1, count);
		return false;
	}
	sink->steps[sink->step_count++] = step;
	return true;
}

static size_t count_steps(const char *text)
{
	size_t count = 1;

	for (; *text != '\0'; text++)
		count += *text == ',';
	return count;
}

static void build_schedule(struct config_build *build, const struct config_key *key,
	const struct config_section *section, struct scenario_sink *sink)
{
	char error[TEXT_ERROR_MAX], *copy, *rest, *text;

	rest = copy = strdup(sink->schedule);
	sink->steps = calloc(count_steps(sink->schedule), sizeof(*sink->steps));
	if (copy == NULL || sink->steps == NULL)
		config_no_memory(build);
	else
		while ((text = strsep(&rest, ",")) != NULL)
			if (!add_step(sink, text, error, sizeof(error))) {
				config_error(&build->errors, key->line, section->title, key->key, "%s", error);
				break;
			}
	free(copy);
}

/* ---- the section --------------------------------------------------------------------------------------------------- */

/* A rate or a schedule. Who says one of them on the command line need not take the other out of the file. */
static void build_pace(struct config_build *build, const struct config_section *section, struct scenario_sink *sink)
{
	const struct config_key *rate = config_section_key(section, "rate");
	const struct config_key *schedule = config_section_key(section, "schedule");

	if (rate != NULL && schedule != NULL && (rate->line >= CONFIG_PLACES) == (schedule->line >= CONFIG_PLACES))
		config_error(&build->errors, rate->line, section->title, rate->key,
			"stands beside a schedule; expected one of them");
	else if (schedule != NULL && (rate == NULL || rate->line < CONFIG_PLACES))
		build_schedule(build, schedule, section, sink);
}

static void check_stalls(struct config_build *build, const struct config_section *section,
	const struct scenario_sink *sink)
{
	const struct config_key *every = config_section_key(section, "stall_every");
	const struct config_key *stall = config_section_key(section, "stall_for");

	if (sink->stall_every != SCENARIO_NEVER && sink->stall_for == 0)
		config_error(&build->errors, every->line, section->title, every->key,
			"stalls that take no time; expected a key stall_for of more than 0");
	if (sink->stall_every == SCENARIO_NEVER && sink->stall_for != 0)
		config_error(&build->errors, stall->line, section->title, stall->key,
			"stalls that never come; expected a key stall_every");
}

void scenario_sink_free(struct scenario_sink *sink)
{
	if (sink == NULL)
		return;
	option_free(scenario_sink_table, SCENARIO_TABLE_STRIDE, sink);
	free(sink->steps);
	free(sink->name);
	free(sink);
}

static struct scenario_sink *sink_new(const char *name, unsigned line)
{
	struct scenario_sink *sink = calloc(1, sizeof(*sink));
	char error[TEXT_ERROR_MAX];

	if (sink == NULL)
		return NULL;
	sink->name = strdup(name);
	sink->line = line;
	if (sink->name != NULL &&
		option_defaults(scenario_sink_table, SCENARIO_TABLE_STRIDE, sink, error, sizeof(error)) == 0)
		return sink;
	scenario_sink_free(sink);
	return NULL;
}

int scenario_add_sink_fast(struct scenario *scenario)
{
	struct scenario_sink *sink = sink_new(SCENARIO_FAST_SINK, 0);

	if (sink == NULL)
		return -1;
	scenario->sinks[scenario->sink_count++] = sink;
	return 0;
}

void scenario_build_sink(struct config_build *build, const struct config_section *section)
{
	struct scenario *scenario = SCENARIO_BUILD(build)->scenario;
	struct scenario_sink *sink = sink_new(section->name, section->line);
	struct config_target target = {section, scenario_sink_table, SCENARIO_TABLE_STRIDE, sink, NULL, false};
	size_t errors = build->errors.count;

	if (sink == NULL) {
		config_no_memory(build);
		return;
	}
	if (strcmp(section->name, SCENARIO_FAST_SINK) == 0)
		config_error(&build->errors, section->line, section->title, NULL,
			"the name " SCENARIO_FAST_SINK
			" stands for a sink that takes all at once; expected another name");
	config_set_keys(build, &target);
	if (build->errors.count == errors) {
		check_stalls(build, section, sink);
		build_pace(build, section, sink);
	}
	if (section->rejected)
		scenario_sink_free(sink);
	else
		scenario->sinks[scenario->sink_count++] = sink;
}
