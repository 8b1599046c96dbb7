/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loopback - see loopback.h.
 */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_TIMEOUT_MS 5000

static struct sockaddr_in address_of(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int failed(int fd)
{
	int error = errno;

	if (fd != -1)
		close(fd);
	errno = error;
	return -1;
}

int loopback_listen(in_port_t *port)
{
	struct sockaddr_in address = address_of(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 || listen(fd, 1) == -1)
		return failed(fd);
	*port = loopback_port(fd);
	return fd;
}

int loopback_connect(in_port_t port)
{
	struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		return failed(fd);
	return fd;
}

int loopback_accept(int listener)
{
	struct pollfd poll_fd = {.fd = listener, .events = POLLIN};

	switch (poll(&poll_fd, 1, ACCEPT_TIMEOUT_MS)) {
	case -1:
		return -1;
	case 0:
		errno = ETIMEDOUT;
		return -1;
	default:
		return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
}

in_port_t loopback_port(int fd)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin_port) : 0;
}

in_port_t loopback_peer_port(int fd)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof(address);

	return getpeername(fd, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin_port) : 0;
}
