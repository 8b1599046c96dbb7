/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loopback - sockets on 127.0.0.1, with nothing set on them: the demo's programs are ordinary ones. Ports in host order.
 */
#ifndef DEMO_LOOPBACK_H
#define DEMO_LOOPBACK_H

#include <netinet/in.h>

/* On a port that the kernel gives. */
int loopback_listen(in_port_t *port) __attribute__((warn_unused_result));
int loopback_connect(in_port_t port) __attribute__((warn_unused_result));

/* Waits a few seconds for a connection; -1 with ETIMEDOUT if none comes. */
int loopback_accept(int listener) __attribute__((warn_unused_result));

in_port_t loopback_port(int fd);
in_port_t loopback_peer_port(int fd);

#endif
