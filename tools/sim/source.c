/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - each law says when it writes, and how much.
 */
#include "source.h"

#include <string.h>

#include "dialog.h"
#include "least.h"

#define SECOND UINT64_C(1000000000)

/* As fast as it can is as fast as one core copies; without such a limit a world of fast peers would have no time. */
#define BULK_SPEED UINT64_C(4) /* bytes per ns */
#define BULK_CREDIT (UINT64_C(256) * 1024)

static bool has_lines(const struct scenario_source *law)
{
	return law->kind == SOURCE_REQUESTS || law->kind == SOURCE_ANSWERS;
}

/* Bytes, until it ends by itself. */
static uint64_t amount(const struct scenario_source *law)
{
	if (!has_lines(law))
		return law->bytes;
	return law->requests == SCENARIO_UNLIMITED ? SCENARIO_UNLIMITED : law->requests * law->write;
}

struct sim_pattern source_pattern(const struct scenario_source *law, uint32_t number)
{
	return (struct sim_pattern){number, has_lines(law) ? (uint32_t)law->write : 0};
}

void source_init(struct sim_source *source, const struct scenario_source *law, uint64_t seed, uint64_t who)
{
	memset(source, 0, sizeof(*source));
	source->law = law;
	source->left = amount(law);
	source->next_at = AGENDA_NEVER;
	chance_init(&source->chance, seed, who, 0);
}

