/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint_socket - the raw operations on a descriptor.
 */
#include "endpoint_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "container.h"
#include "socket.h"

static struct endpoint_socket *own(struct endpoint *endpoint)
{
	return CONTAINER(endpoint, struct endpoint_socket, endpoint);
}

/* Descriptors passed over a unix socket are not for weir: without room for them, the kernel drops them. */
static ssize_t socket_read(struct endpoint *endpoint, void *bytes, size_t length)
{
	return recv(own(endpoint)->fd, bytes, length, 0);
}

static ssize_t socket_write(struct endpoint *endpoint, const struct iovec *iov, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

	if (count == 1)
		return send(own(endpoint)->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
	return sendmsg(own(endpoint)->fd, &message, MSG_NOSIGNAL);
}

/* What is left to read, which a short splice does not tell: the pipe may have been full. */
static int socket_left(int fd)
{
	int left;

	return ioctl(fd, SIOCINQ, &left) == 0 ? left : ENDPOINT_UNKNOWN;
}

static ssize_t socket_to_pipe(struct endpoint *endpoint, int pipe, size_t length)
{
	int fd = own(endpoint)->fd;
	ssize_t n = splice(fd, NULL, pipe, NULL, length, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0)
		endpoint->left = (size_t)n < length ? socket_left(fd) : 1;
	return n;
}

static ssize_t socket_from_pipe(struct endpoint *endpoint, int pipe, size_t length)
{
	return splice(pipe, NULL, own(endpoint)->fd, NULL, length, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

static int socket_finish(struct endpoint *endpoint)
{
	return shutdown(own(endpoint)->fd, SHUT_WR);
}

static int socket_error(struct endpoint *endpoint)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(own(endpoint)->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return errno;
	return error;
}

static bool socket_at_mark(struct endpoint *endpoint)
{
	return sockatmark(own(endpoint)->fd) == 1;
}

static void socket_sample(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample)
{
	int fd = own(endpoint)->fd;
	struct tcp_info info;
	socklen_t length = sizeof(info);
	int n;

	if ((what & ENDPOINT_UNREAD) != 0 && ioctl(fd, SIOCINQ, &n) == 0 && n > 0)
		sample->unread = (uint64_t)n;
	if ((what & ENDPOINT_QUEUED) != 0 && ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0)
		sample->queued = (uint64_t)n;
	if ((what & ENDPOINT_RTT) != 0 && !endpoint->exempt &&
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		sample->rtt = (uint64_t)info.tcpi_rtt * 1000;
}

static void socket_close(struct endpoint *endpoint, bool abort)
{
	struct endpoint_socket *socket = own(endpoint);

	event_del(&socket->event);
	if (!abort)
		socket_disarm(socket->fd);
	close(socket->fd);
	socket->fd = -1;
}

static const struct endpoint_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.to_pipe = socket_to_pipe,
	.from_pipe = socket_from_pipe,
	.finish = socket_finish,
	.error = socket_error,
	.at_mark = socket_at_mark,
	.sample = socket_sample,
	.close = socket_close,
};

static void on_event(evutil_socket_t fd, short what, void *argument)
{
	struct endpoint_socket *socket = argument;
	bool news = (what & (EV_READ | EV_CLOSED)) != 0 ||
		!socket->endpoint.writable; /* that our end was acknowledged is none */

	(void)fd;
	endpoint_ready(&socket->endpoint, (what & EV_READ) != 0, (what & EV_WRITE) != 0, (what & EV_CLOSED) != 0);
	if (news)
		socket->notify(socket->argument);
}

int endpoint_socket_open(struct endpoint_socket *socket, int fd, const struct address *peer, struct event_base *base,
	void (*notify)(void *argument), void *argument)
{
	endpoint_init(&socket->endpoint, &socket_ops);
	socket->endpoint.exempt = peer->sa.sa_family == AF_UNIX;
	socket->fd = fd;
	socket->notify = notify;
	socket->argument = argument;
	address_pack(&socket->peer, peer);
	if (event_assign(&socket->event, base, fd, EV_ET | EV_READ | EV_WRITE | EV_CLOSED | EV_PERSIST, on_event,
		    socket) == 0 &&
		event_add(&socket->event, NULL) == 0)
		return 0;
	close(fd);
	socket->fd = -1;
	socket->endpoint.open = false;
	return -1;
}
