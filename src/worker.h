/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - one thread: an event base around a sched, and the sessions that live and die here.
 */
#ifndef WORKER_H
#define WORKER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "acceptor.h"
#include "context.h"
#include "dial.h"
#include "sched.h"
#include "slab.h"

struct server;

struct worker {
	unsigned number;
	struct server *server;
	pthread_t thread;
	struct event_base *events;
	struct sched sched;
	struct context context;
	struct dial_base dials;
	struct slab connections;
	uint32_t session_count; /* not yet released */
	struct acceptor *acceptors;
	size_t acceptor_count;
	uint64_t now; /* ns, at the begin of this round */
	bool draining;
	bool stopping;
	/* the loop's own */
	int wake_fd;
	struct event wake_event;
	struct event timer_event;
	uint64_t timer_at; /* ns, when timer_event fires; WEIR_NEVER: it is not set */
	/* commands from the main thread: each is posted once */
	struct mail drain_mail;
	struct mail stop_mail;
	struct mail status_mail;
	struct task status_task;
	uint32_t status_slot; /* the next one to tell of */
	uint32_t status_told;
};

/* Makes all but the thread. 0, or -1 with errno. acceptor_room: how many acceptors it may get. */
int worker_init(struct worker *worker, struct server *server, unsigned number, size_t acceptor_room, bool resolves)
	__attribute__((warn_unused_result));
int worker_add_acceptor(struct worker *worker, struct listener *listener, int fd, const struct address *address)
	__attribute__((warn_unused_result));

/* 0, or -1 with errno. */
int worker_start(struct worker *worker) __attribute__((warn_unused_result));
void worker_join(struct worker *worker);
void worker_destroy(struct worker *worker);

/* From the main thread; each at most once (status: again once it has been answered). */
void worker_drain(struct worker *worker);  /* accept no more, end when the last session has ended */
void worker_stop(struct worker *worker);   /* end all sessions now */
void worker_status(struct worker *worker); /* log a line for each session, a few a turn, then server_status_done() */

/* ns, monotonic */
uint64_t worker_clock(void);

#endif
