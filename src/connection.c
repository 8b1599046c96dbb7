/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection - the session's owner: sockets, dialling, admission units, the slot.
 */
#include "connection.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "acceptor.h"
#include "log.h"
#include "report.h"
#include "server.h"
#include "worker.h"

struct connection *connection_of(struct session *session)
{
	return (struct connection *)((char *)session - offsetof(struct connection, session));
}

void connection_slot_init(void *slot, uint32_t number, void *worker)
{
	struct connection *connection = slot;

	memset(connection, 0, sizeof(*connection));
	connection->worker = worker;
	session_slot_init(&connection->session, &connection->worker->context, number);
}

static void on_event(void *argument)
{
	session_ready(argument);
}

/* ---- what the session asks of its owner ----------------------------------------------------------------------------- */

static void dialled(void *argument, const struct dial_outcome *outcome, uint64_t now)
{
	struct connection *connection = argument;

	connection->dial = NULL;
	if (outcome->reason == CLOSE_NONE) {
		connection->server.notify = on_event;
		connection->server.argument = &connection->session;
		session_connected(&connection->session, &connection->server.endpoint, now);
		report_connected(connection);
		return;
	}
	if (outcome->reason != CLOSE_NO_DESCRIPTORS || server_may_complain(connection->worker->server, now))
		report_failure(connection, outcome);
	session_failed(&connection->session, outcome->reason, now);
}

static void dial(struct session *session, uint64_t now)
{
	struct connection *connection = connection_of(session);

	connection->dial = dial_start(&connection->worker->dials, &connection->listener->target, &connection->server,
		now, dialled, connection);
}

static void hang_up(struct session *session)
{
	struct connection *connection = connection_of(session);

	dial_cancel(connection->dial);
	connection->dial = NULL;
}

static void closed(struct session *session, uint64_t now)
{
	struct connection *connection = connection_of(session);

	report_access(connection, now);
	acceptor_return(connection->worker, connection->listener);
}

static void release(struct session *session)
{
	struct connection *connection = connection_of(session);

	connection->worker->session_count--;
	slab_put(&connection->worker->connections, session->id.slot);
}

static const struct session_ops connection_ops = {
	.dial = dial,
	.hang_up = hang_up,
	.closed = closed,
	.release = release,
};

/* ---- birth --------------------------------------------------------------------------------------------------------- */

/* 0, or -1 when memory is short; the descriptor is closed then. */
static int open_session(struct connection *connection, int fd, const struct address *peer, uint64_t now)
{
	connection->dial = NULL;
	connection->server.fd = -1;
	connection->server.endpoint.open = false;
	connection->server.peer.sa.sa_family = AF_UNSPEC;
	if (endpoint_socket_open(&connection->client, fd, peer, connection->worker->events, on_event,
		    &connection->session) != 0)
		return -1;
	if (session_open(&connection->session, &connection->listener->profile, &connection_ops,
		    &connection->client.endpoint, now) != 0) {
		endpoint_close(&connection->client.endpoint, true);
		return -1;
	}
	if (connection->dial == NULL) /* memory was short, unless the session is closed already */
		session_failed(&connection->session, CLOSE_NO_MEMORY, now);
	return 0;
}

/* NULL when memory is short; the descriptor is closed then. */
static struct connection *make(struct worker *worker, struct listener *listener, int fd, const struct address *peer,
	uint64_t now)
{
	uint32_t slot;
	struct connection *connection = slab_take(&worker->connections, &slot);

	if (connection == NULL) {
		close(fd);
		return NULL;
	}
	connection->listener = listener;
	if (open_session(connection, fd, peer, now) == 0)
		return connection;
	slab_put(&worker->connections, slot);
	return NULL;
}

void connection_open(struct worker *worker, struct listener *listener, int fd, const struct address *peer, uint64_t now)
{
	struct connection *connection = make(worker, listener, fd, peer, now);

	if (connection == NULL) {
		acceptor_return(worker, listener);
		if (server_may_complain(worker->server, now))
			log_warning("listener %s: no memory for a session; its client was reset",
				listener->config->name);
		return;
	}
	worker->session_count++;
	if (worker->stopping)
		session_close(&connection->session, CLOSE_SHUTDOWN, now);
}
