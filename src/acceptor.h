/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acceptor - one listening socket on one worker: admits clients while limits and descriptors last.
 *
 * To accept, an acceptor needs what admission.h says. When something is short it stops listening for events and queues, so
 * the kernel's backlog waits, and whoever gives it back hands it over, across workers.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/types.h>

#include "admission.h"
#include "listener.h"
#include "sched.h"
#include "site.h"

struct acceptor {
	struct site *site;
	struct listener *listener;
	struct address address; /* bound */
	int fd;                 /* -1: closed */
	bool spreads; /* passes what it accepts on to all workers in turn: a unix socket has one acceptor only */
	unsigned next_site;
	dev_t path_device; /* of a unix socket's path: what to remove at the end, if it is still this one */
	ino_t path_inode;
	struct event event;
	struct task task;   /* accepts */
	struct timer timer; /* retry, when out of descriptors */
	struct admission admission;
	struct mail mail; /* brings the news of a grant */
};

/* Takes fd over. 0, or -1. Before the worker's thread runs. */
int acceptor_init(struct acceptor *acceptor, struct site *site, struct listener *listener, int fd,
	const struct address *address) __attribute__((warn_unused_result));

/* Accepts no more; the address is closed. On the worker's thread. */
void acceptor_close(struct acceptor *acceptor);

#endif
