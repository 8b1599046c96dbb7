/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate - what a module's entry function returned is checked before anything else looks at it.
 *
 * In this order: magic, major, size, required callbacks; then the tables. The first four fields protect the rest, so
 * nothing behind them is read until they are known to be right.
 */
#ifndef GATE_H
#define GATE_H

#include <stddef.h>

#include "weir/policy.h"

/* The struct as it was at version 1.0, the oldest that this weir serves: the smallest size it accepts. */
#define GATE_SIZE_MIN (offsetof(struct weir_policy, reconfigure) + sizeof(((struct weir_policy *)NULL)->reconfigure))

/* The same of one row of its pools. */
#define GATE_POOL_MIN (offsetof(struct weir_pool, unit_bytes) + sizeof(((struct weir_pool *)NULL)->unit_bytes))

/* The i-th pool that a module declares; what its own, older struct has not is zero. */
struct weir_pool gate_pool(const struct weir_policy *api, unsigned i);

/* The i-th counter. */
struct weir_counter gate_counter(const struct weir_policy *api, unsigned i);

/*
 * Checks what the module `name` offers (NULL is refused, too), and copies it to api: zero-filled behind the module's own size,
 * cut at ours. 0, or -1 with "what is wrong; what was expected" in error.
 */
int gate_pass(struct weir_policy *api, const struct weir_policy *offer, const char *name, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
