/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null_entry - a module that has nothing to offer.
 */
#include <weir/policy.h>

const struct weir_policy *weir_policy_entry(void)
{
	return NULL;
}
