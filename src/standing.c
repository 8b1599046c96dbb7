/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standing - the stack's ask and grant for one flow.
 */
#include "standing.h"

#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "least.h"
#include "log.h"

struct standing_member *standing_member(const struct standing *standing, unsigned i)
{
	const struct standing_owner *owner = standing->owner;
	struct standing_member *members = (struct standing_member *)(owner->states + owner->stack->state_size);

	return &members[standing->direction * owner->stack->count + i];
}

static bool waits(const struct standing *standing)
{
	return standing->wait != NULL && standing->wait->ticket.pool != NULL;
}

static bool waits_for(const struct standing *standing, unsigned claim)
{
	return waits(standing) && standing->wait->claim == claim;
}

static void deliver_grant(struct mail *mail, uint64_t now)
{
	struct standing_wait *wait = CONTAINER(mail, struct standing_wait, mail);
	struct standing *standing = wait->standing;
	const struct stack *stack = standing->owner->stack;
	uint32_t units = pool_collect(&wait->ticket);

	(void)now;
	if (wait->claim < stack->claim_count) {
		const struct stack_claim *claim = &stack->claims[wait->claim];

		standing_member(standing, claim->member)->leased[claim->index] += units;
		standing->granted = true; /* pages are no business of the policies */
	} else {
		standing->memory += units;
	}
	sched_enqueue(standing->owner->context->sched, standing->owner->task);
}

/* On the giver's thread. */
static void ticket_granted(struct pool_ticket *ticket)
{
	struct standing_wait *wait = CONTAINER(ticket, struct standing_wait, ticket);

	sched_post(wait->standing->owner->context->sched, &wait->mail);
}

/* NULL when memory is short. */
static struct standing_wait *get_wait(struct standing *standing)
{
	struct standing_wait *wait = standing->wait;

	if (wait != NULL)
		return wait;
	wait = calloc(1, sizeof(*wait));
	if (wait == NULL)
		return NULL;
	wait->ticket.granted = ticket_granted;
	wait->mail.deliver = deliver_grant;
	wait->standing = standing;
	standing->wait = wait;
	return wait;
}

void standing_init(struct standing *standing, const struct standing_owner *owner, enum weir_direction direction)
{
	memset(standing, 0, sizeof(*standing));
	standing->owner = owner;
	standing->direction = (uint8_t)direction;
	standing->verdict = (struct verdict){WEIR_UNLIMITED, WEIR_UNLIMITED, WEIR_UNLIMITED, WEIR_NEVER, 0, 0};
}

void standing_destroy(struct standing *standing)
{
	free(standing->wait);
	standing->wait = NULL;
}

/* ---- calling a policy ---------------------------------------------------------------------------------------------- */

static void call_init(struct standing_call *call, struct standing *standing, unsigned i)
{
	const struct stack_member *member = &standing->owner->stack->members[i];
	const struct weir_policy *api = member->api;
	char *states = standing->owner->states;

	*call = (struct standing_call){
		.call =
			{
				.size = sizeof(struct weir_call),
				.host = standing->owner->context->host,
				.options = member->policy->options,
				.instance = member->policy->state,
				.worker = policy_worker_state(member->policy, standing->owner->context->worker),
				.session = api->session_size > 0 ? states + member->session_state : NULL,
				.flow = api->flow_size > 0 ? states + member->flow_state[standing->direction] : NULL,
				.ref = standing->owner->ref,
			},
		.standing = standing,
		.member = i,
	};
	call->call.ref.direction = standing->direction;
}

void standing_hear(struct standing *standing, struct hearing *hearing)
{
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		call_init(&hearing->calls[i], standing, i);
}

struct standing *standing_of_call(const struct weir_call *call, unsigned *member)
{
	const struct standing_call *own = CONTAINER(call, const struct standing_call, call);

	*member = own->member;
	return own->standing;
}

/* Adds to the view what is this member's own. */
static void show_member(const struct standing *standing, unsigned i, struct weir_view *view)
{
	const struct standing_member *member = standing_member(standing, i);
	const struct stack *stack = standing->owner->stack;

	view->scanned = member->scanned;
	if (stack->members[i].api->pool_count == 0)
		return;
	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];
		int32_t free;

		if (claim->member != i)
			continue;
		free = pool_free(claim->pool);
		view->pools[claim->index].units = member->leased[claim->index];
		view->pools[claim->index].free = free > 0 ? (uint64_t)free : 0;
	}
}

static void close_members(struct standing *standing, unsigned count)
{
	while (count-- > 0) {
		const struct weir_policy *api = standing->owner->stack->members[count].api;
		struct standing_call call;

		if (api->close == NULL)
			continue;
		call_init(&call, standing, count);
		api->close(&call.call);
	}
}

