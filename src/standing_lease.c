/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standing_lease - what one flow leases of its policies' pools: taking, waiting, giving back.
 *
 * Everybody who holds and waits does so in the stack's one order, so no circle can form: a flow that waits for a claim has
 * of that pool, and of those behind it, only what its held bytes occupy (used), which draining alone frees. Of a consumed pool
 * nobody waits for others, only for time; such pools come last in the order.
 *
 * Of brief pools a flow gives back what it has of those in front, too: while it waits, others can use it. But then two
 * contended pools could send it from one queue to the other for ever, so after BOUNCES times without moving a byte it
 * keeps what it gets.
 */
#include <stdlib.h>

#include "bucket.h"
#include "container.h"
#include "least.h"
#include "log.h"
#include "scope.h"
#include "standing.h"

#define BOUNCES 2

/* What a flow may have of one claim, worked out from its policy's answer. level, used <= want <= the pool's size. */
struct terms {
	struct pool *pool;
	uint32_t *leased;
	uint32_t before; /* what was leased at first */
	uint32_t used;   /* or owned: this much is never given back */
	uint32_t need;
	uint32_t level; /* below it, the flow waits */
	uint32_t want;  /* it takes no more */
	uint32_t keep;  /* what it has above it goes back */
	enum standing_side side;
	bool queues; /* for what it wants beyond its level, too */
};

/* ---- where pools are ----------------------------------------------------------------------------------------------- */

struct scope_place *standing_places(const struct standing_owner *owner)
{
	const struct stack *stack = owner->stack;

	return (struct scope_place *)(owner->states + stack->state_size +
		2 * stack->count * sizeof(struct standing_member));
}

struct pool *standing_pool(const struct standing *standing, const struct stack_claim *claim)
{
	if (claim->pool[standing->direction] != NULL)
		return claim->pool[standing->direction];
	return standing_places(standing->owner)[claim->place[standing->direction]].pool;
}

static uint32_t *leased_of(const struct standing *standing, const struct stack_claim *claim)
{
	return &standing_member(standing, claim->member)->leased[claim->index];
}

/* ---- tickets ------------------------------------------------------------------------------------------------------- */

static bool waits_for(const struct standing *standing, unsigned claim)
{
	return standing->waits != NULL && standing->waits[claim].ticket.pool != NULL;
}

static void deliver_grant(struct mail *mail, uint64_t now)
{
	struct standing_wait *wait = CONTAINER(mail, struct standing_wait, mail);
	struct standing *standing = wait->standing;
	const struct stack *stack = standing->owner->stack;
	uint32_t units = pool_collect(&wait->ticket);

	(void)now;
	if (wait->claim < stack->claim_count) {
		*leased_of(standing, &stack->claims[wait->claim]) += units;
		standing->granted = true; /* pages are no business of the policies */
		standing->idle = false;
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
static struct standing_wait *get_wait(struct standing *standing, unsigned claim)
{
	unsigned count = standing->owner->stack->claim_count + 1;

	if (standing->waits == NULL) {
		standing->waits = calloc(count, sizeof(*standing->waits));
		if (standing->waits == NULL)
			return NULL;
		for (unsigned i = 0; i < count; i++) {
			standing->waits[i].ticket.granted = ticket_granted;
			standing->waits[i].mail.deliver = deliver_grant;
			standing->waits[i].standing = standing;
			standing->waits[i].claim = i;
		}
	}
	return &standing->waits[claim];
}

void standing_destroy(struct standing *standing)
{
	free(standing->waits);
	standing->waits = NULL;
}

void standing_queue(struct standing *standing, enum standing_side side, unsigned claim, struct pool *pool,
	uint32_t units, uint32_t most)
{
	struct standing_wait *wait = get_wait(standing, claim);

	if (wait == NULL) {
		standing->broke = true;
		return;
	}
	if (wait->ticket.pool != NULL)
		return;
	wait->side = side;
	wait->units = units;
	pool_wait(pool, &wait->ticket, units, most);
}

static void queue_claim(struct standing *standing, unsigned c, const struct terms *terms, uint32_t units, uint32_t most,
	uint64_t now)
{
	struct context *context = standing->owner->context;

	standing_queue(standing, terms->side, c, terms->pool, units, most);
	if (standing->owner->stack->claims[c].consumed)
		bucket_watch(CONTAINER(terms->pool, struct bucket, pool), context->sched, now);
}

/* ---- terms --------------------------------------------------------------------------------------------------------- */

/* What a member really may want of a pool: used and need within want, want within the pool. */
static void bound_want(struct standing *standing, const struct stack_claim *claim, const struct pool *pool,
	struct weir_limits *limits)
{
	struct policy *policy = standing->owner->stack->members[claim->member].policy;
	uint64_t *used = &limits->used[claim->index];
	uint64_t *need = &limits->need[claim->index];
	uint64_t *want = &limits->want[claim->index];

	if (*want < *need)
		*want = *need;
	if (*want < *used)
		*want = *used;
	if (*want <= pool->size)
		return;
	if (!atomic_flag_test_and_set_explicit(&policy->want_beyond, memory_order_relaxed))
		log_warning(
			"policy %s (%s): wants %llu units of pool %s, which has %u; cut to that, and not telling again",
			policy->name, policy->module->name, (unsigned long long)*want, pool->name, pool->size);
	*want = pool->size;
	*used = least(*used, *want);
	*need = least(*need, *want);
}

void standing_bound(struct standing *standing, struct weir_limits *limits)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];

		bound_want(standing, claim, standing_pool(standing, claim), &limits[claim->member]);
	}
}

