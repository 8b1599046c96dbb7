/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig - fake sessions under a real policy module, in virtual time.
 */
#ifndef RIG_H
#define RIG_H

#include "fake.h"
#include "rule.h"

#define RIG_PAIRS 64

struct rig {
	struct world world;
	struct rule rule;
	struct stack stack;
	struct pair pairs[RIG_PAIRS];
	struct address clients[RIG_PAIRS];
	unsigned count;
};

extern struct rig rig;

/* Sessions, not open yet, under the module that trial_load() loaded, with options of trial_options(). Each has a client of
   its own, rig.clients[i], until its pair says another. No end takes anything before fake_open(). */
void rig_begin(void *options, unsigned count);
void rig_open(void);
void rig_finish(void); /* everything must be back */

/* Sends the pair's source of that direction more than it will ever take. */
void rig_flood(unsigned i, int direction);

uint64_t rig_held(unsigned i, int direction);
uint64_t rig_taken(unsigned i, int direction); /* by the sink, ever */

#endif
