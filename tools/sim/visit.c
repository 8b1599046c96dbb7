/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * visit - see visit.h.
 */
#include "visit.h"

#include <string.h>

#include "container.h"
#include "end.h"
#include "measure.h"
#include "traffic.h"

#define EVENTS_EACH 4 /* that a session may have entered: two ends', connect, leave */

static struct sim_session *visit_of(struct session *session)
{
	return CONTAINER(session, struct sim_session, session);
}

/* ---- turns --------------------------------------------------------------------------------------------------------- */

/* What weir holds of it now. */
static void count_held(struct sim_session *visit, uint64_t held)
{
	struct sim_world *world = visit->world;

	world->held += held - visit->held;
	visit->held = held;
	measure_held(world);
}

static void turn(struct task *task, uint64_t now)
{
	struct sim_session *visit = CONTAINER(task, struct sim_session, session.task);

	visit->world->turns++;
	visit->turn(task, now);
	if (!visit->released)
		count_held(visit, visit->session.up.store.held + visit->session.down.store.held);
}

void visit_slot_init(void *slot, uint32_t number, void *argument)
{
	struct sim_session *visit = slot;
	struct sim_worker *worker = argument;

	memset(visit, 0, sizeof(*visit));
	session_slot_init(&visit->session, &worker->context, number);
	visit->turn = visit->session.task.run;
	visit->session.task.run = turn;
	visit->world = worker->world;
	visit->worker = worker;
	visit->released = true;
}

/* ---- what the session asks of its owner ---------------------------------------------------------------------------- */

static void dial(struct session *session, uint64_t now)
{
	struct sim_session *visit = visit_of(session);
	uint64_t there = visit->server.out.delay;
	uint64_t back = visit->server.in.delay;

	visit->opened = true;
	measure_opened(visit);
	agenda_set(&visit->world->agenda, &visit->connect, now + there + back);
}

static void connected(struct sim_event *event, uint64_t now)
{
	struct sim_session *visit = CONTAINER(event, struct sim_session, connect);

	session_connected(&visit->session, &visit->server.endpoint, now);
	end_begin(&visit->server, now);
}

static void hang_up(struct session *session)
{
	struct sim_session *visit = visit_of(session);

	agenda_set(&visit->world->agenda, &visit->connect, AGENDA_NEVER);
}

static void closed(struct session *session, uint64_t now)
{
	struct sim_session *visit = visit_of(session);

	agenda_set(&visit->world->agenda, &visit->leave, AGENDA_NEVER);
	count_held(visit, 0);
	measure_closed(visit, now);
}

static void release(struct session *session)
{
	struct sim_session *visit = visit_of(session);

	visit->released = true;
	visit->world->session_count--;
	if (visit->listener->limited)
		pool_put(&visit->listener->sessions, 1);
	pool_put(&visit->world->limit, 1);
	visit_settle(visit);
}

static const struct session_ops visit_ops = {dial, hang_up, closed, release, NULL};

/* ---- begin --------------------------------------------------------------------------------------------------------- */

static void leave(struct sim_event *event, uint64_t now)
{
	struct sim_session *visit = CONTAINER(event, struct sim_session, leave);

	end_leave(&visit->client, visit->traffic->law->leave == LEAVE_RESET, now);
}

static void number_flows(struct sim_session *visit)
{
	const struct scenario_traffic *law = visit->traffic->law;
	struct sim_world *world = visit->world;

	visit->flow_number[WEIR_UP] = law->up_source->kind != SOURCE_NONE ? ++world->numbered : 0;
	visit->flow_number[WEIR_DOWN] = law->down_source->kind != SOURCE_NONE ? ++world->numbered : 0;
}

/* The slot's session itself lives on: its generation tells one visit from the next. */
static void prepare(struct sim_session *visit, struct sim_traffic *traffic, uint32_t slot)
{
	const struct scenario_traffic *law = traffic->law;
	struct sim_world *world = visit->world;

	visit->traffic = traffic;
	visit->listener = traffic->listener;
	visit->slot = slot;
	visit->number = ++world->begun;
	visit->held = 0;
	visit->opened = false;
	visit->released = false;
	traffic_address(traffic, &visit->peer);
	number_flows(visit);
	end_init(&visit->client, visit, law->up_source, law->down_sink, (uint32_t)(2 * visit->number));
	end_init(&visit->server, visit, law->down_source, law->up_sink, (uint32_t)(2 * visit->number + 1));
	agenda_event_init(&visit->connect, connected);
	agenda_event_init(&visit->leave, leave);
	traffic->begun++;
	world->session_count++;
	world->present++;
	TAILQ_INSERT_TAIL(&world->sessions, visit, link);
}

/* Room in the agenda for one more. */
static uint32_t visit_events(const struct sim_world *world)
{
	return (uint32_t)((world->present + 1) * EVENTS_EACH + world->scenario->traffic_count * TRAFFIC_EVENTS);
}

int visit_begin(struct sim_traffic *traffic, uint64_t now)
{
	struct sim_world *world = traffic->world;
	struct sim_worker *worker = &world->workers[world->begun % world->worker_count];
	struct sim_session *visit;
	uint32_t slot;

	if (agenda_reserve(&world->agenda, visit_events(world)) != 0)
		return -1;
	visit = slab_take(&worker->sessions, &slot);
	if (visit == NULL)
		return -1;
	prepare(visit, traffic, slot);
	agenda_set(&world->agenda, &visit->leave, traffic_leave_at(traffic, now));
	if (session_open(&visit->session, &visit->listener->profile, &visit_ops, &visit->client.endpoint,
		    &(struct scope_ends){&visit->peer, NULL}, now) != 0) {
		agenda_set(&world->agenda, &visit->leave, AGENDA_NEVER);
		stack_put_floors(&visit->listener->stack);
		release(&visit->session);
		return -1;
	}
	if (visit->session.state == SESSION_CLOSED)
		return 0; /* a policy has refused it */
	end_begin(&visit->client, now);
	return 0;
}

void visit_drain(struct sim_session *visit, uint64_t now)
{
	end_leave(&visit->client, false, now);
	end_leave(&visit->server, false, now);
}

/* ---- end ----------------------------------------------------------------------------------------------------------- */

void visit_bury(struct sim_session *visit)
{
	struct sim_world *world = visit->world;

	measure_gone(visit);
	end_destroy(&visit->client);
	end_destroy(&visit->server);
	TAILQ_REMOVE(&world->sessions, visit, link);
	world->present--;
	slab_put(&visit->worker->sessions, visit->slot);
}

void visit_settle(struct sim_session *visit)
{
	if (visit->released && end_rests(&visit->client) && end_rests(&visit->server))
		visit_bury(visit);
}
