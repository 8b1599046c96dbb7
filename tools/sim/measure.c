/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure - see measure.h.
 */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "histogram.h"
#include "usage.h"

#define SECOND UINT64_C(1000000000)
#define FLIP_TIME (UINT64_C(1000) * SECOND)
#define PERFECT 1000000 /* Jain's index of equal shares */

/* Flows that compete: one direction of a [traffic] section. */
struct contest {
	uint64_t flows;
	unsigned __int128 sum; /* bytes per second */
	unsigned __int128 squares;
};

struct measure {
	struct histogram held;
	struct histogram held_all;
	struct histogram sojourn;
	uint64_t held_max;
	uint64_t held_all_max;
	uint64_t ended;
	uint64_t flows;
	uint64_t sent;  /* by applications of sessions that are gone */
	uint64_t taken; /* the same */
	uint64_t life;  /* ns, of all flows */
	uint64_t spent[METER_STATE_COUNT];
	struct sim_cause causes[SIM_CAUSES_MAX];
	size_t cause_count;
	struct contest *contests; /* two for each [traffic] section */
	struct usage *usage;
};

/* ---- birth --------------------------------------------------------------------------------------------------------- */

/* A policy's cause is its order; memory's comes last. Those beyond SIM_CAUSES_MAX share the last place. */
static size_t cause_slot(const struct measure *measure, size_t cause)
{
	return cause < measure->cause_count ? cause : measure->cause_count - 1;
}

static void name_causes(struct measure *measure, const struct config *config)
{
	measure->cause_count = config->policy_count + 1 < SIM_CAUSES_MAX ? config->policy_count + 1 : SIM_CAUSES_MAX;
	for (size_t i = 0; i < config->policy_count; i++)
		snprintf(measure->causes[cause_slot(measure, i)].name, sizeof(measure->causes[0].name), "%s",
			config->policies[i]->name);
	snprintf(measure->causes[measure->cause_count - 1].name, sizeof(measure->causes[0].name), "memory");
}

struct measure *measure_new(const struct sim_world *world)
{
	struct measure *measure = calloc(1, sizeof(*measure));

	if (measure == NULL)
		return NULL;
	name_causes(measure, world->scenario->config);
	measure->contests = calloc(2 * world->scenario->traffic_count + 1, sizeof(*measure->contests));
	measure->usage = usage_new(world);
	if (measure->contests == NULL || measure->usage == NULL) {
		measure_free(measure);
		return NULL;
	}
	return measure;
}

void measure_free(struct measure *measure)
{
	if (measure == NULL)
		return;
	free(measure->contests);
	usage_free(measure->usage);
	free(measure);
}

/* ---- bytes --------------------------------------------------------------------------------------------------------- */

void measure_read(struct sim_end *end)
{
	struct sim_world *world = end->session->world;
	struct sim_parcel parcel = {world->now, end->in.taken, 0};

	if (ring_push(&end->stay, &parcel) != 0)
		world->no_memory = true;
}

void measure_write(struct sim_end *end)
{
	struct sim_world *world = end->session->world;
	struct sim_end *source = sim_end_other(end);
	struct histogram *sojourn = &world->measure->sojourn;

	while (source->stay.count > 0 && source->gone < end->out.written) {
		const struct sim_parcel *first = ring_first(&source->stay);
		bool whole = first->position <= end->out.written;
		uint64_t to = whole ? first->position : end->out.written;

		histogram_add(sojourn, world->now - first->at, to - source->gone);
		source->gone = to;
		if (whole)
			ring_pop(&source->stay);
	}
}

void measure_held(struct sim_world *world)
{
	if (world->held > world->measure->held_all_max)
		world->measure->held_all_max = world->held;
}

void measure_round(struct sim_world *world)
{
	usage_round(world->measure->usage, world);
}

/* ---- flows --------------------------------------------------------------------------------------------------------- */

static struct sim_end *source_of(struct sim_session *visit, enum weir_direction direction)
{
	return direction == WEIR_UP ? &visit->client : &visit->server;
}

static const struct flow *flow_of(const struct sim_session *visit, enum weir_direction direction)
{
	return direction == WEIR_UP ? &visit->session.up : &visit->session.down;
}

static bool counts(const struct sim_session *visit, enum weir_direction direction)
{
	return visit->flow_number[direction] != 0 || flow_of(visit, direction)->read > 0;
}

