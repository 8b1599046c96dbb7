/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_access - who may come to a listener, where to, on whose word; and the address that weir connects from.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "config_link.h"
#include "text.h"

#define BIND_WORD_NONE "none"
#define BIND_WORD_CLIENT "client"                 /* with its port */
#define BIND_WORD_CLIENT_ADDRESS "client-address" /* and another port */

static bool has_unix_upstream(const struct config_listener *listener)
{
	return listener->upstream != NULL && address_is_unix(&listener->upstream->address);
}

/* ---- networks ------------------------------------------------------------------------------------------------------ */

typedef int networks_parser(struct networks *networks, const char *text, char *error, size_t error_size);

static void link_networks(struct linking *linking, const char *key, struct networks *networks, const char *text,
	networks_parser *parse)
{
	char error[TEXT_ERROR_MAX];

	if (config_link_key(linking, key) && text != NULL && parse(networks, text, error, sizeof(error)) < 0)
		config_link_complain(linking, "%s", error);
}

/* Who comes through a unix socket is in no network: where all do, the key could do nothing. */
static void check_unix_only(struct linking *linking, const char *key)
{
	const struct config_listener *listener = linking->listener;

	for (size_t i = 0; i < listener->address_count; i++)
		if (!address_is_unix(&listener->addresses[i]))
			return;
	if (listener->address_count > 0 && config_link_key(linking, key))
		config_link_complain(linking,
			"clients of unix sockets are in no network; expected an address with a port in listen, too");
}

static void link_clients(struct linking *linking)
{
	struct config_listener *listener = linking->listener;
	const struct config_key *allow = config_section_key(linking->section, "allow");
	const struct config_key *deny = config_section_key(linking->section, "deny");

	link_networks(linking, "allow", &listener->allow, listener->allow_text, networks_parse);
	link_networks(linking, "deny", &listener->deny, listener->deny_text, networks_parse);
	check_unix_only(linking, "allow");
	check_unix_only(linking, "deny");
	listener->deny_first = deny != NULL && (allow == NULL || deny->line < allow->line);
}

static void link_destinations(struct linking *linking)
{
	struct config_listener *listener = linking->listener;

	link_networks(linking, "allow_destination", &listener->destinations, listener->allow_destination_text,
		networks_parse_ports);
	if (linking->key == NULL || listener->upstream == NULL)
		return;
	if (config_link_is(linking, "mode", CONFIG_FORWARD))
		config_link_complain(linking,
			"in mode forward clients have no other destination than weir; expected mode = redirect or tproxy");
	else if (!listener->upstream->original)
		config_link_complain(linking,
			"every client is connected to %s; expected this key beside upstream = " CONFIG_ORIGINAL " only",
			listener->upstream->name);
}

/* Where a header is required, nobody could ever get in through a unix socket. */
static void check_proxies(struct linking *linking)
{
	const struct config_listener *listener = linking->listener;
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < listener->address_count; i++)
		if (address_is_unix(&listener->addresses[i]) && config_link_key(linking, "accept_proxy"))
			config_link_complain(linking,
				"clients of %s are in no network; expected addresses with ports only",
				address_text(&listener->addresses[i], text, sizeof(text)));
}

/* Its bytes wait in one buffer until it is whole, and go into the other at once. */
static void check_room(struct linking *linking, const char *key, uint64_t bytes)
{
	if (bytes < linking->listener->proxy_limit && config_link_key(linking, key))
		config_link_complain(linking,
			"%" PRIu64 " bytes have no room for a PROXY header of proxy_limit = %" PRIu64
			"; expected at least as many",
			bytes, linking->listener->proxy_limit);
}

