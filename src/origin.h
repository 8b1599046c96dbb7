/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin - what Linux knows of a connection that was not made to weir: where its client wanted to go.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/*
 * Where the client of an accepted socket wanted to go: as conntrack remembers it where a listener's mode is redirect, else
 * the socket's own address. 0, or -1 with errno: ENOENT where conntrack knows nothing of it, ENOTSUP for a unix socket.
 */
int origin_destination(int fd, enum config_mode mode, struct address *destination) __attribute__((warn_unused_result));

/* The mark that an accepted socket has: its SYN's, if net.ipv4.tcp_fwmark_accept says so; else 0. */
uint32_t origin_mark(int fd);

/* Whether this machine has the address (and not: whether a foreign one is delivered here). */
bool origin_is_local(const struct address *address);

#endif