static void count_pauses(struct measure *measure, const struct flow *flow, uint64_t now)
{
	const struct stack *stack = flow->standing.owner->stack;

	for (unsigned cause = 0; cause <= stack->count; cause++) {
		size_t order = cause < stack->count ? stack->members[cause].policy->order : measure->cause_count - 1;
		struct sim_cause *told = &measure->causes[cause_slot(measure, order)];

		told->pauses += flow->meter.pauses[cause].count;
		told->paused += meter_paused(&flow->meter, now, cause);
	}
}

static void close_flow(struct measure *measure, struct sim_session *visit, enum weir_direction direction, uint64_t now)
{
	const struct flow *flow = flow_of(visit, direction);

	if (!counts(visit, direction))
		return;
	measure->flows++;
	measure->life += now - visit->session.opened_at;
	if (flow->held_max > measure->held_max)
		measure->held_max = flow->held_max;
	for (unsigned state = 0; state < METER_STATE_COUNT; state++)
		measure->spent[state] += meter_spent(&flow->meter, now, (enum meter_state)state);
	count_pauses(measure, flow, now);
}

void measure_opened(struct sim_session *visit)
{
	if (usage_opened(visit->world->measure->usage, visit) != 0)
		visit->world->no_memory = true;
}

void measure_closed(struct sim_session *visit, uint64_t now)
{
	struct measure *measure = visit->world->measure;

	if (!visit->world->stopping)
		measure->ended++;
	close_flow(measure, visit, WEIR_UP, now);
	close_flow(measure, visit, WEIR_DOWN, now);
	if (visit->opened)
		usage_closed(measure->usage, visit);
}

static void enter_contest(struct measure *measure, struct sim_session *visit, enum weir_direction direction)
{
	struct contest *contest = &measure->contests[2 * visit->traffic->number + direction];
	uint64_t taken = sim_end_other(source_of(visit, direction))->sink.taken;
	uint64_t life = visit->session.closed_at - visit->session.opened_at;
	unsigned __int128 rate = (unsigned __int128)taken * SECOND / (life > 0 ? life : 1);

	if (visit->flow_number[direction] == 0)
		return;
	contest->flows++;
	contest->sum += rate;
	contest->squares += rate * rate;
}

void measure_gone(struct sim_session *visit)
{
	struct measure *measure = visit->world->measure;

	measure->sent += visit->client.in.written + visit->server.in.written;
	measure->taken += visit->client.sink.taken + visit->server.sink.taken;
	enter_contest(measure, visit, WEIR_UP);
	enter_contest(measure, visit, WEIR_DOWN);
}

/* ---- samples ------------------------------------------------------------------------------------------------------- */

static bool lives(const struct sim_session *visit)
{
	return !visit->released && visit->session.state != SESSION_CLOSED;
}

static struct sim_row row_of(struct sim_session *visit, enum weir_direction direction, uint64_t at)
{
	const struct flow *flow = flow_of(visit, direction);
	struct sim_end *source = source_of(visit, direction);
	struct sim_end *sink = sim_end_other(source);

	return (struct sim_row){
		.at = at - WORLD_BEGIN,
		.flow = visit->flow_number[direction],
		.held = flow->store.held,
		.read = flow->read,
		.written = flow->written,
		.taken = sink->sink.taken,
		.unread = wire_unread(&source->in),
		.queued = wire_queued(&sink->out),
		.state = flow->meter.state,
		.paused = (uint32_t)__builtin_popcount(flow->meter.paused),
	};
}

static void tell(const struct sim_world *world, const struct sim_row *row)
{
	if (world->options->row != NULL)
		world->options->row(world->options->argument, row);
}

static void sum_up(struct sim_row *all, const struct sim_row *row)
{
	all->held += row->held;
	all->unread += row->unread;
	all->queued += row->queued;
	all->state += row->paused > 0;
	all->paused += row->paused;
}

/* Everybody's share of the row of all; what has been taken counts for those that weir has done with, too. */
static struct sim_row look_at_all(struct sim_world *world, uint64_t at)
{
	struct sim_row all = {.at = at - WORLD_BEGIN, .read = world->read, .written = world->written};
	struct sim_session *visit;

