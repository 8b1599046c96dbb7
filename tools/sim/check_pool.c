/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_pool - counts what is leased of every pool, and looks at every queue.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"
#include "check_parts.h"

#define ROOM_MIN 64

/* ---- one tally a pool --------------------------------------------------------------------------------------------------- */

static uint32_t place_of(const struct check_tally *tallies, uint32_t room, const struct pool *pool)
{
	uint64_t mixed = (uint64_t)(uintptr_t)pool * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t place = (uint32_t)(mixed >> 32) & (room - 1);

	while (tallies[place].pool != NULL && tallies[place].pool != pool)
		place = (place + 1) & (room - 1);
	return place;
}

static bool grow(struct check *check)
{
	struct check_tally *old = check->tallies;
	uint32_t old_room = check->tally_room;
	uint32_t room = old_room == 0 ? ROOM_MIN : 2 * old_room;
	struct check_tally *tallies = calloc(room, sizeof(*tallies));

	if (tallies == NULL)
		return false;
	for (uint32_t i = 0; i < old_room; i++)
		if (old[i].pool != NULL)
			tallies[place_of(tallies, room, old[i].pool)] = old[i];
	check->tallies = tallies;
	check->tally_room = room;
	free(old);
	return true;
}

/* This step's become the last one's. */
static void turn_page(struct check *check)
{
	struct check_tally *tallies = check->before;
	uint32_t room = check->before_room;

	check->before = check->tallies;
	check->before_room = check->tally_room;
	check->tallies = tallies;
	check->tally_room = room;
	check->tally_count = 0;
	if (room > 0)
		memset(tallies, 0, room * sizeof(*tallies));
}

/* As it was in the step before; NULL: nobody had anything of it. */
static const struct check_tally *before_of(const struct check *check, const struct pool *pool)
{
	const struct check_tally *before;

	if (check->before_room == 0)
		return NULL;
	before = &check->before[place_of(check->before, check->before_room, pool)];
	return before->pool != NULL ? before : NULL;
}

/* NULL: no memory. */
static struct check_tally *tally_of(struct check *check, struct pool *pool)
{
	struct check_tally *tally;

	if (2 * (check->tally_count + 1) > check->tally_room && !grow(check)) {
		check_no_memory(check);
		return NULL;
	}
	tally = &check->tallies[place_of(check->tallies, check->tally_room, pool)];
	if (tally->pool == NULL) {
		tally->pool = pool;
		check->tally_count++;
	}
	return tally;
}

/* ---- counting ------------------------------------------------------------------------------------------------------------ */

static void count_leased(struct check *check, struct pool *pool, struct bucket *bucket, uint64_t units)
{
	struct check_tally *tally = tally_of(check, pool);

	if (tally == NULL)
		return;
	tally->bucket = bucket;
	tally->leased += units;
}

/* What was granted belongs to the waiter already, who has not heard of it. */
static void count_ticket(struct check *check, const struct pool_ticket *ticket)
{
	const struct check_tally *before;
	struct check_tally *tally;

	if (ticket->pool == NULL || atomic_load(&ticket->state) != POOL_TICKET_GRANTED)
		return;
	tally = tally_of(check, ticket->pool);
	if (tally == NULL)
		return;
	before = before_of(check, ticket->pool);
	tally->granted += ticket->units;
	if (ticket->number > tally->newest)
		tally->newest = ticket->number;
	if (before == NULL || ticket->number > before->served)
		tally->fresh += ticket->units;
}

static void count_flow(struct check *check, const struct flow *flow)
{
	const struct standing *standing = &flow->standing;
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];
		struct pool *pool = standing_pool(standing, claim);

		count_leased(check, pool, policy_bucket(stack->members[claim->member].policy, claim->index, pool),
			standing_member(standing, claim->member)->leased[claim->index]);
	}
	count_leased(check, standing->owner->context->memory, NULL, standing->memory);
	for (unsigned c = 0; standing->waits != NULL && c <= stack->claim_count; c++)
		count_ticket(check, &standing->waits[c].ticket);
}

/* As long as a flow lives, it has what it owns. */
static void look_at_floors(struct check *check, const struct sim_session *session, int direction)
{
	const struct flow *flow = check_flow_of(session, direction);
	const struct stack *stack = flow->standing.owner->stack;

	if (session->session.state == SESSION_CLOSED || flow_over(flow))
		return;
	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];
		uint32_t leased = standing_member(&flow->standing, claim->member)->leased[claim->index];

		if (leased < claim->floor)
			check_fault(check, "floor", session, direction,
				"%s: leases %" PRIu32 " units, %" PRIu32 " are its own",
				stack->members[claim->member].policy->name, leased, claim->floor);
	}
}

/* What is in hand for a client who is to be admitted: the limits, then the floors, one after the other. */
static void count_admission(struct check *check, const struct admission *admission)
{
	for (unsigned i = 0; i < admission->had; i++) {
		const struct stack_claim *claim =
			&admission->stack->claims[i < ADMISSION_LIMITS ? 0 : i - ADMISSION_LIMITS];

		if (i < ADMISSION_LIMITS && admission->limits[i] != NULL)
			count_leased(check, admission->limits[i], NULL, 1);
		else if (i >= ADMISSION_LIMITS && claim->floor > 0)
			count_leased(check, claim->pool[WEIR_UP], NULL, (uint64_t)2 * claim->floor);
	}
	count_ticket(check, &admission->ticket);
}

