/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection - the session's owner: sockets, dialling, admission units, the slot.
 */
#include "connection.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "log.h"
#include "origin.h"
#include "report.h"
#include "rest.h"

static struct connection *connection_of(struct session *session)
{
	return CONTAINER(session, struct connection, session);
}

/* Its profile is its listener's, from when the slot is taken. */
static struct listener *listener_of(const struct connection *connection)
{
	return CONTAINER(connection->session.profile, struct listener, profile);
}

static struct arrival *arrival_of(const struct connection *connection)
{
	return connection->passage != NULL ? connection->passage->arrival : NULL;
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
		listener_of(connection)->target.upstream, connection->passage};
}

/* The units it was admitted with. */
static void give_back(struct site *site, struct listener *listener)
{
	if (listener->limited)
		pool_put(&listener->sessions, 1);
	pool_put(&site->commons->sessions, 1);
}

/* How its client came; nobody wants to know any more. */
static void forget_arrival(struct connection *connection)
{
	if (connection->passage == NULL)
		return;
	arrival_free(connection->passage->arrival);
	connection->passage->arrival = NULL;
}

/* And where it went. */
static void forget_passage(struct connection *connection)
{
	if (connection->passage == NULL)
		return;
	forget_arrival(connection);
	loops_forget(&site_of(connection)->commons->loops, &connection->passage->departure);
	free(connection->passage);
	connection->passage = NULL;
}

/* Whether the session is closed, because it is one of weir's own connections come back. */
static bool closes_loop(struct connection *connection, uint64_t now)
{
	struct arrival *arrival = arrival_of(connection);
	struct commons *commons = site_of(connection)->commons;

	if (arrival == NULL || !arrival_returns(arrival, &commons->loops))
		return false;
	if (commons_may_complain(commons, CLOSE_LOOP, now))
		arrival_complain(arrival);
	session_close(&connection->session, CLOSE_LOOP, now);
	return true;
}

/* What clients alone could bring about, or all of them meet at once, is told once a second; the access lines tell the rest. */
static bool is_worth_telling(const struct connection *connection, const struct dial_outcome *outcome, uint64_t now)
{
	bool common = outcome->reason == CLOSE_NO_DESCRIPTORS || outcome->reason == CLOSE_LOOP ||
		listener_of(connection)->config->upstream->original;

	return !common || commons_may_complain(site_of(connection)->commons, outcome->reason, now);
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
		if (closes_loop(connection, now))
			return;
		forget_arrival(connection);
		session_turn(&connection->session, now);
		return;
	}
	forget_arrival(connection);
	if (is_worth_telling(connection, outcome, now))
		report_failure(&report, outcome);
	session_failed(&connection->session, outcome->reason, now);
}

/* One that is refused does not dial. */
static void dial(struct session *session, uint64_t now)
{
	struct connection *connection = connection_of(session);
	struct arrival *arrival = arrival_of(connection);

	if (arrival == NULL || arrival->refused == CLOSE_NONE)
		connection->dial = dial_start(&site_of(connection)->dials, &listener_of(connection)->target,
			arrival != NULL ? &arrival->terms : NULL, &connection->server, now, dialled, connection);
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

	if (session->up.written <= REST_BYTES && session->down.read <= REST_BYTES &&
		!listener_of(connection)->config->bind_client)
		(void)!rest_begin(&connection->server);
}

static void closed(struct session *session, uint64_t now)
{
	struct connection *connection = connection_of(session);
	struct report report = report_of(connection);

	report_access(&report, now);
	forget_passage(connection);
	give_back(site_of(connection), listener_of(connection));
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
		!stock_put(&site->dials.stock, &site->sched, free_slot, listener_of(connection), connection, site->now))
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

/* Gives all back that a client was admitted with, when there is no memory for its session. */
static void turn_away(struct site *site, struct listener *listener, uint64_t now)
{
	give_back(site, listener);
	stack_put_floors(&listener->stack);
	if (commons_may_complain(site->commons, CLOSE_NO_MEMORY, now))
		log_warning("listener %s: no memory for a session; its client was reset", listener->config->name);
}

/* Why it does not dial, if the session is not closed already. */
static enum close_reason obstacle(const struct connection *connection)
{
	const struct arrival *arrival = arrival_of(connection);

	return arrival != NULL && arrival->refused != CLOSE_NONE ? arrival->refused : CLOSE_NO_MEMORY;
}

/* The client's end is open. 0, or -1 when memory is short; it is closed then. */
static int open_session(struct connection *connection, const struct address *peer, uint64_t now)
{
	const struct arrival *arrival = arrival_of(connection);
	struct scope_ends ends = {peer, arrival != NULL ? arrival->terms.to : NULL};

	connection->dial = NULL;
	connection->client.notify = on_event;
	connection->client.argument = &connection->session;
	if (session_open(&connection->session, &listener_of(connection)->profile, &connection_ops,
		    &connection->client.endpoint, &ends, now) != 0) {
		endpoint_close(&connection->client.endpoint, true);
		return -1;
	}
	if (connection->dial == NULL)
		session_failed(&connection->session, obstacle(connection), now);
	return 0;
}

/* ---- how the client came ------------------------------------------------------------------------------------------- */

