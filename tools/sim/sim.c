/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim - time. What happens next is the earliest of the agenda and of every worker's deadline; at one instant, events are
 * told and workers have their rounds, in an order drawn from the seed, until nobody has anything to do.
 */
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "check.h"
#include "end.h"
#include "least.h"
#include "measure.h"
#include "traffic.h"
#include "visit.h"
#include "world.h"

#define SPIN_ROUNDS 10000                             /* without a byte's moving: the world spins */
#define DRAIN_MOST (UINT64_C(24) * 3600 * 1000000000) /* ns: it must have ended by then */

struct run {
	struct sim_world world;
	unsigned *order; /* of the workers, drawn anew for each pass */
	uint64_t sample_at;
	/* to find that it spins */
	uint64_t rounds; /* at the time that a byte moved, or time went on */
	uint64_t moved;  /* bytes */
	uint64_t at;     /* ns */
};

static bool goes_on(const struct sim_world *world)
{
	return !world->no_memory && !world->faulty;
}

/* ---- an instant ---------------------------------------------------------------------------------------------------- */

static bool has_work(const struct sim_worker *worker)
{
	return sched_busy(&worker->sched) || sched_deadline(&worker->sched) <= worker->world->now;
}

static void draw_order(struct run *run)
{
	for (unsigned i = run->world.worker_count; i > 1; i--) {
		unsigned other = (unsigned)chance_below(&run->world.chance, i);
		unsigned last = run->order[i - 1];

		run->order[i - 1] = run->order[other];
		run->order[other] = last;
	}
}

static void look_for_spinning(struct run *run)
{
	struct sim_world *world = &run->world;
	uint64_t moved = world->read + world->written;

	if (moved != run->moved || world->now != run->at) {
		run->moved = moved;
		run->at = world->now;
		run->rounds = world->rounds;
	} else if (world->rounds - run->rounds > SPIN_ROUNDS) {
		world_fault(world, "spins: %" PRIu64 " rounds, and neither a byte nor the clock has moved",
			world->rounds - run->rounds);
	}
}

static void give_round(struct run *run, struct sim_worker *worker)
{
	struct sim_world *world = &run->world;

	sched_run(&worker->sched, world->now);
	world->rounds++;
	measure_round(world);
	look_for_spinning(run);
	if (world->check == NULL)
		return;
	check_step(world->check);
	world->faulty |= check_failed(world->check);
}

/* One round for each worker that has something to do. False: none had. */
static bool give_rounds(struct run *run)
{
	struct sim_world *world = &run->world;
	bool any = false;

	if (world->worker_count > 1)
		draw_order(run);
	for (unsigned i = 0; i < world->worker_count && goes_on(world); i++) {
		struct sim_worker *worker = &world->workers[run->order[i]];

		if (!has_work(worker))
			continue;
		give_round(run, worker);
		any = true;
	}
	return any;
}

static void tell_events(struct sim_world *world)
{
	struct sim_end *end;

	agenda_run(&world->agenda, world->now);
	while ((end = TAILQ_FIRST(&world->edges)) != NULL)
		end_deliver(end);
}

static void admit(struct sim_world *world)
{
	if (!world->vacancy || world->draining)
		return;
	world->vacancy = false;
	for (size_t i = 0; i < world->scenario->traffic_count; i++)
		traffic_admit(&world->traffics[i], world->now);
}

