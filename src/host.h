/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host - the functions that modules may call.
 */
#ifndef HOST_H
#define HOST_H

#include <stdint.h>

#include "weir/policy.h"

struct session;

extern const struct weir_host host;

/* How host.wake() finds a slot's session: from any thread, NULL if there is none. Set before threads start; NULL ends
   it. There is one registry in a process, because a module's reference to a flow names no other. */
void host_set_lookup(struct session *(*lookup)(void *argument, uint32_t worker, uint32_t slot), void *argument);

#endif
