/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial - runs one scenario in a process of its own, with all its invariants looked at, and tells how it ended.
 *
 * A process of its own, so that an assert or a crash in the core is a failure like any other, and so that no run can
 * hang: its processor time is limited.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdio.h>

#include "document.h"

enum trial_end {
	TRIAL_PASSED,
	TRIAL_FAULT,   /* something that must hold did not */
	TRIAL_REFUSED, /* it is no scenario: a fault of the generator, or a shrinking step too far */
	TRIAL_CRASHED, /* an assert, a signal, a sanitizer's report */
	TRIAL_HUNG,    /* it took too long */
	TRIAL_UNTRIED, /* no process or no memory could be had */
};

struct trial {
	enum trial_end end;
	char name[40];   /* of the invariant or the signal */
	char said[4000]; /* what the run printed, cut */
};

#define TRIAL_SECONDS 30 /* of processor time: a hundred times what the slowest takes, sanitizers included */

struct trial trial_run(const struct document *document, unsigned seconds);

/* Whether both ended in the same way. */
bool trial_same(const struct trial *one, const struct trial *other);

/* What it said, each line behind `indent`. */
void trial_print(const struct trial *trial, const char *indent, FILE *out);

#endif
