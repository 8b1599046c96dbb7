/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scope - the pools that less than a listener shares: one flow, the two of a session, all those of one client, or of one
 * server where each client says which.
 *
 * Those of a flow or session are the session's own. Those of a client or server are found by policy and address, from all
 * workers, and counted by session. A client's bucket outlives its last session until it is full again: who hangs up and
 * comes back finds no more in it than he left.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"
#include "pool.h"
#include "stack.h"

struct scope_party;

TAILQ_HEAD(scope_parties, scope_party);

/* The clients and servers of all workers. Any thread. */
struct scopes {
	pthread_mutex_t lock;
	void *tree;                /* tsearch(3)'s, by policy, pool and address */
	struct scope_parties idle; /* no session has them, but they are not full yet; longest idle first */
	size_t idle_count;
	size_t count;
};

int scopes_init(struct scopes *scopes) __attribute__((warn_unused_result)); /* 0, or -1 with errno */
void scopes_destroy(struct scopes *scopes);                                 /* no session may have a place any more */

/* One of a session's pools: stack->place_count of them, in the order of stack->places. */
struct scope_place {
	struct pool *pool;
	struct scope_party *party; /* NULL: the session's own */
};

/* Whose session it is. Either may be NULL, or an address without an IP: then there is one such party, as all of a unix
   socket are. */
struct scope_ends {
	const struct address *client; /* its port does not count */
	const struct address *server; /* where it wants to go, if clients of this listener say that; its port counts */
};

/* Finds or makes a session's pools. scopes may be NULL if the stack has no client's or server's. 0, or -1: memory is short,
   and nothing is had. */
int scope_open(struct scopes *scopes, const struct stack *stack, const struct scope_ends *ends,
	struct scope_place *places, uint64_t now) __attribute__((warn_unused_result));

/* Gives them up; no units may be leased from them. On the session's thread. */
void scope_close(struct scopes *scopes, const struct stack *stack, struct scope_place *places, uint64_t now);

#endif