static enum standing_side side_of(const struct stack_claim *claim, const struct weir_limits *limits)
{
	return (limits->for_writing >> claim->index & 1) != 0 ? STANDING_WRITING : STANDING_READING;
}

/* Whether member i wants more of a pool for this side. */
static bool wants_more(const struct standing *standing, unsigned i, const struct weir_limits *limits,
	enum standing_side side)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];

		if (claim->member == i && side_of(claim, limits) == side &&
			limits->want[claim->index] > *leased_of(standing, claim))
			return true;
	}
	return false;
}

/* Whether member i has looked through all that those before it let pass, so that it is not he who holds back the rest; or,
   before a turn has shown him what there is, may still do so. */
static bool has_scanned(const struct standing *standing, const struct hearing *hearing, unsigned i)
{
	const struct stack *stack = standing->owner->stack;
	uint64_t end = hearing->view.read;

	for (unsigned s = 0; s < stack->scanner_count; s++) {
		uint64_t scanned = standing_member(standing, stack->scanners[s])->scanned;

		if (stack->scanners[s] == i)
			return !hearing->over || scanned >= end;
		end = scanned;
	}
	return false;
}

/* Whether leases would be of any use on this side: nobody lets nothing pass but for want of a lease for it. */
static bool leases_help(const struct standing *standing, const struct hearing *hearing,
	const struct weir_limits *limits, enum standing_side side)
{
	uint32_t forbidden = side == STANDING_READING ? standing->verdict.paused : standing->verdict.stopped;

	if (side == STANDING_READING && hearing->view.ended)
		return false;
	for (unsigned i = 0; i < standing->owner->stack->count; i++)
		if ((forbidden >> i & 1) != 0 && (side == STANDING_READING || !has_scanned(standing, hearing, i)) &&
			((limits[i].promises & WEIR_PROMISE_LEASE) == 0 || !wants_more(standing, i, &limits[i], side)))
			return false;
	return true;
}

/* Whether a flow that cannot go on gives back what it has of a claim, for others to use meanwhile. */
static bool bounce(struct standing *standing, const struct terms *terms)
{
	if (standing->bounced >= BOUNCES)
		return false;
	if (*terms->leased > terms->used)
		standing->bounced++;
	return true;
}

/* Whether nothing at all can pass without more of claim c; else less than its level may do for a while. */
static bool is_blocked(const struct standing *standing, unsigned c, const struct terms *terms)
{
	uint32_t forbidden = terms->side == STANDING_READING ? standing->verdict.paused : standing->verdict.stopped;

	return *terms->leased < terms->need || (forbidden >> standing->owner->stack->claims[c].member & 1) != 0;
}

/* The first claim of this side, from `from` on, that the flow waits for and can do nothing without; claim_count: none. */
static unsigned first_lacking(const struct standing *standing, enum standing_side side, const struct terms *terms,
	unsigned from)
{
	unsigned count = standing->owner->stack->claim_count;

	for (unsigned c = from; c < count; c++)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all `count` terms are made */
		if (terms[c].side == side && waits_for(standing, c) && *terms[c].leased < terms[c].level &&
			is_blocked(standing, c, &terms[c]))
			return c;
	return count;
}

