/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * network - lists of networks, with or without ports, and of ports.
 */
#include "network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define EXPECTED "expected IPV4/BITS, IPV6/BITS, an address, or all"
#define EXPECTED_PORTS "expected IPV4/BITS:PORTS, [IPV6/BITS]:PORTS or all:PORTS, or these without :PORTS"
#define IPV4_BITS 32
#define IPV6_BITS 128
#define MAPPED_BITS 96 /* of ::ffff:0:0/96 */

static const struct port_range every_port = {0, UINT16_MAX};

/* ---- one of them --------------------------------------------------------------------------------------------------- */

static bool parse_number(const char *text, unsigned least, unsigned most, unsigned *number)
{
	const char *c = text;

	*number = 0;
	for (; isdigit((unsigned char)*c) && *number <= most; c++)
		*number = *number * 10 + (unsigned)(*c - '0');
	return c != text && *c == '\0' && *number >= least && *number <= most;
}

static int parse_port(uint16_t *port, const char *text, char *error, size_t error_size)
{
	char quote[TEXT_QUOTE_MAX];
	unsigned number;

	if (!parse_number(text, 1, UINT16_MAX, &number))
		return text_error(error, error_size, "%s is no port; expected a number from 1 to 65535",
			text_quote(quote, text));
	*port = (uint16_t)number;
	return 0;
}

/* "PORT" or "LOW-HIGH"; the text is the caller's copy to cut up, as everywhere below. */
static int parse_range(struct port_range *range, char *text, char *error, size_t error_size)
{
	char *high = strchr(text, '-');

	if (high != NULL)
		*high++ = '\0';
	if (parse_port(&range->low, text, error, error_size) < 0)
		return -1;
	range->high = range->low;
	if (high != NULL && parse_port(&range->high, high, error, error_size) < 0)
		return -1;
	if (range->high < range->low)
		return text_error(error, error_size, "the range %u-%u ends before it begins; expected LOW-HIGH",
			range->low, range->high);
	return 0;
}

static unsigned char *bytes_of(struct network *network)
{
	return network->family == AF_INET6 ? network->in6.s6_addr : (unsigned char *)&network->in;
}

/* The same without what stands behind its prefix. */
static struct network mask(struct network network)
{
	unsigned char *bytes = bytes_of(&network);
	unsigned width = network.family == AF_INET6 ? IPV6_BITS : IPV4_BITS;

