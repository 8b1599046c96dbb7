/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched - one round: mail, timers, then a turn for each task that was waiting; who queues again waits for the next.
 */
#include "sched.h"

#include <stddef.h>

#include "container.h"

#define NEVER UINT64_MAX

/* The one whose round this thread is in: it looks into its mailbox before it rests, and need not be woken. */
static _Thread_local const struct sched *running;

static uint64_t tick_of(uint64_t at)
{
	return at / SCHED_TICK + (at % SCHED_TICK != 0);
}

void sched_init(struct sched *sched, uint64_t now, void (*wake)(void *), void *wake_argument)
{
	TAILQ_INIT(&sched->queue);
	sched->round = 0;
	wheel_init(&sched->wheel, now / SCHED_TICK);
	atomic_init(&sched->mailbox, NULL);
	sched->wake = wake;
	sched->wake_argument = wake_argument;
}

void sched_enqueue(struct sched *sched, struct task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->round = sched->round;
	TAILQ_INSERT_TAIL(&sched->queue, task, link);
}

void sched_dequeue(struct sched *sched, struct task *task)
{
	if (!task->queued)
		return;
	task->queued = false;
	TAILQ_REMOVE(&sched->queue, task, link);
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer, uint64_t now))
{
	timer->wheel.set = false;
	timer->fire = fire;
	timer->at = NEVER;
}

void sched_timer_set(struct sched *sched, struct timer *timer, uint64_t at)
{
	if (at == NEVER) {
		sched_timer_clear(sched, timer);
		return;
	}
	if (timer->wheel.set && timer->at == at)
		return;
	timer->at = at;
	wheel_set(&sched->wheel, &timer->wheel, tick_of(at));
}

void sched_timer_clear(struct sched *sched, struct timer *timer)
{
	timer->at = NEVER;
	wheel_clear(&sched->wheel, &timer->wheel);
}

void sched_poke(struct sched *sched)
{
	if (sched->wake != NULL)
		sched->wake(sched->wake_argument);
}

void sched_post(struct sched *sched, struct mail *mail)
{
	struct mail *first = atomic_load_explicit(&sched->mailbox, memory_order_relaxed);

	do {
		mail->next = first;
	} while (!atomic_compare_exchange_weak_explicit(&sched->mailbox, &first, mail, memory_order_release,
		memory_order_relaxed));
	if (first == NULL && sched != running)
		sched_poke(sched);
}

static struct mail *reverse(struct mail *mail)
{
	struct mail *first = NULL;

	while (mail != NULL) {
		struct mail *next = mail->next;

		mail->next = first;
		first = mail;
		mail = next;
	}
	return first;
}

static void deliver_mail(struct sched *sched, uint64_t now)
{
	struct mail *mail;

	if (atomic_load_explicit(&sched->mailbox, memory_order_relaxed) == NULL)
		return;
	mail = reverse(atomic_exchange_explicit(&sched->mailbox, NULL, memory_order_acquire));
	while (mail != NULL) {
		struct mail *next = mail->next; /* before delivery: the mail may be posted again, or freed, by it */

		mail->deliver(mail, now);
		mail = next;
	}
}

static void fire_timers(struct sched *sched, uint64_t now)
{
	struct wheel_timer *wheel;

	while ((wheel = wheel_expire(&sched->wheel, now / SCHED_TICK)) != NULL) {
		struct timer *timer = CONTAINER(wheel, struct timer, wheel);

		timer->at = NEVER;
		timer->fire(timer, now);
	}
}

void sched_run(struct sched *sched, uint64_t now)
{
	struct task *task;

	running = sched;
	deliver_mail(sched, now);
	fire_timers(sched, now);
	sched->round++;
	while ((task = TAILQ_FIRST(&sched->queue)) != NULL && task->round != sched->round) {
		sched_dequeue(sched, task);
		task->run(task, now);
	}
	running = NULL;
}

bool sched_busy(const struct sched *sched)
{
	return !TAILQ_EMPTY(&sched->queue) || atomic_load_explicit(&sched->mailbox, memory_order_relaxed) != NULL;
}

uint64_t sched_deadline(const struct sched *sched)
{
	uint64_t tick = wheel_next(&sched->wheel);

	return tick == UINT64_MAX ? NEVER : tick * SCHED_TICK;
}
