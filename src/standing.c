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

static const struct verdict no_limits = {
	.read_to = WEIR_UNLIMITED,
	.write_to = WEIR_UNLIMITED,
	.held_max = WEIR_UNLIMITED,
	.chunks_to = WEIR_UNLIMITED,
	.ask_at = WEIR_NEVER,
};

struct standing_member *standing_member(const struct standing *standing, unsigned i)
{
	const struct standing_owner *owner = standing->owner;
	struct standing_member *members = (struct standing_member *)(owner->states + owner->stack->state_size);

	return &members[standing->direction * owner->stack->count + i];
}

void standing_init(struct standing *standing, const struct standing_owner *owner, enum weir_direction direction)
{
	memset(standing, 0, sizeof(*standing));
	standing->owner = owner;
	standing->direction = (uint8_t)direction;
	standing->verdict = no_limits;
	for (unsigned c = 0; owner->stack->floors && c < owner->stack->claim_count; c++) {
		const struct stack_claim *claim = &owner->stack->claims[c];

		standing_member(standing, claim->member)->leased[claim->index] = claim->floor;
	}
	standing->idle = true;
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
	for (unsigned i = 0; i < standing->owner->stack->count; i++) {
		call_init(&hearing->calls[i], standing, i);
		hearing->calls[i].now = hearing->view.now;
	}
}

struct standing *standing_of_call(const struct weir_call *call, unsigned *member)
{
	const struct standing_call *own = CONTAINER(call, const struct standing_call, call);

	*member = own->member;
	return own->standing;
}

/* Adds to the view what is this member's own. */
static void show_member(const struct standing *standing, unsigned i, struct hearing *hearing)
{
	struct weir_view *view = &hearing->view;
	const struct standing_member *member = standing_member(standing, i);
	const struct stack *stack = standing->owner->stack;

	view->scanned = member->scanned;
	view->waited = meter_lasts(hearing->meter, view->now, i);
	if (stack->claim_count == 0)
		return;
	memset(view->pools, 0, sizeof(view->pools)); /* another member's are no business of this one */
	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];
		int32_t free;

		if (claim->member != i)
			continue;
		free = pool_free(standing_pool(standing, claim));
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
	if ((event->what & (WEIR_EVENT_READ | WEIR_EVENT_WROTE)) != 0)
		standing->bounced = 0;
	if (event->what == 0)
		return;
	for (unsigned i = 0; i < standing->owner->stack->count; i++) {
		const struct weir_policy *api = standing->owner->stack->members[i].api;

		if (api->event == NULL)
			continue;
		show_member(standing, i, hearing);
		api->event(&hearing->calls[i].call, &hearing->view, event);
	}
}

/* Shows one member so many bytes that it has not seen yet; returns how many of them it has consumed. */
static size_t show_bytes(struct standing *standing, unsigned i, struct hearing *hearing, const void *bytes,
	size_t length)
{
	const struct weir_policy *api = standing->owner->stack->members[i].api;
	struct standing_member *member = standing_member(standing, i);
	struct weir_call *call = &hearing->calls[i].call;
	size_t taken;

	show_member(standing, i, hearing);
	call->view = &hearing->view;
	taken = api->scan(call, bytes, length);
	call->view = NULL;
	if (taken > length)
		taken = length;
	member->scanned += taken;
	return taken;
}

/* Shows one member what lies before an offset; returns the offset up to which it has consumed. */
static uint64_t scan_member(struct standing *standing, unsigned i, struct hearing *hearing, const struct store *store,
	uint64_t end)
{
	struct standing_member *member = standing_member(standing, i);
	uint64_t written = hearing->view.written;
	size_t taken = 1;

	if (member->scanned < written)
		member->scanned = written; /* passed unconsumed, at the end */
	while (member->scanned < end && taken > 0) {
		struct iovec piece = store_at(store, member->scanned - written);

		taken = show_bytes(standing, i, hearing, piece.iov_base,
			(size_t)least(piece.iov_len, end - member->scanned));
	}
	return member->scanned;
}

void standing_waste(struct standing *standing, struct hearing *hearing, const void *bytes, size_t length)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned i = 0; i < stack->scanner_count; i++) {
		const struct standing_member *member = standing_member(standing, stack->scanners[i]);
		const char *from = bytes;

		if (member->scanned != hearing->view.read)
			return; /* what lies between is gone */
		while (from < (const char *)bytes + length) {
			size_t left = (size_t)((const char *)bytes + length - from);
			size_t taken = show_bytes(standing, stack->scanners[i], hearing, from, left);

			if (taken == 0)
				return;
			from += taken;
		}
	}
}

