/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - patterns, listening servers, connecting clients; see wire.h.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint64_t next_seed = 1;

/* ---- the pattern --------------------------------------------------------------------------------------------------- */

static uint64_t pattern_word(uint64_t seed, uint64_t index)
{
	uint64_t z = seed * UINT64_C(0xd1342543de82ef95) + index * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	return z ^ (z >> 27);
}

void pattern_fill(uint8_t *bytes, uint64_t seed, uint64_t position, size_t length)
{
	size_t done = 0;

	while (done < length) {
		uint64_t word = pattern_word(seed, (position + done) / 8);
		size_t skip = (position + done) % 8;
		size_t n = 8 - skip < length - done ? 8 - skip : length - done;

		if (n == 8)
			memcpy(bytes + done, &word, 8); /* a size the compiler knows: most of the time goes here */
		else
			memcpy(bytes + done, (const uint8_t *)&word + skip, n);
		done += n;
	}
}

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

static int socket_new(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_msg(fd >= 0, "socket: %s", strerror(errno));
	return fd;
}

static unsigned socket_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

static struct sockaddr_in address_of(const char *ip, unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	ck_assert_int_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	return in;
}

static struct sockaddr_un address_of_path(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	ck_assert_uint_lt(strlen(path), sizeof(un.sun_path));
	memcpy(un.sun_path, path, strlen(path) + 1);
	return un;
}

static struct server server_bind(const char *ip, unsigned port, int rcvbuf)
{
	struct sockaddr_in in = address_of(ip, port);
	struct server server = {.fd = socket_new(AF_INET)};
	int one = 1;

	if (port != 0)
		setsockopt(server.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (rcvbuf > 0)
		setsockopt(server.fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	ck_assert_msg(bind(server.fd, (struct sockaddr *)&in, sizeof(in)) == 0, "bind %s:%u: %s", ip, port,
		strerror(errno));
	server.port = socket_port(server.fd);
	snprintf(server.address, sizeof(server.address), "%s:%u", ip, server.port);
	return server;
}

struct server server_listen_at(const char *ip, unsigned port, int backlog, int rcvbuf)
{
	struct server server = server_bind(ip, port, rcvbuf);

	ck_assert_int_eq(listen(server.fd, backlog), 0);
	return server;
}

struct server server_listen_beside(const char *ip, const char *other, int backlog)
{
	struct server server;
	bool taken = true;

	for (int i = 0; i < 100 && taken; i++) {
		struct sockaddr_in in;
		int fd = socket_new(AF_INET);

		server = server_listen_at(ip, 0, backlog, 0);
		in = address_of(other, server.port);
		taken = bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0;
		close(fd);
		if (taken)
			server_close(&server);
	}
	ck_assert_msg(!taken, "no port is free on both %s and %s", ip, other);
	return server;
}

struct server server_listen(void)
{
	return server_listen_at("127.0.0.1", 0, 1024, 0);
}

struct server server_refusing(void)
{
	return server_bind("127.0.0.1", 0, 0);
}

struct server server_listen_unix(const char *path)
{
	struct sockaddr_un un = address_of_path(path);
	struct server server = {.fd = socket_new(AF_UNIX)};

	ck_assert_msg(bind(server.fd, (struct sockaddr *)&un, sizeof(un)) == 0, "bind %s: %s", path, strerror(errno));
	ck_assert_int_eq(listen(server.fd, 1024), 0);
	snprintf(server.address, sizeof(server.address), "unix:%s", path);
	return server;
}

/* True when it is connected. *error: a reset that came right behind. */
static bool socket_connects(int fd, int milliseconds, int *error)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t length = sizeof(*error);

	if (poll(&wait, 1, milliseconds) != 1)
		return false;
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &length), 0);
	ck_assert_msg(*error == 0 || *error == ECONNRESET, "connect: %s", strerror(*error));
	return true;
}

/* A backlog of 0 takes one connection; the one after it waits for ever, and so does everybody else. */
struct server server_hanging(const char *ip, unsigned port, int fillers[2])
{
	struct server server = server_listen_at(ip, port, 0, 0);
	struct sockaddr_in in = address_of(ip, server.port);

	for (int i = 0; i < 2; i++) {
		int error = 0;

		fillers[i] = socket_new(AF_INET);
		ck_assert(connect(fillers[i], (struct sockaddr *)&in, sizeof(in)) == -1 && errno == EINPROGRESS);
		ck_assert_int_eq(socket_connects(fillers[i], i == 0 ? (int)(PATIENCE * 1000) : 50, &error), i == 0);
	}
	return server;
}

void server_open_up(struct server *server)
{
	int fd = -1;

	ck_assert_int_eq(listen(server->fd, 1024), 0);
	fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC); /* the filler */
	ck_assert_int_ge(fd, 0);
	close(fd);
}

