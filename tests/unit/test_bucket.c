/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bucket: exactly its rate in the long run, never more than a full one at once, and one timer for all who wait.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "container.h"
#include "fake.h"
#include "unit.h"

#define WAITERS 5
#define SCHEDS 2

static struct bucket bucket;
static struct sched scheds[SCHEDS];
static uint64_t now;

struct waiter {
	struct pool_ticket ticket;
	unsigned served; /* when, in the order of all */
};

static struct waiter waiters[WAITERS];
static unsigned served;

static void granted(struct pool_ticket *ticket)
{
	CONTAINER(ticket, struct waiter, ticket)->served = ++served;
}

static void begin(uint32_t size, uint64_t rate)
{
	now = 1000 * SECOND + 1;
	served = 0;
	memset(waiters, 0, sizeof(waiters));
	for (unsigned i = 0; i < WAITERS; i++)
		waiters[i].ticket.granted = granted;
	for (unsigned i = 0; i < SCHEDS; i++)
		sched_init(&scheds[i], now, NULL, NULL);
	ck_assert_int_eq(bucket_init(&bucket, "tokens", size, rate, now), 0);
}

/* Takes them, and uses them up. */
static uint32_t take(uint32_t need, uint32_t want)
{
	uint32_t units;

	bucket_fill(&bucket, now);
	units = pool_take(&bucket.pool, need, want);
	pool_spend(&bucket.pool, units);
	return units;
}

static uint32_t collect(unsigned i)
{
	uint32_t units = pool_collect(&waiters[i].ticket);

	pool_spend(&bucket.pool, units);
	return units;
}

/* Lets time pass as a driver would: to each deadline, not further than `end`. */
static void pass(uint64_t time)
{
	uint64_t end = now + time;

	for (unsigned rounds = 0; rounds < 100000; rounds++) {
		uint64_t at = end;

		for (unsigned i = 0; i < SCHEDS; i++)
			at = sched_deadline(&scheds[i]) < at ? sched_deadline(&scheds[i]) : at;
		now = at > now ? at : now;
		for (unsigned i = 0; i < SCHEDS; i++)
			sched_run(&scheds[i], now);
		if (now == end)
			return;
	}
	ck_abort_msg("the timer never rests");
}

static void wait_for(unsigned i, uint32_t units, unsigned sched)
{
	pool_wait(&bucket.pool, &waiters[i].ticket, units, units);
	bucket_watch(&bucket, &scheds[sched], now);
}

static unsigned timers(void)
{
	unsigned set = 0;

	for (unsigned i = 0; i < SCHEDS; i++)
		set += sched_deadline(&scheds[i]) != WEIR_NEVER;
	return set;
}

static const struct {
	uint32_t size;
	uint64_t rate;
	uint64_t pause; /* ns between two who take, at most: shorter than it takes to fill up */
} rates[] = {
	{10, 1, 3 * SECOND},
	{65536, 100 * 1000, 100 * MS},
	{1000, 999983, MS},
	{100 << 20, UINT64_C(1000) * 1000 * 1000, MS},
	{INT32_MAX, BUCKET_RATE_MAX, MS / 10},
	{INT32_MAX, 1, HOUR},
};

/* However odd the times at which units are taken: never more than were there and came in, and in the long run no less. */
START_TEST(the_rate_is_exact)
{
	uint64_t rate = rates[_i].rate;
	uint64_t taken = 0;
	uint64_t start;

	draw_seed((unsigned)_i);
	begin(rates[_i].size, rate);
	start = now;
	taken += take(1, UINT32_MAX >> 1);
	ck_assert_uint_eq(taken, rates[_i].size);
	for (unsigned n = 0; n < 20000; n++) {
		unsigned __int128 came;

		now += draw(rates[_i].pause);
		taken += take(1, UINT32_MAX >> 1);
		came = (unsigned __int128)(now - start) * rate / SECOND;
		MUST(taken - rates[_i].size <= came, "%llu units in %llu ns", (unsigned long long)taken,
			(unsigned long long)(now - start));
		MUST(taken - rates[_i].size + taken / 1000 + 1 >= came, "only %llu units in %llu ns",
			(unsigned long long)taken, (unsigned long long)(now - start));
	}
	bucket_destroy(&bucket);
}
END_TEST

START_TEST(it_is_never_more_than_full)
{
	begin(1000, 1000);
	pass(HOUR);
	ck_assert_uint_eq(take(1, 5000), 1000);
	pass(HOUR);
	ck_assert_uint_eq(take(1, 5000), 1000);
	bucket_destroy(&bucket);
}
END_TEST

/* What somebody has and has not used yet leaves no room for more: else he could use it beside a full bucket. */
START_TEST(what_is_out_counts_as_if_it_were_in)
{
	begin(1000, 1000);
	ck_assert_uint_eq(pool_take(&bucket.pool, 1, 600), 600);
	pass(HOUR);
	ck_assert_uint_eq(take(1, 5000), 400);
	pass(100 * MS);
	ck_assert_uint_eq(take(1, 5000), 100);
	pool_put(&bucket.pool, 200);
	pool_spend(&bucket.pool, 400);
	pass(HOUR);
	ck_assert_uint_eq(take(1, 5000), 1000);
	bucket_destroy(&bucket);
}
END_TEST

