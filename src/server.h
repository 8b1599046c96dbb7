/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server - everything that runs: the workers, the listeners, the global limits, the signals.
 *
 * Order of life: pools and policies, then every listening socket (all errors are told in one run), then privileges are
 * dropped, then threads. The main thread waits for signals and for the workers' end, and does nothing else.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "listener.h"
#include "pool.h"
#include "worker.h"

struct server {
	const struct config *config;
	struct pool memory;   /* pages of 4 KiB that are nobody's own */
	struct pool sessions; /* max_sessions */
	struct listener *listeners;
	size_t listener_count;
	struct worker *workers;
	unsigned worker_count;
	int event_fd;                   /* the workers' way to wake the main thread */
	_Atomic uint64_t complained_at; /* ns: when a lack of resources was logged last */
	_Atomic unsigned ended;         /* workers whose loop has ended */
	_Atomic unsigned status_left;   /* workers that have not answered */
	_Atomic uint32_t status_told;
};

/* Runs until a signal ends it. The exit status: 0, or 1 when it could not start. `file` is for messages. */
int server_run(const struct config *config, const char *file);

/* Whether a lack of resources may be logged now: for all workers together, once a second. */
bool server_may_complain(struct server *server, uint64_t now);

/* Called by workers. */
void server_worker_ended(struct server *server);
void server_status_done(struct server *server, uint32_t told);

#endif
