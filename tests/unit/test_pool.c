/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools: what is taken and given back, the queue, and both under real threads. _i is a seed where there is one.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "pool.h"
#include "unit.h"

struct waiter {
	struct pool_ticket ticket; /* first */
	_Atomic bool granted;
	unsigned order; /* of the grant */
};

static struct pool pool;
static _Atomic unsigned grants;

static void granted(struct pool_ticket *ticket)
{
	struct waiter *waiter = (struct waiter *)ticket;

	waiter->order = atomic_fetch_add(&grants, 1);
	atomic_store(&waiter->granted, true);
}

static void waiter_init(struct waiter *waiter)
{
	memset(waiter, 0, sizeof(*waiter));
	waiter->ticket.granted = granted;
}

static void begin(uint32_t size)
{
	ck_assert_int_eq(pool_init(&pool, "test", size), 0);
}

/* Everything is back. */
static void finish(void)
{
	ck_assert_int_eq(pool_free(&pool), (int)pool.size);
	ck_assert_uint_eq(pool_waiters(&pool), 0);
	pool_destroy(&pool);
}

START_TEST(units_are_taken_between_need_and_want)
{
	begin(10);
	ck_assert_uint_eq(pool_take(&pool, 1, 4), 4);
	ck_assert_uint_eq(pool_take(&pool, 2, 100), 6);
	ck_assert_uint_eq(pool_take(&pool, 1, 1), 0);
	ck_assert_int_eq(pool_free(&pool), 0);
	pool_put(&pool, 3);
	ck_assert_uint_eq(pool_take(&pool, 4, 5), 0);
	ck_assert_uint_eq(pool_take(&pool, 3, 5), 3);
	pool_put(&pool, 10);
	pool_put(&pool, 0);
	finish();
}
END_TEST

START_TEST(a_pool_of_nothing_has_nothing)
{
	begin(0);
	ck_assert_uint_eq(pool_take(&pool, 1, 1), 0);
	finish();
}
END_TEST

START_TEST(the_largest_pool_can_be_emptied_and_filled)
{
	begin(POOL_UNITS_MAX);
	ck_assert_uint_eq(pool_take(&pool, POOL_UNITS_MAX, POOL_UNITS_MAX), POOL_UNITS_MAX);
	ck_assert_int_eq(pool_free(&pool), 0);
	pool_put(&pool, POOL_UNITS_MAX);
	finish();
}
END_TEST

START_TEST(a_freed_unit_belongs_to_the_head_of_the_queue)
{
	struct waiter first, second;

	waiter_init(&first);
	waiter_init(&second);
	begin(4);
	ck_assert_uint_eq(pool_take(&pool, 4, 4), 4);
	pool_wait(&pool, &first.ticket, 3, 3);
	pool_wait(&pool, &second.ticket, 1, 1);
	ck_assert_uint_eq(pool_waiters(&pool), 2);
	ck_assert_uint_eq(pool_collect(&first.ticket), 0);
	pool_put(&pool, 2);
	ck_assert(!first.granted && !second.granted); /* the second could be served, but it is not its turn */
	ck_assert_uint_eq(pool_take(&pool, 1, 1), 0); /* nor that of somebody new */
	pool_put(&pool, 2);
	ck_assert(first.granted && second.granted);
	ck_assert_uint_lt(first.order, second.order);
	ck_assert_int_eq(pool_free(&pool), 0);
	ck_assert_uint_eq(pool_collect(&first.ticket), 3);
	ck_assert_uint_eq(pool_collect(&first.ticket), 0);
	ck_assert_uint_eq(pool_collect(&second.ticket), 1);
	pool_put(&pool, 4);
	ck_assert_uint_eq(pool.shortages, 2);
	finish();
}
END_TEST

START_TEST(who_waits_for_what_is_there_gets_it_at_once)
{
	struct waiter waiter;

	waiter_init(&waiter);
	begin(4);
	pool_wait(&pool, &waiter.ticket, 4, 4);
	ck_assert(waiter.granted);
	ck_assert_uint_eq(pool_collect(&waiter.ticket), 4);
	pool_put(&pool, 4);
	finish();
}
END_TEST

START_TEST(who_leaves_lets_the_next_one_pass)
{
	struct waiter first, second;

	waiter_init(&first);
	waiter_init(&second);
	begin(4);
	ck_assert_uint_eq(pool_take(&pool, 3, 3), 3);
	pool_wait(&pool, &first.ticket, 4, 4);
	pool_wait(&pool, &second.ticket, 1, 1);
	ck_assert(!second.granted);
	ck_assert(pool_leave(&first.ticket));
	ck_assert(second.granted);
	ck_assert(!pool_leave(&second.ticket)); /* too late: it must collect */
	ck_assert_uint_eq(pool_collect(&second.ticket), 1);
	ck_assert(pool_leave(&second.ticket));
	pool_put(&pool, 4);
	finish();
}
END_TEST

