/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener - a [listener NAME] section come to life: its stack of policies, what its sessions have in common, and its
 * listening sockets. Shared by all workers; immutable but for its pool of sessions.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "dial.h"
#include "pool.h"
#include "session.h"
#include "socket.h"
#include "stack.h"

struct listener {
	const struct config_listener *config;
	struct stack stack;
	struct session_profile profile;
	struct socket_options options;          /* of what listens, and is accepted */
	struct socket_options upstream_options; /* of what connects to servers */
	struct dial_target target;
	struct pool sessions; /* its max_sessions; not used if unlimited */
	bool limited;
	bool arrives; /* clients are asked how they came: see arrival.h */
};

/* The policies must have been started. number: among all listeners, from 0 on. loops: outlives it. 0, or -1 with errno. */
int listener_init(struct listener *listener, const struct config_listener *config, size_t number, struct loops *loops)
	__attribute__((warn_unused_result));
void listener_destroy(struct listener *listener);

/* Whether sockets can be made that connect to its servers, with the privileges there are. 0, or -1 with errno. */
int listener_try(const struct listener *listener) __attribute__((warn_unused_result));

/*
 * Listens on the i-th address with `count` sockets that share it (one for each worker; a unix address gets one only),
 * and puts them into fds. Port 0 is replaced by what the kernel chose, in *bound. Returns how many sockets, or -1 with
 * errno, none left open.
 */
int listener_bind(const struct listener *listener, size_t i, int *fds, unsigned count, struct address *bound)
	__attribute__((warn_unused_result));

#endif
