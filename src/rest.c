/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rest - dissolve, and connect again.
 */
#include "rest.h"

#include <unistd.h>

#include "socket.h"

static void ignore(void *argument)
{
	(void)argument;
}

bool rest_begin(struct endpoint_socket *socket)
{
	const struct endpoint *endpoint = &socket->endpoint;

	if (!endpoint->open || !endpoint->ended || !endpoint->finished || endpoint->error != 0 || endpoint->exempt ||
		!socket_dissolve(socket->fd))
		return false;
	socket->endpoint.open = false;
	socket->notify = ignore;
	return true;
}

bool rest_lasts(const struct endpoint_socket *socket)
{
	return socket->fd >= 0 && !socket->endpoint.open;
}

int rest_find(struct endpoint_socket *socket, const struct address *address)
{
	if (!rest_lasts(socket))
		return -1;
	if (address_is_packed(address, &socket->peer))
		return socket->fd;
	rest_close(socket);
	return -1;
}

void rest_end(struct endpoint_socket *socket, void (*notify)(void *argument), void *argument)
{
	endpoint_init(&socket->endpoint, socket->endpoint.ops);
	socket->notify = notify;
	socket->argument = argument;
}

void rest_close(struct endpoint_socket *socket)
{
	if (!rest_lasts(socket))
		return;
	event_del(&socket->event);
	close(socket->fd);
	socket->fd = -1;
}