bool server_pending(const struct server *server)
{
	struct pollfd wait = {.fd = server->fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

void server_close(struct server *server)
{
	close(server->fd);
	server->fd = -1;
}

struct weir *weir_before(const struct server *server, const char *high, const char *low, const char *more)
{
	return weir_start("[weir]\nworkers = 2\n"
			  "[policy marks]\nmodule = watermark\nhigh = %s\nlow = %s\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = marks\n%s\n",
		high, low, server->address, more);
}

static struct end end_new(int fd, const char *name)
{
	return (struct end){.fd = fd, .name = name, .port = socket_port(fd), .in_goal = ALL};
}

struct end server_accept(struct server *server)
{
	struct pollfd wait = {.fd = server->fd, .events = POLLIN};
	int fd = -1;

	ck_assert_msg(poll(&wait, 1, (int)(PATIENCE * 1000)) == 1, "nobody connected to the server at %s",
		server->address);
	fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_msg(fd >= 0, "accept: %s", strerror(errno));
	return end_new(fd, "server");
}

/* from: of 127.0.0.0/8, or NULL. */
static struct end client_connect_to(const char *from, const struct sockaddr *address, socklen_t length, int rcvbuf)
{
	int fd = socket_new(address->sa_family);
	struct end end;
	int error = 0;

	if (from != NULL) {
		struct sockaddr_in own = address_of(from, 0);

		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	}
	if (rcvbuf > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (connect(fd, address, length) == -1)
		ck_assert_msg(errno == EINPROGRESS, "connect: %s", strerror(errno));
	ck_assert_msg(socket_connects(fd, (int)(PATIENCE * 1000), &error), "connecting to weir hangs");
	end = end_new(fd, "client");
	end.in_error = error;
	return end;
}

struct end client_connect_small(unsigned port, int rcvbuf)
{
	struct sockaddr_in in = address_of("127.0.0.1", port);

	return client_connect_to(NULL, (struct sockaddr *)&in, sizeof(in), rcvbuf);
}

struct end client_connect_from(const char *ip, unsigned port)
{
	struct sockaddr_in in = address_of("127.0.0.1", port);

	return client_connect_to(ip, (struct sockaddr *)&in, sizeof(in), 0);
}

struct end client_connect(unsigned port)
{
	return client_connect_small(port, 0);
}

struct end client_connect6(unsigned port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	in6.sin6_addr = in6addr_loopback;
	return client_connect_to(NULL, (struct sockaddr *)&in6, sizeof(in6), 0);
}

struct end client_connect_unix(const char *path)
{
	struct sockaddr_un un = address_of_path(path);

	return client_connect_to(NULL, (struct sockaddr *)&un, sizeof(un), 0);
}

void pair_join(struct pair *pair)
{
	pair->client.name = "client";
	pair->server.name = "server";
	pair->client.out_seed = pair->server.in_seed = next_seed++;
	pair->server.out_seed = pair->client.in_seed = next_seed++;
}

struct pair *pair_accept(struct pair *pairs, size_t count, struct server *server)
{
	struct end accepted = server_accept(server);
	struct pollfd wait = {.fd = accepted.fd, .events = POLLIN};
	uint8_t first[8] = {0};
	uint8_t expected[8];

	ck_assert_msg(poll(&wait, 1, (int)(PATIENCE * 1000)) == 1, "an accepted session brings no bytes");
	ck_assert_int_eq(recv(accepted.fd, first, sizeof(first), MSG_PEEK), sizeof(first));
	for (size_t i = 0; i < count; i++) {
		pattern_fill(expected, pairs[i].client.out_seed, 0, sizeof(expected));
		if (memcmp(first, expected, sizeof(first)) != 0)
			continue;
		accepted.name = "server";
		accepted.in_seed = pairs[i].server.in_seed;
		accepted.out_seed = pairs[i].server.out_seed;
		pairs[i].server = accepted;
		return &pairs[i];
	}
	ck_abort_msg("an accepted session is nobody's");
	return NULL;
}

struct pair pair_open_small(unsigned port, struct server *server, int client_rcvbuf)
{
	struct pair pair = {.client = client_connect_small(port, client_rcvbuf)};

	pair.server = server_accept(server);
	pair_join(&pair);
	return pair;
}

struct pair pair_open_from(const char *ip, unsigned port, struct server *server)
{
	struct pair pair = {.client = client_connect_from(ip, port)};

	pair.server = server_accept(server);
	pair_join(&pair);
	return pair;
}

struct pair pair_open(unsigned port, struct server *server)
{
	return pair_open_small(port, server, 0);
}

struct end *pair_source(struct pair *pair, int down)
{
	return down ? &pair->server : &pair->client;
}

struct end *pair_sink(struct pair *pair, int down)
{
	return down ? &pair->client : &pair->server;
}

void pair_close(struct pair *pair)
{
	end_close(&pair->client);
	end_close(&pair->server);
}
