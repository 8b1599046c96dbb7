/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - units shared by many flows, across workers; who finds it short queues, first in, first out.
 *
 *     word:  63            32 31             0
 *           +----------------+----------------+
 *           |    waiters     |  free (signed) |
 *           +----------------+----------------+
 *
 * Taking and giving back is one compare-and-swap on the word while nobody waits. With waiters, everything goes through
 * the lock, and a freed unit is handed to the head of the queue by the giver: from then on it belongs to the waiter,
 * who learns of it through its ticket's `granted` call. So no wake-up can be lost, and nobody overtakes the queue.
 *
 * Invariant, whenever the lock is free: units leased + free = size, unless they are consumed. free is signed, so that a later reload may shrink a pool below
 * what is out.
 *
 * Any thread.
 */
#ifndef POOL_H
#define POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define POOL_UNITS_MAX INT32_MAX

struct pool;

enum pool_ticket_state {
	POOL_TICKET_IDLE,    /* the owner's */
	POOL_TICKET_QUEUED,  /* in a pool's queue, under its lock */
	POOL_TICKET_GRANTED, /* out of the queue; units are the owner's, who has not taken note yet */
};

/*
 * A place in a pool's queue; a holder waits with one ticket in one pool at a time. Memory is the holder's, and must
 * live until the ticket is idle again. `granted` is called once per grant, on the giver's thread with the pool's lock
 * held: it may only pass the word on (a mailbox).
 */
struct pool_ticket {
	TAILQ_ENTRY(pool_ticket) link;
	_Atomic int state; /* enum pool_ticket_state */
	uint32_t units;    /* waited for, then granted; the pool's until it is collected */
	uint32_t most;     /* granted if they are there */
	uint64_t number;   /* the how-manieth of its pool: who queued earlier has a smaller one; 1 is the first */
	struct pool *pool; /* NULL while idle; the owner's thread only */
	void (*granted)(struct pool_ticket *ticket);
};

struct pool {
	_Atomic uint64_t word;
	uint32_t size;
	const char *name; /* borrowed; for messages */
	pthread_mutex_t lock;
	TAILQ_HEAD(pool_queue, pool_ticket) queue;
	uint32_t low; /* 0, or: while anybody waits, nobody is served before less than so many units are out */
	bool capped; /* units are consumed, see bucket.h: free + out <= size, and what comes back beyond that is gone */
	_Atomic uint32_t out;       /* of a capped one: leased, and neither put back nor spent */
	_Atomic uint64_t shortages; /* how often somebody had to queue, ever */
};

int pool_init(struct pool *pool, const char *name, uint32_t size) __attribute__((warn_unused_result));
void pool_destroy(struct pool *pool); /* nobody may wait, nothing may be leased */

/* Units taken at once: at least `need`, at most `want`, or 0 when fewer than need are free or somebody waits.
   need >= 1. */
uint32_t pool_take(struct pool *pool, uint32_t need, uint32_t want) __attribute__((warn_unused_result));
void pool_put(struct pool *pool, uint32_t units); /* 0 is fine */

/* Leased units of a capped pool are used up. */
void pool_spend(struct pool *pool, uint32_t units);

/* Units come in to a capped pool. */
void pool_fill(struct pool *pool, uint32_t units);

/* Units that the head of the queue still waits for beyond those that are free; 0 if nobody waits. */
uint32_t pool_missing(struct pool *pool);

/*
 * Queues for `units` (1 .. size), and for up to `most` of them if they are free when the turn comes. The grant may come
 * before this returns. The ticket must be idle.
 */
void pool_wait(struct pool *pool, struct pool_ticket *ticket, uint32_t units, uint32_t most);

/* The owner takes note of a grant, having been told of it by granted(), and not before: returns the units, which are his, and the ticket is idle; 0 if it was not granted
   yet (or idle). */
uint32_t pool_collect(struct pool_ticket *ticket) __attribute__((warn_unused_result));

/* Leaves the queue. True: the ticket is idle. False: it has been granted already, granted() has been or is being
   called, and the owner must collect. */
bool pool_leave(struct pool_ticket *ticket) __attribute__((warn_unused_result));

int32_t pool_free(const struct pool *pool);     /* just now; negative after a shrink */
uint32_t pool_waiters(const struct pool *pool); /* just now */

#endif
