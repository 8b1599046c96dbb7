/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header_versions - version 1: "PROXY TCP4 SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT" and CR LF.
 */
#include "proxy_header_versions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LEAST 15 /* bytes of "PROXY UNKNOWN" and CR LF; no header of any version is shorter */
#define FIELDS 4

static const char word[] = "PROXY ";

static const struct start {
	const char *text;
	int family;
} starts[] = {{"PROXY TCP4 ", AF_INET}, {"PROXY TCP6 ", AF_INET6}, {"PROXY UNKNOWN", AF_UNSPEC}};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The first that the line may still begin with. */
static const struct start *find_start(const char *line, size_t length)
{
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (memcmp(line, starts[i].text, smaller(length, strlen(starts[i].text))) == 0)
			return &starts[i];
	}
	return NULL;
}

/* The line's length with its CR LF, or 0 if that is not among these bytes. */
static size_t line_bytes(const char *line, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (line[i - 1] == '\r' && line[i] == '\n')
			return i + 1;
	}
	return 0;
}

/* Whether these bytes are the end of the line, as far as they have come. */
static bool may_end(const char *rest, size_t length)
{
	return length == 0 || (rest[0] == '\r' && (length == 1 || rest[1] == '\n'));
}

/* Addresses and ports have few letters; so whoever ends his line in another way is told so at once. */
static bool may_be_fields(const char *rest, size_t length)
{
	size_t i = 0;

	while (i < length && rest[i] != '\0' && strchr("0123456789abcdefABCDEF:. ", rest[i]) != NULL)
		i++;
	return may_end(rest + i, length - i);
}

/* Behind UNKNOWN: the end, or a space and anything. */
static bool may_be_unknown(const char *rest, size_t length)
{
	return may_end(rest, length) || rest[0] == ' ';
}

static const char *check_rest(const struct start *start, const char *line, size_t length)
{
	size_t begun = strlen(start->text);
	bool right = true;

	if (length > begun && start->family == AF_UNSPEC)
		right = may_be_unknown(line + begun, length - begun);
	else if (length > begun)
		right = may_be_fields(line + begun, length - begun);
	return right ? NULL : "a byte that has no place in it";
}

const char *proxy_header_begin_v1(struct proxy_header *header, const char *line, size_t length)
{
	size_t seen = smaller(length, PROXY_HEADER_V1_MAX);
	size_t whole = line_bytes(line, seen);
	const struct start *start;
	const char *why;

	header->bytes = LEAST;
	if (seen == 0)
		return NULL;
	if (memcmp(line, word, smaller(seen, strlen(word))) != 0)
		return "no PROXY header";
	start = find_start(line, seen);
	if (start == NULL)
		return "neither TCP4 nor TCP6 nor UNKNOWN";
	why = check_rest(start, line, whole != 0 ? whole : seen);
	if (why != NULL)
		return why;
	if (whole != 0)
		header->bytes = whole;
	else if (seen + 2 > LEAST)
		header->bytes = seen + (line[seen - 1] == '\r' ? 1 : 2);
	return header->bytes > PROXY_HEADER_V1_MAX ? "no end of the line within 107 bytes" : NULL;
}

/* Decimal, of one form only. */
static bool read_port(in_port_t *port, const char *text)
{
	unsigned value = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9' && value <= UINT16_MAX; c++)
		value = value * 10 + (unsigned)(*c - '0');
	*port = htons((uint16_t)value);
	return c != text && *c == '\0' && value <= UINT16_MAX && (text[0] != '0' || text[1] == '\0');
}

static const char *read_address(struct address *address, int family, const char *host, const char *port)
{
	bool six = family == AF_INET6;

	address->sa.sa_family = (sa_family_t)family;
	address->length = six ? sizeof(address->in6) : sizeof(address->in);
	if (inet_pton(family, host, six ? (void *)&address->in6.sin6_addr : &address->in.sin_addr) != 1)
		return six ? "a wrong IPv6 address" : "a wrong IPv4 address";
	return read_port(six ? &address->in6.sin6_port : &address->in.sin_port, port) ? NULL : "a wrong port";
}

/* Cuts the text at single spaces; an empty field is found by who reads it. */
static bool split(char *fields[FIELDS], char *text)
{
	for (int i = 0; i < FIELDS; i++) {
		if (text == NULL)
			return false;
		fields[i] = text;
		text = strchr(text, ' ');
		if (text != NULL)
			*text++ = '\0';
	}
	return text == NULL;
}

const char *proxy_header_read_v1(struct proxy_header *header, const char *line)
{
	const struct start *start = find_start(line, header->bytes);
	size_t begun = strlen(start->text), length = header->bytes - begun - 2;
	char text[PROXY_HEADER_V1_MAX], *fields[FIELDS];
	const char *why;

	if (start->family == AF_UNSPEC)
		return NULL;
	memcpy(text, line + begun, length);
	text[length] = '\0';
	if (!split(fields, text))
		return "other than two addresses and two ports";
	why = read_address(&header->source, start->family, fields[0], fields[2]);
	return why != NULL ? why : read_address(&header->destination, start->family, fields[1], fields[3]);
}

size_t proxy_header_write_v1(char *line, size_t size, const struct address *source, const struct address *destination)
{
	int family = source->length == 0 ? AF_UNSPEC : source->sa.sa_family;
	char text[2 * PROXY_HEADER_V1_MAX], from[INET6_ADDRSTRLEN] = "", to[INET6_ADDRSTRLEN] = "";
	size_t length;

	if (family == AF_INET) {
		inet_ntop(family, &source->in.sin_addr, from, sizeof(from));
		inet_ntop(family, &destination->in.sin_addr, to, sizeof(to));
	} else if (family == AF_INET6) {
		inet_ntop(family, &source->in6.sin6_addr, from, sizeof(from));
		inet_ntop(family, &destination->in6.sin6_addr, to, sizeof(to));
	}
	if (from[0] == '\0')
		snprintf(text, sizeof(text), "%sUNKNOWN\r\n", word);
	else
		snprintf(text, sizeof(text), "%sTCP%c %s %s %u %u\r\n", word, family == AF_INET ? '4' : '6', from, to,
			address_port(source), address_port(destination));
	length = strlen(text);
	if (length > size)
		return 0;
	memcpy(line, text, length);
	return length;
}
