/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - one thread: an event base around a sched, and the sessions that live and die here.
 */
#ifndef WORKER_H
#define WORKER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "acceptor.h"
#include "listener.h"
#include "sched.h"
#include "site.h"

struct worker;

/* What a worker has to tell, on its thread. */
struct worker_ops {
	void (*ended)(void *argument);                      /* its loop has ended */
	void (*status_done)(void *argument, uint32_t told); /* its status is told: so many sessions */
};

struct worker {
	struct site site;
	unsigned number;
	pthread_t thread;
	const struct worker_ops *ops;
	void *argument;
	struct acceptor *acceptors;
	size_t acceptor_count;
	bool draining;
	/* the loop's own */
	int wake_fd;
	struct event wake_event;
	struct event timer_event;
	int timer_fd;
	uint64_t timer_at; /* ns, when timer_event fires; WEIR_NEVER: it is not set */
	/* commands from the main thread: each is posted once */
	struct mail drain_mail;
	struct mail stop_mail;
	struct mail status_mail;
	struct task status_task;
	uint32_t status_slot; /* the next one to tell of */
	uint32_t status_told;
};

/* How workers are made. */
struct worker_setup {
	struct commons *commons;
	const struct worker_ops *ops;
	void *argument;       /* theirs */
	size_t acceptor_room; /* how many acceptors a worker may get */
	bool resolves;        /* some upstream has a name */
	uint32_t pipes;       /* how many a worker may have */
};

/* Makes all but the thread. 0, or -1 with errno; either way, worker_destroy() ends it. */
int worker_init(struct worker *worker, unsigned number, const struct worker_setup *setup)
	__attribute__((warn_unused_result));

/* Takes fd over. 0, or -1. Before worker_start(). */
int worker_add_acceptor(struct worker *worker, struct listener *listener, int fd, const struct address *address)
	__attribute__((warn_unused_result));

/* 0, or -1 with errno. */
int worker_start(struct worker *worker) __attribute__((warn_unused_result));
void worker_join(struct worker *worker);
void worker_destroy(struct worker *worker);

/* From the main thread; each at most once (status: again once it has been answered). */
void worker_drain(struct worker *worker);  /* accept no more, end when the last session has ended */
void worker_stop(struct worker *worker);   /* end all sessions now */
void worker_status(struct worker *worker); /* log a line for each session, a few a turn, then ops->status_done() */

#endif
