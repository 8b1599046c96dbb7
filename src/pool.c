/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - the word, the queue, and the hand-off between them.
 *
 * The fast paths change the word only while its waiters are 0; the slow ones hold the lock. Raising waiters from 0
 * therefore closes the fast path for everybody, and lowering it to 0 opens it again.
 */
#include "pool.h"

#include <assert.h>
#include <errno.h>

static uint64_t word_pack(int32_t free, uint32_t waiters)
{
	return (uint64_t)waiters << 32 | (uint32_t)free;
}

static int32_t word_free(uint64_t word)
{
	return (int32_t)(uint32_t)word;
}

static uint32_t word_waiters(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

int pool_init(struct pool *pool, const char *name, uint32_t size)
{
	int error;

	assert(size <= POOL_UNITS_MAX);
	error = pthread_mutex_init(&pool->lock, NULL);
	if (error != 0) {
		errno = error;
		return -1;
	}
	pool->size = size;
	pool->name = name;
	pool->low = 0;
	pool->capped = false;
	TAILQ_INIT(&pool->queue);
	atomic_init(&pool->word, word_pack((int32_t)size, 0));
	atomic_init(&pool->shortages, 0);
	atomic_init(&pool->out, 0);
	return 0;
}

void pool_destroy(struct pool *pool)
{
	assert(TAILQ_EMPTY(&pool->queue));
	pthread_mutex_destroy(&pool->lock);
}

/* Free units after so many came back. What is out could still come back, too. */
static int32_t free_after(const struct pool *pool, uint64_t word, int64_t units)
{
	int64_t free = word_free(word) + units;
	int64_t most;

	if (!pool->capped || units <= 0)
		return (int32_t)free;
	most = (int64_t)pool->size - (int64_t)atomic_load_explicit(&pool->out, memory_order_relaxed);
	if (most < word_free(word))
		most = word_free(word);
	return (int32_t)(free > most ? most : free);
}

static void take_out(struct pool *pool, uint32_t units)
{
	if (pool->capped)
		atomic_fetch_add_explicit(&pool->out, units, memory_order_relaxed);
}

static void put_in(struct pool *pool, uint32_t units)
{
	if (pool->capped)
		atomic_fetch_sub_explicit(&pool->out, units, memory_order_relaxed);
}

/* They are out before they are taken, or somebody could fill in between what they leave room for. */
uint32_t pool_take(struct pool *pool, uint32_t need, uint32_t want)
{
	uint64_t word = atomic_load_explicit(&pool->word, memory_order_relaxed);
	uint32_t units;

	assert(need >= 1 && need <= want);
	take_out(pool, want);
	do {
		int32_t free = word_free(word);

		if (word_waiters(word) != 0 || free < 0 || (uint32_t)free < need) {
			put_in(pool, want);
			return 0;
		}
		units = (uint32_t)free < want ? (uint32_t)free : want;
	} while (!atomic_compare_exchange_weak_explicit(&pool->word, &word, word - units, memory_order_acquire,
		memory_order_relaxed));
	put_in(pool, want - units);
	return units;
}

/* Changes the word by both amounts at once; with the lock held, or it would race with a hand-off. */
static void word_add(struct pool *pool, int64_t free, int32_t waiters)
{
	uint64_t word = atomic_load_explicit(&pool->word, memory_order_relaxed);
	uint64_t next;

	do {
		next = word_pack(free_after(pool, word, free), word_waiters(word) + (uint32_t)waiters);
	} while (!atomic_compare_exchange_weak_explicit(&pool->word, &word, next, memory_order_acq_rel,
		memory_order_relaxed));
}

/* Serves the queue from its head as far as the free units reach. With the lock held. */
static void hand_off(struct pool *pool)
{
	struct pool_ticket *ticket;

	if (pool->low > 0 && (int64_t)pool->size - pool_free(pool) >= (int64_t)pool->low)
		return;
	while ((ticket = TAILQ_FIRST(&pool->queue)) != NULL && pool_free(pool) >= (int64_t)ticket->units) {
		int32_t free = pool_free(pool);

		TAILQ_REMOVE(&pool->queue, ticket, link);
		ticket->units = (uint32_t)free < ticket->most ? (uint32_t)free : ticket->most;
		take_out(pool, ticket->units);
		word_add(pool, -(int64_t)ticket->units, -1);
		atomic_store_explicit(&ticket->state, POOL_TICKET_GRANTED, memory_order_release);
		ticket->granted(ticket);
	}
}

static void add_free(struct pool *pool, uint32_t units)
{
	uint64_t word = atomic_load_explicit(&pool->word, memory_order_relaxed);

	if (units == 0)
		return;
	while (word_waiters(word) == 0) {
		uint64_t next = word_pack(free_after(pool, word, units), 0);

		if (atomic_compare_exchange_weak_explicit(&pool->word, &word, next, memory_order_release,
			    memory_order_relaxed))
			return;
	}
	pthread_mutex_lock(&pool->lock);
	word_add(pool, units, 0);
	hand_off(pool);
	pthread_mutex_unlock(&pool->lock);
}

void pool_put(struct pool *pool, uint32_t units)
{
	put_in(pool, units);
	add_free(pool, units);
}

void pool_spend(struct pool *pool, uint32_t units)
{
	put_in(pool, units);
}

void pool_fill(struct pool *pool, uint32_t units)
{
	add_free(pool, units);
}

uint32_t pool_missing(struct pool *pool)
{
	const struct pool_ticket *head;
	int64_t missing = 0;

	pthread_mutex_lock(&pool->lock);
	head = TAILQ_FIRST(&pool->queue);
	if (head != NULL)
		missing = (int64_t)head->units - pool_free(pool);
	pthread_mutex_unlock(&pool->lock);
	return missing > 0 ? (uint32_t)missing : 0;
}

void pool_wait(struct pool *pool, struct pool_ticket *ticket, uint32_t units, uint32_t most)
{
	assert(units >= 1 && units <= pool->size && most >= units);
	assert(atomic_load_explicit(&ticket->state, memory_order_relaxed) == POOL_TICKET_IDLE);
	ticket->units = units;
	ticket->most = most;
	ticket->pool = pool;
	pthread_mutex_lock(&pool->lock);
	ticket->number = atomic_fetch_add_explicit(&pool->shortages, 1, memory_order_relaxed) + 1;
	atomic_store_explicit(&ticket->state, POOL_TICKET_QUEUED, memory_order_relaxed);
	TAILQ_INSERT_TAIL(&pool->queue, ticket, link);
	word_add(pool, 0, 1);
	hand_off(pool); /* units may have come back since the take that failed */
	pthread_mutex_unlock(&pool->lock);
}

uint32_t pool_collect(struct pool_ticket *ticket)
{
	uint32_t units;

	if (atomic_load_explicit(&ticket->state, memory_order_acquire) != POOL_TICKET_GRANTED)
		return 0;
	units = ticket->units;
	ticket->pool = NULL;
	atomic_store_explicit(&ticket->state, POOL_TICKET_IDLE, memory_order_relaxed);
	return units;
}

bool pool_leave(struct pool_ticket *ticket)
{
	struct pool *pool = ticket->pool;
	bool left = true;

	if (pool == NULL)
		return true;
	pthread_mutex_lock(&pool->lock);
	if (atomic_load_explicit(&ticket->state, memory_order_relaxed) == POOL_TICKET_QUEUED) {
		TAILQ_REMOVE(&pool->queue, ticket, link);
		word_add(pool, 0, -1);
		atomic_store_explicit(&ticket->state, POOL_TICKET_IDLE, memory_order_relaxed);
		ticket->pool = NULL;
		hand_off(pool); /* the next in line may want less */
	} else {
		left = false;
	}
	pthread_mutex_unlock(&pool->lock);
	return left;
}

int32_t pool_free(const struct pool *pool)
{
	return word_free(atomic_load_explicit(&pool->word, memory_order_relaxed));
}

uint32_t pool_waiters(const struct pool *pool)
{
	return word_waiters(atomic_load_explicit(&pool->word, memory_order_relaxed));
}