START_TEST(what_waits_is_served_in_order_by_one_timer)
{
	begin(1000, 1000);
	ck_assert_uint_eq(take(1000, 1000), 1000);
	ck_assert_uint_eq(timers(), 0);
	for (unsigned i = 0; i < WAITERS; i++)
		wait_for(i, i == 0 ? 500 : 100, i % SCHEDS);
	ck_assert_uint_eq(timers(), 1);
	pass(499 * MS);
	ck_assert_uint_eq(served, 0); /* the small ones do not overtake */
	pass(2 * MS);
	ck_assert_uint_eq(waiters[0].served, 1);
	pass(400 * MS);
	for (unsigned i = 0; i < WAITERS; i++) {
		ck_assert_uint_eq(waiters[i].served, i + 1);
		ck_assert_uint_gt(collect(i), 0);
	}
	ck_assert_uint_eq(timers(), 0);
	ck_assert(!atomic_load(&bucket.watched));
	bucket_destroy(&bucket);
}
END_TEST

/* Whoever came first watches for all; when nobody waits any more, the next may come from anywhere. */
START_TEST(the_watch_passes_on)
{
	begin(100, 1000);
	ck_assert_uint_eq(take(100, 100), 100);
	wait_for(0, 50, 0);
	ck_assert_uint_ne(sched_deadline(&scheds[0]), WEIR_NEVER);
	pass(60 * MS);
	ck_assert_uint_eq(collect(0), 50);
	wait_for(1, 100, 1);
	ck_assert_uint_eq(sched_deadline(&scheds[0]), WEIR_NEVER);
	ck_assert_uint_ne(sched_deadline(&scheds[1]), WEIR_NEVER);
	ck_assert(!bucket_rests(&bucket, now));
	ck_assert(pool_leave(&waiters[1].ticket));
	bucket_unwatch(&bucket);
	ck_assert_uint_eq(timers(), 0);
	ck_assert(!bucket_rests(&bucket, now));
	pass(SECOND);
	ck_assert(bucket_rests(&bucket, now));
	bucket_destroy(&bucket);
}
END_TEST

/* The head has gone while the timer was set for it. */
START_TEST(who_leaves_does_not_hold_up_the_next)
{
	begin(100, 1000);
	ck_assert_uint_eq(take(100, 100), 100);
	wait_for(0, 100, 0);
	wait_for(1, 10, 0);
	pass(20 * MS);
	ck_assert(pool_leave(&waiters[0].ticket));
	pass(MS);
	ck_assert_uint_eq(waiters[1].served, 0); /* lazily: nothing was filled in since */
	pass(100 * MS);
	ck_assert_uint_eq(waiters[1].served, 1);
	ck_assert_uint_eq(collect(1), 10);
	bucket_destroy(&bucket);
}
END_TEST

/* Years ahead, were it not for the next; and a timer without anybody who waits would keep its thread from ending. */
START_TEST(a_head_that_leaves_takes_its_time_along)
{
	begin(INT32_MAX, 1);
	ck_assert_uint_eq(take(1, INT32_MAX), INT32_MAX);
	wait_for(0, INT32_MAX, 0);
	wait_for(1, 2, 1);
	ck_assert(pool_leave(&waiters[0].ticket));
	pass(4 * SECOND);
	ck_assert_uint_eq(waiters[1].served, 1);
	ck_assert_uint_eq(collect(1), 2);
	wait_for(2, INT32_MAX, 1);
	ck_assert(pool_leave(&waiters[2].ticket));
	pass(2 * SECOND);
	ck_assert_uint_eq(timers(), 0);
	bucket_destroy(&bucket);
}
END_TEST

/* ---- threads --------------------------------------------------------------------------------------------------------- */

#define THREADS 4
#define GRANTS 200

struct worker {
	pthread_t thread;
	struct sched sched;
	struct pool_ticket ticket;
	struct mail mail;
	unsigned grants;
};

static void post_grant(struct pool_ticket *ticket)
{
	struct worker *worker = CONTAINER(ticket, struct worker, ticket);

	sched_post(&worker->sched, &worker->mail);
}

static void deliver_grant(struct mail *mail, uint64_t at)
{
	struct worker *worker = CONTAINER(mail, struct worker, mail);

	(void)at;
	pool_spend(&bucket.pool, pool_collect(&worker->ticket));
	worker->grants++;
}

/* Until it is served so often; its sched goes on as long as a timer may be set on it. */
static void *work(void *argument)
{
	struct worker *worker = argument;

	while (worker->grants < GRANTS || sched_deadline(&worker->sched) != WEIR_NEVER) {
		uint64_t at = clock_now();

		sched_run(&worker->sched, at);
		if (worker->grants == GRANTS || worker->ticket.pool != NULL)
			continue;
		pool_wait(&bucket.pool, &worker->ticket, 1 + worker->grants % 7, 1 + worker->grants % 7);
		bucket_watch(&bucket, &worker->sched, at);
	}
	return NULL;
}

START_TEST(threads_share_one_bucket)
{
	static struct worker workers[THREADS];

	ck_assert_int_eq(bucket_init(&bucket, "tokens", 100, 20000, clock_now()), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		sched_init(&workers[i].sched, clock_now(), NULL, NULL);
		workers[i].ticket.granted = post_grant;
		workers[i].mail.deliver = deliver_grant;
	}
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	ck_assert_uint_eq(pool_waiters(&bucket.pool), 0);
	ck_assert(!atomic_load(&bucket.watched));
	bucket_destroy(&bucket);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bucket");
	TCase *tcase = tcase_create("bucket");

	tcase_add_loop_test(tcase, the_rate_is_exact, 0, sizeof(rates) / sizeof(rates[0]));
	tcase_add_test(tcase, it_is_never_more_than_full);
	tcase_add_test(tcase, what_is_out_counts_as_if_it_were_in);
	tcase_add_test(tcase, what_waits_is_served_in_order_by_one_timer);
	tcase_add_test(tcase, the_watch_passes_on);
	tcase_add_test(tcase, who_leaves_does_not_hold_up_the_next);
	tcase_add_test(tcase, a_head_that_leaves_takes_its_time_along);
	tcase_add_test(tcase, threads_share_one_bucket);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
