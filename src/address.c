/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address - where to listen and where to connect, from text and to text.
 */
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define EXPECTED "expected IPV4:PORT, [IPV6]:PORT or unix:/PATH"
#define EXPECTED_TARGET "expected NAME:PORT, IPV4:PORT, [IPV6]:PORT or unix:/PATH"
#define HOST_MAX 253 /* letters of a host name */
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static const char unix_prefix[] = "unix:";

static int parse_port(const char *text, unsigned least, uint16_t *port, char *error, size_t error_size)
{
	char quote[TEXT_QUOTE_MAX];
	unsigned value = 0;
	const char *c = text;

	for (; isdigit((unsigned char)*c) && value <= UINT16_MAX; c++)
		value = value * 10 + (unsigned)(*c - '0');
	if (*text == '\0' || *c != '\0' || value > UINT16_MAX || value < least)
		return text_error(error, error_size, "%s is no port; expected a number from %u to 65535",
			text_quote(quote, text), least);
	*port = (uint16_t)value;
	return 0;
}

static int parse_unix(struct address *address, const char *path, char *error, size_t error_size)
{
	char quote[TEXT_QUOTE_MAX];
	size_t length = strlen(path);

	if (path[0] != '/' || length == 1)
		return text_error(error, error_size, "%s is no absolute path; expected unix:/PATH",
			text_quote(quote, path));
	if (length > UNIX_PATH_MAX)
		return text_error(error, error_size, "a path of %zu bytes is too long; expected at most %zu", length,
			UNIX_PATH_MAX);
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, path, length + 1);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 0;
}

/* A link-local address means nothing without its interface, by name or by number. */
static int parse_scope(struct address *address, const char *scope, char *error, size_t error_size)
{
	char quote[TEXT_QUOTE_MAX];
	unsigned index = if_nametoindex(scope);

	if (index == 0 && isdigit((unsigned char)scope[0]) && strlen(scope) < 10 &&
		strspn(scope, "0123456789") == strlen(scope))
		index = (unsigned)strtoul(scope, NULL, 10);
	if (index == 0)
		return text_error(error, error_size, "no network interface %s; expected one of this host",
			text_quote(quote, scope));
	address->in6.sin6_scope_id = index;
	return 0;
}

/* text begins behind '[', and is the caller's copy to cut up. */
static int parse_ipv6(struct address *address, char *text, unsigned least, char *error, size_t error_size)
{
	char *end = strchr(text, ']'), *scope;
	char quote[TEXT_QUOTE_MAX];
	uint16_t port;

	if (end == NULL)
		return text_error(error, error_size, "no ']' behind '['; expected [IPV6]:PORT");
	*end = '\0';
	if (end[1] != ':')
		return text_error(error, error_size, "no port behind ']'; expected [IPV6]:PORT");
	scope = strchr(text, '%');
	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &address->in6.sin6_addr) != 1)
		return text_error(error, error_size, "%s is no IPv6 address; " EXPECTED, text_quote(quote, text));
	if (scope != NULL && parse_scope(address, scope, error, error_size) < 0)
		return -1;
	if (parse_port(end + 2, least, &port, error, error_size) < 0)
		return -1;
	address->in6.sin6_family = AF_INET6;
	address->in6.sin6_port = htons(port);
	address->length = sizeof(address->in6);
	return 0;
}

/* Splits HOST:PORT at its colon; the text is the caller's copy. */
static char *split_port(char *text, const char *expected, char *error, size_t error_size)
{
	char *colon = strrchr(text, ':');
	char quote[TEXT_QUOTE_MAX];

	text_quote(quote, text);
	if (text[0] == '\0') {
		text_reason(error, error_size, "the address is empty; %s", expected);
		return NULL;
	}
	if (colon == NULL) {
		text_reason(error, error_size, "%s has no port; %s", quote, expected);
		return NULL;
	}
	if (strchr(text, ':') != colon) {
		text_reason(error, error_size,
			"%s has more than one ':'; expected an IPv6 address in brackets, [IPV6]:PORT", quote);
		return NULL;
	}
	*colon = '\0';
	return colon + 1;
}