	for (unsigned bit = network.prefix; bit < width; bit++)
		bytes[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
	return network;
}

/* Who writes an address with a short prefix has meant either the network or the address: say both. */
static int check_bits(struct network *network, char *error, size_t error_size)
{
	char text[3][NETWORK_TEXT_MAX];
	struct network masked = mask(*network), address = *network;

	if (memcmp(bytes_of(&masked), bytes_of(network), network->family == AF_INET6 ? 16 : 4) == 0)
		return 0;
	address.prefix = network->family == AF_INET6 ? IPV6_BITS : IPV4_BITS;
	return text_error(error, error_size, "%s has bits behind its prefix; expected %s or %s",
		network_text(network, text[0], sizeof(text[0])), network_text(&masked, text[1], sizeof(text[1])),
		network_text(&address, text[2], sizeof(text[2])));
}

/* Clients that come so are looked up as IPv4: such a network would have nobody in it. */
static int check_mapped(const struct network *network, char *error, size_t error_size)
{
	struct network in = {.family = AF_INET};
	char text[2][NETWORK_TEXT_MAX];

	if (network->family != AF_INET6 || network->prefix < MAPPED_BITS || !IN6_IS_ADDR_V4MAPPED(&network->in6))
		return 0;
	in.prefix = (uint8_t)(network->prefix - MAPPED_BITS);
	memcpy(&in.in, &network->in6.s6_addr[12], sizeof(in.in));
	return text_error(error, error_size, "%s is IPv4 mapped into IPv6; expected %s",
		network_text(network, text[0], sizeof(text[0])), network_text(&in, text[1], sizeof(text[1])));
}

/* "ADDRESS", "ADDRESS/BITS" or "all" */
static int parse_bare(struct network *network, char *text, const char *expected, char *error, size_t error_size)
{
	char *bits = strchr(text, '/'), quote[TEXT_QUOTE_MAX];
	unsigned width = IPV4_BITS, prefix;

	network->ports = every_port;
	if (strcmp(text, "all") == 0)
		return 0;
	if (bits != NULL)
		*bits++ = '\0';
	network->family = AF_INET;
	if (inet_pton(AF_INET, text, &network->in) != 1) {
		if (inet_pton(AF_INET6, text, &network->in6) != 1)
			return text_error(error, error_size, "%s is no address; %s", text_quote(quote, text), expected);
		network->family = AF_INET6;
		width = IPV6_BITS;
	}
	prefix = width;
	if (bits != NULL && !parse_number(bits, 0, width, &prefix))
		return text_error(error, error_size, "%s is no prefix; expected a number from 0 to %u",
			text_quote(quote, bits), width);
	network->prefix = (uint8_t)prefix;
	return check_bits(network, error, error_size) < 0 ? -1 : check_mapped(network, error, error_size);
}

static int parse_network(void *item, char *word, char *error, size_t error_size)
{
	return parse_bare(item, word, EXPECTED, error, error_size);
}

/* Cuts "NETWORK:PORTS" or "[NETWORK]:PORTS" in two; *ports is NULL if there are none. */
static int split_ports(char **network, char **ports, char *error, size_t error_size)
{
	char *word = *network, *end = strchr(word, ']'), quote[TEXT_QUOTE_MAX];

	if (word[0] != '[') {
		*ports = strchr(word, ':');
		if (*ports != NULL && strchr(*ports + 1, ':') != NULL)
			return text_error(error, error_size,
				"%s has more than one ':'; expected an IPv6 network in brackets, [IPV6/BITS]:PORTS",
				text_quote(quote, word));
	} else {
		if (end == NULL)
			return text_error(error, error_size, "no ']' behind '['; expected [IPV6/BITS]:PORTS");
		*end = '\0';
		*ports = end[1] != '\0' ? end + 1 : NULL;
		*network = word + 1;
		if (*ports != NULL && **ports != ':')
			return text_error(error, error_size, "%s behind ']'; expected :PORTS or nothing",
				text_quote(quote, *ports));
	}
	if (*ports != NULL)
		*(*ports)++ = '\0';
	return 0;
}

static int parse_network_ports(void *item, char *word, char *error, size_t error_size)
{
	bool in_brackets = word[0] == '[';
	struct network *network = item;
	char quote[TEXT_QUOTE_MAX], *ports;

	if (split_ports(&word, &ports, error, error_size) < 0)
		return -1;
	text_quote(quote, word);
	if (parse_bare(network, word, EXPECTED_PORTS, error, error_size) < 0)
		return -1;
	if (in_brackets && network->family != AF_INET6)
		return text_error(error, error_size, "%s stands in brackets; expected these for IPv6 only", quote);
	return ports != NULL ? parse_range(&network->ports, ports, error, error_size) : 0;
}

/* ---- lists of them ------------------------------------------------------------------------------------------------- */

typedef int item_parser(void *item, char *word, char *error, size_t error_size);

struct list {
	void *items;
	size_t count;
};

static int parse_list(struct list *list, size_t size, const char *text, item_parser *parse, char *error,
	size_t error_size)
{
	char *copy, *rest, *word;
	int rc = 0;

	*list = (struct list){NULL, 0};
	if (text[0] == '\0')
		return 0;
	rest = copy = strdup(text);
	list->items = calloc(text_count_words(text), size);
	if (copy == NULL || list->items == NULL)
		rc = text_error(error, error_size, "cannot be kept; expected free memory");
	while (rc == 0 && (word = text_next_word(&rest)) != NULL)
		rc = parse((char *)list->items + size * list->count++, word, error, error_size);
	free(copy);
	if (rc < 0) {
		free(list->items);
		*list = (struct list){NULL, 0};
	}
	return rc;
}

static int parse_networks(struct networks *networks, const char *text, item_parser *parse, char *error,
	size_t error_size)
{
	struct list list;
	int rc = parse_list(&list, sizeof(*networks->list), text, parse, error, error_size);

	*networks = (struct networks){list.items, list.count};
	return rc;
}

int networks_parse(struct networks *networks, const char *text, char *error, size_t error_size)
{
	return parse_networks(networks, text, parse_network, error, error_size);
}

int networks_parse_ports(struct networks *networks, const char *text, char *error, size_t error_size)
{
	return parse_networks(networks, text, parse_network_ports, error, error_size);
}

void networks_free(struct networks *networks)
{
	free(networks->list);
	*networks = (struct networks){NULL, 0};
}

static int parse_port_range(void *item, char *word, char *error, size_t error_size)
{
	return parse_range(item, word, error, error_size);
}

static const char *range_text(const struct port_range *range, char *buffer, size_t size)
{
	if (range->low == range->high)
		snprintf(buffer, size, "%u", range->low);
	else
		snprintf(buffer, size, "%u-%u", range->low, range->high);
	return buffer;
}

/* nftables takes no set in which a port lies twice. */
static int check_overlaps(const struct ports *ports, char *error, size_t error_size)
{
	char text[2][sizeof("65535-65535")];

	for (size_t i = 0; i < ports->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct port_range *a = &ports->list[i], *b = &ports->list[j];

			if (a->low <= b->high && b->low <= a->high)
				return text_error(error, error_size, "%s overlaps with %s; expected each port once",
					range_text(a, text[0], sizeof(text[0])),
					range_text(b, text[1], sizeof(text[1])));
		}
	return 0;
}

int ports_parse(struct ports *ports, const char *text, char *error, size_t error_size)
{
	struct list list;
	int rc = parse_list(&list, sizeof(*ports->list), text, parse_port_range, error, error_size);

	*ports = (struct ports){list.items, list.count};
	if (rc == 0 && (rc = check_overlaps(ports, error, error_size)) < 0)
		ports_free(ports);
	return rc;
}

void ports_free(struct ports *ports)
{
	free(ports->list);
	*ports = (struct ports){NULL, 0};
}

/* ---- asked --------------------------------------------------------------------------------------------------------- */

bool network_is(const struct network *network, sa_family_t family)
{
	return network->family == AF_UNSPEC || network->family == family;
}

/* An address as a network of its own, an IPv4 one mapped into IPv6 as IPv4. */
static struct network network_of(const struct address *address)
{
	struct network network = {.prefix = IPV4_BITS};
	struct address plain = *address;

