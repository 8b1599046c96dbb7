/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection - the session's owner: sockets, dialling, admission units, the slot.
 */
#include "connection.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "log.h"
#include "report.h"
#include "rest.h"

static struct connection *connection_of(struct session *session)
{
	return CONTAINER(session, struct connection, session);
}

static struct site *site_of(const struct connection *connection)
{
	return CONTAINER(connection->session.owner.context, struct site, context);
}

void connection_slot_init(void *slot, uint32_t number, void *site)
{
	struct connection *connection = slot;

	memset(connection, 0, sizeof(*connection));
	connection->server.fd = -1;
	session_slot_init(&connection->session, &((struct site *)site)->context, number);
}

static void on_event(void *argument)
{
	session_ready(argument);
}

/* ---- what the session asks of its owner ----------------------------------------------------------------------------- */

static struct report report_of(const struct connection *connection)
{
	return (struct report){&connection->session, &connection->client, &connection->server,
		connection->listener->target.upstream};
}

/* The units it was admitted with. */
static void give_back(struct site *site, struct listener *listener)
{
	if (listener->limited)
		pool_put(&listener->sessions, 1);
	pool_put(&site->commons->sessions, 1);
}

static void dialled(void *argument, const struct dial_outcome *outcome, uint64_t now)
{
	struct connection *connection = argument;
	struct report report = report_of(connection);

	connection->dial = NULL;
	if (outcome->reason == CLOSE_NONE) {
		connection->server.notify = on_event;
		connection->server.argument = &connection->session;
		session_connected(&connection->session, &connection->server.endpoint, now);
		report_connected(&report);
		session_turn(&connection->session, now);
		return;
	}
	if (outcome->reason != CLOSE_NO_DESCRIPTORS || commons_may_complain(site_of(connection)->commons, now))
		report_failure(&report, outcome);
	session_failed(&connection->session, outcome->reason, now);
}

static void dial(struct session *session, uint64_t now)
{
	struct connection *connection = connection_of(session);

	connection->dial = dial_start(&site_of(connection)->dials, &connection->listener->target, &connection->server,
		now, dialled, connection);
}

static void hang_up(struct session *session)
{
	struct connection *connection = connection_of(session);

	dial_cancel(connection->dial);
	connection->dial = NULL;
}

static void part(struct session *session)
{
	struct connection *connection = connection_of(session);

	if (session->up.written <= REST_BYTES && session->down.read <= REST_BYTES)
		(void)!rest_begin(&connection->server);
}

static void closed(struct session *session, uint64_t now)
{
	struct connection *connection = connection_of(session);
	struct report report = report_of(connection);

	report_access(&report, now);
	give_back(site_of(connection), connection->listener);
}

/* Gives the slot back, without the server's socket. */
static void free_slot(void *item)
{
	struct connection *connection = item;

	rest_close(&connection->server);
	slab_put(&site_of(connection)->connections, connection->session.owner.ref.slot);
	if (--site_of(connection)->session_count == 0)
		dial_forget(&site_of(connection)->dials);
}

/* The next client of this listener finds the slot with the server's socket in it, if that can connect again. */
static void release(struct session *session)
{
	struct connection *connection = connection_of(session);
	struct site *site = site_of(connection);

	if (site->closing || !rest_lasts(&connection->server) ||
		!stock_put(&site->dials.stock, &site->sched, free_slot, connection->listener, connection, site->now))
		free_slot(connection);
}

static const struct session_ops connection_ops = {
	.dial = dial,
	.hang_up = hang_up,
	.part = part,
	.closed = closed,
	.release = release,
};

/* ---- birth --------------------------------------------------------------------------------------------------------- */

/* 0, or -1 when memory is short; the descriptor is closed then. */
static int open_session(struct connection *connection, int fd, const struct address *peer, uint64_t now)
{
	connection->dial = NULL;
	if (endpoint_socket_open(&connection->client, fd, peer, site_of(connection)->events, on_event,
		    &connection->session) != 0)
		return -1;
	if (session_open(&connection->session, &connection->listener->profile, &connection_ops,
		    &connection->client.endpoint, peer, now) != 0) {
		endpoint_close(&connection->client.endpoint, true);
		return -1;
	}
	if (connection->dial == NULL) /* memory was short, unless the session is closed already */
		session_failed(&connection->session, CLOSE_NO_MEMORY, now);
	return 0;
}

/* One that this listener used last, or any; NULL when memory is short. */
static struct connection *take_slot(struct site *site, struct listener *listener)
{
	struct connection *connection = stock_take(&site->dials.stock, listener);
	uint32_t slot;

	if (connection != NULL)
		return connection;
	connection = slab_take(&site->connections, &slot);
	if (connection == NULL)
		return NULL;
	site->session_count++;
	connection->listener = listener;
	return connection;
}

/* NULL when memory is short; the descriptor is closed then. */
static struct connection *make(struct site *site, struct listener *listener, int fd, const struct address *peer,
	uint64_t now)
{
	struct connection *connection = take_slot(site, listener);

	if (connection == NULL) {
		close(fd);
		return NULL;
	}
	if (open_session(connection, fd, peer, now) == 0)
		return connection;
	free_slot(connection);
	return NULL;
}

void connection_open(struct site *site, struct listener *listener, int fd, const struct address *peer, uint64_t now)
{
	struct connection *connection = make(site, listener, fd, peer, now);

	if (connection == NULL) {
		give_back(site, listener);
		stack_put_floors(&listener->stack);
		if (commons_may_complain(site->commons, now))
			log_warning("listener %s: no memory for a session; its client was reset",
				listener->config->name);
		return;
	}
	if (site->stopping)
		session_close(&connection->session, CLOSE_SHUTDOWN, now);
}

void connection_rest_no_more(struct site *site)
{
	site->closing = true;
	(void)!stock_clear(&site->dials.stock);
}

/* ---- all of them --------------------------------------------------------------------------------------------------- */

void connection_stop_all(struct site *site, uint64_t now)
{
	site->stopping = true;
	for (uint32_t slot = 0; slot < slab_end(&site->connections); slot++) {
		struct connection *connection = slab_at(&site->connections, slot);

		session_close(&connection->session, CLOSE_SHUTDOWN, now);
	}
}

bool connection_status(const struct site *site, uint32_t *next, uint32_t count, uint32_t *told, uint64_t now)
{
	for (; count > 0 && *next < slab_end(&site->connections); count--) {
		const struct connection *connection = slab_at(&site->connections, (*next)++);
		struct report report;

		if (connection->session.state == SESSION_FREE || connection->session.state == SESSION_CLOSED)
			continue;
		report = report_of(connection);
		report_status(&report, now);
		(*told)++;
	}
	return *next < slab_end(&site->connections);
}
