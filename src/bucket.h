/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket - a pool whose units come back with time: a token bucket, and the one timer that serves its queue.
 *
 *     rate -> [ free units, at most size ] -> take -> used up, or put back
 *
 * Filling is lazy: whoever is about to take first adds what came in since the last time, so an idle bucket costs nothing.
 * Only while somebody waits there is a timer, set for when the head of the queue can be served, and a second ahead at most.
 * It runs on the worker of the first who came to wait, and stays there until nobody does.
 *
 * Any thread, where nothing else is said.
 */
#ifndef BUCKET_H
#define BUCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pool.h"
#include "sched.h"

#define BUCKET_RATE_MAX (UINT64_C(1) << 40) /* units per second */

struct bucket {
	struct pool pool;           /* capped */
	uint64_t rate;              /* units per second, 1 .. BUCKET_RATE_MAX */
	_Atomic uint64_t filled_at; /* ns: units that came in until then are in the pool */
	atomic_bool watched;        /* the timer is set */
	struct timer timer;         /* of sched; touched on its thread only, while watched */
	struct sched *sched;
};

/* Full. 0, or -1 with errno. */
int bucket_init(struct bucket *bucket, const char *name, uint32_t size, uint64_t rate, uint64_t now)
	__attribute__((warn_unused_result));

/* Nobody may wait, and the timer may not be set any more, unless its sched is dead. */
void bucket_destroy(struct bucket *bucket);

/* Adds what came in until now, and serves the queue with it. Before every take. */
void bucket_fill(struct bucket *bucket, uint64_t now);

/* Somebody has queued: sees to it that he is served. On the thread of `sched`, which lives as long as the bucket. */
void bucket_watch(struct bucket *bucket, struct sched *sched, uint64_t now);

/* Ends that, for a bucket that only this thread's flows use. */
void bucket_unwatch(struct bucket *bucket);

/* Whether it is full again, and no timer set: forgetting it changes nothing. */
bool bucket_rests(struct bucket *bucket, uint64_t now);

#endif
