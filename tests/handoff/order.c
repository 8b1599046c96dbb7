/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order - see order.h.
 */
#include "order.h"

#include "fake.h"

#define PLACES 8192 /* by address: what finds its place taken is not watched */

typedef void granted_call(struct pool_ticket *ticket);

int __real_pool_init(struct pool *pool, const char *name, uint32_t size);
void __real_pool_wait(struct pool *pool, struct pool_ticket *ticket, uint32_t units, uint32_t most);
void __real_pool_destroy(struct pool *pool);
int __wrap_pool_init(struct pool *pool, const char *name, uint32_t size);
void __wrap_pool_wait(struct pool *pool, struct pool_ticket *ticket, uint32_t units, uint32_t most);
void __wrap_pool_destroy(struct pool *pool);

struct place {
	_Atomic(struct pool *) pool;
	_Atomic uint64_t served; /* the number of the ticket that was granted last */
};

static struct place places[PLACES];
static _Atomic unsigned queuers[PLACES]; /* by a ticket's address */
static _Atomic(granted_call *) passed_on;
static granted_call *own_call;
static _Thread_local unsigned this_worker;

static _Atomic uint64_t queued;
static _Atomic uint64_t granted;
static _Atomic uint64_t across;

static size_t place_of(const void *pointer)
{
	return (size_t)((uintptr_t)pointer / 16 * UINT64_C(0x9e3779b97f4a7c15) >> 40) % PLACES;
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void order_begin(granted_call *own)
{
	own_call = own;
}

void order_worker(unsigned worker)
{
	this_worker = worker;
}

struct order_counts order_counts(void)
{
	return (struct order_counts){
		atomic_load_explicit(&queued, memory_order_relaxed),
		atomic_load_explicit(&granted, memory_order_relaxed),
		atomic_load_explicit(&across, memory_order_relaxed),
	};
}

void order_granted(struct pool_ticket *ticket)
{
	struct place *place = &places[place_of(ticket->pool)];
	uint64_t served;

	count(&granted);
	if (atomic_load_explicit(&queuers[place_of(ticket)], memory_order_relaxed) != this_worker)
		count(&across);
	if (atomic_load_explicit(&place->pool, memory_order_relaxed) != ticket->pool)
		return;
	served = atomic_load_explicit(&place->served, memory_order_relaxed);
	MUST(ticket->number > served, "pool %s: ticket %llu is served after %llu", ticket->pool->name,
		(unsigned long long)ticket->number, (unsigned long long)served);
	atomic_store_explicit(&place->served, ticket->number, memory_order_relaxed);
}

static void lead_on(struct pool_ticket *ticket)
{
	order_granted(ticket);
	atomic_load_explicit(&passed_on, memory_order_relaxed)(ticket);
}

int __wrap_pool_init(struct pool *pool, const char *name, uint32_t size)
{
	struct place *place = &places[place_of(pool)];
	struct pool *nobody = NULL;

	if (atomic_compare_exchange_strong_explicit(&place->pool, &nobody, pool, memory_order_relaxed,
		    memory_order_relaxed))
		atomic_store_explicit(&place->served, 0, memory_order_relaxed);
	return __real_pool_init(pool, name, size);
}

void __wrap_pool_wait(struct pool *pool, struct pool_ticket *ticket, uint32_t units, uint32_t most)
{
	count(&queued);
	atomic_store_explicit(&queuers[place_of(ticket)], this_worker, memory_order_relaxed);
	if (ticket->granted != own_call && ticket->granted != lead_on) {
		atomic_store_explicit(&passed_on, ticket->granted, memory_order_relaxed);
		ticket->granted = lead_on;
	}
	__real_pool_wait(pool, ticket, units, most);
}

void __wrap_pool_destroy(struct pool *pool)
{
	struct place *place = &places[place_of(pool)];
	struct pool *found = pool;

	MUST(pool->capped || pool_free(pool) == (int32_t)pool->size, "pool %s ends with %d of %u units", pool->name,
		pool_free(pool), pool->size);
	MUST(pool_waiters(pool) == 0, "pool %s ends with %u in its queue", pool->name, pool_waiters(pool));
	(void)!atomic_compare_exchange_strong_explicit(&place->pool, &found, NULL, memory_order_relaxed,
		memory_order_relaxed);
	__real_pool_destroy(pool);
}