	all.taken = world->measure->taken;
	for (visit = TAILQ_FIRST(&world->sessions); visit != NULL; visit = TAILQ_NEXT(visit, link)) {
		all.taken += visit->client.sink.taken + visit->server.sink.taken;
		for (enum weir_direction direction = WEIR_UP; direction <= WEIR_DOWN; direction++) {
			struct sim_row row;

			if (!lives(visit) || !counts(visit, direction))
				continue;
			row = row_of(visit, direction, at);
			histogram_add(&world->measure->held, row.held, 1);
			sum_up(&all, &row);
		}
	}
	return all;
}

static void tell_traced(struct sim_world *world, uint64_t at)
{
	struct sim_session *visit;

	for (visit = TAILQ_FIRST(&world->sessions); visit != NULL; visit = TAILQ_NEXT(visit, link)) {
		for (enum weir_direction direction = WEIR_UP; direction <= WEIR_DOWN; direction++) {
			uint64_t number = visit->flow_number[direction];
			struct sim_row row;

			if (number > world->scenario->traced)
				return;
			if (number == 0 || !lives(visit))
				continue;
			row = row_of(visit, direction, at);
			tell(world, &row);
		}
	}
}

void measure_sample(struct sim_world *world, uint64_t at)
{
	struct sim_row all = look_at_all(world, at);

	histogram_add(&world->measure->held_all, all.held, 1);
	usage_sample(world->measure->usage, world);
	tell(world, &all);
	if (world->scenario->traced > 0)
		tell_traced(world, at);
}

/* ---- the result ---------------------------------------------------------------------------------------------------- */

static struct sim_spread spread(const struct histogram *histogram, uint64_t max)
{
	return (struct sim_spread){
		.p50 = histogram_percentile(histogram, 50),
		.p99 = histogram_percentile(histogram, 99),
		.max = max,
	};
}

static uint64_t per(uint64_t count, uint64_t unit, uint64_t of)
{
	return of == 0 ? 0 : (uint64_t)((unsigned __int128)count * unit / of);
}

static uint64_t fairness(const struct contest *contest)
{
	if (contest->squares == 0)
		return PERFECT;
	return (uint64_t)(contest->sum * contest->sum / contest->flows * PERFECT / contest->squares);
}

static uint64_t least_fair(const struct measure *measure, size_t contests)
{
	uint64_t least = PERFECT;

	for (size_t i = 0; i < contests; i++)
		if (fairness(&measure->contests[i]) < least)
			least = fairness(&measure->contests[i]);
	return least;
}

static void add_counters(struct sim_result *result, const struct policy *policy)
{
	const struct weir_policy *api = &policy->module->api;

	for (uint32_t i = 0; i < api->counter_count && result->counter_count < SIM_COUNTERS_MAX; i++) {
		struct sim_counter *counter = &result->counters[result->counter_count++];

		snprintf(counter->policy, sizeof(counter->policy), "%s", policy->name);
		snprintf(counter->name, sizeof(counter->name), "%s", gate_counter(api, i).name);
		counter->count = atomic_load(&policy->counters[i]);
	}
}

void measure_result(const struct sim_world *world, struct sim_result *result)
{
	const struct measure *measure = world->measure;

	memset(result, 0, sizeof(*result));
	result->duration = world->now - WORLD_BEGIN;
	result->sessions = world->begun;
	result->ended = measure->ended;
	result->flows = measure->flows;
	result->sent = measure->sent;
	result->read = world->read;
	result->written = world->written;
	result->taken = measure->taken;
	result->throughput = per(measure->taken, SECOND, result->duration);
	result->held = spread(&measure->held, measure->held_max);
	result->held_all = spread(&measure->held_all, measure->held_all_max);
	result->sojourn = spread(&measure->sojourn, measure->sojourn.max);
	memcpy(result->spent, measure->spent, sizeof(result->spent));
	memcpy(result->causes, measure->causes, sizeof(result->causes));
	result->cause_count = measure->cause_count;
	for (size_t i = 0; i < measure->cause_count; i++)
		result->pauses += measure->causes[i].pauses;
	result->flips = per(2 * result->pauses, FLIP_TIME, measure->life);
	result->jain = least_fair(measure, 2 * world->scenario->traffic_count);
	usage_result(measure->usage, result);
	for (size_t i = 0; i < world->scenario->config->policy_count; i++)
		add_counters(result, world->scenario->config->policies[i]);
	result->turns = world->turns;
}