/* All is known: it may come in, or is refused; then the session is there for its line in the log only. */
static int enter(struct connection *connection, const struct proxy_header *header, uint64_t now)
{
	struct arrival *arrival = arrival_of(connection);
	struct site *site = site_of(connection);

	if (arrival_admit(arrival, &site->commons->loops, connection->client.fd, header) == 0) {
		if (arrival_offends(arrival) && commons_may_complain(site->commons, arrival->refused, now))
			arrival_complain(arrival);
		if (header != NULL && header->source.length != 0)
			address_pack(&connection->passage->proxy, &arrival->peer);
		address_pack(&connection->client.peer, &arrival->client);
		if (open_session(connection, &arrival->client, now) == 0)
			return 0;
	}
	endpoint_close(&connection->client.endpoint, true);
	forget_passage(connection);
	return -1;
}

/* Its PROXY header has come, or will not; on a turn of the greeting's. */
static void greeted(void *argument, const struct greeting_outcome *outcome, uint64_t now)
{
	struct connection *connection = argument;
	struct listener *listener = listener_of(connection);
	struct site *site = site_of(connection);

	connection->passage->arrival->refused = outcome->reason;
	connection->passage->arrival->error = outcome->error;
	if (enter(connection, outcome->header, now) == 0) {
		session_ready(
			&connection
				 ->session); /* a reset may have come in behind the header: it was the greeting's to hear */
		return;
	}
	free_slot(connection);
	turn_away(site, listener, now);
}

/*
 * Whether weir's connection for this client could come to a listener that intercepts. One that has the address of a client on
 * another machine cannot: what answers it goes there. And that client may well come from the same port, at the same time.
 */
static bool may_return(const struct config_listener *config, const struct address *peer)
{
	if (config->mode == CONFIG_FORWARD)
		return false;
	return !config->bind_client || (config->mode == CONFIG_REDIRECT && origin_is_local(peer));
}

/* NULL when memory is short. */
static struct arrival *make_passage(struct connection *connection, const struct address *peer)
{
	const struct config_listener *config = listener_of(connection)->config;
	struct passage *passage = calloc(1, sizeof(*passage));

	if (passage != NULL)
		passage->arrival = arrival_new(config, connection->client.fd, peer);
	if (passage == NULL || passage->arrival == NULL) {
		free(passage);
		return NULL;
	}
	passage->intercepted = config->mode != CONFIG_FORWARD;
	address_pack(&passage->destination, &passage->arrival->destination);
	if (may_return(config, peer))
		passage->arrival->terms.departure = &passage->departure;
	connection->passage = passage;
	return passage->arrival;
}

/* 0, or -1 when memory is short; the client's end is closed then. */
static int arrive(struct connection *connection, const struct address *peer, uint64_t now)
{
	const struct config_listener *config = listener_of(connection)->config;
	struct arrival *arrival = make_passage(connection, peer);

	if (arrival == NULL) {
		endpoint_close(&connection->client.endpoint, true);
		return -1;
	}
	if (!arrival_must_greet(arrival))
		return enter(connection, NULL, now);
	connection->client.notify = greeting_notify;
	connection->client.argument = &arrival->greeting;
	greeting_start(&arrival->greeting, connection->session.owner.context, &connection->client, config->proxy_limit,
		config->proxy_timeout, now, greeted, connection);
	return 0;
}

static bool is_greeting(const struct connection *connection)
{
	const struct arrival *arrival = arrival_of(connection);

	return arrival != NULL && greeting_waits(&arrival->greeting);
}

/* Ends a greeting, if there is one. */
static void stop_greeting(struct connection *connection, uint64_t now)
{
	struct greeting_outcome outcome = {.reason = CLOSE_SHUTDOWN};

	if (!is_greeting(connection))
		return;
	greeting_cancel(&arrival_of(connection)->greeting);
	greeted(connection, &outcome, now);
}

/* ---- slots --------------------------------------------------------------------------------------------------------- */

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
	connection->session.profile = &listener->profile;
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
	if (endpoint_socket_open(&connection->client, fd, peer, site->events, on_event, &connection->session) == 0 &&
		(listener->arrives ? arrive(connection, peer, now) : open_session(connection, peer, now)) == 0)
		return connection;
	free_slot(connection);
	return NULL;
}

static void stop(struct connection *connection, uint64_t now)
{
	stop_greeting(connection, now);
	session_close(&connection->session, CLOSE_SHUTDOWN, now);
}

void connection_open(struct site *site, struct listener *listener, int fd, const struct address *peer, uint64_t now)
{
	struct connection *connection = make(site, listener, fd, peer, now);

	if (connection == NULL)
		turn_away(site, listener, now);
	else if (site->stopping)
		stop(connection, now);
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
		stop(slab_at(&site->connections, slot), now);
	}
}

bool connection_status(const struct site *site, uint32_t *next, uint32_t count, uint32_t *told, uint64_t now)
{
	for (; count > 0 && *next < slab_end(&site->connections); count--) {
		const struct connection *connection = slab_at(&site->connections, (*next)++);
		struct report report;

		if (is_greeting(connection)) {
			report_greeting(listener_of(connection)->config->name, &connection->client,
				now - arrival_of(connection)->greeting.begun_at);
		} else if (connection->session.state == SESSION_FREE || connection->session.state == SESSION_CLOSED) {
			continue;
		} else {
			report = report_of(connection);
			report_status(&report, now);
		}
		(*told)++;
	}
	return *next < slab_end(&site->connections);
}
