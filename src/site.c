/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site - common complaints.
 */
#include "site.h"

#define COMPLAIN_EVERY (UINT64_C(1000) * 1000000) /* ns */

bool commons_may_complain(struct commons *commons, enum close_reason reason, uint64_t now)
{
	_Atomic uint64_t *complained_at = &commons->complained_at[reason];
	uint64_t last = atomic_load(complained_at);

	if (last != 0 && now < last + COMPLAIN_EVERY)
		return false;
	return atomic_compare_exchange_strong(complained_at, &last, now);
}