void source_destroy(struct sim_source *source)
{
	ring_clear(&source->service);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

void source_stop(struct sim_end *end)
{
	end->source.over = true;
	end->source.eager = false;
	end->source.next_at = AGENDA_NEVER;
}

void source_end(struct sim_end *end)
{
	if (end->source.over)
		return;
	source_stop(end);
	wire_end(&end->in);
}

void source_hear_end(struct sim_end *end, uint64_t now)
{
	const struct scenario_source *law = end->source.law;

	if (law->kind == SOURCE_ANSWERS)
		dialog_last(end, now);
	else if (law->kind == SOURCE_NONE || law->kind == SOURCE_ECHO || law->kind == SOURCE_REQUESTS ||
		law->bytes == SCENARIO_UNLIMITED)
		source_end(end);
}

void source_leave(struct sim_end *end)
{
	if (end->source.law->kind != SOURCE_ANSWERS)
		source_end(end);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

void source_put(struct sim_end *end, uint64_t length)
{
	struct sim_source *source = &end->source;

	length = least(length, source->left);
	wire_write(&end->in, length);
	if (source->left == SCENARIO_UNLIMITED)
		return;
	source->left -= length;
	if (source->left == 0)
		source_end(end);
}

/* ns in which so many bytes come at this rate */
static uint64_t time_of(uint64_t bytes, uint64_t rate)
{
	unsigned __int128 time = (unsigned __int128)bytes * SECOND / rate;

	return time < AGENDA_NEVER / 4 ? (uint64_t)time : AGENDA_NEVER / 4;
}

uint64_t source_drawn(struct sim_source *source, uint64_t mean)
{
	uint64_t time = source->law->random != 0 ? chance_exponential(&source->chance, mean) : mean;

	return time > 0 ? time : 1;
}

/* Whenever the window has room, as much as it may. Time has given it credit; without, it says when it will have some. */
static void run_bulk(struct sim_end *end, uint64_t now)
{
	struct sim_source *source = &end->source;
	uint64_t room = end->in.edge > end->in.written ? end->in.edge - end->in.written : 0;
	uint64_t length;

	source->next_at = AGENDA_NEVER;
	source->credit = least(source->credit + least(now - source->credit_at, BULK_CREDIT) * BULK_SPEED, BULK_CREDIT);
	source->credit_at = now;
	length = least(room, source->credit);
	if (length < least(room, source->law->write)) {
		source->next_at = now + (least(room, source->law->write) - length) / BULK_SPEED + 1;
		return;
	}
	source->credit -= length;
	source_put(end, length);
}

/* The next write of this phase, counted from its begin, so that nothing is lost by rounding. */
static void pace(struct sim_source *source)
{
	source->writes++;
	source->next_at = source->phase_at + time_of(source->writes * source->law->write, source->law->rate);
}

static void run_constant(struct sim_end *end)
{
	pace(&end->source);
	source_put(end, end->source.law->write);
}

static void run_bursts(struct sim_end *end)
{
	end->source.next_at += source_drawn(&end->source, end->source.law->period);
	source_put(end, end->source.law->burst);
}

static void begin_phase(struct sim_source *source, uint64_t at)
{
	source->phase_at = at;
	source->phase_end = at + source_drawn(source, source->law->on);
	source->writes = 0;
}

/* The last write of a phase is what is left of it, so that the rate holds for phases of any length. */
static void run_onoff(struct sim_end *end)
{
	struct sim_source *source = &end->source;
	uint64_t left = source->phase_end - source->next_at;
	unsigned __int128 length = (unsigned __int128)left * source->law->rate / SECOND;

	pace(source);
	if (source->next_at >= source->phase_end)
		begin_phase(source, source->phase_end + source_drawn(source, source->law->off));
	if (source->writes == 0)
		source->next_at = source->phase_at;
	source_put(end, length < source->law->write ? (uint64_t)length : source->law->write);
}

static void run_poisson(struct sim_end *end)
{
	struct sim_source *source = &end->source;

	source->next_at += chance_exponential(&source->chance, time_of(source->law->write, source->law->rate));
	source_put(end, source->law->write);
}

static void aim_trace(struct sim_source *source)
{
	const struct scenario_source *law = source->law;

	source->next_at = source->arrival < law->arrival_count ? source->begun_at + law->arrivals[source->arrival].at
							       : AGENDA_NEVER;
}

static void run_trace(struct sim_end *end)
{
	struct sim_source *source = &end->source;
	uint64_t bytes = source->law->arrivals[source->arrival++].bytes;

	aim_trace(source);
	source_put(end, bytes);
}

static void run_due(struct sim_end *end)
{
	switch ((enum source_kind)end->source.law->kind) {
	case SOURCE_REQUESTS:
		dialog_ask(end);
		break;
	case SOURCE_ANSWERS:
		dialog_answer(end);
		break;
	case SOURCE_CONSTANT:
		run_constant(end);
		break;
	case SOURCE_BURSTS:
		run_bursts(end);
		break;
	case SOURCE_ONOFF:
		run_onoff(end);
		break;
	case SOURCE_POISSON:
		run_poisson(end);
		break;
	case SOURCE_TRACE:
		run_trace(end);
		break;
	case SOURCE_NONE:
	case SOURCE_BULK:
	case SOURCE_ECHO:
		end->source.next_at = AGENDA_NEVER;
		break;
	}
}

void source_write(struct sim_end *end, uint64_t now)
{
	if (end->source.eager)
		run_bulk(end, now);
	else
		while (end->source.next_at <= now)
			run_due(end);
}

void source_begin(struct sim_end *end, uint64_t now)
{
	struct sim_source *source = &end->source;

	source->begun_at = now;
	source->credit_at = now;
	source->eager = source->law->kind == SOURCE_BULK && !source->over;
	source->credit = source->eager ? BULK_CREDIT : 0;
	if (source->over)
		return;
	switch ((enum source_kind)source->law->kind) {
	case SOURCE_NONE:
	case SOURCE_BULK:
	case SOURCE_ECHO:
	case SOURCE_ANSWERS:
		return;
	case SOURCE_REQUESTS:
	case SOURCE_CONSTANT:
	case SOURCE_BURSTS:
		source->phase_at = now;
		break;
	case SOURCE_ONOFF:
		begin_phase(source, now);
		break;
	case SOURCE_POISSON:
		source->next_at = now +
			chance_exponential(&source->chance, time_of(source->law->write, source->law->rate));
		return;
	case SOURCE_TRACE:
		aim_trace(source);
		return;
	}
	source->next_at = now;
}

/* ---- who listens --------------------------------------------------------------------------------------------------- */

static void echo(struct sim_end *end, uint64_t length)
{
	struct sim_source *source = &end->source;
	unsigned __int128 owed = (unsigned __int128)length * source->law->gain + source->credit;

	source->credit = (uint64_t)(owed % 100);
	source_put(end, (uint64_t)(owed / 100));
}

bool source_listens(const struct sim_end *end)
{
	return end->source.law->kind == SOURCE_ECHO || has_lines(end->source.law);
}

void source_hear(struct sim_end *end, uint64_t length, uint64_t now)
{
	if (end->source.over)
		return;
	if (end->source.law->kind == SOURCE_ECHO)
		echo(end, length);
	else if (end->source.law->kind == SOURCE_REQUESTS)
		dialog_hear_answers(end, now);
	else if (end->source.law->kind == SOURCE_ANSWERS)
		dialog_hear_requests(end, now);
}

bool source_busy(const struct sim_end *end)
{
	return (end->source.law->kind == SOURCE_ECHO || end->source.law->kind == SOURCE_ANSWERS) &&
		wire_unsent(&end->in) > end->source.law->busy;
}