int standing_open(struct standing *standing)
{
	for (unsigned i = 0; i < standing->owner->stack->count; i++) {
		const struct weir_policy *api = standing->owner->stack->members[i].api;
		struct standing_call call;

		if (api->open == NULL)
			continue;
		call_init(&call, standing, i);
		if (api->open(&call.call) != 0) {
			close_members(standing, i);
			return -1;
		}
	}
	standing->opened = true;
	return 0;
}

void standing_event(struct standing *standing, struct hearing *hearing, struct weir_event *event)
{
	if (standing->granted)
		event->what |= WEIR_EVENT_LEASED;
	standing->granted = false;
	if (event->what == 0)
		return;
	for (unsigned i = 0; i < standing->owner->stack->count; i++) {
		const struct weir_policy *api = standing->owner->stack->members[i].api;

		if (api->event == NULL)
			continue;
		show_member(standing, i, &hearing->view);
		api->event(&hearing->calls[i].call, &hearing->view, event);
	}
}

static void scan_member(struct standing *standing, unsigned i, struct hearing *hearing, const struct store *store)
{
	const struct weir_policy *api = standing->owner->stack->members[i].api;
	struct standing_member *member = standing_member(standing, i);
	struct weir_view *view = &hearing->view;

	if (member->scanned < view->written)
		member->scanned = view->written; /* passed unconsumed, at the end */
	while (member->scanned < view->read) {
		struct iovec piece = store_at(store, member->scanned - view->written);
		size_t taken;

		show_member(standing, i, view);
		taken = api->scan(&hearing->calls[i].call, piece.iov_base, piece.iov_len);
		if (taken == 0)
			break;
		member->scanned += taken < piece.iov_len ? taken : piece.iov_len;
	}
}

void standing_scan(struct standing *standing, struct hearing *hearing, const struct store *store)
{
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		if ((standing->owner->stack->members[i].api->needs & WEIR_NEED_SCAN) != 0)
			scan_member(standing, i, hearing, store);
}

/* ---- promises ------------------------------------------------------------------------------------------------------ */

static bool wants_more(const struct standing *standing, unsigned i, const struct weir_limits *limits)
{
	for (unsigned p = 0; p < standing->owner->stack->members[i].api->pool_count; p++)
		if (limits->want[p] > standing_member(standing, i)->leased[p] ||
			limits->need[p] > standing_member(standing, i)->leased[p])
			return true;
	return false;
}

/* The promises among those made that can still come true. */
static uint32_t keepable(const struct standing *standing, unsigned i, const struct weir_limits *limits,
	const struct weir_view *view)
{
	uint32_t promises = limits->promises;

	if (view->held == 0)
		promises &= ~WEIR_PROMISE_DRAIN;
	if (view->acked >= view->written)
		promises &= ~WEIR_PROMISE_ACKED;
	if (limits->ask_at == WEIR_NEVER)
		promises &= ~WEIR_PROMISE_TIME;
	if (!wants_more(standing, i, limits))
		promises &= ~WEIR_PROMISE_LEASE;
	return promises;
}

/* A limit of nothing for which `promises` are what can come true: if that is nothing, complains; asks again anyway. */
static void watch_promise(struct standing *standing, unsigned i, uint32_t promises, const char *what, uint64_t now)
{
	struct policy *policy = standing->owner->stack->members[i].policy;
	struct verdict *verdict = &standing->verdict;

	if ((promises & ~WEIR_PROMISE_WAKE) != 0)
		return;
	if (promises != 0) {
		verdict->ask_at = least(verdict->ask_at, now + STANDING_SAFETY);
		return;
	}
	verdict->ask_at = least(verdict->ask_at, now + STANDING_RECHECK);
	if (!atomic_flag_test_and_set_explicit(&policy->promise_broken, memory_order_relaxed))
		log_warning(
			"policy %s (%s): lets nothing be %s and promises nothing that can end it; asking again every "
			"%u ms, and not telling again",
			policy->name, policy->module->name, what, (unsigned)(STANDING_RECHECK / 1000000));
}

static bool lets_read(const struct weir_limits *limits, const struct weir_view *view)
{
	return limits->read_to > view->read && limits->held_max > view->held;
}

static void watch_promises(struct standing *standing, const struct weir_limits *limits, const struct weir_view *view)
{
	uint32_t paused = view->ended ? 0 : standing->verdict.paused;
	uint32_t reads_wait_for = 0;

	for (unsigned i = 0; i < standing->owner->stack->count; i++) {
		uint32_t promises;

		if ((paused >> i & 1) == 0)
			continue;
		promises = keepable(standing, i, &limits[i], view) & ~WEIR_PROMISE_SOURCE;
		reads_wait_for |= promises;
		watch_promise(standing, i, promises, "read", view->now);
	}
	for (unsigned i = 0; i < standing->owner->stack->count && view->held > 0; i++) {
		uint32_t promises;

		if ((standing->verdict.stopped >> i & 1) == 0)
			continue;
		promises = keepable(standing, i, &limits[i], view) & ~WEIR_PROMISE_DRAIN;
		/* no source: it has ended, or may not be read before what this very limit keeps from draining drains */
		if (view->ended || (paused != 0 && (reads_wait_for & ~WEIR_PROMISE_DRAIN) == 0))
			promises &= ~WEIR_PROMISE_SOURCE;
		watch_promise(standing, i, promises, "written", view->now);
	}
}

