/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial_socket - a dial's socket: a descriptor for it even where they run out, the address and port that it connects from, and
 * the note by which weir knows its own connection when it comes back.
 */
#ifndef DIAL_SOCKET_H
#define DIAL_SOCKET_H

#include <stdbool.h>

#include "dial.h"

/* Makes sure that there is a spare descriptor, before a client is accepted that will need one. 0, or -1 with errno. */
int dial_spare(struct dial_base *base) __attribute__((warn_unused_result));

/* Closes what can be spared: true if there was anything, so that it is worth trying again. */
bool dial_free_descriptors(struct dial_base *base);

bool dial_out_of_descriptors(int error);

/* A socket that connects, its departure noted if the terms have one; or -1 with errno. The caller closes it. */
int dial_connect(struct dial_base *base, const struct dial_target *target, const struct dial_terms *terms,
	const struct address *to) __attribute__((warn_unused_result));

/* Notes where this socket, which connects, goes: so early that weir knows its own connection when it comes back. */
void dial_note_departure(const struct dial_target *target, const struct dial_terms *terms, int fd,
	const struct address *to);

#endif