/* The limits on sessions: a unit for each that weir has. */
static void count_session(struct check *check, const struct sim_session *session)
{
	if (session->released)
		return;
	count_leased(check, &session->world->limit, NULL, 1);
	if (session->listener->limited)
		count_leased(check, &session->listener->sessions, NULL, 1);
}

static void count_all(struct check *check)
{
	const struct sim_world *world = check->world;
	const struct sim_session *session;

	if (check->tally_room > 0)
		turn_page(check);
	for (unsigned i = 0; i < world->worker_count; i++)
		count_leased(check, world->workers[i].context.memory, NULL, world->workers[i].context.reserve);
	for (size_t i = 0; i < world->scenario->traffic_count; i++)
		count_admission(check, &world->traffics[i].admission);
	TAILQ_FOREACH (session, &world->sessions, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		count_session(check, session);
		for (int direction = 0; check_lives(session) && direction < 2; direction++) {
			count_flow(check, check_flow_of(session, direction));
			look_at_floors(check, session, direction);
		}
	}
}

/* ---- what follows ---------------------------------------------------------------------------------------------------------- */

static void look_at_units(struct check *check, const struct check_tally *tally)
{
	const struct pool *pool = tally->pool;
	int64_t free = pool_free(pool);
	bool whole = free + (int64_t)(tally->leased + tally->granted) == (int64_t)pool->size;
	bool within = free >= 0 && free <= (int64_t)pool->size;

	if (tally->bucket != NULL ? !within : !whole)
		check_fault(check, "pool", NULL, -1,
			"%s: %" PRId64 " units are free, %" PRIu64 " leased, %" PRIu64 " granted, of %" PRIu32 "%s",
			pool->name, free, tally->leased, tally->granted, pool->size,
			tally->bucket != NULL ? ", which are consumed" : "");
}

static void look_at_order(struct check *check, const struct check_tally *tally)
{
	const struct pool_ticket *ticket;
	uint64_t number = tally->newest;
	uint32_t length = 0;

	TAILQ_FOREACH (ticket, &tally->pool->queue, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		if (ticket->number <= number)
			check_fault(check, "queue", NULL, -1,
				"%s: number %" PRIu64 " waits, and number %" PRIu64 " was served or stands before it",
				tally->pool->name, ticket->number, number);
		number = ticket->number;
		length++;
	}
	if (length != pool_waiters(tally->pool))
		check_fault(check, "queue", NULL, -1, "%s: %" PRIu32 " wait, %" PRIu32 " are counted",
			tally->pool->name, length, pool_waiters(tally->pool));
}

static void look_at_head(struct check *check, const struct check_tally *tally)
{
	const struct pool *pool = tally->pool;
	const struct pool_ticket *head = TAILQ_FIRST(&pool->queue);
	int64_t free = pool_free(pool);

	if (head == NULL)
		return;
	if (free >= (int64_t)head->units && (pool->low == 0 || (int64_t)pool->size - free < (int64_t)pool->low))
		check_fault(check, "wake-up", NULL, -1,
			"%s: the first in line waits for %" PRIu32 " units, %" PRId64 " are free", pool->name,
			head->units, free);
	if (tally->bucket != NULL && !tally->bucket->timer.wheel.set)
		check_fault(check, "wake-up", NULL, -1, "%s: somebody waits for %" PRIu32 " units, and no timer is set",
			pool->name, head->units);
}

/* As long as the first in line waits, units only come. */
static void look_at_passing(struct check *check, struct check_tally *tally, const struct check_tally *before)
{
	const struct pool_ticket *head = TAILQ_FIRST(&tally->pool->queue);
	const struct pool_ticket *last = TAILQ_LAST(&tally->pool->queue, pool_queue);

	tally->head = head == NULL ? 0 : head->number;
	tally->last = last == NULL ? 0 : last->number;
	tally->free = pool_free(tally->pool);
	if (head != NULL && before != NULL && before->head == tally->head && tally->free < before->free)
		check_fault(check, "queue", NULL, -1,
			"%s: number %" PRIu64 " waits, and somebody took %" PRId32 " units past it", tally->pool->name,
			tally->head, before->free - tally->free);
}

/* While anybody waits, units of a pool with a low mark are granted only when less than that are out. */
static void look_at_low(struct check *check, struct check_tally *tally, const struct check_tally *before)
{
	const struct pool *pool = tally->pool;
	int64_t others = (int64_t)pool->size - tally->free - (int64_t)tally->fresh;

	tally->served = before != NULL && before->served > tally->newest ? before->served : tally->newest;
	if (tally->head == 0 || before == NULL || before->last < tally->head)
		return; /* nobody has waited all the time, so units could be had without waiting */
	if (pool->low > 0 && tally->fresh > 0 && others >= (int64_t)pool->low)
		check_fault(check, "low", NULL, -1,
			"%s: %" PRIu64 " units are granted while others have %" PRId64 ", the low mark is %" PRIu32,
			pool->name, tally->fresh, others, pool->low);
}

void check_pool_look(struct check *check)
{
	count_all(check);
	for (uint32_t i = 0; i < check->tally_room; i++) {
		struct check_tally *tally = &check->tallies[i];
		const struct check_tally *before;

		if (tally->pool == NULL)
			continue;
		before = before_of(check, tally->pool);
		look_at_passing(check, tally, before);
		look_at_low(check, tally, before);
		look_at_units(check, tally);
		look_at_order(check, tally);
		look_at_head(check, tally);
	}
}
