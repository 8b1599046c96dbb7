/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - one [policy NAME] section come to life: a module, its options, its state and the pools it declared.
 *
 * Born by config with its options, started by the server once the number of workers is known. Immutable while flows
 * use it, but for what the module keeps in its state, the pools, and the flags of complaints already made.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"
#include "module.h"
#include "pool.h"

struct policy_upstream;

struct policy {
	char *name;            /* the section's name: pauses are attributed to it */
	struct module *module; /* a reference of its own */
	void *options;         /* api.options_size bytes */
	void *state;           /* api.instance_size bytes, NULL if 0; zeroed at start */
	char *worker_state;    /* one block of worker_stride bytes for each worker */
	size_t worker_stride;
	unsigned workers;
	unsigned order; /* its place in the configuration: the order in which flows acquire leases */
	struct pool *pools[WEIR_POOLS_MAX][2];        /* of instance scope, by direction; NULL else */
	struct policy_upstream *upstreams;            /* that have pools of that scope; owned */
	_Atomic uint64_t counters[WEIR_COUNTERS_MAX]; /* the module's own */
	atomic_flag promise_broken;                   /* each complaint about this policy is logged once */
	atomic_flag want_beyond;
};

/* A policy with its options at their defaults. Takes over the caller's reference to module, also on failure. NULL when
   memory is short. */
struct policy *policy_new(const char *name, struct module *module) __attribute__((warn_unused_result));
void policy_free(struct policy *policy); /* NULL is fine */

/* The module's check() of the options as they stand, and policy_pool_check() of every pool. 0, or -1 with a sentence in
   error. */
int policy_check(const struct policy *policy, char *error, size_t error_size) __attribute__((warn_unused_result));

/* What it needs of WEIR_NEED_*, as its options stand. */
uint32_t policy_needs(const struct policy *policy);

/* ---- pools (policy_pool.c) */

/* That the i-th declared pool can be: 1 .. 2^31-1 units, and what else its flags ask for. 0, or -1 with a sentence. */
int policy_pool_check(const struct policy *policy, unsigned i, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* The size of the i-th declared pool in units, as the options say. */
uint64_t policy_pool_size(const struct policy *policy, unsigned i);

/* Units of it that each flow owns; 0: none. */
uint32_t policy_pool_floor(const struct policy *policy, unsigned i);

/* Bytes of memory that its declared pools promise when so many listeners use it: those of listener scope count once for
   each, none counts for 0. UINT64_MAX on overflow. */
uint64_t policy_pool_bytes(const struct policy *policy, uint64_t listeners);

/* The i-th declared pool as the module's table has it, but with the scope that the options say, never
   WEIR_SCOPE_OPTION, and NONE for one of unlimited size; and with the bytes of its segments in unit_bytes. */
struct weir_pool policy_pool(const struct policy *policy, unsigned i);

/* A new pool of the i-th kind, whole; NULL: memory is short. policy_pool_free() frees it; NULL is fine there. */
struct pool *policy_pool_new(const struct policy *policy, unsigned i, uint64_t now) __attribute__((warn_unused_result));
void policy_pool_free(const struct policy *policy, unsigned i, struct pool *pool);

/* The same for both directions: one pool, or two if it is directed. 0, or -1: memory is short, and there is none. */
int policy_pools_new(const struct policy *policy, unsigned i, uint64_t now, struct pool *pair[2])
	__attribute__((warn_unused_result));
void policy_pools_free(const struct policy *policy, unsigned i,
	struct pool *pair[2]); /* NULLs are fine; leaves NULLs */

/* The pools of the i-th kind, by direction, of all who share the upstream of that name; made when they are asked for first.
   NULL: memory is short. Before any flow. */
struct pool *const *policy_upstream_pools(struct policy *policy, unsigned i, const char *name)
	__attribute__((warn_unused_result));

/*
 * Calls visit() for each pool of instance scope, and of an upstream, whose name it is told ("" else); direction: of a directed
 * pool's half, or -1. Flows may use them meanwhile.
 */
void policy_pools_visit(const struct policy *policy,
	void (*visit)(const struct policy *policy, const struct pool *pool, const char *upstream, int direction));

/* Those of instance scope, and the end of these and of the upstreams'. */
int policy_pools_start(struct policy *policy) __attribute__((warn_unused_result));
void policy_pools_stop(struct policy *policy);

/* The bucket that a pool of the i-th kind is part of; NULL: its units are not consumed. */
struct bucket *policy_bucket(const struct policy *policy, unsigned i, struct pool *pool);

/* ---- life */

/* Allocates state and pools for this many workers. 0, or -1 with errno. */
int policy_start(struct policy *policy, unsigned workers) __attribute__((warn_unused_result));

/* Frees them, also after a start that failed: the policy may be started anew. No session may have it any more. */
void policy_stop(struct policy *policy);
void *policy_worker_state(const struct policy *policy, unsigned worker);

#endif
