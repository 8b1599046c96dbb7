/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * newer - a module built against a later minor: its struct and its rows have grown at their ends. It must be served.
 */
#include "sound.h"

struct newer_option {
	struct weir_option old;
	const char *unheard_of;
	uint64_t more;
};

struct newer_policy {
	struct weir_policy old;
	void (*unheard_of)(void);
};

static const struct newer_option newer_table[] = {
	{{.key = "first", .type = WEIR_OPTION_SIZE, .def = "1K", .min = 1, .max = 1 << 20, .doc = "the first"}, "x", 1},
	{{.key = "size", .type = WEIR_OPTION_SIZE, .def = "2K", .min = 1, .max = 1 << 20, .doc = "the second"}, "y", 2},
	{{.key = NULL}, NULL, 0},
};

const struct weir_policy *weir_policy_entry(void)
{
	static struct newer_policy policy;

	policy.old = sound("newer");
	policy.old.minor = WEIR_POLICY_MINOR + 1;
	policy.old.size = sizeof(policy);
	policy.old.options = &newer_table[0].old;
	policy.old.option_stride = sizeof(newer_table[0]);
	return &policy.old;
}
