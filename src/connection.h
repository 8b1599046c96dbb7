/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection - a session over real sockets, in a slot of its worker.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "arrival.h"
#include "dial.h"
#include "endpoint_socket.h"
#include "listener.h"
#include "session.h"
#include "site.h"

struct connection {
	struct session session;
	struct passage *passage; /* NULL: its client is taken as it comes */
	struct dial *dial;       /* while connecting */
	struct endpoint_socket client;
	struct endpoint_socket server; /* fd -1 until it is dialled; or at rest since the last session, see rest.h */
};

/* Prepares a slot; see slab.h. */
void connection_slot_init(void *slot, uint32_t number, void *site);

/*
 * Begins to serve an accepted client, taking the descriptor and the units it was admitted with over in any case: when
 * it fails, the client is reset and a line is logged.
 */
void connection_open(struct site *site, struct listener *listener, int fd, const struct address *peer, uint64_t now);

/* From now on no slot is kept for the next client. */
void connection_rest_no_more(struct site *site);

/* Ends every session there is, and every one that begins from now on. */
void connection_stop_all(struct site *site, uint64_t now);

/* Logs where the sessions in up to `count` slots stand, from slot *next on. False: that was the last. *told grows by
   what was logged. */
bool connection_status(const struct site *site, uint32_t *next, uint32_t count, uint32_t *told, uint64_t now);

#endif
