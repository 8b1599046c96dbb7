/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew - workers: threads, each with a scheduler and seats of its own, that play one game together.
 *
 *     play -> stop and count -> play -> ... -> finish -> stop and count -> play ...
 *
 * Nobody runs while pools are counted. While they finish, workers sleep until they are woken, or a timer is due: a wake-up
 * that is lost stays lost, and a watchdog sees that nothing moves any more.
 */
#ifndef CREW_H
#define CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "game.h"
#include "sched.h"
#include "seat.h"
#include "store.h"

#define CREW_WORKERS 4
#define CREW_SEATS 8 /* of each */
#define CREW_REFS 64 /* names of sessions, most of them gone, that anybody may wake */

enum crew_phase {
	CREW_PLAY,
	CREW_FINISH,
	CREW_STOP,
};

struct worker {
	struct crew *crew;
	struct game *game;
	unsigned number;
	pthread_t thread;
	int wake_fd;
	uint64_t drawn;
	struct sched sched;
	struct context context;
	struct store_depots depots;
	struct seat seats[CREW_SEATS];
	_Atomic uint64_t moved; /* grows as long as the worker gets on */
	_Atomic unsigned taken; /* seats that are not empty */
};

struct crew {
	struct game *game;
	struct worker workers[CREW_WORKERS];
	_Atomic uint64_t refs[CREW_REFS];
	_Atomic unsigned finished; /* workers whose seats are empty, while all finish */
	pthread_mutex_t lock;
	pthread_cond_t stopped; /* all workers have */
	pthread_cond_t begun;   /* another phase has */
	unsigned waiting;       /* workers */
	unsigned number;        /* of the phase */
	enum crew_phase phase;
};

/* Plays for so many seconds, and once at least; returns how often. Fails the test where anything is not as it must be. */
unsigned crew_play(struct game *game, double seconds);

/* Fails the test where something is missing, or there is too much; and where anything is left, when all sessions are over. */
void crew_count(const struct crew *crew);
void crew_count_over(const struct crew *crew);

/* Chance, different for each worker; 0 .. below - 1. */
uint64_t worker_draw(struct worker *worker, uint64_t below);

/* A session's name may be known to all from now on; somebody of those who are known is woken. */
void worker_tell(struct worker *worker, const struct weir_ref *ref);
void worker_wake_somebody(struct worker *worker);

#endif
