/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges - what the process may have and be: descriptors, user.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stddef.h>
#include <stdint.h>

/* Raises the soft limit on descriptors to the hard one; returns the limit in force. */
uint64_t privileges_raise_descriptors(void);

#define PRIVILEGES_RAW UINT32_C(1)       /* CAP_NET_RAW: marks, and addresses that are not this machine's */
#define PRIVILEGES_LOW_PORTS UINT32_C(2) /* CAP_NET_BIND_SERVICE */

/* Becomes the user, with its groups; "" or the user it is already: nothing to do. keep: which privileges are kept, of those
   there are, PRIVILEGES_*. 0, or -1 with a sentence in error. */
int privileges_drop(const char *user, uint32_t keep, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
