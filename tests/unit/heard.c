/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heard - see heard.h.
 */
#include "heard.h"

#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "trial.h"

struct heard heard;

static void heard_log(const struct weir_call *call, enum weir_log_level level, const char *text)
{
	(void)call;
	(void)level;
	heard.logs++;
	snprintf(heard.log, sizeof(heard.log), "%s", text);
}

static void heard_count(const struct weir_call *call, uint32_t counter, uint64_t n)
{
	(void)call;
	ck_assert_uint_lt(counter, trial.policy->counter_count);
	heard.counts[counter] += n;
}

static void heard_wake(const struct weir_ref *ref)
{
	(void)ref;
	heard.wakes++;
}

static void heard_end(const struct weir_call *call, enum weir_end how, const char *why)
{
	(void)call;
	heard.ends++;
	heard.how = how;
	snprintf(heard.why, sizeof(heard.why), "%s", why);
}

void heard_trial(void)
{
	static const struct weir_host host = {
		.size = sizeof(host),
		.log = heard_log,
		.wake = heard_wake,
		.end = heard_end,
		.count = heard_count,
	};

	memset(&heard, 0, sizeof(heard));
	trial.call.host = &host;
}

/* ---- in a rig, it is done, too --------------------------------------------------------------------------------------- */

static void rig_wake(const struct weir_ref *ref)
{
	heard_wake(ref);
	session_wake(&rig.pairs[ref->slot].session);
}

static void rig_end(const struct weir_call *call, enum weir_end how, const char *why)
{
	unsigned member;

	heard_end(call, how, why);
	standing_of_call(call, &member)->ending = how == WEIR_END_RESET ? STANDING_RESETS : STANDING_CLOSES;
}

void heard_rig(void)
{
	memset(&heard, 0, sizeof(heard));
	for (unsigned i = 0; i < rig.count; i++)
		rig.pairs[i].session.owner.ref.slot = i;
	rig.world.host.log = heard_log;
	rig.world.host.wake = rig_wake;
	rig.world.host.end = rig_end;
	rig.world.host.count = heard_count;
}