/* Anybody could claim to be anybody if headers were taken from anywhere. */
static void link_proxies(struct linking *linking)
{
	struct config_listener *listener = linking->listener;
	bool accepts = !config_link_is(linking, "accept_proxy", CONFIG_PROXY_NO);

	link_networks(linking, "proxy_from", &listener->proxies, listener->proxy_from_text, networks_parse);
	if (linking->key != NULL && !accepts)
		config_link_complain(linking,
			"with accept_proxy = no nobody is listened to; expected accept_proxy = yes or require, too");
	else if (linking->key == NULL && accepts && config_link_key(linking, "accept_proxy"))
		config_link_complain(linking, "the key proxy_from is missing; expected the proxies' networks there");
	if (config_link_is(linking, "accept_proxy", CONFIG_PROXY_REQUIRE))
		check_proxies(linking);
	else if (config_link_is(linking, "accept_proxy", CONFIG_PROXY_YES))
		check_unix_only(linking, "accept_proxy");
	if (accepts)
		check_room(linking, "rcvbuf", listener->rcvbuf);
	/* only version 2 passes on what may be long */
	if (accepts && config_link_is(linking, "send_proxy", CONFIG_SEND_V2)) {
		check_room(linking, "sndbuf", listener->sndbuf);
		if (!has_unix_upstream(listener))
			check_room(linking, "notsent_lowat", listener->notsent_lowat);
	}
}

bool config_allows(const struct config_listener *listener, const struct address *client)
{
	bool allowed = networks_have(&listener->allow, client);
	bool denied = networks_have(&listener->deny, client);

	if (address_is_unix(client))
		return true;
	if (allowed && denied)
		return !listener->deny_first;
	if (allowed || denied)
		return allowed;
	return listener->allow.count == 0 || (listener->deny.count > 0 && !listener->deny_first);
}

/* ---- where to connect from ----------------------------------------------------------------------------------------- */

