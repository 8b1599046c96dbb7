/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_trace - a source's trace: a file of lines "SECONDS BYTES", in order of time. Blank lines, and what stands
 * behind a '#', say nothing. Its faults are told as "FILE:LINE: what is wrong; what was expected".
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "scenario_build.h"
#include "scenario_table.h"
#include "text.h"

#define SECOND UINT64_C(1000000000)
#define SECONDS_MAX UINT64_C(1000000000)
#define BLANKS " \t\r\n"

struct tracing {
	struct scenario_source *source;
	struct config_errors *errors;
	unsigned line;
	size_t room;
};

/* Digits, and up to nine more behind a point: exact, as no floating point is. */
static bool parse_seconds(const char *text, uint64_t *at)
{
	uint64_t seconds = 0, fraction = 0, digit = SECOND / 10;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text) && seconds <= SECONDS_MAX; text++)
		seconds = seconds * 10 + (uint64_t)(*text - '0');
	if (*text == '.')
		for (text++; isdigit((unsigned char)*text) && digit > 0; text++, digit /= 10)
			fraction += (uint64_t)(*text - '0') * digit;
	*at = seconds * SECOND + fraction;
	return *text == '\0' && seconds <= SECONDS_MAX;
}

static bool make_room(struct tracing *tracing)
{
	struct scenario_source *source = tracing->source;
	struct scenario_arrival *arrivals;

	if (source->arrival_count < tracing->room)
		return true;
	tracing->room = tracing->room * 2 + 64;
	arrivals = realloc(source->arrivals, tracing->room * sizeof(*arrivals));
	if (arrivals != NULL)
		source->arrivals = arrivals;
	return arrivals != NULL;
}

static void add_arrival(struct tracing *tracing, const char *seconds, const char *bytes)
{
	struct scenario_source *source = tracing->source;
	struct scenario_arrival arrival = {0};
	char error[TEXT_ERROR_MAX], quote[TEXT_QUOTE_MAX];

	if (!parse_seconds(seconds, &arrival.at))
		config_error(tracing->errors, tracing->line, NULL, NULL,
			"%s is no time; expected seconds, as in 12 or 0.000125", text_quote(quote, seconds));
	else if (option_set(scenario_arrival_table, &arrival, bytes, error, sizeof(error)) < 0)
		config_error(tracing->errors, tracing->line, NULL, NULL, "%s", error);
	else if (source->arrival_count > 0 && arrival.at < source->arrivals[source->arrival_count - 1].at)
		config_error(tracing->errors, tracing->line, NULL, NULL,
			"%s is before the line above; expected lines in order of time", text_quote(quote, seconds));
	else if (!make_room(tracing))
		config_error(tracing->errors, tracing->line, NULL, NULL, "no memory; expected enough for the trace");
	else
		source->arrivals[source->arrival_count++] = arrival;
}

static void read_line(struct tracing *tracing, char *line)
{
	const char *seconds, *bytes;
	char quote[TEXT_QUOTE_MAX], *rest = line;

	line[strcspn(line, "#\r\n")] = '\0';
	seconds = strtok_r(line, BLANKS, &rest);
	if (seconds == NULL)
		return;
	bytes = strtok_r(NULL, BLANKS, &rest);
	if (bytes == NULL)
		config_error(tracing->errors, tracing->line, NULL, NULL, "%s stands alone; expected SECONDS BYTES",
			text_quote(quote, seconds));
	else if (strtok_r(NULL, BLANKS, &rest) != NULL)
		config_error(tracing->errors, tracing->line, NULL, NULL,
			"more than two words behind %s; expected SECONDS BYTES", text_quote(quote, seconds));
	else
		add_arrival(tracing, seconds, bytes);
}

static void read_lines(struct tracing *tracing, FILE *stream)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stream) >= 0) {
		tracing->line++;
		read_line(tracing, line);
	}
	free(line);
	if (ferror(stream))
		config_error(tracing->errors, 0, NULL, NULL, "cannot read: %s; expected a readable file",
			strerror(errno));
	else if (tracing->source->arrival_count == 0 && tracing->errors->count == 0)
		config_error(tracing->errors, 0, NULL, NULL, "nothing in it; expected lines SECONDS BYTES");
}

void scenario_trace_read(struct scenario_build *build, struct scenario_source *source,
	const struct config_section *section)
{
	const struct config_key *key = config_section_key(section, "trace");
	struct tracing tracing = {.source = source, .errors = &build->files[build->file_count]};
	char *path = scenario_path(build, source->trace);
	FILE *stream;

	if (path == NULL) {
		config_no_memory(&build->own);
		return;
	}
	stream = fopen(path, "re");
	if (stream == NULL) {
		config_error(&build->own.errors, key->line, section->title, key->key,
			"cannot open %s: %s; expected a readable file", path, strerror(errno));
		free(path);
		return;
	}
	tracing.errors->file = path;
	build->file_count++;
	read_lines(&tracing, stream);
	fclose(stream);
}
