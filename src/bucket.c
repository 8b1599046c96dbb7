/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket - lazy filling, and the timer.
 */
#include "bucket.h"

#include "container.h"
#include "least.h"

#define SECOND UINT64_C(1000000000)
#define LOOK SECOND /* ns: the timer is never set further ahead */

static void fire(struct timer *timer, uint64_t now);

int bucket_init(struct bucket *bucket, const char *name, uint32_t size, uint64_t rate, uint64_t now)
{
	if (pool_init(&bucket->pool, name, size) != 0)
		return -1;
	bucket->pool.capped = true;
	bucket->rate = rate;
	atomic_init(&bucket->filled_at, now);
	atomic_init(&bucket->watched, false);
	timer_init(&bucket->timer, fire);
	bucket->sched = NULL;
	return 0;
}

void bucket_destroy(struct bucket *bucket)
{
	/* who saw that it is watched no more may still be leaving the lock */
	pthread_mutex_lock(&bucket->pool.lock);
	pthread_mutex_unlock(&bucket->pool.lock);
	pool_destroy(&bucket->pool);
}

/* ns in which so many units come in, rounded up. units <= 2^31, so nothing overflows. */
static uint64_t time_for(const struct bucket *bucket, uint64_t units)
{
	return (units * SECOND + bucket->rate - 1) / bucket->rate;
}

/* Time is counted off unit by unit, so what is too short for one is not lost; and once, whoever counts it. */
void bucket_fill(struct bucket *bucket, uint64_t now)
{
	uint64_t from = atomic_load_explicit(&bucket->filled_at, memory_order_relaxed);
	uint64_t units;
	uint64_t to;

	do {
		if (now <= from)
			return;
		if (now - from >= time_for(bucket, bucket->pool.size)) {
			units = bucket->pool.size;
			to = now;
		} else {
			units = (now - from) * bucket->rate / SECOND;
			to = from + time_for(bucket, units);
		}
		if (units == 0)
			return;
	} while (!atomic_compare_exchange_weak_explicit(&bucket->filled_at, &from, to, memory_order_relaxed,
		memory_order_relaxed));
	pool_fill(&bucket->pool, (uint32_t)units);
}

/* ---- the timer ------------------------------------------------------------------------------------------------------- */

/*
 * For when the head of the queue can be served, but no further ahead than LOOK: it may leave, and then the next, who waits
 * for less, must not wait for the time of the first; nor may the sched of a thread that wants to end.
 */
static void set_timer(struct bucket *bucket, uint64_t now)
{
	uint64_t filled_at = atomic_load_explicit(&bucket->filled_at, memory_order_relaxed);
	uint64_t at = filled_at + time_for(bucket, pool_missing(&bucket->pool));

	sched_timer_set(bucket->sched, &bucket->timer, least(at, now + LOOK));
}

/*
 * Under the lock: who queues before that is seen here, and who queues later finds that nobody watches. From then on the
 * bucket may be gone.
 */
static bool end_watch(struct bucket *bucket)
{
	bool idle;

	pthread_mutex_lock(&bucket->pool.lock);
	idle = TAILQ_EMPTY(&bucket->pool.queue);
	if (idle)
		atomic_store_explicit(&bucket->watched, false, memory_order_release);
	pthread_mutex_unlock(&bucket->pool.lock);
	return idle;
}

static void fire(struct timer *timer, uint64_t now)
{
	struct bucket *bucket = CONTAINER(timer, struct bucket, timer);

	bucket_fill(bucket, now);
	if (!end_watch(bucket))
		set_timer(bucket, now);
}

void bucket_watch(struct bucket *bucket, struct sched *sched, uint64_t now)
{
	bucket_fill(bucket, now);
	if (atomic_exchange_explicit(&bucket->watched, true, memory_order_acq_rel))
		return;
	bucket->sched = sched;
	set_timer(bucket, now);
}

void bucket_unwatch(struct bucket *bucket)
{
	if (atomic_exchange_explicit(&bucket->watched, false, memory_order_acq_rel))
		sched_timer_clear(bucket->sched, &bucket->timer);
}

bool bucket_rests(struct bucket *bucket, uint64_t now)
{
	if (atomic_load_explicit(&bucket->watched, memory_order_acquire))
		return false;
	bucket_fill(bucket, now);
	return pool_free(&bucket->pool) == (int32_t)bucket->pool.size;
}
