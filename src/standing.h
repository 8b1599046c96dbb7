/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standing - how one flow stands with the policies of its stack: their states, its leases, the verdict in force.
 *
 * Policies answer, weir grants. The smallest of all limits counts; only when something may be read are leases taken,
 * in the stack's one order, all that are needed or none. A flow that finds a pool short gives back what it took in
 * that round and queues there; for what is consumed by writing it waits apart, since that comes by time alone, and nobody
 * has to give it back. When leases have changed, the policies are asked again. Memory is the last pool; each flow owns STANDING_FLOOR pages of it that nobody can
 * take, so that the two directions of a session cannot lock each other out.
 *
 * A limit of nothing needs a promise that can come true. One that cannot is logged under the policy's name, once, and
 * the policy is asked again by timer: no fault of a module can hang a session for good.
 */
#ifndef STANDING_H
#define STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "meter.h"
#include "pool.h"
#include "sched.h"
#include "stack.h"
#include "store.h"

#define STANDING_FLOOR 1                           /* pages of memory a flow owns */
#define STANDING_RECHECK (UINT64_C(100) * 1000000) /* ns: asks again after a broken promise */
#define STANDING_SAFETY (UINT64_C(1000) * 1000000) /* ns: asks again although a wake was promised */

/* What one policy has of one flow. */
struct standing_member {
	uint64_t scanned;                /* bytes its scan() consumed */
	uint32_t leased[WEIR_POOLS_MAX]; /* units */
};

/* The smallest of all limits. */
struct verdict {
	uint64_t read_to;
	uint64_t write_to;
	uint64_t held_max;
	uint64_t chunks_to;
	uint64_t ask_at;
	uint32_t paused;  /* members (a bit each) that let nothing be read now */
	uint32_t stopped; /* members that let nothing be written now */
};

/* What both flows of a session have in common; the session's. */
struct standing_owner {
	const struct stack *stack;
	struct context *context;
	struct task *task;   /* gets a turn when a lease is granted */
	char *states;        /* the policies' states, the members of the flow up, those of the flow down, the places */
	struct weir_ref ref; /* direction unused */
};

/* What units are leased for. */
enum standing_side {
	STANDING_READING,
	STANDING_WRITING,
	STANDING_SIDES,
};

/* A place in a queue. Few flows ever wait for units, so it is allocated when one does for the first time. */
struct standing_wait {
	struct pool_ticket ticket;
	struct mail mail; /* brings the news of a grant to the flow's own thread */
	struct standing *standing;
	enum standing_side side;
	unsigned claim; /* what the ticket is for: an index into stack->claims, or claim_count for memory */
	uint32_t units; /* and how many at least; the ticket's own are the giver's to change */
};

struct standing {
	const struct standing_owner *owner;
	struct standing_wait *waits; /* one for each claim of the stack, and one for memory; NULL: it never waited */
	struct verdict verdict;
	uint32_t memory;     /* pages leased beyond the floor */
	uint8_t direction;   /* enum weir_direction */
	bool granted : 1;    /* since the last event */
	bool idle : 1;       /* it leases nothing of its policies' pools, and wants nothing now */
	bool opened : 1;     /* every policy's open() returned 0, and no close() was called yet */
	uint8_t bounced : 2; /* how often it gave back what it had waited for, since it moved something */
	bool broke : 1;      /* there was no memory to queue with: the session cannot go on */
	uint8_t ending : 2;  /* enum standing_ending */
};

/* How a policy wants the session to end. */
enum standing_ending {
	STANDING_STAYS,
	STANDING_CLOSES, /* WEIR_END_CLOSE */
	STANDING_RESETS, /* WEIR_END_RESET */
};

/* What a callback gets, and what host functions find their way back by. */
struct standing_call {
	struct weir_call call;
	struct standing *standing;
	unsigned member;
	uint64_t now; /* of the turn; 0 outside of one */
};

/* A turn's talk with the policies: what is shown to them, and the calls to each, made once. */
struct hearing {
	struct weir_view view; /* what is each policy's own is filled in when it is called; the rest is the flow's */
	const struct meter *meter;   /* the flow's: knows how long each policy has kept it waiting */
	bool moved;                  /* bytes, in this turn */
	bool over;                   /* the turn has used what it could of what was leased before it */
	bool usable[STANDING_SIDES]; /* something could be read, or written, if nobody forbade it */
	struct standing_call calls[STACK_MAX];
};

/* What the flow owns of its policies' pools, it leases from now on: stack_take_floors() has been called for it. */
void standing_init(struct standing *standing, const struct standing_owner *owner, enum weir_direction direction);

