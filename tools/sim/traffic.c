/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic - see traffic.h.
 */
#include "traffic.h"

#include <arpa/inet.h>
#include <string.h>

#include "container.h"
#include "least.h"
#include "visit.h"

#define MINUTE (UINT64_C(60) * 1000000000)
#define NETWORK UINT32_C(0x0a000000) /* 10.0.0.0/8, and what follows */
#define NETWORK_BITS 20              /* of it for each section */
#define PORT 40000

static bool is_full(const struct sim_traffic *traffic)
{
	const struct sim_world *world = traffic->world;

	return world->session_count >= world->scenario->config->weir.max_sessions ||
		traffic->listener->live >= traffic->listener->config->max_sessions;
}

void traffic_admit(struct sim_traffic *traffic, uint64_t now)
{
	while (traffic->waiting > 0 && !is_full(traffic) && !traffic->world->no_memory) {
		traffic->waiting--;
		if (visit_begin(traffic, now) != 0)
			traffic->world->no_memory = true;
	}
}

static void start(struct sim_event *event, uint64_t now)
{
	struct sim_traffic *traffic = CONTAINER(event, struct sim_traffic, start);

	traffic->waiting += traffic->law->sessions;
	traffic_admit(traffic, now);
}

static void aim_arrival(struct sim_traffic *traffic, uint64_t now)
{
	uint64_t mean = MINUTE / traffic->law->arrivals;
	uint64_t at = now + chance_exponential(&traffic->chance, mean > 0 ? mean : 1);
	uint64_t end = traffic->law->arrivals_end;

	if (end == SCENARIO_NEVER || at < WORLD_BEGIN + end)
		agenda_set(&traffic->world->agenda, &traffic->arrival, at);
}

static void arrive(struct sim_event *event, uint64_t now)
{
	struct sim_traffic *traffic = CONTAINER(event, struct sim_traffic, arrival);

	traffic->waiting++;
	traffic_admit(traffic, now);
	aim_arrival(traffic, now);
}

void traffic_init(struct sim_traffic *traffic, struct sim_world *world, unsigned number, struct sim_listener *listener)
{
	uint64_t begin = WORLD_BEGIN + world->scenario->traffics[number]->start;

	memset(traffic, 0, sizeof(*traffic));
	traffic->law = world->scenario->traffics[number];
	traffic->world = world;
	traffic->listener = listener;
	traffic->number = number;
	chance_init(&traffic->chance, world->scenario->seed, number, 2);
	agenda_event_init(&traffic->start, start);
	agenda_event_init(&traffic->arrival, arrive);
	if (traffic->law->sessions > 0)
		agenda_set(&world->agenda, &traffic->start, begin);
	if (traffic->law->arrivals > 0)
		aim_arrival(traffic, begin);
}

void traffic_stop(struct sim_traffic *traffic)
{
	traffic->waiting = 0;
	agenda_set(&traffic->world->agenda, &traffic->start, AGENDA_NEVER);
	agenda_set(&traffic->world->agenda, &traffic->arrival, AGENDA_NEVER);
}

void traffic_address(const struct sim_traffic *traffic, struct address *address)
{
	uint64_t client = traffic->law->clients == 0 ? traffic->begun : traffic->begun % traffic->law->clients;

	memset(address, 0, sizeof(*address));
	address->length = sizeof(address->in);
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons(PORT);
	address->in.sin_addr.s_addr = htonl(NETWORK + (traffic->number << NETWORK_BITS) + (uint32_t)client + 1);
}

uint64_t traffic_leave_at(struct sim_traffic *traffic, uint64_t now)
{
	uint64_t life = traffic->law->lifetime;

	if (life == SCENARIO_NEVER)
		return AGENDA_NEVER;
	if (traffic->law->random != 0)
		life = chance_exponential(&traffic->chance, life);
	return life < AGENDA_NEVER - now ? now + life : AGENDA_NEVER;
}
