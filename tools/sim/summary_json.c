/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary_json - what came of a scenario, for programs.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "summary.h"

struct json {
	FILE *out;
	int depth;
	bool first; /* in the object or array that is open */
};

static void put_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20)
			fprintf(out, "\\u%04x", byte);
		else
			fprintf(out, byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
	}
	putc('"', out);
}

/* name NULL: an element of an array. */
static void begin_value(struct json *json, const char *name)
{
	if (json->depth > 0)
		fprintf(json->out, "%s\n%*s", json->first ? "" : ",", json->depth * 2, "");
	json->first = false;
	if (name == NULL)
		return;
	put_string(json->out, name);
	fputs(": ", json->out);
}

static void open_value(struct json *json, const char *name, char bracket)
{
	begin_value(json, name);
	putc(bracket, json->out);
	json->depth++;
	json->first = true;
}

static void close_value(struct json *json, char bracket)
{
	json->depth--;
	if (!json->first)
		fprintf(json->out, "\n%*s", json->depth * 2, "");
	putc(bracket, json->out);
	json->first = false;
}

static void number(struct json *json, const char *name, uint64_t value)
{
	begin_value(json, name);
	fprintf(json->out, "%" PRIu64, value);
}

static void string(struct json *json, const char *name, const char *value)
{
	begin_value(json, name);
	put_string(json->out, value);
}

/* ---- the result ---------------------------------------------------------------------------------------------------- */

static void spread(struct json *json, const char *name, const struct sim_spread *spread)
{
	open_value(json, name, '{');
	number(json, "p50", spread->p50);
	number(json, "p99", spread->p99);
	number(json, "max", spread->max);
	close_value(json, '}');
}

static void causes(struct json *json, const struct sim_result *result)
{
	open_value(json, "causes", '[');
	for (size_t i = 0; i < result->cause_count; i++) {
		open_value(json, NULL, '{');
		string(json, "name", result->causes[i].name);
		number(json, "pauses", result->causes[i].pauses);
		number(json, "paused_ns", result->causes[i].paused);
		close_value(json, '}');
	}
	close_value(json, ']');
}

static void pools(struct json *json, const struct sim_result *result)
{
	open_value(json, "pools", '[');
	for (size_t i = 0; i < result->pool_count; i++) {
		const struct sim_pool *pool = &result->pools[i];

		open_value(json, NULL, '{');
		string(json, "policy", pool->policy);
		string(json, "name", pool->name);
		number(json, "size_units", pool->size);
		number(json, "used_max_units", pool->used_max);
		number(json, "used_mean_units", pool->used_mean);
		number(json, "shortages", pool->shortages);
		close_value(json, '}');
	}
	close_value(json, ']');
}

static void counters(struct json *json, const struct sim_result *result)
{
	open_value(json, "counters", '[');
	for (size_t i = 0; i < result->counter_count; i++) {
		open_value(json, NULL, '{');
		string(json, "policy", result->counters[i].policy);
		string(json, "name", result->counters[i].name);
		number(json, "count", result->counters[i].count);
		close_value(json, '}');
	}
	close_value(json, ']');
}

static void spent(struct json *json, const struct sim_result *result)
{
	open_value(json, "spent_ns", '{');
	for (size_t i = 0; i < METER_STATE_COUNT; i++)
		number(json, meter_state_names[i], result->spent[i]);
	close_value(json, '}');
}

static void members(struct json *json, const struct sim_result *result)
{
	number(json, "duration_ns", result->duration);
	number(json, "sessions", result->sessions);
	number(json, "ended", result->ended);
	number(json, "flows", result->flows);
	number(json, "turns", result->turns);
	number(json, "sent_bytes", result->sent);
	number(json, "read_bytes", result->read);
	number(json, "written_bytes", result->written);
	number(json, "taken_bytes", result->taken);
	number(json, "throughput_bytes_per_second", result->throughput);
	spread(json, "held_bytes", &result->held);
	spread(json, "held_all_bytes", &result->held_all);
	spread(json, "sojourn_ns", &result->sojourn);
	number(json, "pauses", result->pauses);
	number(json, "flips_per_1000_seconds", result->flips);
	number(json, "jain_millionths", result->jain);
	spent(json, result);
	causes(json, result);
	pools(json, result);
	counters(json, result);
}

void summary_json(FILE *out, const struct scenario *scenario, const struct sim_result *result)
{
	struct json json = {.out = out};

	open_value(&json, NULL, '{');
	number(&json, "seed", scenario->seed);
	members(&json, result);
	close_value(&json, '}');
	putc('\n', out);
}

void summary_json_table(FILE *out, const char *key, const struct summary_row *rows, size_t count)
{
	struct json json = {.out = out};

	open_value(&json, NULL, '[');
	for (size_t i = 0; i < count; i++) {
		open_value(&json, NULL, '{');
		string(&json, "key", key);
		string(&json, "value", rows[i].value);
		open_value(&json, "result", '{');
		members(&json, &rows[i].result);
		close_value(&json, '}');
		close_value(&json, '}');
	}
	close_value(&json, ']');
	putc('\n', out);
}
