/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rest - a server's socket between two sessions.
 *
 * To make a socket, set its options, register it, take it back and close it costs a short session more than its bytes. When
 * both directions have ended and everything is acknowledged, the connection is over as far as TCP is concerned: dissolved
 * by connect(2) to AF_UNSPEC, its socket is as good as new. So it stays where it is, registered, with its options, and
 * the next session in the same slot connects it again.
 *
 *     fd -1:  none        fd, and open: connecting or connected        fd, and not open: at rest
 *
 * Events that come in while it rests say nothing. One that the event loop has in hand already when the socket is
 * connected again would be taken for one of the new connection, so that may not happen in an event's callback.
 */
#ifndef REST_H
#define REST_H

#include <stdbool.h>

#include "endpoint_socket.h"

/* What a socket may have moved, each way, that is used again: the kernel sizes buffers by it, and never down. */
#define REST_BYTES (64 * 1024)

/* From a session whose directions have ended; false: it must be closed. */
bool rest_begin(struct endpoint_socket *socket);

bool rest_lasts(const struct endpoint_socket *socket);

/* The socket at rest if this is its server's address, or -1: then nothing rests any more. */
int rest_find(struct endpoint_socket *socket, const struct address *address);

/* It connects now: what endpoint_socket_open() is to a new one. */
void rest_end(struct endpoint_socket *socket, void (*notify)(void *argument), void *argument);

/* Closes a socket at rest; if there is none that is fine. */
void rest_close(struct endpoint_socket *socket);

#endif