/* The flow waits on this side for what it cannot do without: of claim `from` or one behind it, or memory. */
static bool lacks(const struct standing *standing, enum standing_side side, const struct terms *terms, unsigned from)
{
	unsigned count = standing->owner->stack->claim_count;

	return first_lacking(standing, side, terms, from) < count ||
		(side == STANDING_READING && waits_for(standing, count));
}

/*
 * What draining set free is for those who wait, or a flow whose source never rests would keep it for ever. What was leased
 * before a turn may be used in it first. A flow that moved nothing, or lacks something behind this claim, could not yet: if
 * all who wait for both gave up what they got, they would hand one lease around.
 */
static bool others_wait(struct standing *standing, const struct hearing *hearing, unsigned c, const struct terms *terms)
{
	if (standing->owner->stack->claims[c].consumed || !hearing->over || pool_waiters(terms[c].pool) == 0)
		return false;
	return (hearing->moved && !lacks(standing, terms[c].side, terms, c + 1)) || bounce(standing, &terms[c]);
}

static void make_terms(const struct standing *standing, const struct stack_claim *claim,
	const struct weir_limits *limits, struct terms *terms)
{
	uint64_t beyond = limits->want[claim->index] - limits->used[claim->index];
	uint32_t floor = claim->floor;

	*terms = (struct terms){
		.pool = standing_pool(standing, claim),
		.leased = leased_of(standing, claim),
		.before = *leased_of(standing, claim),
		.used = (uint32_t)limits->used[claim->index],
		.need = (uint32_t)limits->need[claim->index],
		.level = (uint32_t)(limits->used[claim->index] + least(beyond, limits->grain[claim->index])),
		.want = (uint32_t)limits->want[claim->index],
		.side = side_of(claim, limits),
		.queues = limits->grain[claim->index] == 0,
	};
	if (terms->level < terms->need)
		terms->level = terms->need;
	if (terms->used < floor)
		terms->used = floor;
	if (terms->want < floor)
		terms->want = floor;
}

/* What is brief is only for what can be used; and nobody waits for more than he may have, whatever his policy says. */
static void restrain(struct standing *standing, const struct hearing *hearing, unsigned c, struct terms *terms,
	bool usable)
{
	const struct stack_claim *claim = &standing->owner->stack->claims[c];

	if (claim->brief && !usable)
		terms[c].want = terms[c].used;
	terms[c].level = (uint32_t)least(terms[c].level, terms[c].want);
	terms[c].keep = claim->brief && others_wait(standing, hearing, c, terms) ? terms[c].used : terms[c].want;
}

/* ---- taking and giving back ------------------------------------------------------------------------------------------ */

static void put(const struct terms *terms, uint32_t units)
{
	*terms->leased -= units;
	pool_put(terms->pool, units);
}

/* If a grant is under way already, it comes, and is trimmed then. */
static void leave(struct standing *standing, unsigned claim)
{
	(void)!pool_leave(&standing->waits[claim].ticket);
}

static void trim(struct standing *standing, unsigned c, const struct terms *terms)
{
	if (*terms->leased > terms->keep)
		put(terms, *terms->leased - terms->keep);
	if (waits_for(standing, c) && *terms->leased + standing->waits[c].units > terms->want)
		leave(standing, c);
}

/*
 * The flow waits for claim c. Of its pool, and of those behind it, it keeps only what held bytes occupy; of those before
 * it, what it leased in earlier rounds, unless they are brief. (If nothing were ever kept, two flows could hand each other
 * the one what the other waits for, for ever.) It waits for nothing else on this side.
 */
static void wait_for(struct standing *standing, unsigned c, const struct terms *terms, const uint32_t *taken,
	uint64_t now)
{
	const struct stack *stack = standing->owner->stack;
	bool waiting = waits_for(standing, c);

	for (unsigned i = 0; i < stack->claim_count; i++) {
		uint32_t beyond;

		if (terms[i].side != terms[c].side)
			continue;
		if (i < c)
			put(&terms[i], taken[i]);
		beyond = *terms[i].leased > terms[i].used ? *terms[i].leased - terms[i].used : 0;
		if (i < c ? stack->claims[i].brief && beyond > 0 && bounce(standing, &terms[i])
			  : i > c || !waiting) /* who waits already gave up what he had of that pool */
			put(&terms[i], beyond);
		if (i != c && waits_for(standing, i))
			leave(standing, i);
	}
	if (terms[c].side == STANDING_READING && waits_for(standing, stack->claim_count))
		leave(standing, stack->claim_count);
	if (!waiting)
		queue_claim(standing, c, &terms[c], terms[c].level - *terms[c].leased, terms[c].want - *terms[c].leased,
			now);
}