/* What it allocated; nothing may be awaited any more. */
void standing_destroy(struct standing *standing);

/* What policy i has of this flow. */
struct standing_member *standing_member(const struct standing *standing, unsigned i);

/* Calls every policy's open(). -1: one refused, and those opened before it are closed again. */
int standing_open(struct standing *standing) __attribute__((warn_unused_result));

/* Calls every policy's close() if they were opened, and standing_release(). */
void standing_close(struct standing *standing);

/* Gives all leases back and leaves the queue: the flow is over. Once more when an awaited grant has come in. */
void standing_release(struct standing *standing);

/* Whether another thread may still have a grant on its way to this flow: its memory must wait for it. */
bool standing_awaited(const struct standing *standing);

/* Whether there are no leases to settle: nothing is leased, wanted or queued for. */
bool standing_rests(const struct standing *standing);

/* Whether others wait for units of the pools that it leases from, as far as flows give them back. */
bool standing_is_crowded(const struct standing *standing);

/* Whether it has no leases at all, and waits for none. */
bool standing_is_bare(const struct standing *standing);

/* Prepares the calls of a turn's hearing. */
void standing_hear(struct standing *standing, struct hearing *hearing);

/* The session's own pools; see scope.h. */
struct scope_place *standing_places(const struct standing_owner *owner);

/* The pool that a claim of the stack is on, for this flow. */
struct pool *standing_pool(const struct standing *standing, const struct stack_claim *claim);

/* Queues for units of a pool, for more of them if they are there, unless it does already: claim is an index into the
   stack's claims, claim_count for memory. */
void standing_queue(struct standing *standing, enum standing_side side, unsigned claim, struct pool *pool,
	uint32_t units, uint32_t most);

/* Whether it waits for units that it needs, or wants, for this side. */
bool standing_waits(const struct standing *standing, enum standing_side side);

/* Asks all policies, and settles leases. True: what is leased has changed. */
bool standing_consult(struct standing *standing, struct hearing *hearing);

/* The flow is over: asks what is still used, and gives everything else back. */
void standing_wind_up(struct standing *standing, struct hearing *hearing);

/* Keeps the answers to what pools can have: used and need within want, want within the pool. */
void standing_bound(struct standing *standing, struct weir_limits *limits);

/*
 * Takes and gives back leases as the policies' limits (of each member) and the verdict so far want it. True: what is
 * leased has changed.
 */
bool standing_settle(struct standing *standing, const struct hearing *hearing, const struct weir_limits *limits);

/* With less than before, the flow may have come to be able to do nothing: what follows from that for what it waits for, and
   for what it has behind it. */
void standing_yield(struct standing *standing, const struct hearing *hearing, const struct weir_limits *limits);

/* Gives back what is leased beyond what is used, and waits for nothing any more. */
void standing_shrink(struct standing *standing, const struct weir_limits *limits);

/* Lets nothing pass for which units are needed that are not leased. */
void standing_gate(struct standing *standing, const struct weir_limits *limits);

/* Tells all policies what happened. event->what may be empty: nothing is told then. */
void standing_event(struct standing *standing, struct hearing *hearing, struct weir_event *event);

/* Shows scanning policies what they have not consumed yet of the bytes in the store, each what those before it let
   pass. True: something was consumed, and something was not. */
bool standing_scan(struct standing *standing, struct hearing *hearing, const struct store *store);

/* Shows scanning policies bytes that came behind all they have seen, and that nobody will get. One that holds something
   back is shown no more. */
void standing_waste(struct standing *standing, struct hearing *hearing, const void *bytes, size_t length);

/*
 * How many bytes, at most `length`, may be read so that the store could hold them. The pages are the worker's until
 * standing_trim(), or leased here, if its reserve is too small. 0: queued.
 */
uint64_t standing_memory(struct standing *standing, const struct store *store, uint64_t length);

/* The same for so many pages beyond those that the store uses, all or none; nobody queues for them. */
bool standing_spare(struct standing *standing, const struct store *store, uint32_t pages);

/* Leases what the store came to use, and gives back what it does not. After every turn. */
void standing_trim(struct standing *standing, const struct store *store);

/* Gives back units of a member's lease now, but not what the flow owns: the module's lease_put(). */
void standing_lease_put(struct standing *standing, unsigned member, uint32_t pool, uint64_t units);

/* Units of a consumed pool are used up: what a module calls. Of another pool: nothing happens. */
void standing_lease_spend(const struct weir_call *call, uint32_t pool, uint64_t units);

/* For host functions: the standing and the member behind a call. */
struct standing *standing_of_call(const struct weir_call *call, unsigned *member);

#endif
