/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket - the options weir sets on its sockets.
 *
 * Everything is set on the listener, and inherited by what it accepts; a socket that connects gets the same before it
 * does. They are born armed with linger {1, 0}: whatever closes them, the death of weir included, resets the peer,
 * until socket_disarm() says that the end is a clean one.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

/* Values as in struct config_listener: times in ns, sizes in bytes, CONFIG_OFF, CONFIG_AUTO and CONFIG_KERNEL. */
struct socket_options {
	uint64_t user_timeout;
	uint64_t keepalive;
	uint64_t notsent_lowat;
	uint64_t rcvbuf;
	uint64_t sndbuf;
	bool nodelay;
	uint32_t mark;    /* SO_MARK; 0: none */
	bool transparent; /* IP_TRANSPARENT: may have an address that is not this machine's */
};

#define SOCKET_RCVBUF_LOOPBACK (80 * 1024) /* rcvbuf = auto, where the peer is on this machine */

/* A socket for this address, non-blocking, armed; with the options set. `peer_local`: the peer is known to be on
   loopback. -1 with errno: mark and transparent take privileges, and are not done without. */
int socket_open(const struct address *address, const struct socket_options *options, bool peer_local)
	__attribute__((warn_unused_result));

/* Bounds the receive queue of a socket that was accepted by a wildcard listener from a peer on loopback. */
void socket_bound_local(int fd, const struct socket_options *options);

/* Whether the kernel gave less than was asked for, with the name of its limit, or NULL: then *got is what it gave. */
const char *socket_cut(int fd, const struct socket_options *options, uint64_t *got);

/*
 * Makes a socket whose two directions have ended one that can connect again, with the options it has. False: not all it
 * sent has been acknowledged, so that it must be left to the kernel to close.
 */
bool socket_dissolve(int fd) __attribute__((warn_unused_result));

/* From now on, close() is a clean end. */
void socket_disarm(int fd);

#endif