/* Takes what the flow still needs and wants of a claim, and returns it. */
static uint32_t take(const struct stack_claim *claim, const struct terms *terms, uint64_t now)
{
	uint32_t taken;

	if (*terms->leased >= terms->want)
		return 0;
	if (claim->consumed)
		bucket_fill(CONTAINER(terms->pool, struct bucket, pool), now);
	taken = pool_take(terms->pool, terms->level > *terms->leased ? terms->level - *terms->leased : 1,
		terms->want - *terms->leased);
	*terms->leased += taken;
	return taken;
}

/* All claims of one side, in their order, up to the first that nothing can pass without. */
static void take_side(struct standing *standing, enum standing_side side, const struct terms *terms, uint64_t now)
{
	uint32_t taken[STACK_CLAIMS_MAX];

	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++) {
		if (terms[c].side != side)
			continue;
		taken[c] = take(&standing->owner->stack->claims[c], &terms[c], now);
		if (*terms[c].leased < terms[c].level && is_blocked(standing, c, &terms[c])) {
			wait_for(standing, c, terms, taken, now);
			return;
		}
		if (*terms[c].leased < terms[c].level)
			queue_claim(standing, c, &terms[c], terms[c].level - *terms[c].leased,
				terms[c].want - *terms[c].leased, now);
		else if (*terms[c].leased < terms[c].want && terms[c].queues)
			queue_claim(standing, c, &terms[c], 1, 1, now);
	}
}

static void settle_side(struct standing *standing, const struct hearing *hearing, enum standing_side side,
	struct terms *terms, bool helps, bool usable)
{
	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++) {
		if (terms[c].side != side)
			continue;
		restrain(standing, hearing, c, terms, helps && usable);
		trim(standing, c, &terms[c]);
	}
	if (helps)
		take_side(standing, side, terms, hearing->view.now);
}

/* Both sides: a flow that holds nothing can write only what it may read. */
static void settle_sides(struct standing *standing, const struct hearing *hearing, const struct weir_limits *limits,
	struct terms *terms)
{
	bool reads = leases_help(standing, hearing, limits, STANDING_READING);
	bool writes = leases_help(standing, hearing, limits, STANDING_WRITING);
	bool usable = hearing->usable[STANDING_WRITING];

	settle_side(standing, hearing, STANDING_READING, terms, reads, hearing->usable[STANDING_READING]);
	if (hearing->view.held == 0)
		usable = usable && reads && !lacks(standing, STANDING_READING, terms, 0);
	settle_side(standing, hearing, STANDING_WRITING, terms, writes, usable);
}

static void make_all_terms(const struct standing *standing, const struct weir_limits *limits, struct terms *terms)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++)
		make_terms(standing, &stack->claims[c], &limits[stack->claims[c].member], &terms[c]);
}

bool standing_settle(struct standing *standing, const struct hearing *hearing, const struct weir_limits *limits)
{
	const struct stack *stack = standing->owner->stack;
	struct terms terms[STACK_CLAIMS_MAX];
	bool changed = false;

	make_all_terms(standing, limits, terms);
	settle_sides(standing, hearing, limits, terms);
	standing->idle = true;
	for (unsigned c = 0; c < stack->claim_count; c++) {
		changed |= *terms[c].leased != terms[c].before;
		standing->idle &= *terms[c].leased == stack->claims[c].floor && terms[c].want == stack->claims[c].floor;
	}
	return changed;
}

void standing_yield(struct standing *standing, const struct hearing *hearing, const struct weir_limits *limits)
{
	static const uint32_t none[STACK_CLAIMS_MAX];
	struct terms terms[STACK_CLAIMS_MAX];

	make_all_terms(standing, limits, terms);
	for (unsigned side = 0; side < STANDING_SIDES; side++) {
		unsigned c = first_lacking(standing, (enum standing_side)side, terms, 0);

		if (c < standing->owner->stack->claim_count)
			wait_for(standing, c, terms, none, hearing->view.now);
	}
}

