/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile - what a [listener NAME] section says of its sessions, whatever sockets they have.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include "config.h"
#include "session.h"
#include "stack.h"

/* Both are borrowed, and must outlive the sessions. */
void profile_init(struct session_profile *profile, const struct config_listener *config, const struct stack *stack);

#endif
