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

/* ---- admission ----------------------------------------------------------------------------------------------------- */

/* With the pool's lock held: only passes the word on. */
static void ticket_granted(struct pool_ticket *ticket)
{
	struct sim_traffic *traffic = CONTAINER(ticket, struct sim_traffic, admission.ticket);

	traffic->granted = true;
	traffic->world->vacancy = true;
}

static void let_in(struct sim_traffic *traffic, uint64_t now)
{
	while (traffic->waiting > 0 && !traffic->world->no_memory && admission_take(&traffic->admission)) {
		admission_pass(&traffic->admission);
		traffic->waiting--;
		if (visit_begin(traffic, now) != 0)
			traffic->world->no_memory = true;
	}
}

void traffic_admit(struct sim_traffic *traffic, uint64_t now)
{
	if (!traffic->granted)
		return;
	traffic->granted = false;
	admission_collect(&traffic->admission);
	let_in(traffic, now);
}

/* ---- arrivals ------------------------------------------------------------------------------------------------------ */

static void start(struct sim_event *event, uint64_t now)
{
	struct sim_traffic *traffic = CONTAINER(event, struct sim_traffic, start);

	traffic->waiting += traffic->law->sessions;
	let_in(traffic, now);
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
	let_in(traffic, now);
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
	admission_init(&traffic->admission, &listener->stack, listener->limited ? &listener->sessions : NULL,
		&world->limit, ticket_granted);
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
	if (!admission_leave(&traffic->admission)) { /* what it waited for has come */
		admission_collect(&traffic->admission);
		admission_put(&traffic->admission);
	}
	traffic->granted = false;
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
