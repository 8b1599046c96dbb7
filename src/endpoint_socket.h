/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint_socket - an endpoint that is a TCP or unix stream socket, watched by a worker's event base.
 *
 * It is registered once, edge-triggered for everything: two epoll_ctl in a socket's life. The callback only sets the
 * endpoint's bits and passes the word on.
 */
#ifndef ENDPOINT_SOCKET_H
#define ENDPOINT_SOCKET_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "address.h"
#include "endpoint.h"

struct endpoint_socket {
	struct endpoint endpoint;
	struct event event;
	void (*notify)(void *argument); /* after every event; may be changed at any time */
	void *argument;
	union address_brief peer; /* unix clients have no path, and upstreams keep theirs */
	int fd;                   /* -1: none */
};

/* Takes the descriptor over and begins to watch it. -1 when it cannot be watched; the descriptor is closed then. */
int endpoint_socket_open(struct endpoint_socket *socket, int fd, const struct address *peer, struct event_base *base,
	void (*notify)(void *argument), void *argument) __attribute__((warn_unused_result));

#endif
