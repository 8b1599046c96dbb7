/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host - log, count, wake, end, lease_put, lease_spend.
 */
#include "host.h"

#include <stddef.h>

#include "container.h"
#include "log.h"
#include "session.h"
#include "standing.h"

static struct session *(*lookup_session)(void *argument, uint32_t worker, uint32_t slot);
static void *lookup_argument;

void host_set_lookup(struct session *(*lookup)(void *argument, uint32_t worker, uint32_t slot), void *argument)
{
	lookup_session = lookup;
	lookup_argument = argument;
}

static void host_log(const struct weir_call *call, enum weir_log_level level, const char *text)
{
	unsigned member;
	const struct standing *standing = standing_of_call(call, &member);
	const struct policy *policy = standing->owner->stack->members[member].policy;

	if ((unsigned)level > LOG_LEVEL_DEBUG)
		level = WEIR_LOG_DEBUG;
	log_line((enum log_level)level, "policy %s (%s): %s", policy->name, policy->module->name, text);
}

static void host_wake(const struct weir_ref *ref)
{
	struct session *session;

	if (lookup_session == NULL)
		return;
	session = lookup_session(lookup_argument, ref->worker, ref->slot);
	if (session != NULL && session_is(session, ref->generation))
		session_wake(session);
}

static void host_lease_put(const struct weir_call *call, uint32_t pool, uint64_t units)
{
	unsigned member;
	struct standing *standing = standing_of_call(call, &member);

	if (pool < standing->owner->stack->members[member].api->pool_count)
		standing_lease_put(standing, member, pool, units);
}

static void host_end(const struct weir_call *call, enum weir_end how, const char *why)
{
	unsigned member;
	struct standing *standing = standing_of_call(call, &member);
	const struct policy *policy = standing->owner->stack->members[member].policy;
	const struct weir_ref *ref = &call->ref;

	if (session_ending(CONTAINER(standing->owner, struct session, owner)) != STANDING_STAYS)
		return;
	standing->ending = how == WEIR_END_RESET ? STANDING_RESETS : STANDING_CLOSES;
	log_warning("policy %s (%s): ends session %u.%u.%u: %s", policy->name, policy->module->name, ref->worker,
		ref->slot, ref->generation, why != NULL ? why : "no reason given");
}

static void host_count(const struct weir_call *call, uint32_t counter, uint64_t n)
{
	unsigned member;
	const struct standing *standing = standing_of_call(call, &member);
	struct policy *policy = standing->owner->stack->members[member].policy;

	if (counter < policy->module->api.counter_count)
		atomic_fetch_add_explicit(&policy->counters[counter], n, memory_order_relaxed);
}

const struct weir_host host = {
	.size = sizeof(host),
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.log = host_log,
	.wake = host_wake,
	.lease_put = host_lease_put,
	.lease_spend = standing_lease_spend,
	.end = host_end,
	.count = host_count,
};
