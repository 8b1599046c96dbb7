/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * game - an ini text come to life: what the server makes of a configuration, without sockets. Shared by all workers.
 */
#ifndef GAME_H
#define GAME_H

#include <stdbool.h>

#include "config.h"
#include "listener.h"
#include "pool.h"
#include "scope.h"

#define GAME_LISTENERS 2

struct game {
	struct config *config;
	struct listener listeners[GAME_LISTENERS];
	struct pool sessions;
	struct pool memory;
	struct scopes scopes;
	struct loops loops;
	uint64_t cap;              /* bytes in flight of all sessions in each direction, at most; 0: none is known */
	bool answers;              /* servers send a line for each line that they got */
	_Atomic uint64_t answered; /* lines */
};

/* Fails the test if the text is not sound. */
void game_begin(struct game *game, const char *text, unsigned workers);

/* Every unit must be back. */
void game_end(struct game *game);

/* A pool of all workers. */
typedef void game_visit(void *argument, const struct pool *pool, const char *owner);

/* Visits the pools that outlive sessions, each once or more often: those of policies and listeners, limits, memory. */
void game_pools(const struct game *game, game_visit *visit, void *argument);

#endif
