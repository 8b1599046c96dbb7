/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin - questions to netfilter and routing.
 */
#include "origin.h"

#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <string.h>
#include <unistd.h>

static bool is_internet(const struct address *address)
{
	return address->sa.sa_family == AF_INET || address->sa.sa_family == AF_INET6;
}

/* Both options have the same number, but not the same level. */
static int before_nat(int fd, const struct address *own, struct address *destination)
{
	destination->length = sizeof(destination->storage);
	if (own->sa.sa_family == AF_INET6)
		return getsockopt(fd, SOL_IPV6, IP6T_SO_ORIGINAL_DST, &destination->sa, &destination->length);
	return getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, &destination->sa, &destination->length);
}

int origin_destination(int fd, enum config_mode mode, struct address *destination)
{
	struct address own = {.length = sizeof(own.storage)};

	memset(destination, 0, sizeof(*destination));
	if (getsockname(fd, &own.sa, &own.length) != 0)
		return -1;
	if (!is_internet(&own)) {
		errno = ENOTSUP;
		return -1;
	}
	if (mode != CONFIG_REDIRECT)
		*destination = own;
	else if (before_nat(fd, &own, destination) != 0)
		return -1;
	return 0;
}

uint32_t origin_mark(int fd)
{
	uint32_t mark = 0;
	socklen_t length = sizeof(mark);

	return getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &length) == 0 ? mark : 0;
}

/* Where this machine's own address is the destination, routing takes the same for the source. No packet is sent. */
bool origin_is_local(const struct address *address)
{
	struct address to = *address, from = {.length = sizeof(from.storage)};
	bool local;
	int fd;

	if (!is_internet(address))
		return false;
	if (address_is_loopback(address))
		return true; /* 127/8 is local as a whole, and has one source */
	fd = socket(address->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	local = connect(fd, &to.sa, to.length) == 0 && getsockname(fd, &from.sa, &from.length) == 0 &&
		address_same_host(&to, &from);
	close(fd);
	return local;
}