static bool parse_bind(struct address *address, const char *word)
{
	*address = (struct address){.length = 0};
	if (inet_pton(AF_INET, word, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->length = sizeof(address->in);
		return true;
	}
	if (inet_pton(AF_INET6, word, &address->in6.sin6_addr) == 1) {
		address->in6.sin6_family = AF_INET6;
		address->length = sizeof(address->in6);
	}
	return address->length != 0;
}

/* Addresses that parse, but that no connection has. Linux lets us bind those for many, and connects from another. */
static const char *unusable(const struct address *address)
{
	const struct in6_addr *ipv6 = &address->in6.sin6_addr;
	bool is_ipv4 = address->sa.sa_family == AF_INET;

	if (address_is_wildcard(address))
		return "stands for every address; expected one";
	if (address_is_many(address))
		return "is an address of many, which nobody connects from; expected one interface's";
	if (!is_ipv4 && IN6_IS_ADDR_LINKLOCAL(ipv6))
		return "is another address on each link, and no link goes with it here; expected one that is not link-local";
	if (!is_ipv4 && IN6_IS_ADDR_V4MAPPED(ipv6))
		return "is IPv4 mapped into IPv6; expected it as IPv4";
	return NULL;
}

static void link_bind_address(struct linking *linking, const char *word)
{
	struct address *bind = linking->listener->bind, address;
	char quote[TEXT_QUOTE_MAX];
	const char *why;
	bool is_ipv6;

	text_quote(quote, word);
	if (!parse_bind(&address, word)) {
		config_link_complain(linking,
			"%s is no address; expected none, client, client-address, or addresses without ports", quote);
		return;
	}
	is_ipv6 = address.sa.sa_family == AF_INET6;
	if ((why = unusable(&address)) != NULL)
		config_link_complain(linking, "%s %s", quote, why);
	else if (bind[is_ipv6].length != 0)
		config_link_complain(linking, "%s is the second IPv%d address; expected one of each family", quote,
			is_ipv6 ? 6 : 4);
	bind[is_ipv6] = address;
}

static void set_bind(struct config_listener *listener, bool client, bool port)
{
	listener->bind_client = client;
	listener->bind_port = port;
}

static void link_bind_word(struct linking *linking, const char *word)
{
	struct config_listener *listener = linking->listener;
	bool port = strcmp(word, BIND_WORD_CLIENT) == 0;
	bool client = port || strcmp(word, BIND_WORD_CLIENT_ADDRESS) == 0;

	if (!client && strcmp(word, BIND_WORD_NONE) != 0)
		link_bind_address(linking, word);
	else if (text_count_words(listener->upstream_bind_text) > 1)
		config_link_complain(linking, "%s stands beside other words; expected it alone", word);
	else
		set_bind(listener, client, port);
}

static bool has_loopback_upstream(const struct config_listener *listener)
{
	return listener->upstream != NULL && address_is_loopback(&listener->upstream->address);
}

/* Whether some connection could have an address of this family towards the server. */
static bool can_bind(const struct config_listener *listener, sa_family_t family)
{
	if (!listener->bind_client)
		return listener->bind[family == AF_INET6].length != 0;
	for (size_t i = 0; i < listener->address_count; i++)
		if (listener->addresses[i].sa.sa_family == family)
			return true;
	return listener->accept_proxy != CONFIG_PROXY_NO; /* a header may name a client of either */
}

/* A numeric upstream of a family that nothing to connect from is of. */
static void check_bind_family(const struct linking *linking)
{
	const struct config_listener *listener = linking->listener;
	const struct config_upstream *upstream = listener->upstream;
	bool bound = listener->bind_client || listener->bind[0].length != 0 || listener->bind[1].length != 0;

	if (!bound || upstream == NULL || upstream->address.length == 0 || address_is_unix(&upstream->address) ||
		can_bind(listener, upstream->address.sa.sa_family))
		return;
	if (linking->key != NULL)
		config_link_complain(linking,
			"nothing of this can connect to %s; expected none, or an address of its family",
			upstream->server);
	else
		config_link_complain(linking,
			"in mode tproxy upstream_bind is client-address by default, and no client here can connect to %s; "
			"expected upstream_bind = none, or an address of its family",
			upstream->server);
}

static void check_bind(const struct linking *linking)
{
	const struct config_listener *listener = linking->listener;
	char text[ADDRESS_TEXT_MAX];

	if (has_unix_upstream(listener) &&
		(listener->bind_client || listener->bind[0].length != 0 || listener->bind[1].length != 0))
		config_link_complain(linking,
			"the upstream is a unix socket, which nobody's address means anything to; "
			"expected none");
	for (size_t i = 0; i < listener->address_count && listener->bind_client; i++)
		if (address_is_unix(&listener->addresses[i]))
			config_link_complain(linking, "clients of %s have no address; expected none, or addresses",
				address_text(&listener->addresses[i], text, sizeof(text)));
	check_bind_family(linking);
}

/*
 * Without the key, clients of mode tproxy keep their address towards the server as they kept the server's; but not towards one
 * on this machine, whose answers would leave it, and nothing brings them back. Nor do they keep their port: with both, conntrack
 * would take weir's connection for the client's own, so that NAT passes it by, and its packets count as invalid.
 */
static void link_bind(struct linking *linking)
{
	struct config_listener *listener = linking->listener;
	bool client = config_link_is(linking, "mode", CONFIG_TPROXY) && !has_unix_upstream(listener) &&
		!has_loopback_upstream(listener);

	if (!config_link_key(linking, "upstream_bind")) {
		config_link_set(linking, "upstream_bind", client ? BIND_WORD_CLIENT_ADDRESS : BIND_WORD_NONE);
		set_bind(listener, client, false);
		check_bind_family(linking);
		return;
	}
	config_link_words(linking, listener->upstream_bind_text, link_bind_word);
	check_bind(linking);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

void config_link_access(struct linking *linking)
{
	link_bind(linking);
	link_clients(linking);
	link_destinations(linking);
	link_proxies(linking);
}

void config_unlink_access(struct config_listener *listener)
{
	networks_free(&listener->allow);
	networks_free(&listener->deny);
	networks_free(&listener->destinations);
	networks_free(&listener->proxies);
}
