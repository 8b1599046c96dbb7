/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial_socket - the descriptor, the address and port to connect from, connect(2).
 */
#include "dial_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

bool dial_out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE;
}

int dial_spare(struct dial_base *base)
{
	if (base->spare < 0)
		base->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return base->spare < 0 ? -1 : 0;
}

bool dial_free_descriptors(struct dial_base *base)
{
	return stock_clear(&base->stock);
}

/* A new socket, if need be in place of what can be spared, or of the spare descriptor. */
static int make_socket(struct dial_base *base, const struct dial_target *target, const struct address *address)
{
	bool local = address_is_loopback(address);
	int fd = socket_open(address, target->options, local);

	if (fd < 0 && dial_out_of_descriptors(errno) && dial_free_descriptors(base))
		fd = socket_open(address, target->options, local);
	if (fd >= 0 || !dial_out_of_descriptors(errno) || base->spare < 0)
		return fd;
	close(base->spare);
	base->spare = -1;
	return socket_open(address, target->options, local);
}

/* ---- connecting ---------------------------------------------------------------------------------------------------- */

static int close_failed(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/* The address that the connection is to have, or NULL for any. -1 with errno: it cannot have the one it should. */
static int find_source(const struct dial_target *target, const struct dial_terms *terms, const struct address *to,
	const struct address **source)
{
	*source = NULL;
	if (address_is_unix(to))
		return 0;
	if (terms->client != NULL)
		*source = terms->client;
	else if (target->bound)
		*source = &target->bind[to->sa.sa_family == AF_INET6];
	if (*source == NULL || ((*source)->length != 0 && (*source)->sa.sa_family == to->sa.sa_family))
		return 0;
	errno = EAFNOSUPPORT;
	return -1;
}

static int set_source(int fd, const struct address *source, bool keep_port)
{
	struct address from = *source;
	int on = 1;

	if (!keep_port && from.sa.sa_family == AF_INET6)
		from.in6.sin6_port = 0;
	else if (!keep_port)
		from.in.sin_port = 0;
	(void)!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* one port, several servers */
	if (address_port(&from) == 0) /* connect() finds one that is free towards this server */
		(void)!setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, &from.sa, from.length);
}

/* A socket that connects, or -1 with errno. */
static int connect_from(struct dial_base *base, const struct dial_target *target, const struct address *to,
	const struct address *source, bool keep_port)
{
	int fd = make_socket(base, target, to);

	if (fd < 0)
		return -1;
	if (source != NULL && set_source(fd, source, keep_port) != 0)
		return close_failed(fd);
	if (connect(fd, &to->sa, to->length) != 0 && errno != EINPROGRESS)
		return close_failed(fd);
	return fd;
}

/* The same port may belong to a connection that is not quite over, or be one that weir may not have; the client's address
   matters more than its port. */
static bool is_port_barred(int error)
{
	return error == EADDRINUSE || error == EADDRNOTAVAIL || error == EACCES;
}

void dial_note_departure(const struct dial_target *target, const struct dial_terms *terms, int fd,
	const struct address *to)
{
	struct departure *departure = terms->departure;

	if (departure == NULL)
		return;
	loops_forget(target->loops, departure); /* that of an attempt before */
	loops_depart(target->loops, departure, fd, to);
}

int dial_connect(struct dial_base *base, const struct dial_target *target, const struct dial_terms *terms,
	const struct address *to)
{
	const struct address *source;
	bool keep_port = terms->client == NULL || target->keep_port;
	int fd;

	if (find_source(target, terms, to, &source) != 0)
		return -1;
	if (source != NULL && address_same_host(source, to) && address_port(source) == address_port(to))
		keep_port = false; /* with both ends the same, a socket connects to itself where nobody listens */
	fd = connect_from(base, target, to, source, keep_port);
	if (fd < 0 && keep_port && source != NULL && address_port(source) != 0 && is_port_barred(errno))
		fd = connect_from(base, target, to, source, false);
	if (fd >= 0)
		dial_note_departure(target, terms, fd, to);
	return fd;
}
