/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heard - what a module asked weir for: to log, to wake, to count, to end a session.
 */
#ifndef HEARD_H
#define HEARD_H

#include "weir/policy.h"

struct heard {
	unsigned wakes;
	unsigned logs;
	unsigned ends;
	enum weir_end how; /* the last one; so are the texts */
	char log[256];
	char why[256];
	uint64_t counts[WEIR_COUNTERS_MAX];
};

extern struct heard heard;

/* Hears what the module on trial says; after trial_begin(). */
void heard_trial(void);

/* Hears what the module in the rig says, and does it; after rig_begin(). */
void heard_rig(void);

#endif
