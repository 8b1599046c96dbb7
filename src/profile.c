/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile - see profile.h.
 */
#include "profile.h"

void profile_init(struct session_profile *profile, const struct config_listener *config, const struct stack *stack)
{
	*profile = (struct session_profile){
		.name = config->name,
		.stack = stack,
		.idle_timeout = config->idle_timeout,
		.half_close_timeout = config->half_close_timeout,
		.stall_timeout = config->stall_timeout,
		.splice = (enum pipe_use)config->splice,
	};
}
