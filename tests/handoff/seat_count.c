/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seat_count - what a seat has, while nobody runs.
 */
#include "crew.h"
#include "seat.h"

static uint64_t flow_lent(const struct flow *flow, const struct pool *pool)
{
	const struct standing *standing = &flow->standing;
	const struct stack *stack = standing->owner->stack;
	uint64_t units = 0;

	for (unsigned c = 0; c < stack->claim_count; c++)
		if (stack->claims[c].pool[standing->direction] == pool)
			units += standing_member(standing, stack->claims[c].member)->leased[stack->claims[c].index] +
				coming_units(standing, c);
	if (pool == standing->owner->context->memory)
		units += standing->memory + coming_units(standing, stack->claim_count);
	return units;
}

/* What is in hand for a session that did not begin yet. */
static uint64_t admission_lent(const struct admission *admission, const struct pool *pool)
{
	uint64_t units = 0;

	for (unsigned step = 0; step < admission->had && step < ADMISSION_LIMITS; step++)
		units += admission->limits[step] == pool;
	for (unsigned step = ADMISSION_LIMITS; step < admission->had; step++) {
		const struct stack_claim *claim = &admission->stack->claims[step - ADMISSION_LIMITS];

		if (claim->floor > 0 && claim->pool[WEIR_UP] == pool)
			units += UINT64_C(2) * claim->floor;
	}
	if (atomic_load(&admission->ticket.state) == POOL_TICKET_GRANTED && admission->ticket.pool == pool)
		units += admission->ticket.units;
	return units;
}

uint64_t seat_lent(const struct seat *seat, const struct pool *pool)
{
	uint64_t units = 0;

	if (seat->state == SEAT_WAITING)
		return admission_lent(&seat->admission, pool);
	if (seat->state != SEAT_TAKEN)
		return 0;
	if (seat->counted)
		units += (pool == &seat->worker->game->sessions) +
			(seat->listener->limited && pool == &seat->listener->sessions);
	return units + flow_lent(&seat->session.up, pool) + flow_lent(&seat->session.down, pool);
}

static void check_flow(const struct flow *flow)
{
	const struct standing *standing = &flow->standing;
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];
		uint32_t leased = standing_member(standing, claim->member)->leased[claim->index];

		MUST(leased >= claim->floor, "a flow has %u units of pool %s, of which it owns %u", leased,
			claim->pool[standing->direction]->name, claim->floor);
	}
}

void seat_check_floors(const struct seat *seat)
{
	if (seat->state != SEAT_TAKEN || seat->session.state != SESSION_RUNNING)
		return;
	if (!flow_over(&seat->session.up))
		check_flow(&seat->session.up);
	if (!flow_over(&seat->session.down))
		check_flow(&seat->session.down);
}

static const struct flow *running_flow(const struct seat *seat, int direction)
{
	const struct flow *flow = direction == WEIR_UP ? &seat->session.up : &seat->session.down;

	return seat->state == SEAT_TAKEN && seat->session.state == SESSION_RUNNING && !flow_over(flow) ? flow : NULL;
}

uint64_t seat_in_flight(const struct seat *seat, int direction)
{
	const struct flow *flow = running_flow(seat, direction);
	const struct fake *sink = direction == WEIR_UP ? &seat->server : &seat->client;

	return flow == NULL ? 0 : flow->read - sink->accepted + sink->queued;
}