bool standing_scan(struct standing *standing, struct hearing *hearing, const struct store *store)
{
	const struct stack *stack = standing->owner->stack;
	uint64_t end = hearing->view.read;
	bool consumed = false;

	for (unsigned i = 0; i < stack->scanner_count; i++) {
		uint64_t before = standing_member(standing, stack->scanners[i])->scanned;
		uint64_t after = scan_member(standing, stack->scanners[i], hearing, store, end);

		consumed |= after != before;
		end = after;
	}
	return consumed && end < hearing->view.read;
}

/* ---- promises ------------------------------------------------------------------------------------------------------ */

/*
 * Whether more of a pool can come to the flow: below what its policy calls worth having, it takes what it can use, or
 * queues. Beyond that nobody queues, unless no grain is set, and what others give back comes to those who do.
 */
static bool lease_can_come(const struct standing *standing, unsigned i, const struct weir_limits *limits)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++) {
		unsigned p = stack->claims[c].index;
		uint32_t leased = standing_member(standing, i)->leased[p];

		if (stack->claims[c].member != i || limits->want[p] <= leased)
			continue;
		if (limits->grain[p] == 0 || limits->need[p] > leased || standing_awaited(standing) ||
			limits->used[p] + least(limits->grain[p], limits->want[p] - limits->used[p]) > leased)
			return true;
	}
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
	if (!lease_can_come(standing, i, limits))
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
	return limits->read_to > view->read && limits->held_max > view->held && limits->chunks_to > view->chunks;
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

/* ---- the question -------------------------------------------------------------------------------------------------- */

static void ask_member(struct standing *standing, unsigned i, struct hearing *hearing, struct weir_limits *limits)
{
	const struct weir_policy *api = standing->owner->stack->members[i].api;
	struct verdict *verdict = &standing->verdict;
	struct weir_view *view = &hearing->view;

	show_member(standing, i, hearing);
	memset(limits, 0, sizeof(*limits));
	limits->size = sizeof(*limits);
	limits->read_to = WEIR_UNLIMITED;
	limits->write_to = WEIR_UNLIMITED;
	limits->held_max = WEIR_UNLIMITED;
	limits->chunks_to = WEIR_UNLIMITED;
	limits->ask_at = WEIR_NEVER;
	api->ask(&hearing->calls[i].call, view, limits);
	if ((standing->owner->stack->members[i].needs & WEIR_NEED_SCAN) != 0 && limits->write_to > view->scanned &&
		!view->ended) {
		limits->write_to = view->scanned; /* nothing passes unseen; what is left over at the end was shown */
		limits->promises |= WEIR_PROMISE_SOURCE;
	}
	if (limits->ask_at <= view->now)
		limits->ask_at = WEIR_NEVER; /* it has been asked now: no time to wait for, and no reason to spin */
	verdict->read_to = least(verdict->read_to, limits->read_to);
	verdict->write_to = least(verdict->write_to, limits->write_to);
	verdict->held_max = least(verdict->held_max, limits->held_max);
	verdict->chunks_to = least(verdict->chunks_to, limits->chunks_to);
	verdict->ask_at = least(verdict->ask_at, limits->ask_at);
	if (!lets_read(limits, view))
		verdict->paused |= UINT32_C(1) << i;
	if (limits->write_to <= view->written)
		verdict->stopped |= UINT32_C(1) << i;
}

static void ask_all(struct standing *standing, struct hearing *hearing, struct weir_limits *limits)
{
	standing->verdict = no_limits;
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		ask_member(standing, i, hearing, &limits[i]);
	if (standing->owner->stack->claim_count > 0)
		standing_bound(standing, limits);
}

bool standing_consult(struct standing *standing, struct hearing *hearing)
{
	struct weir_limits limits[STACK_MAX];
	bool claims = standing->owner->stack->claim_count > 0;
	bool changed;

	ask_all(standing, hearing, limits);
	changed = claims && standing_settle(standing, hearing, limits);
	if (changed) {
		ask_all(standing, hearing, limits); /* what they let pass may follow from what is leased now */
		standing_yield(standing, hearing, limits);
	}
	/* within a turn, units that are used up and not spent yet may leave nothing to wait for; it ends with a consultation, and
	   what is to be scanned with new units has not been, yet */
	if ((standing->verdict.paused != 0 || standing->verdict.stopped != 0) && (hearing->over || !claims) &&
		!(changed && standing->owner->stack->scanner_count > 0))
		watch_promises(standing, limits, &hearing->view);
	if (claims)
		standing_gate(standing, limits);
	return changed;
}

void standing_wind_up(struct standing *standing, struct hearing *hearing)
{
	struct weir_limits limits[STACK_MAX];

	ask_all(standing, hearing, limits);
	standing->verdict = no_limits;
	standing_shrink(standing, limits);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

void standing_close(struct standing *standing)
{
	if (standing->opened)
		close_members(standing, standing->owner->stack->count);
	standing->opened = false;
	standing_release(standing);
}