/* ---- leases -------------------------------------------------------------------------------------------------------- */

/* Joins a pool's queue, leaving another one for it. A grant already under way comes first: it brings a new turn. */
void standing_queue(struct standing *standing, unsigned claim, struct pool *pool, uint32_t units)
{
	struct standing_wait *wait = get_wait(standing);

	if (wait == NULL) {
		standing->broke = true;
		return;
	}
	if (wait->ticket.pool != NULL && (wait->claim == claim || !pool_leave(&wait->ticket)))
		return;
	wait->claim = claim;
	pool_wait(pool, &wait->ticket, units);
}

/* What a member really may want of a pool: need within want, want within the pool. */
static void bound_want(struct standing *standing, const struct stack_claim *claim, struct weir_limits *limits)
{
	struct policy *policy = standing->owner->stack->members[claim->member].policy;
	uint64_t *need = &limits->need[claim->index];
	uint64_t *want = &limits->want[claim->index];

	if (*want < *need)
		*want = *need;
	if (*want < limits->used[claim->index])
		*want = limits->used[claim->index];
	if (*want <= claim->pool->size)
		return;
	if (!atomic_flag_test_and_set_explicit(&policy->want_beyond, memory_order_relaxed))
		log_warning(
			"policy %s (%s): wants %llu units of pool %s, which has %u; cut to that, and not telling again",
			policy->name, policy->module->name, (unsigned long long)*want, claim->pool->name,
			claim->pool->size);
	*want = claim->pool->size;
	*need = least(*need, *want);
}

static void bound_wants(struct standing *standing, struct weir_limits *limits)
{
	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++) {
		const struct stack_claim *claim = &standing->owner->stack->claims[c];

		bound_want(standing, claim, &limits[claim->member]);
	}
}

static void trim_claims(struct standing *standing, const struct weir_limits *limits)
{
	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++) {
		const struct stack_claim *claim = &standing->owner->stack->claims[c];
		uint32_t *leased = &standing_member(standing, claim->member)->leased[claim->index];
		uint64_t want = limits[claim->member].want[claim->index];

		if (*leased > want) {
			pool_put(claim->pool, *leased - (uint32_t)want);
			*leased = (uint32_t)want;
		}
		if (waits_for(standing, c) && *leased + standing->wait->ticket.units > want)
			(void)!pool_leave(&standing->wait->ticket); /* false: it comes, and is trimmed next time */
	}
}

void standing_lease_put(struct standing *standing, unsigned member, uint32_t pool, uint64_t units)
{
	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++) {
		const struct stack_claim *claim = &standing->owner->stack->claims[c];
		uint32_t *leased = &standing_member(standing, member)->leased[pool];

		if (claim->member != member || claim->index != pool)
			continue;
		units = least(units, *leased);
		*leased -= (uint32_t)units;
		pool_put(claim->pool, (uint32_t)units);
		return;
	}
}

/*
 * The flow waits for claim c. Of its pool, and of those behind it, it keeps only what held bytes occupy; of those before
 * it, what it leased in earlier rounds. So everybody who holds and waits does so in one order, and no circle can form.
 * (If nothing were kept, two flows could hand each other the one what the other waits for, for ever.)
 */
static void wait_for(struct standing *standing, unsigned c, const struct weir_limits *limits, const uint32_t *taken)
{
	const struct stack_claim *waited = &standing->owner->stack->claims[c];
	bool waiting = waits_for(standing, c);

	for (unsigned i = 0; i < standing->owner->stack->claim_count; i++) {
		const struct stack_claim *claim = &standing->owner->stack->claims[i];
		uint32_t leased = standing_member(standing, claim->member)->leased[claim->index];
		uint64_t used = limits[claim->member].used[claim->index];

		if (i < c)
			standing_lease_put(standing, claim->member, claim->index, taken[i]);
		else if (leased > used && (i > c || !waiting)) /* who waits already gave up what he had of that pool */
			standing_lease_put(standing, claim->member, claim->index, leased - used);
	}
	if (!waiting)
		standing_queue(standing, c, waited->pool,
			(uint32_t)limits[waited->member].need[waited->index] -
				standing_member(standing, waited->member)->leased[waited->index]);
}

