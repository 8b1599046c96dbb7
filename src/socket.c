/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket - options. Those that a kernel or a socket family does not know are left out: they bound or hasten things, and
 * nothing is wrong without them. Only without its mark, or the right to a foreign address, a socket would do what it must
 * not.
 */
#include "socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config.h"

#define KEEPALIVE_INTERVAL 15 /* seconds between probes, once the first was not answered */
#define KEEPALIVE_PROBES 4

static void set(int fd, int level, int name, int value)
{
	(void)!setsockopt(fd, level, name, &value, sizeof(value));
}

static int as_int(uint64_t value)
{
	return value < INT32_MAX ? (int)value : INT32_MAX;
}

/* ns as milliseconds, or seconds, at least 1 */
static int as_units(uint64_t ns, uint64_t unit)
{
	return ns < unit ? 1 : as_int(ns / unit);
}

static void arm(int fd, bool on)
{
	struct linger linger = {.l_onoff = on, .l_linger = 0};

	(void)!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void tune_buffers(int fd, const struct socket_options *options, bool peer_local)
{
	if (options->rcvbuf == CONFIG_AUTO) {
		if (peer_local)
			set(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_RCVBUF_LOOPBACK);
	} else if (options->rcvbuf != CONFIG_KERNEL) {
		set(fd, SOL_SOCKET, SO_RCVBUF, as_int(options->rcvbuf));
	}
	if (options->sndbuf != CONFIG_KERNEL)
		set(fd, SOL_SOCKET, SO_SNDBUF, as_int(options->sndbuf));
}

static void tune_tcp(int fd, const struct socket_options *options)
{
	set(fd, SOL_SOCKET, SO_OOBINLINE, 1); /* urgent bytes keep their place in the stream */
	if (options->nodelay)
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (options->keepalive != CONFIG_OFF) {
		set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		set(fd, IPPROTO_TCP, TCP_KEEPIDLE, as_units(options->keepalive, UINT64_C(1000000000)));
		set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL);
		set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
	}
	if (options->user_timeout != CONFIG_OFF)
		set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, as_units(options->user_timeout, 1000000));
	if (options->notsent_lowat != CONFIG_OFF)
		set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, as_int(options->notsent_lowat));
}

static int set_transparent(int fd, const struct address *address)
{
	int on = 1;

	if (address->sa.sa_family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
}

/* 0, or -1 with errno. */
static int set_privileged(int fd, const struct address *address, const struct socket_options *options)
{
	if (address_is_unix(address))
		return 0;
	if (options->mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &options->mark, sizeof(options->mark)) != 0)
		return -1;
	return options->transparent ? set_transparent(fd, address) : 0;
}

int socket_open(const struct address *address, const struct socket_options *options, bool peer_local)
{
	int fd = socket(address->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (set_privileged(fd, address, options) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	arm(fd, true);
	tune_buffers(fd, options, peer_local);
	if (!address_is_unix(address))
		tune_tcp(fd, options);
	return fd;
}

void socket_bound_local(int fd, const struct socket_options *options)
{
	if (options->rcvbuf == CONFIG_AUTO)
		set(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_RCVBUF_LOOPBACK);
}

/* The kernel doubles what it is asked for, and says so. */
static uint64_t buffer_size(int fd, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	(void)!getsockopt(fd, SOL_SOCKET, name, &value, &length);
	return (uint64_t)value / 2;
}

const char *socket_cut(int fd, const struct socket_options *options, uint64_t *got)
{
	*got = buffer_size(fd, SO_RCVBUF);
	if (options->rcvbuf != CONFIG_AUTO && options->rcvbuf != CONFIG_KERNEL && *got < options->rcvbuf)
		return "net.core.rmem_max";
	*got = buffer_size(fd, SO_SNDBUF);
	if (options->sndbuf != CONFIG_KERNEL && *got < options->sndbuf)
		return "net.core.wmem_max";
	return NULL;
}

bool socket_dissolve(int fd)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	int queued;

	/* a FIN counts, too: with both, and nothing queued, the connection is over */
	return ioctl(fd, SIOCOUTQ, &queued) == 0 && queued == 0 && connect(fd, &nobody, sizeof(nobody)) == 0;
}

void socket_disarm(int fd)
{
	arm(fd, false);
}