	address_unmap(&plain);
	network.family = plain.sa.sa_family;
	if (network.family == AF_INET) {
		network.in = plain.in.sin_addr;
	} else {
		network.prefix = IPV6_BITS;
		network.in6 = plain.in6.sin6_addr;
	}
	network.ports.low = network.ports.high = address_port(&plain);
	return network;
}

bool network_within(const struct network *network, const struct network *wider)
{
	struct network cut = *network, top = *wider;

	if (network->ports.low < wider->ports.low || network->ports.high > wider->ports.high)
		return false;
	if (wider->family == AF_UNSPEC)
		return true;
	if (network->family != wider->family || network->prefix < wider->prefix)
		return false;
	cut.prefix = wider->prefix;
	cut = mask(cut);
	return memcmp(bytes_of(&cut), bytes_of(&top), cut.family == AF_INET6 ? 16 : 4) == 0;
}

bool networks_have(const struct networks *networks, const struct address *address)
{
	struct network one;

	if (address->length == 0 || (address->sa.sa_family != AF_INET && address->sa.sa_family != AF_INET6))
		return false;
	one = network_of(address);
	for (size_t i = 0; i < networks->count; i++)
		if (network_within(&one, &networks->list[i]))
			return true;
	return false;
}

const char *network_text(const struct network *network, char *buffer, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";
	unsigned width = network->family == AF_INET6 ? IPV6_BITS : IPV4_BITS;

	if (network->family == AF_UNSPEC) {
		snprintf(buffer, size, "all");
		return buffer;
	}
	inet_ntop(network->family, &network->in, address, sizeof(address));
	if (network->prefix == width)
		snprintf(buffer, size, "%s", address);
	else
		snprintf(buffer, size, "%s/%u", address, network->prefix);
	return buffer;
}
