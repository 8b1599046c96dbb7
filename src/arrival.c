/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrival - one check after the other.
 */
#include "arrival.h"

#include <stdlib.h>
#include <string.h>

#include "origin.h"
#include "log.h"

bool arrival_needed(const struct config_listener *listener)
{
	return listener->mode != CONFIG_FORWARD || listener->accept_proxy != CONFIG_PROXY_NO ||
		listener->send_proxy != CONFIG_SEND_NO || listener->bind_client || listener->allow.count > 0 ||
		listener->deny.count > 0;
}

/* Lists of clients alone need no more than the peer: no question to the kernel. */
static bool wants_destination(const struct config_listener *listener)
{
	return listener->mode != CONFIG_FORWARD || listener->send_proxy != CONFIG_SEND_NO;
}

struct arrival *arrival_new(const struct config_listener *listener, int fd, const struct address *peer)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));

	if (arrival == NULL)
		return NULL;
	arrival->listener = listener;
	arrival->peer = *peer;
	arrival->client = *peer;
	if (wants_destination(listener) &&
		origin_destination(fd, (enum config_mode)listener->mode, &arrival->destination) != 0)
		arrival->destination.length = 0;
	return arrival;
}

void arrival_free(struct arrival *arrival)
{
	if (arrival == NULL)
		return;
	greeting_cancel(&arrival->greeting);
	free(arrival->preface);
	free(arrival);
}

bool arrival_must_greet(struct arrival *arrival)
{
	const struct config_listener *listener = arrival->listener;

	if (listener->accept_proxy == CONFIG_PROXY_NO)
		return false;
	if (networks_have(&listener->proxies, &arrival->client))
		return true;
	if (listener->accept_proxy == CONFIG_PROXY_REQUIRE)
		arrival->refused = CLOSE_DENIED;
	return false;
}

/* ---- whether it may come in ---------------------------------------------------------------------------------------- */

/* Where it wants to go is weir, or it is weir's own connection come back. */
static bool is_loop(const struct arrival *arrival, struct loops *loops, int fd)
{
	const struct config_listener *listener = arrival->listener;

	if (listener->mode == CONFIG_FORWARD)
		return false;
	if (listener->upstream->original && loops_lead_to(loops, &arrival->destination))
		return true;
	if (loops->mark != 0 && origin_mark(fd) == loops->mark)
		return true;
	return loops_return(loops, &arrival->peer, &arrival->destination);
}

static enum close_reason judge(const struct arrival *arrival, struct loops *loops, int fd)
{
	const struct config_listener *listener = arrival->listener;

	if (!config_allows(listener, &arrival->client))
		return CLOSE_DENIED;
	if (listener->upstream->original && arrival->destination.length == 0)
		return CLOSE_NO_DESTINATION;
	if (is_loop(arrival, loops, fd))
		return CLOSE_LOOP;
	if (listener->destinations.count > 0 && !networks_have(&listener->destinations, &arrival->destination))
		return CLOSE_DESTINATION_DENIED;
	return CLOSE_NONE;
}

/* Linux binds to such an address as to any other, and connects from one of its own. */
static void check_bind(struct arrival *arrival)
{
	if (!arrival->listener->bind_client ||
		(!address_is_wildcard(&arrival->client) && !address_is_many(&arrival->client)))
		return;
	arrival->refused = CLOSE_PROXY_ERROR;
	arrival->error = "its PROXY header names an address that nobody can connect from";
}

bool arrival_offends(const struct arrival *arrival)
{
	switch (arrival->refused) {
	case CLOSE_DENIED:
	case CLOSE_DESTINATION_DENIED:
	case CLOSE_NO_DESTINATION:
	case CLOSE_LOOP:
	case CLOSE_PROXY_ERROR:
	case CLOSE_PROXY_TIMEOUT:
		return true;
	default:
		return false;
	}
}

void arrival_complain(const struct arrival *arrival)
{
	const char *name = arrival->listener->name;
	char client[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];

	address_text(&arrival->client, client, sizeof(client));
	address_text(&arrival->destination, destination, sizeof(destination));
	if (arrival->refused == CLOSE_NO_DESTINATION)
		log_warning("listener %s: nobody knows where %s wanted to go; expected netfilter to redirect it", name,
			client);
	else if (arrival->refused == CLOSE_LOOP)
		log_warning("listener %s: a loop: %s wanted to go to %s, and weir would connect to itself", name,
			client, destination);
	else if (arrival->refused == CLOSE_DESTINATION_DENIED)
		log_warning("listener %s: %s wanted to go to %s, which is not allowed", name, client, destination);
	else
		log_warning("listener %s: %s is refused: %s", name, client,
			arrival->error != NULL ? arrival->error : close_reason_names[arrival->refused]);
}

/* ---- what dialling needs ------------------------------------------------------------------------------------------- */

/* The header tells the server what the listener was told, or what it saw itself. */
static int make_preface(struct arrival *arrival, const struct proxy_header *header)
{
	bool told = header != NULL && header->destination.length != 0;
	const struct address *destination = told ? &header->destination : &arrival->destination;
	size_t tlv_bytes = header != NULL ? header->tlv_bytes : 0;
	size_t size = PROXY_HEADER_ADDRESSES_MAX + tlv_bytes;

	arrival->preface = malloc(size);
	if (arrival->preface == NULL)
		return -1;
	arrival->terms.preface = arrival->preface;
	arrival->terms.preface_bytes = proxy_header_write(arrival->preface, size,
		arrival->listener->send_proxy == CONFIG_SEND_V1 ? 1 : 2, &arrival->client, destination,
		header != NULL ? header->tlvs : NULL, tlv_bytes);
	/* the addresses that weir knows may be longer than those it came with */
	if (arrival->terms.preface_bytes == 0) {
		arrival->refused = CLOSE_PROXY_ERROR;
		arrival->error = "its PROXY header is too long to be passed on";
	}
	return 0;
}

int arrival_admit(struct arrival *arrival, struct loops *loops, int fd, const struct proxy_header *header)
{
	if (header != NULL && header->source.length != 0) {
		arrival->client = header->source;
		address_unmap(&arrival->client); /* proxies that listen on [::] alone name IPv4 clients so */
	}
	if (arrival->refused == CLOSE_NONE)
		check_bind(arrival);
	if (arrival->refused == CLOSE_NONE)
		arrival->refused = judge(arrival, loops, fd);
	if (arrival->refused != CLOSE_NONE)
		return 0;
	if (arrival->listener->upstream->original)
		arrival->terms.to = &arrival->destination;
	if (arrival->listener->bind_client)
		arrival->terms.client = &arrival->client;
	return arrival->listener->send_proxy != CONFIG_SEND_NO ? make_preface(arrival, header) : 0;
}

bool arrival_returns(struct arrival *arrival, struct loops *loops)
{
	if (arrival->listener->mode == CONFIG_FORWARD || !loops_return(loops, &arrival->peer, &arrival->destination))
		return false;
	arrival->refused = CLOSE_LOOP;
	return true;
}
