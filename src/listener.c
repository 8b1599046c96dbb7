/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener - making, binding, and the way to share an address among workers without sharing it with strangers.
 */
#include "listener.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrival.h"
#include "profile.h"

/*
 * A window that stays zero counts for TCP_USER_TIMEOUT, although the peer answers every probe. So by default the kernel is
 * given longer than stall_timeout, which names what happened; and for ever, if a sink may stall for ever.
 */
static uint64_t resolve_user_timeout(const struct config_listener *config)
{
	if (config->user_timeout != CONFIG_AUTO_USER_TIMEOUT)
		return config->user_timeout;
	return config->stall_timeout == WEIR_NEVER ? CONFIG_OFF : config->stall_timeout + config->stall_timeout / 2;
}

int listener_init(struct listener *listener, const struct config_listener *config, size_t number, struct loops *loops)
{
	const struct config_upstream *upstream = config->upstream;

	memset(listener, 0, sizeof(*listener));
	listener->config = config;
	listener->limited = config->max_sessions != CONFIG_UNLIMITED;
	if (stack_init(&listener->stack, config->policies, config->policy_count,
		    upstream->original ? NULL : upstream->name) != 0)
		return -1;
	if (pool_init(&listener->sessions, config->name,
		    listener->limited ? (uint32_t)config->max_sessions : POOL_UNITS_MAX) != 0) {
		stack_destroy(&listener->stack);
		return -1;
	}
	profile_init(&listener->profile, config, &listener->stack);
	listener->options = (struct socket_options){
		.user_timeout = resolve_user_timeout(config),
		.keepalive = config->keepalive,
		.notsent_lowat = config->notsent_lowat,
		.rcvbuf = config->rcvbuf,
		.sndbuf = config->sndbuf,
		.nodelay = config->nodelay != 0,
	};
	listener->upstream_options = listener->options;
	listener->upstream_options.mark = loops->mark;
	listener->upstream_options.transparent = config->bind_client;
	listener->options.transparent = config->mode == CONFIG_TPROXY;
	listener->arrives = arrival_needed(config);
	listener->target = (struct dial_target){
		.upstream = upstream,
		.options = &listener->upstream_options,
		.bind = config->bind,
		.bound = config->bind[0].length != 0 || config->bind[1].length != 0,
		/* what netfilter has redirected it knows by both ends, and would do it again to another with the same ones */
		.keep_port = config->bind_port && config->mode != CONFIG_REDIRECT,
		.connect_timeout = config->connect_timeout,
		.loops = loops,
		.listener = number,
	};
	return 0;
}

void listener_destroy(struct listener *listener)
{
	stack_destroy(&listener->stack);
	pool_destroy(&listener->sessions);
}

int listener_try(const struct listener *listener)
{
	const struct address any = {.length = sizeof(any.in), .in.sin_family = AF_INET};
	int fd = socket_open(&any, &listener->upstream_options, false);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static void set_flag(int fd, int level, int name)
{
	int on = 1;

	(void)!setsockopt(fd, level, name, &on, sizeof(on));
}

/* One socket, bound; listening if `backlog` > 0. */
static int bind_one(const struct listener *listener, const struct address *address, bool shared, int backlog)
{
	int fd = socket_open(address, &listener->options, address_is_loopback(address));
	int error;

	if (fd < 0)
		return -1;
	if (!address_is_unix(address)) {
		set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
		if (shared)
			set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
		if (address->sa.sa_family == AF_INET6)
			set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY); /* [::] beside 0.0.0.0, not instead of it */
	}
	if (bind(fd, &address->sa, address->length) == 0 && (backlog == 0 || listen(fd, backlog) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* A socket that nobody listens on any more, left behind by a weir that was killed, may be replaced. */
static void unlink_stale(const struct address *address)
{
	struct stat status;
	int fd;

	if (stat(address->un.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, &address->sa, address->length) != 0 && errno == ECONNREFUSED)
		unlink(address->un.sun_path);
	close(fd);
}

static void close_all(int *fds, unsigned count)
{
	int error = errno;

	while (count-- > 0)
		close(fds[count]);
	errno = error;
}

/*
 * SO_REUSEPORT would let the address be shared with any other process of the same user that sets it too, another weir
 * above all. So it is first bound without: that fails if anybody has it.
 */
static int claim_address(const struct listener *listener, const struct address *address)
{
	int fd = bind_one(listener, address, false, 0);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int listener_bind(const struct listener *listener, size_t i, int *fds, unsigned count, struct address *bound)
{
	int backlog = (int)listener->config->backlog;

	*bound = listener->config->addresses[i];
	if (address_is_unix(bound)) {
		unlink_stale(bound);
		fds[0] = bind_one(listener, bound, false, backlog);
		return fds[0] < 0 ? -1 : 1;
	}
	if (address_port(bound) != 0 && claim_address(listener, bound) != 0)
		return -1;
	for (unsigned n = 0; n < count; n++) {
		bound->length = listener->config->addresses[i].length;
		fds[n] = bind_one(listener, bound, count > 1, backlog);
		if (fds[n] < 0) {
			close_all(fds, n);
			return -1;
		}
		bound->length = sizeof(bound->storage);
		if (getsockname(fds[n], &bound->sa, &bound->length) != 0) {
			close_all(fds, n + 1);
			return -1;
		}
	}
	return (int)count;
}
