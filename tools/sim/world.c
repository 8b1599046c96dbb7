/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world - weir's birth and end in a simulation: what server.c and worker.c do elsewhere, without threads and sockets.
 */
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "measure.h"
#include "profile.h"
#include "traffic.h"
#include "visit.h"

#define RESERVE_SHARE                                                                                                  \
	16 /* as of worker.c: the workers' reserves are at most one part in so many of the shared memory */

void world_fault(struct sim_world *world, const char *format, ...)
{
	va_list arguments;

	world->faulty = true;
	if (world->options->faults == NULL)
		return;
	fprintf(world->options->faults, "%llu.%09llus: ", (unsigned long long)((world->now - WORLD_BEGIN) / 1000000000),
		(unsigned long long)((world->now - WORLD_BEGIN) % 1000000000));
	va_start(arguments, format);
	vfprintf(world->options->faults, format, arguments);
	va_end(arguments);
	fputc('\n', world->options->faults);
}

static struct session *lookup(void *argument, uint32_t worker, uint32_t slot)
{
	const struct sim_world *world = argument;
	struct sim_session *visit;

	if (worker >= world->worker_count)
		return NULL;
	visit = slab_at(&world->workers[worker].sessions, slot);
	return visit == NULL ? NULL : &visit->session;
}

/* ---- birth --------------------------------------------------------------------------------------------------------- */

static uint32_t units(uint64_t number)
{
	return number < POOL_UNITS_MAX ? (uint32_t)number : POOL_UNITS_MAX;
}

static int make_pools(struct sim_world *world)
{
	uint64_t pages = config_shared_memory(world->scenario->config) / STORE_PAGE;

	if (pool_init(&world->memory, "memory", units(pages)) != 0)
		return -1;
	world->memory_ready = true;
	if (pool_init(&world->limit, "max_sessions", units(world->scenario->config->weir.max_sessions)) != 0)
		return -1;
	world->limit_ready = true;
	if (scopes_init(&world->scopes) != 0)
		return -1;
	world->scopes_ready = true;
	return 0;
}

static int make_listeners(struct sim_world *world)
{
	const struct config *config = world->scenario->config;

	for (size_t i = 0; i < config->policy_count; i++) {
		config->policies[i]->order = (unsigned)i;
		if (policy_start(config->policies[i], world->worker_count) != 0)
			return -1;
	}
	world->listeners = calloc(config->listener_count + 1, sizeof(*world->listeners));
	if (world->listeners == NULL)
		return -1;
	world->listener_count = config->listener_count;
	for (size_t i = 0; i < config->listener_count; i++) {
		struct sim_listener *listener = &world->listeners[i];

		listener->config = config->listeners[i];
		if (stack_init(&listener->stack, listener->config->policies, listener->config->policy_count,
			    listener->config->upstream != NULL ? listener->config->upstream->name : "") != 0)
			return -1;
		profile_init(&listener->profile, listener->config, &listener->stack);
		listener->limited = listener->config->max_sessions != CONFIG_UNLIMITED;
		if (pool_init(&listener->sessions, listener->config->name, units(listener->config->max_sessions)) !=
			0) {
			stack_destroy(&listener->stack);
			return -1;
		}
		listener->ready = true;
	}
	return 0;
}

static uint32_t reserve_pages(const struct sim_world *world)
{
	uint32_t turn = CONTEXT_SCRATCH / STORE_PAGE;
	uint32_t share = world->memory.size / RESERVE_SHARE / world->worker_count;

	return turn < share ? turn : share;
}

static int make_worker(struct sim_world *world, unsigned number)
{
	struct sim_worker *worker = &world->workers[number];

	worker->world = world;
	sched_init(&worker->sched, world->now, NULL, NULL);
	if (world->scenario->content != 0)
		store_depots_init(&worker->depots);
	else
		store_depots_init_lengths(&worker->depots);
	worker->context = (struct context){
		.sched = &worker->sched,
		.memory = &world->memory,
		.host = &host,
		.depots = &worker->depots,
		.scratch = calloc(1, CONTEXT_SCRATCH),
		.reserve_max = reserve_pages(world),
		.scopes = &world->scopes,
		.worker = number,
	};
	worker->ready = true;
	if (worker->context.scratch == NULL)
		return -1;
	return slab_init(&worker->sessions, sizeof(struct sim_session), visit_slot_init, worker);
}

