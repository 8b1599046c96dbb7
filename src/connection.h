/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection - a session over real sockets, in a slot of its worker.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "dial.h"
#include "endpoint_socket.h"
#include "listener.h"
#include "session.h"

struct worker;

struct connection {
	struct session session;
	struct worker *worker;
	struct listener *listener;
	struct dial *dial; /* while connecting */
	struct endpoint_socket client;
	struct endpoint_socket server; /* fd -1 until it is dialled */
};

/* Prepares a slot; see slab.h. */
void connection_slot_init(void *slot, uint32_t number, void *worker);

/*
 * Begins to serve an accepted client, taking the descriptor and the units it was admitted with over in any case: when
 * it fails, the client is reset and a line is logged.
 */
void connection_open(struct worker *worker, struct listener *listener, int fd, const struct address *peer,
	uint64_t now);

struct connection *connection_of(struct session *session);

#endif
