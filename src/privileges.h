/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges - what the process may have and be: descriptors, user.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raises the soft limit on descriptors to the hard one; returns the limit in force. */
uint64_t privileges_raise_descriptors(void);

/* Becomes the user, with its groups; "" or the user it is already: nothing to do. keep_raw: CAP_NET_RAW is kept, and nothing
   else. 0, or -1 with a sentence in error. */
int privileges_drop(const char *user, bool keep_raw, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
