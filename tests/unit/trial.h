/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial - a policy module, asked directly: the test plays the flow, and what weir does for the module.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/policy.h"

struct trial {
	const struct weir_policy *policy;
	struct weir_call call;
	struct weir_view view; /* the test's to change */
	uint64_t spent;        /* of pool 0, ever, by lease_spend(); it is taken off the view's lease, too */
};

extern struct trial trial;

/* Loads a module of $WEIR_POLICIES. */
void trial_load(const char *name);

/* A flow begins, upwards, under the options of a text such as "high=64K low=32K", and the defaults. */
void trial_begin(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* The same options, to start a rule with. */
void *trial_options(const char *text, ...) __attribute__((format(printf, 1, 2)));

struct weir_limits trial_ask(void);
uint64_t trial_room(void);       /* bytes that may be read now, as weir works it out, but for chunks */
bool trial_is_pure(void);        /* whether asking twice is the same as asking once, and changes nothing */
const char *trial_refusal(void); /* what check() says of the options, or "" */

/* A turn that read so much, in so many reads, and wrote so much; no event if that is nothing. */
void trial_turn(uint64_t chunks, uint64_t read, uint64_t written);

#endif
