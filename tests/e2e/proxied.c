/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxied - PROXY headers; see proxied.h. It shares nothing with weir's own, so that both would have to be wrong.
 */
#include "proxied.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FIXED = 16, PATH = 108, BURST = 64 * 1024 };

/* ---- making them --------------------------------------------------------------------------------------------------- */

void header_line(struct header *header, const char *line)
{
	header->length = (size_t)snprintf((char *)header->bytes, sizeof(header->bytes), "%s\r\n", line);
}

static void set_length(struct header *header, size_t length)
{
	ck_assert_uint_le(length, HEADER_MAX);
	header->length = length;
	header->bytes[14] = (unsigned char)((length - FIXED) >> 8);
	header->bytes[15] = (unsigned char)(length - FIXED);
}

void header_v2(struct header *header, unsigned command, unsigned kind, const void *block, size_t length)
{
	static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

	memcpy(header->bytes, signature, sizeof(signature));
	header->bytes[12] = (unsigned char)command;
	header->bytes[13] = (unsigned char)kind;
	set_length(header, FIXED + length);
	if (length > 0)
		memcpy(header->bytes + FIXED, block, length);
}

void header_tcp(struct header *header, const char *source, unsigned source_port, const char *destination,
	unsigned destination_port)
{
	int family = strchr(source, ':') != NULL ? AF_INET6 : AF_INET;
	size_t one = family == AF_INET6 ? 16 : 4;
	unsigned char block[36];

	ck_assert_int_eq(inet_pton(family, source, block), 1);
	ck_assert_int_eq(inet_pton(family, destination, block + one), 1);
	memcpy(block + 2 * one, &(uint16_t){htons((uint16_t)source_port)}, 2);
	memcpy(block + 2 * one + 2, &(uint16_t){htons((uint16_t)destination_port)}, 2);
	header_v2(header, 0x21, family == AF_INET6 ? TCP6 : TCP4, block, 2 * one + 4);
}

void header_unix(struct header *header, const char *source, const char *destination)
{
	unsigned char block[2 * PATH] = {0};

	snprintf((char *)block, PATH, "%s", source);
	snprintf((char *)block + PATH, PATH, "%s", destination);
	header_v2(header, 0x21, UNIX, block, sizeof(block));
}

void header_tlv(struct header *header, unsigned type, const void *value, size_t length)
{
	unsigned char *at = header->bytes + header->length;

	set_length(header, header->length + 3 + length);
	at[0] = (unsigned char)type;
	at[1] = (unsigned char)(length >> 8);
	at[2] = (unsigned char)length;
	if (length > 0)
		memcpy(at + 3, value, length);
}

/* CRC-32C bit by bit, as it is defined. */
static uint32_t crc32c(const unsigned char *bytes, size_t length)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = (sum & 1) != 0 ? sum >> 1 ^ UINT32_C(0x82f63b78) : sum >> 1;
	}
	return ~sum;
}

static unsigned char *find_sum(struct header *header, size_t addresses)
{
	size_t at = FIXED + addresses;

	while (at < header->length && header->bytes[at] != 3)
		at += 3 + (size_t)(header->bytes[at + 1] << 8 | header->bytes[at + 2]);
	ck_assert_msg(at < header->length, "the header has no checksum");
	return header->bytes + at + 3;
}

void header_resum(struct header *header)
{
	static const size_t addresses[] = {0, 12, 36, 2 * PATH};
	unsigned char *sum = find_sum(header, addresses[header->bytes[13] >> 4]);
	uint32_t value;

	memset(sum, 0, 4);
	value = htonl(crc32c(header->bytes, header->length));
	memcpy(sum, &value, 4);
}

void header_sum(struct header *header)
{
	header_tlv(header, 3, "\0\0\0", 4);
	header_resum(header);
}

/* ---- sending and seeing them --------------------------------------------------------------------------------------- */

static void say(struct end *end, const unsigned char *bytes, size_t length)
{
	double deadline = harness_now() + PATIENCE;
	size_t done = 0;

	while (done < length) {
		ssize_t n = send(end->fd, bytes + done, length - done, MSG_NOSIGNAL);

		ck_assert_msg(n > 0 || errno == EAGAIN, "%s cannot say its header: %s", end->name, strerror(errno));
		ck_assert_msg(n > 0 || harness_now() < deadline, "%s could say only %zu of %zu bytes", end->name, done,
			length);
		if (n > 0)
			done += (size_t)n;
		else
			harness_tick();
	}
}

void end_say(struct end *end, const struct header *header)
{
	say(end, header->bytes, header->length);
}

void end_say_slowly(struct end *end, const struct header *header, size_t from)
{
	int one = 1;

	setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t i = from; i < header->length; i++) {
		say(end, header->bytes + i, 1);
		harness_tick();
	}
}

void end_say_and_write(struct end *end, const struct header *header, size_t length)
{
	static unsigned char bytes[HEADER_MAX + BURST];

	ck_assert_uint_le(length, BURST);
	memcpy(bytes, header->bytes, header->length);
	pattern_fill(bytes + header->length, end->out_seed, end->sent, length);
	say(end, bytes, header->length + length);
	end->sent += length;
}

static void show(char *text, size_t size, const unsigned char *bytes, size_t length)
{
	text[0] = '\0';
	for (size_t i = 0, at = 0; i < length && at + 4 < size; i++)
		at += (size_t)snprintf(text + at, size - at, bytes[i] > 32 && bytes[i] < 127 ? " %c" : " %02x",
			bytes[i]);
}

void end_hear(struct end *end, const struct header *header)
{
	double deadline = harness_now() + PATIENCE;
	unsigned char bytes[HEADER_MAX];
	size_t got = 0;
	char text[1024];

	while (got < header->length) {
		ssize_t n = recv(end->fd, bytes + got, header->length - got, 0);

		ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN && harness_now() < deadline),
			"%s heard only %zu of %zu bytes: %s", end->name, got, header->length,
			n == 0 ? "the end" : strerror(errno));
		if (n > 0)
			got += (size_t)n;
		else
			harness_tick();
	}
	show(text, sizeof(text), bytes, got);
	ck_assert_msg(memcmp(bytes, header->bytes, got) == 0, "%s heard%s", end->name, text);
}

/* ---- sessions that may begin late ----------------------------------------------------------------------------------- */

struct pair pair_come(const char *from, unsigned port)
{
	struct pair pair = {.client = client_connect_from(from, port), .server = {.fd = -1}};

	pair_join(&pair);
	return pair;
}

void pair_get_in(struct pair *pair, struct server *server)
{
	struct end accepted = server_accept(server);

	accepted.name = pair->server.name;
	accepted.in_seed = pair->server.in_seed;
	accepted.out_seed = pair->server.out_seed;
	pair->server = accepted;
}

void pair_exchange(struct pair *pair)
{
	end_write(&pair->client, 1000);
	end_expect(&pair->server, pair->client.sent - pair->server.got);
	end_write(&pair->server, 2000);
	end_expect(&pair->client, 2000);
}

void pair_finish(struct pair *pair)
{
	end_shutdown(&pair->client);
	end_expect_eof(&pair->server);
	end_write(&pair->server, 100);
	end_expect(&pair->client, 100);
	end_shutdown(&pair->server);
	end_expect_eof(&pair->client);
	pair_close(pair);
}
