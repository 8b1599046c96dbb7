/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site - common complaints.
 */
#include "site.h"

#define COMPLAIN_EVERY (UINT64_C(1000) * 1000000) /* ns */

bool commons_may_complain(struct commons *commons, uint64_t now)
{
	uint64_t last = atomic_load(&commons->complained_at);

	if (last != 0 && now < last + COMPLAIN_EVERY)
		return false;
	return atomic_compare_exchange_strong(&commons->complained_at, &last, now);
}