/* Everything that can happen without time's going on. */
static void live_instant(struct run *run)
{
	do {
		tell_events(&run->world);
		admit(&run->world);
	} while (goes_on(&run->world) &&
		(give_rounds(run) || !TAILQ_EMPTY(&run->world.edges) ||
			agenda_next(&run->world.agenda) <= run->world.now));
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

static uint64_t next_time(const struct sim_world *world)
{
	uint64_t at = agenda_next(&world->agenda);

	for (unsigned i = 0; i < world->worker_count; i++)
		at = least(at, sched_deadline(&world->workers[i].sched));
	return at;
}

/* Samples show what was at a time when all that happens then has happened. */
static void take_samples(struct run *run, uint64_t until)
{
	while (run->sample_at < until) {
		measure_sample(&run->world, run->sample_at);
		run->sample_at += run->world.scenario->sample;
	}
}

/* Lets time go on until then, or until `done` says so. */
static void live_until(struct run *run, uint64_t end, bool (*done)(const struct sim_world *world))
{
	struct sim_world *world = &run->world;

	live_instant(run);
	while (goes_on(world) && !done(world)) {
		uint64_t next = next_time(world);

		if (next > end)
			break;
		take_samples(run, next);
		world->now = next;
		live_instant(run);
	}
}

static bool never(const struct sim_world *world)
{
	(void)world;
	return false;
}

static bool is_empty(const struct sim_world *world)
{
	return TAILQ_EMPTY(&world->sessions);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static void drain(struct run *run)
{
	struct sim_world *world = &run->world;
	struct sim_session *visit;
	struct sim_session *next;

	world->draining = true;
	for (size_t i = 0; i < world->scenario->traffic_count; i++)
		traffic_stop(&world->traffics[i]);
	for (visit = TAILQ_FIRST(&world->sessions); visit != NULL; visit = next) {
		next = TAILQ_NEXT(visit, link);
		visit_drain(visit, world->now);
	}
	live_until(run, world->end + DRAIN_MOST, is_empty);
	if (goes_on(world) && world->session_count > 0)
		world_fault(world,
			"%" PRIu64 " sessions have not ended since %" PRIu64 " s ago, when their sources did",
			world->session_count, (world->now - world->end) / 1000000000);
}

/* Ends what is left. Time stands still. */
static void stop(struct run *run)
{
	struct sim_world *world = &run->world;
	struct sim_session *visit;
	bool any = true;

	world->stopping = true;
	for (size_t i = 0; i < world->scenario->traffic_count; i++)
		traffic_stop(&world->traffics[i]);
	for (visit = TAILQ_FIRST(&world->sessions); visit != NULL; visit = TAILQ_NEXT(visit, link))
		session_close(&visit->session, CLOSE_SHUTDOWN, world->now);
	while (world->session_count > 0 && any) {
		any = false;
		for (unsigned i = 0; i < world->worker_count; i++)
			if (sched_busy(&world->workers[i].sched)) {
				sched_run(&world->workers[i].sched, world->now);
				any = true;
			}
	}
	if (world->session_count > 0)
		world_fault(world, "%" PRIu64 " sessions were closed, and are not released", world->session_count);
	while ((visit = TAILQ_FIRST(&world->sessions)) != NULL)
		visit_bury(visit);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static int prepare(struct run *run, const struct scenario *scenario, const struct sim_options *options)
{
	struct sim_world *world = &run->world;

	if (world_init(world, scenario, options) != 0)
		return -1;
	run->sample_at = WORLD_BEGIN;
	run->order = calloc(world->worker_count, sizeof(*run->order));
	if (run->order == NULL)
		return -1;
	for (unsigned i = 0; i < world->worker_count; i++)
		run->order[i] = i;
	if (!options->check)
		return 0;
	world->check = check_new(world, options->faults);
	return world->check == NULL ? -1 : 0;
}

static void live(struct run *run)
{
	struct sim_world *world = &run->world;

	live_until(run, world->end, never);
	if (!goes_on(world))
		return;
	take_samples(run, world->end);
	world->now = world->end;
	if (world->scenario->drain != 0)
		drain(run);
	take_samples(run, world->now + 1);
}

static void finish(struct run *run, struct sim_result *result)
{
	struct sim_world *world = &run->world;

	if (world->check != NULL) {
		check_end(world->check);
		world->faulty |= check_failed(world->check);
	}
	stop(run);
	measure_result(world, result);
}

int sim_run(const struct scenario *scenario, const struct sim_options *options, struct sim_result *result)
{
	struct run *run = calloc(1, sizeof(*run));
	bool prepared;
	int status;

	if (run == NULL)
		return -1;
	prepared = prepare(run, scenario, options) == 0;
	if (prepared) {
		live(run);
		finish(run, result);
	}
	check_free(run->world.check);
	world_destroy(&run->world);
	free(run->order);
	status = !prepared || run->world.no_memory ? -1 : run->world.faulty;
	free(run);
	if (status < 0)
		errno = ENOMEM;
	return status;
}