/* Takes what claim c still needs and wants, and returns it. */
static uint32_t take_claim(struct standing *standing, const struct stack_claim *claim, const struct weir_limits *limits)
{
	uint32_t *leased = &standing_member(standing, claim->member)->leased[claim->index];
	uint32_t need = (uint32_t)limits[claim->member].need[claim->index];
	uint32_t want = (uint32_t)limits[claim->member].want[claim->index];
	uint32_t taken;

	if (*leased >= want)
		return 0;
	taken = pool_take(claim->pool, need > *leased ? need - *leased : 1, want - *leased);
	*leased += taken;
	return taken;
}

static void take_claims(struct standing *standing, const struct weir_limits *limits)
{
	uint32_t taken[STACK_CLAIMS_MAX];

	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++) {
		const struct stack_claim *claim = &standing->owner->stack->claims[c];
		const uint32_t *leased = &standing_member(standing, claim->member)->leased[claim->index];

		taken[c] = take_claim(standing, claim, limits);
		if (*leased < limits[claim->member].need[claim->index]) {
			wait_for(standing, c, limits, taken);
			standing->verdict.paused |= UINT32_C(1) << claim->member;
			standing->verdict.held_max = 0;
			return;
		}
		if (*leased < limits[claim->member].want[claim->index] && !waits(standing))
			standing_queue(standing, c, claim->pool, 1);
	}
}

/* ---- the question -------------------------------------------------------------------------------------------------- */

static void ask_member(struct standing *standing, unsigned i, struct hearing *hearing, struct weir_limits *limits)
{
	const struct weir_policy *api = standing->owner->stack->members[i].api;
	struct verdict *verdict = &standing->verdict;
	struct weir_view *view = &hearing->view;

	show_member(standing, i, view);
	memset(limits, 0, sizeof(*limits));
	limits->size = sizeof(*limits);
	limits->read_to = WEIR_UNLIMITED;
	limits->write_to = WEIR_UNLIMITED;
	limits->held_max = WEIR_UNLIMITED;
	limits->ask_at = WEIR_NEVER;
	api->ask(&hearing->calls[i].call, view, limits);
	if ((api->needs & WEIR_NEED_SCAN) != 0 && limits->write_to > view->scanned && !view->ended) {
		limits->write_to = view->scanned; /* nothing passes unseen; what is left over at the end was shown */
		limits->promises |= WEIR_PROMISE_SOURCE;
	}
	if (limits->ask_at <= view->now)
		limits->ask_at = WEIR_NEVER; /* it has been asked now: no time to wait for, and no reason to spin */
	verdict->read_to = least(verdict->read_to, limits->read_to);
	verdict->write_to = least(verdict->write_to, limits->write_to);
	verdict->held_max = least(verdict->held_max, limits->held_max);
	verdict->ask_at = least(verdict->ask_at, limits->ask_at);
	if (!lets_read(limits, view))
		verdict->paused |= UINT32_C(1) << i;
	if (limits->write_to <= view->written)
		verdict->stopped |= UINT32_C(1) << i;
}

/* Whether leases would be of any use: nobody lets nothing be read but for want of a lease. */
static bool leases_help(const struct standing *standing, const struct weir_limits *limits, const struct weir_view *view)
{
	if (view->ended)
		return false;
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		if ((standing->verdict.paused >> i & 1) != 0 && (limits[i].promises & WEIR_PROMISE_LEASE) == 0)
			return false;
	return true;
}

void standing_consult(struct standing *standing, struct hearing *hearing)
{
	struct weir_limits limits[STACK_MAX];

	standing->verdict = (struct verdict){WEIR_UNLIMITED, WEIR_UNLIMITED, WEIR_UNLIMITED, WEIR_NEVER, 0, 0};
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		ask_member(standing, i, hearing, &limits[i]);
	bound_wants(standing, limits);
	if (standing->verdict.paused != 0 || standing->verdict.stopped != 0)
		watch_promises(standing, limits, &hearing->view);
	if (standing->owner->stack->claim_count == 0)
		return;
	trim_claims(standing, limits);
	if (leases_help(standing, limits, &hearing->view))
		take_claims(standing, limits);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

void standing_release(struct standing *standing)
{
	if (waits(standing))
		(void)!pool_leave(&standing->wait->ticket); /* a grant under way is given back when it arrives */
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		for (uint32_t p = 0; p < standing->owner->stack->members[i].api->pool_count; p++)
			standing_lease_put(standing, i, p, UINT64_MAX);
	pool_put(standing->owner->context->memory, standing->memory);
	standing->memory = 0;
}

void standing_close(struct standing *standing)
{
	if (standing->opened)
		close_members(standing, standing->owner->stack->count);
	standing->opened = false;
	standing_release(standing);
}

bool standing_rests(const struct standing *standing)
{
	return standing->owner->stack->claim_count == 0 && standing->memory == 0 && !waits(standing);
}

bool standing_awaited(const struct standing *standing)
{
	return waits(standing);
}
