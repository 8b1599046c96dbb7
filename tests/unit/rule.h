/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule - a policy that a test writes down itself, without a shared object; and what weir logs about it.
 */
#ifndef RULE_H
#define RULE_H

#include "module.h"
#include "policy.h"
#include "stack.h"

struct rule {
	struct module module;
	struct policy policy;
};

/* Starts a policy for one worker. api's versions may be left out; options stay the test's. */
void rule_init(struct rule *rule, const char *name, const struct weir_policy *api, void *options);
void rule_destroy(struct rule *rule); /* all units must be back */

/* One stack of up to three rules, NULL for none. */
void rule_stack(struct stack *stack, struct rule *first, struct rule *second, struct rule *third);

/* As policies/watermark does it. */
struct marks {
	uint64_t high;
	uint64_t low;
};

extern const struct weir_policy marks_policy;

/* Catches what is logged, from now on: stderr goes into a file. */
void capture_begin(void);
unsigned capture_count(const char *text); /* lines so far that contain it */

#endif
