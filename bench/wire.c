/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - see wire.h.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define LEFT_ALONE 100
#define QUEUES_MAX (256U * 1024 * 1024)
#define QUEUE_MIN (64U * 1024)

#define LOOPBACK 0x7f000000U

static struct in_addr server;
static bool elsewhere;

/* Not zeros: pages that were never written are all the same one, which would be warmer than any real buffer. */
static unsigned char warm[WIRE_CHUNK] = {1};

void wire_put(unsigned char *at, unsigned bytes, uint64_t number)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (unsigned char)(number >> (8 * i));
}

uint64_t wire_get(const unsigned char *at, unsigned bytes)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < bytes; i++)
		number |= (uint64_t)at[i] << (8 * i);
	return number;
}

void wire_header(unsigned char header[WIRE_HEADER], enum wire_kind kind, uint32_t size)
{
	memset(header, 0, WIRE_HEADER);
	header[0] = (unsigned char)kind;
	wire_put(header + 4, 4, size);
}

int wire_set_server(const char *address)
{
	elsewhere = true;
	return inet_pton(AF_INET, address, &server) == 1 ? 0 : -1;
}

static struct sockaddr_in loopback(uint16_t port, uint8_t last)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(LOOPBACK | last)};
}

static struct sockaddr_in at_server(uint16_t port)
{
	struct sockaddr_in address = loopback(port, 1);

	if (elsewhere)
		address.sin_addr = server;
	return address;
}

static int open_socket(void)
{
	static const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd != -1)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int failed(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

int wire_listen(uint16_t *port)
{
	struct sockaddr_in address = at_server(0);
	socklen_t length = sizeof(address);
	int fd = open_socket();

	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 || listen(fd, BACKLOG) == -1 ||
		getsockname(fd, (struct sockaddr *)&address, &length) == -1)
		return failed(fd);
	*port = ntohs(address.sin_port);
	return fd;
}

/* The port is chosen when the connection is made: then only the pair of addresses must be free, not the port. */
static int bind_source(int fd, uint8_t source)
{
	static const int on = 1;
	struct sockaddr_in address = loopback(0, source);

	if (source == 0)
		return 0;
	if (elsewhere) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == -1)
		return -1;
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

int wire_connect(uint16_t port, uint8_t source)
{
	struct sockaddr_in address = at_server(port);
	int fd = open_socket();

	if (fd == -1)
		return -1;
	if (bind_source(fd, source) == -1)
		return failed(fd);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 && errno != EINPROGRESS)
		return failed(fd);
	return fd;
}

uint32_t wire_queue(unsigned connections)
{
	uint32_t share = QUEUES_MAX / connections;

	if (connections <= LEFT_ALONE)
		return 0;
	return share > QUEUE_MIN ? share : QUEUE_MIN;
}

void wire_bound_queue(int fd, uint32_t bytes)
{
	int size = (int)bytes;

	if (bytes > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

ssize_t wire_send(int fd, size_t size)
{
	return send(fd, warm, size < sizeof(warm) ? size : sizeof(warm), MSG_NOSIGNAL);
}

static const unsigned char *lines(void)
{
	static unsigned char bytes[WIRE_CHUNK];

	if (bytes[0] == 0) {
		memset(bytes, '-', sizeof(bytes));
		for (size_t end = WIRE_LINE; end <= sizeof(bytes); end += WIRE_LINE)
			bytes[end - 1] = '\n';
	}
	return bytes;
}

ssize_t wire_send_lines(int fd, size_t size)
{
	return send(fd, lines(), size < WIRE_CHUNK ? size : WIRE_CHUNK, MSG_NOSIGNAL);
}

/* TCP drops what MSG_TRUNC asks for without looking at the buffer. */
ssize_t wire_discard(int fd, size_t size)
{
	/* cppcheck-suppress nullPointer */
	return recv(fd, NULL, size, MSG_TRUNC);
}

void wire_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}
