/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context - what every session of one worker shares. Made by the worker, or by a test; outlives its sessions.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "weir/policy.h"

struct pipes;
struct pool;
struct sched;
struct scopes;
struct store_depots;

#define CONTEXT_SCRATCH (256 * 1024) /* bytes; also the most that a turn moves per flow */

struct context {
	struct sched *sched;
	struct pool *memory; /* shared pages of 4 KiB beyond the sessions' reserves; last in the pools' order */
	const struct weir_host *host;
	unsigned char *scratch; /* CONTEXT_SCRATCH bytes that a read goes through; nothing stays there */
	/*
	 * Pages that the worker has leased for itself. What a turn reads may come to need as many, most often needs none, and
	 * who could have them all without asking asks nobody. A flow that does keep some leases its own; only when the
	 * pool is short it gets them from here.
	 */
	uint32_t reserve;
	uint32_t reserve_max;        /* enough for one turn, or 0 */
	struct pipes *pipes;         /* that bulk goes through; NULL: none */
	struct store_depots *depots; /* that held bytes lie in */
	struct scopes *scopes;       /* where clients' pools are found, of all workers; NULL: nowhere */
	unsigned worker;             /* its number */
};

#endif