static void set_ipv4(struct address *address, struct in_addr in, uint16_t port)
{
	address->in.sin_family = AF_INET;
	address->in.sin_addr = in;
	address->in.sin_port = htons(port);
	address->length = sizeof(address->in);
}

/* Letters, digits, '-' and '_' in labels; not only digits and dots, which would be a mistyped IPv4 address. */
static bool is_host(const char *text)
{
	size_t length = strlen(text);
	char before = '.';

	if (length == 0 || length > HOST_MAX || strspn(text, "0123456789.") == length)
		return false;
	for (; *text != '\0'; text++) {
		if (*text == '.' || *text == '-') {
			if (before == '.')
				return false;
		} else if (!isalnum((unsigned char)*text) && *text != '_') {
			return false;
		}
		before = *text;
	}
	return true;
}

/* host NULL: names are not accepted. */
static int parse_host(struct address *address, char *text, char *host, size_t host_size, uint16_t *port, char *error,
	size_t error_size)
{
	const char *expected = host != NULL ? EXPECTED_TARGET : EXPECTED;
	char *port_text = split_port(text, expected, error, error_size);
	char quote[TEXT_QUOTE_MAX];
	struct in_addr in;

	if (port_text == NULL)
		return -1;
	if (inet_pton(AF_INET, text, &in) == 1) {
		if (parse_port(port_text, host != NULL, port, error, error_size) < 0)
			return -1;
		set_ipv4(address, in, *port);
		return 0;
	}
	if (host == NULL || !is_host(text))
		return text_error(error, error_size, "%s is no IPv4 address%s; %s", text_quote(quote, text),
			host != NULL ? " and no host name" : "", expected);
	if (parse_port(port_text, 1, port, error, error_size) < 0)
		return -1;
	snprintf(host, host_size, "%s", text);
	return 0;
}

static int parse(struct address *address, char *host, size_t host_size, uint16_t *port, const char *text, char *error,
	size_t error_size)
{
	char copy[HOST_MAX + sizeof(":65535") + 1];
	int rc;

	memset(address, 0, sizeof(*address));
	if (strncmp(text, unix_prefix, sizeof(unix_prefix) - 1) == 0)
		return parse_unix(address, text + sizeof(unix_prefix) - 1, error, error_size);
	if (strlen(text) >= sizeof(copy))
		return text_error(error, error_size, "an address of %zu bytes is too long; %s", strlen(text),
			host != NULL ? EXPECTED_TARGET : EXPECTED);
	memcpy(copy, text, strlen(text) + 1);
	if (copy[0] != '[')
		return parse_host(address, copy, host, host_size, port, error, error_size);
	rc = parse_ipv6(address, copy + 1, host != NULL, error, error_size);
	*port = address_port(address);
	return rc;
}

int address_parse(struct address *address, const char *text, char *error, size_t error_size)
{
	uint16_t port;

	return parse(address, NULL, 0, &port, text, error, error_size);
}

int address_parse_target(struct address *address, char *host, size_t host_size, uint16_t *port, const char *text,
	char *error, size_t error_size)
{
	host[0] = '\0';
	*port = 0;
	return parse(address, host, host_size, port, text, error, error_size);
}

/* A unix socket's name may be absent, abstract (a NUL first), or a path without a NUL at its end. */
static void unix_text(const struct address *address, char *buffer, size_t size)
{
	size_t length = address->length - offsetof(struct sockaddr_un, sun_path);
	const char *path = address->un.sun_path;

	if (address->length <= offsetof(struct sockaddr_un, sun_path))
		snprintf(buffer, size, "unix:");
	else if (path[0] == '\0')
		snprintf(buffer, size, "unix:@%.*s", (int)(length - 1), path + 1);
	else
		snprintf(buffer, size, "unix:%.*s", (int)length, path);
	text_clean(buffer);
}

static void ipv6_text(const struct address *address, char *buffer, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "", scope[IF_NAMESIZE + 1] = "";
	unsigned index = address->in6.sin6_scope_id;

	inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
	if (index != 0) {
		scope[0] = '%';
		if (if_indextoname(index, scope + 1) == NULL)
			snprintf(scope + 1, sizeof(scope) - 1, "%u", index);
	}
	snprintf(buffer, size, "[%s%s]:%u", host, scope, ntohs(address->in6.sin6_port));
}

