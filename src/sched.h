/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched - what a worker has to do: a run queue, a timer wheel, and a mailbox that other threads write to.
 *
 * It owns no descriptor and reads no clock: who drives it (a worker's event loop, a test in virtual time) says what
 * time it is. Only the driver's thread calls anything but sched_post().
 */
#ifndef SCHED_H
#define SCHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "wheel.h"

#define SCHED_TICK UINT64_C(1000000) /* ns; deadlines are rounded up to it */

struct sched;

/* Something that gets a turn. Embedded in its owner. */
struct task {
	TAILQ_ENTRY(task) link;
	void (*run)(struct task *task, uint64_t now);
	uint32_t round; /* in which it was queued */
	bool queued;
};

/* A deadline. Embedded in its owner; `fire` is called once, with the timer cleared. */
struct timer {
	struct wheel_timer wheel;
	void (*fire)(struct timer *timer, uint64_t now);
	uint64_t at; /* ns; WEIR_NEVER (UINT64_MAX) while not set */
};

/* A message from any thread. Embedded in its sender's or receiver's memory, and in one mailbox at a time. */
struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail, uint64_t now);
};

struct sched {
	TAILQ_HEAD(task_queue, task) queue;
	uint32_t round; /* tasks queued in it have their turn in the next one */
	struct wheel wheel;
	_Atomic(struct mail *) mailbox; /* newest first */
	void (*wake)(
		void *argument); /* called by sched_post() when the mailbox was empty, but not within this sched_run(); any thread */
	void *wake_argument;
};

void sched_init(struct sched *sched, uint64_t now, void (*wake)(void *), void *wake_argument);

/* Gives the task a turn, once, behind all that wait already. */
void sched_enqueue(struct sched *sched, struct task *task);
void sched_dequeue(struct sched *sched, struct task *task); /* one that is not queued is fine */

void timer_init(struct timer *timer, void (*fire)(struct timer *timer, uint64_t now));
void sched_timer_set(struct sched *sched, struct timer *timer, uint64_t at); /* WEIR_NEVER clears */
void sched_timer_clear(struct sched *sched, struct timer *timer);

/* Any thread. The mail is the sched's until it is delivered, on the sched's thread, in the order of posting. */
void sched_post(struct sched *sched, struct mail *mail);

/* Any thread. Wakes the driver as if there were mail. */
void sched_poke(struct sched *sched);

/* Delivers the mail, fires what is due, and gives one turn to every task that is queued then. */
void sched_run(struct sched *sched, uint64_t now);

bool sched_busy(const struct sched *sched);         /* somebody waits for a turn, or mail is there */
uint64_t sched_deadline(const struct sched *sched); /* ns at which to call sched_run() at the latest, or WEIR_NEVER */

#endif
