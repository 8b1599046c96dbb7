/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_share - what one flow has of a pool of segments.
 */
#include <inttypes.h>

#include "check_parts.h"
#include "least.h"

static uint64_t segments(const struct check_rule *rule, uint64_t bytes)
{
	return bytes / rule->segment + (bytes % rule->segment != 0);
}

static void look_at_held(struct check *check, const struct sim_session *session, int direction,
	const struct check_rule *rule, uint64_t leased)
{
	uint64_t held = check_flow_of(session, direction)->store.held;

	if (held > leased * rule->segment)
		check_fault(check, "credit", session, direction,
			"%s: holds %" PRIu64 " bytes, and has %" PRIu64 " segments of %" PRIu64, rule->policy->name,
			held, leased, rule->segment);
}

/* What it has leased since the step before was asked for by what it held then, and by all that has arrived since. */
static void look_at_wanted(struct check *check, const struct sim_session *session, int direction,
	const struct check_rule *rule, uint64_t leased, const struct check_flow *seen)
{
	const struct sim_wire *in = &check_source(session, direction)->in;
	uint64_t wanted = segments(rule, in->arrived - seen->written) + 1 + rule->exclusive;
	uint64_t most = least(wanted, rule->most);

	if (leased > most)
		check_fault(check, "credit", session, direction,
			"%s: has %" PRIu64 " segments, and may have %" PRIu64 ": its backlog asks for %" PRIu64
			", and %" PRIu64 " are the most",
			rule->policy->name, leased, most, wanted, rule->most);
}

/* A segment is free only when all of it has left. */
static void look_at_own(struct check *check, const struct sim_session *session, int direction,
	const struct check_rule *rule, uint32_t member)
{
	const struct flow *flow = check_flow_of(session, direction);

	if (flow->end == FLOW_OPEN && (flow->meter.paused >> member & 1) != 0 &&
		segments(rule, flow->store.held) < rule->exclusive)
		check_fault(check, "share", session, direction,
			"%s: is paused, and holds %" PRIu64 " bytes; %" PRIu64 " segments of %" PRIu64 " are its own",
			rule->policy->name, flow->store.held, rule->exclusive, rule->segment);
}

void check_share_look(struct check *check, const struct sim_session *session, int direction,
	const struct check_flow *seen)
{
	const struct check_rules *rules = check_rules_of(check, session);
	const struct flow *flow = check_flow_of(session, direction);

	for (uint32_t i = 0; i < rules->count; i++) {
		const struct check_rule *rule = &rules->rules[i];
		uint64_t leased = standing_member(&flow->standing, i)->leased[0];

		if (rule->kind != CHECK_CREDIT)
			continue;
		look_at_held(check, session, direction, rule, leased);
		if (leased > seen->leased[i] && leased > rule->exclusive)
			look_at_wanted(check, session, direction, rule, leased, seen);
		look_at_own(check, session, direction, rule, i);
	}
}