const char *address_text(const struct address *address, char *buffer, size_t size)
{
	char host[INET_ADDRSTRLEN] = "";

	if (address->length == 0) {
		snprintf(buffer, size, "-");
	} else if (address->sa.sa_family == AF_UNIX) {
		unix_text(address, buffer, size);
	} else if (address->sa.sa_family == AF_INET6) {
		ipv6_text(address, buffer, size);
	} else if (address->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		snprintf(buffer, size, "%s:%u", host, ntohs(address->in.sin_port));
	} else {
		snprintf(buffer, size, "family-%d", address->sa.sa_family);
	}
	return buffer;
}

bool address_is_loopback(const struct address *address)
{
	const struct in6_addr *in6 = &address->in6.sin6_addr;

	if (address->length == 0)
		return false;
	if (address->sa.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->sa.sa_family != AF_INET6)
		return false;
	return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == IN_LOOPBACKNET);
}

bool address_is_unix(const struct address *address)
{
	return address->length != 0 && address->sa.sa_family == AF_UNIX;
}

bool address_is_wildcard(const struct address *address)
{
	if (address->length == 0)
		return false;
	if (address->sa.sa_family == AF_INET)
		return address->in.sin_addr.s_addr == htonl(INADDR_ANY);
	return address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

bool address_is_many(const struct address *address)
{
	if (address->length == 0)
		return false;
	if (address->sa.sa_family == AF_INET)
		return IN_MULTICAST(ntohl(address->in.sin_addr.s_addr)) ||
			address->in.sin_addr.s_addr == htonl(INADDR_BROADCAST);
	return address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&address->in6.sin6_addr);
}

void address_unmap(struct address *address)
{
	uint16_t port = address_port(address);
	struct in_addr in;

	if (address->length == 0 || address->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return;
	memcpy(&in, &address->in6.sin6_addr.s6_addr[12], sizeof(in));
	memset(address, 0, sizeof(*address));
	set_ipv4(address, in, port);
}

void address_reached(struct address *address)
{
	address_unmap(address);
	if (!address_is_wildcard(address))
		return;
	if (address->sa.sa_family == AF_INET)
		address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address->in6.sin6_addr = in6addr_loopback;
}

bool address_same_host(const struct address *a, const struct address *b)
{
	if (a->length == 0 || b->length == 0 || a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	if (a->sa.sa_family != AF_INET6 || !IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr))
		return false;
	return !IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

uint16_t address_port(const struct address *address)
{
	if (address->length != 0 && address->sa.sa_family == AF_INET)
		return ntohs(address->in.sin_port);
	if (address->length != 0 && address->sa.sa_family == AF_INET6)
		return ntohs(address->in6.sin6_port);
	return 0;
}

/* ---- kept in brief --------------------------------------------------------------------------------------------------- */

static socklen_t length_of(sa_family_t family)
{
	switch (family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	case AF_UNIX:
		return sizeof(sa_family_t);
	default:
		return 0;
	}
}

void address_pack(union address_brief *brief, const struct address *address)
{
	memset(brief, 0, sizeof(*brief));
	if (address->length != 0)
		memcpy(brief, &address->storage, length_of(address->sa.sa_family));
}

void address_unpack(const union address_brief *brief, struct address *address)
{
	memset(address, 0, sizeof(*address));
	address->length = length_of(brief->sa.sa_family);
	memcpy(&address->storage, brief, address->length);
}

bool address_is_packed(const struct address *address, const union address_brief *brief)
{
	if (brief->sa.sa_family != address->sa.sa_family)
		return false;
	if (address->sa.sa_family == AF_INET)
		return brief->in.sin_port == address->in.sin_port &&
			brief->in.sin_addr.s_addr == address->in.sin_addr.s_addr;
	return address->sa.sa_family == AF_INET6 && brief->in6.sin6_port == address->in6.sin6_port &&
		brief->in6.sin6_scope_id == address->in6.sin6_scope_id &&
		IN6_ARE_ADDR_EQUAL(&brief->in6.sin6_addr, &address->in6.sin6_addr);
}