static int make_workers(struct sim_world *world)
{
	world->workers = calloc(world->worker_count, sizeof(*world->workers));
	if (world->workers == NULL)
		return -1;
	for (unsigned i = 0; i < world->worker_count; i++)
		if (make_worker(world, i) != 0)
			return -1;
	return 0;
}

static struct sim_listener *listener_of(struct sim_world *world, const struct config_listener *config)
{
	for (size_t i = 0; i < world->listener_count; i++)
		if (world->listeners[i].config == config)
			return &world->listeners[i];
	return NULL;
}

static int make_traffics(struct sim_world *world)
{
	size_t count = world->scenario->traffic_count;

	world->traffics = calloc(count + 1, sizeof(*world->traffics));
	if (world->traffics == NULL || agenda_reserve(&world->agenda, (uint32_t)(count * TRAFFIC_EVENTS)) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		traffic_init(&world->traffics[i], world, (unsigned)i,
			listener_of(world, world->scenario->traffics[i]->listener));
	return 0;
}

int world_init(struct sim_world *world, const struct scenario *scenario, const struct sim_options *options)
{
	memset(world, 0, sizeof(*world));
	world->scenario = scenario;
	world->options = options;
	world->now = WORLD_BEGIN;
	world->end = WORLD_BEGIN + scenario->duration;
	world->worker_count = (unsigned)scenario->config->weir.workers;
	TAILQ_INIT(&world->sessions);
	TAILQ_INIT(&world->edges);
	chance_init(&world->chance, scenario->seed, 0, 3);
	if (make_pools(world) != 0 || make_workers(world) != 0 || make_listeners(world) != 0)
		return -1;
	world->measure = measure_new(world);
	if (world->measure == NULL || make_traffics(world) != 0)
		return -1;
	host_set_lookup(lookup, world);
	return 0;
}

/* ---- end ----------------------------------------------------------------------------------------------------------- */

static void destroy_worker(struct sim_worker *worker)
{
	if (!worker->ready)
		return;
	pool_put(&worker->world->memory, worker->context.reserve);
	worker->context.reserve = 0;
	free(worker->context.scratch);
	if (worker->sessions.chunks != NULL)
		slab_destroy(&worker->sessions);
	store_depots_destroy(&worker->depots);
}

static void check_whole(struct sim_world *world, const struct pool *pool, const char *owner)
{
	if (pool_free(pool) != (int32_t)pool->size || pool_waiters(pool) != 0)
		world_fault(world, "pool %s of %s: %d of %u units are back, %u wait, although no session is left",
			pool->name, owner, pool_free(pool), pool->size, pool_waiters(pool));
}

static void check_pools(struct sim_world *world)
{
	for (size_t i = 0; i < world->listener_count; i++) {
		const struct stack *stack = &world->listeners[i].stack;

		for (unsigned c = 0; c < stack->claim_count; c++)
			for (int direction = 0; direction < 2; direction++)
				if (stack->claims[c].pool[direction] != NULL && !stack->claims[c].consumed)
					check_whole(world, stack->claims[c].pool[direction],
						stack->members[stack->claims[c].member].policy->name);
	}
	for (size_t i = 0; i < world->listener_count; i++)
		check_whole(world, &world->listeners[i].sessions, "max_sessions");
	check_whole(world, &world->limit, "weir");
	check_whole(world, &world->memory, "weir");
}

/* A policy that is started anew finds nothing of what it did here. */
static void stop_policies(struct sim_world *world)
{
	const struct config *config = world->scenario->config;

	for (size_t i = 0; i < config->policy_count; i++)
		policy_stop(config->policies[i]);
}

void world_destroy(struct sim_world *world)
{
	host_set_lookup(NULL, NULL);
	measure_free(world->measure);
	for (unsigned i = 0; world->workers != NULL && i < world->worker_count; i++)
		destroy_worker(&world->workers[i]);
	if (!world->no_memory && !world->faulty && world->measure != NULL)
		check_pools(world);
	free(world->workers);
	for (size_t i = 0; i < world->listener_count; i++)
		if (world->listeners[i].ready) {
			pool_destroy(&world->listeners[i].sessions);
			stack_destroy(&world->listeners[i].stack);
		}
	free(world->listeners);
	stop_policies(world);
	free(world->traffics);
	agenda_destroy(&world->agenda);
	if (world->scopes_ready)
		scopes_destroy(&world->scopes);
	if (world->limit_ready)
		pool_destroy(&world->limit);
	if (world->memory_ready)
		pool_destroy(&world->memory);
}