void standing_gate(struct standing *standing, const struct weir_limits *limits)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];

		if (*leased_of(standing, claim) >= limits[claim->member].need[claim->index])
			continue;
		if (side_of(claim, &limits[claim->member]) == STANDING_WRITING) {
			standing->verdict.stopped |= UINT32_C(1) << claim->member;
			standing->verdict.write_to = 0;
		} else {
			standing->verdict.paused |= UINT32_C(1) << claim->member;
			standing->verdict.held_max = 0;
		}
	}
}

/* ---- for modules, and at the end -------------------------------------------------------------------------------------- */

/* The claim of a member on its pool of this number, or NULL. */
static const struct stack_claim *find_claim(const struct standing *standing, unsigned member, uint32_t pool)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++)
		if (stack->claims[c].member == member && stack->claims[c].index == pool)
			return &stack->claims[c];
	return NULL;
}

/* Gives back all but so many units. */
static void put_beyond(struct standing *standing, const struct stack_claim *claim, uint64_t keep)
{
	uint32_t *leased = leased_of(standing, claim);
	uint32_t units = *leased > keep ? *leased - (uint32_t)keep : 0;

	*leased -= units;
	pool_put(standing_pool(standing, claim), units);
}

void standing_lease_put(struct standing *standing, unsigned member, uint32_t pool, uint64_t units)
{
	const struct stack_claim *claim = find_claim(standing, member, pool);
	uint64_t keep;

	if (claim == NULL)
		return;
	keep = *leased_of(standing, claim) - least(units, *leased_of(standing, claim));
	put_beyond(standing, claim, keep > claim->floor ? keep : claim->floor);
}

/* The bucket is filled first: while the units were out, there was no room for as many. */
void standing_lease_spend(const struct weir_call *call, uint32_t pool, uint64_t units)
{
	const struct standing_call *own = CONTAINER(call, const struct standing_call, call);
	const struct stack_claim *claim = find_claim(own->standing, own->member, pool);
	uint32_t *leased;
	struct pool *from;

	if (claim == NULL || !claim->consumed)
		return;
	leased = leased_of(own->standing, claim);
	from = standing_pool(own->standing, claim);
	units = least(units, *leased);
	bucket_fill(CONTAINER(from, struct bucket, pool), own->now);
	*leased -= (uint32_t)units;
	pool_spend(from, (uint32_t)units);
}

/* A grant under way is given back when it arrives. */
static void leave_all(struct standing *standing)
{
	for (unsigned c = 0; c <= standing->owner->stack->claim_count; c++)
		if (waits_for(standing, c))
			leave(standing, c);
}

void standing_shrink(struct standing *standing, const struct weir_limits *limits)
{
	const struct stack *stack = standing->owner->stack;

	leave_all(standing);
	standing->idle = true;
	for (unsigned c = 0; c < stack->claim_count; c++) {
		const struct stack_claim *claim = &stack->claims[c];

		put_beyond(standing, claim, claim->consumed ? 0 : limits[claim->member].used[claim->index]);
	}
}

void standing_release(struct standing *standing)
{
	leave_all(standing);
	for (unsigned c = 0; c < standing->owner->stack->claim_count; c++)
		put_beyond(standing, &standing->owner->stack->claims[c], 0);
	pool_put(standing->owner->context->memory, standing->memory);
	standing->memory = 0;
}

bool standing_is_crowded(const struct standing *standing)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++)
		if (!stack->claims[c].consumed && pool_waiters(standing_pool(standing, &stack->claims[c])) > 0)
			return true;
	return false;
}

bool standing_is_bare(const struct standing *standing)
{
	const struct stack *stack = standing->owner->stack;

	for (unsigned c = 0; c < stack->claim_count; c++)
		if (*leased_of(standing, &stack->claims[c]) > 0)
			return false;
	return standing->memory == 0 && !standing_awaited(standing);
}

bool standing_rests(const struct standing *standing)
{
	return standing->memory == 0 && !standing_awaited(standing) &&
		(standing->owner->stack->claim_count == 0 || standing->idle);
}

bool standing_waits(const struct standing *standing, enum standing_side side)
{
	for (unsigned c = 0; c <= standing->owner->stack->claim_count; c++)
		if (waits_for(standing, c) && standing->waits[c].side == side)
			return true;
	return false;
}

bool standing_awaited(const struct standing *standing)
{
	return standing_waits(standing, STANDING_READING) || standing_waits(standing, STANDING_WRITING);
}