/* The head gets all it could use, the next what is left if that is enough, and after it nobody. */
START_TEST(who_could_use_more_gets_more)
{
	struct waiter waiters[3];

	begin(10);
	ck_assert_uint_eq(pool_take(&pool, 10, 10), 10);
	for (int i = 0; i < 3; i++) {
		waiter_init(&waiters[i]);
		pool_wait(&pool, &waiters[i].ticket, 2, 6);
	}
	pool_put(&pool, 9);
	ck_assert_uint_eq(pool_collect(&waiters[0].ticket), 6);
	ck_assert_uint_eq(pool_collect(&waiters[1].ticket), 3);
	ck_assert(!waiters[2].granted);
	pool_put(&pool, 10);
	ck_assert_uint_eq(pool_collect(&waiters[2].ticket), 6);
	pool_put(&pool, 6);
	finish();
}
END_TEST

/* ---- threads ------------------------------------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 3000
#define SIZE 10

static _Atomic int out; /* units in somebody's hands */

struct turn {
	uint64_t queued_after;  /* a stamp taken before pool_wait() */
	uint64_t queued_before; /* and one after it */
	uint64_t served;
};

static _Atomic uint64_t stamps;
static struct turn turns[THREADS][ROUNDS];

struct worker {
	struct waiter waiter;
	pthread_t thread;
	unsigned number;
	unsigned seed;
	unsigned too_many; /* times when more was out than there is */
	unsigned left;
};

static uint64_t stamp(void)
{
	return atomic_fetch_add(&stamps, 1);
}

static uint32_t collect(struct worker *worker)
{
	while (!atomic_load(&worker->waiter.granted))
		sched_yield();
	atomic_store(&worker->waiter.granted, false);
	return pool_collect(&worker->waiter.ticket);
}

static void hold(struct worker *worker, uint32_t units)
{
	if (atomic_fetch_add(&out, (int)units) + (int)units > SIZE)
		worker->too_many++;
	if (rand_r(&worker->seed) % 4 == 0)
		sched_yield();
	atomic_fetch_sub(&out, (int)units);
	pool_put(&pool, units);
}

static void *hammer(void *argument)
{
	struct worker *worker = argument;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t need = 1 + (uint32_t)rand_r(&worker->seed) % SIZE;
		uint32_t units = pool_take(&pool, need, SIZE);

		if (units == 0) {
			pool_wait(&pool, &worker->waiter.ticket, need, need);
			if (rand_r(&worker->seed) % 3 == 0 && pool_leave(&worker->waiter.ticket)) {
				worker->left++;
				continue;
			}
			units = collect(worker);
		}
		hold(worker, units);
	}
	return NULL;
}

static void run_threads(void *(*run)(void *))
{
	static struct worker workers[THREADS];
	unsigned too_many = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		waiter_init(&workers[i].waiter);
		workers[i].number = i;
		workers[i].seed = i + 1;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
		too_many += workers[i].too_many;
	}
	ck_assert_uint_eq(too_many, 0);
}

START_TEST(threads_never_hold_more_than_there_is_and_lose_nothing)
{
	begin(SIZE);
	run_threads(hammer);
	finish();
}
END_TEST

/* The stamp is taken under the pool's lock: grants have one order. */
static void served(struct pool_ticket *ticket)
{
	struct waiter *waiter = (struct waiter *)ticket;

	waiter->order = (unsigned)stamp();
	atomic_store(&waiter->granted, true);
}

static void *queue_up(void *argument)
{
	struct worker *worker = argument;

	worker->waiter.ticket.granted = served;
	for (int i = 0; i < ROUNDS; i++) {
		struct turn *turn = &turns[worker->number][i];
		uint32_t need = 1 + (uint32_t)rand_r(&worker->seed) % SIZE;

		turn->queued_after = stamp();
		pool_wait(&pool, &worker->waiter.ticket, need, SIZE);
		turn->queued_before = stamp();
		hold(worker, collect(worker));
		turn->served = worker->waiter.order;
	}
	return NULL;
}

START_TEST(threads_are_served_in_the_order_of_queueing)
{
	begin(SIZE);
	run_threads(queue_up);
	/* a turn can be compared with those of another thread around it only: both threads' turns are in order */
	for (unsigned a = 0; a < THREADS; a++)
		for (unsigned b = 0; b < THREADS; b++)
			for (unsigned i = 0, j = 0; a != b && i < ROUNDS; i++) {
				while (j < ROUNDS && turns[b][j].queued_after <= turns[a][i].queued_before)
					j++;
				if (j < ROUNDS)
					MUST(turns[a][i].served < turns[b][j].served, "thread %u overtakes %u", b, a);
			}
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = tcase_create("pool");

	tcase_add_test(tcase, units_are_taken_between_need_and_want);
	tcase_add_test(tcase, a_pool_of_nothing_has_nothing);
	tcase_add_test(tcase, the_largest_pool_can_be_emptied_and_filled);
	tcase_add_test(tcase, a_freed_unit_belongs_to_the_head_of_the_queue);
	tcase_add_test(tcase, who_waits_for_what_is_there_gets_it_at_once);
	tcase_add_test(tcase, who_leaves_lets_the_next_one_pass);
	tcase_add_test(tcase, who_could_use_more_gets_more);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("threads");
	tcase_add_test(tcase, threads_never_hold_more_than_there_is_and_lose_nothing);
	tcase_add_test(tcase, threads_are_served_in_the_order_of_queueing);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
