/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim - runs a scenario in virtual time, on weir's own sessions, flows, pools and policies; and what came of it.
 *
 * One thread. The same scenario gives the same result, to the last bit, whatever it was compiled by.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "meter.h"
#include "scenario.h"

/* What one cause (a policy, or "memory") did to all flows together. */
struct sim_cause {
	char name[64];
	uint64_t pauses;
	uint64_t paused; /* ns, of all flows */
};

/* A pool of a policy, or "memory" (in pages); pools of clients, sessions and flows are told as one, by the fullest. */
struct sim_pool {
	char policy[64]; /* "" for memory */
	char name[64];
	uint64_t size;
	uint64_t used_max;
	uint64_t used_mean; /* over time */
	uint64_t shortages; /* how often somebody had to queue */
};

/* What a policy counts. */
struct sim_counter {
	char policy[64];
	char name[64];
	uint64_t count;
};

#define SIM_CAUSES_MAX 64
#define SIM_POOLS_MAX 64
#define SIM_COUNTERS_MAX 64

/* Of a share of all flow-time (held), or of all bytes (sojourn). */
struct sim_spread {
	uint64_t p50;
	uint64_t p99;
	uint64_t max;
};

struct sim_result {
	uint64_t duration;          /* ns simulated */
	uint64_t sessions;          /* that began */
	uint64_t ended;             /* of them */
	uint64_t flows;             /* that carried bytes, or could */
	uint64_t sent;              /* bytes that applications wrote */
	uint64_t read;              /* bytes weir took from sources */
	uint64_t written;           /* bytes weir gave to sinks */
	uint64_t taken;             /* bytes that the sinks' applications took */
	uint64_t throughput;        /* taken, per second */
	struct sim_spread held;     /* bytes of a flow */
	struct sim_spread held_all; /* bytes of all flows together */
	struct sim_spread sojourn;  /* ns that a byte stays in weir */
	uint64_t pauses;
	uint64_t flips; /* pauses and their ends, per 1000 s of a flow's life */
	uint64_t jain;  /* Jain's fairness index of what flows delivered, in millionths; 1000000: all the same */
	uint64_t spent[METER_STATE_COUNT]; /* ns, of all flows */
	struct sim_cause causes[SIM_CAUSES_MAX];
	size_t cause_count;
	struct sim_pool pools[SIM_POOLS_MAX];
	size_t pool_count;
	struct sim_counter counters[SIM_COUNTERS_MAX];
	size_t counter_count;
	uint64_t turns; /* of sessions */
};

/* One row of the trace: a flow, or all together. */
struct sim_row {
	uint64_t at;   /* ns */
	uint64_t flow; /* from 1 on, in the order of their begin; 0: all together */
	uint64_t held; /* bytes */
	uint64_t read; /* bytes, ever; so are the next */
	uint64_t written;
	uint64_t taken;
	uint64_t unread; /* bytes in the source's receive queue at weir */
	uint64_t queued; /* bytes in the send queue towards the sink */
	uint32_t state;  /* enum meter_state; of all: how many are paused */
	uint32_t paused; /* by how many causes */
};

struct sim_options {
	/* Called for each row, in order; NULL: none. */
	void (*row)(void *argument, const struct sim_row *row);
	void *argument;
	/* What must hold is looked at after every step; slow. */
	bool check;
	FILE *faults; /* where a broken promise is told */
};

/* 0; 1 if something that must hold did not (told to options->faults); -1 with errno: no memory. */
int sim_run(const struct scenario *scenario, const struct sim_options *options, struct sim_result *result)
	__attribute__((warn_unused_result));

#endif
