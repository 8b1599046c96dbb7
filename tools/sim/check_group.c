/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_group - marks and buckets that several flows share, and the chunks of one flow's demand.
 *
 * A bucket here is the definition, not the implementation: full at first, it gets rate x time, never more than
 * burst, and whatever moves is taken from it at once. It must never be overdrawn: this is the same as that in no stretch
 * of time more passes than burst + rate x time.
 *
 * Who takes units of a fair pool has, after that, at most alpha times those that are free: mine x (1 + alpha) <= alpha x
 * (mine before + free before). What was free when he took them is not known, but it is at most what was free a step ago, and
 * what all others have given back since.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check_parts.h"
#include "least.h"

#define SECOND UINT64_C(1000000000)
#define FLOOR 4096 /* bytes that each flow may hold whatever the others of its group do */

/* ---- who belongs to what ---------------------------------------------------------------------------------------------- */

static bool same_client(const struct address *one, const struct address *other)
{
	/* cppcheck-suppress ctuuninitvar ; it does not follow the list */
	if (one->length == 0 || other->length == 0 || one->sa.sa_family != other->sa.sa_family)
		return one->length == other->length;
	if (one->sa.sa_family == AF_INET)
		return one->in.sin_addr.s_addr == other->in.sin_addr.s_addr;
	return memcmp(&one->in6.sin6_addr, &other->in6.sin6_addr, sizeof(one->in6.sin6_addr)) == 0;
}

/* One section's options are the same wherever it is named, so its policy stands for it. */
static struct check_group *find(struct check *check, const struct check_rule *rule, const struct sim_session *session)
{
	struct check_group *group;

	LIST_FOREACH (group, &check->groups, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		if (group->rule->policy != rule->policy || group->scope != rule->scope)
			continue;
		if (rule->scope == CHECK_INSTANCE ||
			(rule->scope == CHECK_LISTENER && group->listener == session->listener) ||
			(rule->scope == CHECK_CLIENT && same_client(&group->address, &session->peer)))
			return group;
	}
	return NULL;
}

static struct check_group *make(struct check *check, const struct check_rule *rule, const struct sim_session *session)
{
	struct check_group *group = calloc(1, sizeof(*group));

	if (group == NULL)
		return NULL;
	group->rule = rule;
	group->scope = rule->scope;
	group->listener = session->listener;
	group->address = session->peer;
	group->tokens = (__int128)rule->burst * SECOND;
	group->filled_at = check->world->now;
	LIST_INSERT_HEAD(&check->groups, group, link);
	return group;
}

static struct check_group *join(struct check *check, const struct check_rule *rule, const struct sim_session *session,
	struct check_group *other)
{
	struct check_group *group = NULL;

	if (rule->scope == CHECK_SESSION)
		group = other;
	else if (rule->scope != CHECK_FLOW)
		group = find(check, rule, session);
	if (group == NULL)
		group = make(check, rule, session);
	if (group != NULL)
		group->members++;
	return group;
}

bool check_group_join(struct check *check, const struct sim_session *session, struct check_session *seen)
{
	const struct check_rules *rules = check_rules_of(check, session);

	for (unsigned i = 0; i < rules->count; i++)
		for (int direction = 0; direction < 2; direction++) {
			struct check_flow *flow = &seen->flows[direction];

			flow->groups[i] = join(check, &rules->rules[i], session, seen->flows[0].groups[i]);
			if (flow->groups[i] == NULL)
				return false;
			if (rules->rules[i].kind == CHECK_DEMAND && flow->batches == NULL) {
				flow->batches = calloc(1, sizeof(*flow->batches));
				if (flow->batches == NULL)
					return false;
			}
		}
	return true;
}

/* A client's bucket stays what it is when its last session goes: so does the group. */
void check_group_leave(struct check *check, struct check_session *seen)
{
	(void)check;
	for (int direction = 0; direction < 2; direction++) {
		struct check_flow *flow = &seen->flows[direction];

		free(flow->batches);
		for (unsigned i = 0; i < STACK_MAX; i++) {
			struct check_group *group = flow->groups[i];

			if (group != NULL)
				group->returned += flow->leased[i];
			if (group == NULL || --group->members > 0 || group->scope > CHECK_SESSION)
				continue;
			LIST_REMOVE(group, link);
			free(group);
		}
	}
}

/* ---- counting ---------------------------------------------------------------------------------------------------------- */

void check_group_begin(struct check *check)
{
	struct check_group *group;

	LIST_FOREACH (group, &check->groups, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		group->held = 0;
		group->leased_before = group->leased;
		group->leased = 0;
		group->returned = 0;
		group->asked = 0;
	}
}

static void spend(struct check *check, const struct sim_session *session, int direction, struct check_group *group,
	uint64_t bytes)
{
	const struct check_rule *rule = group->rule;
	uint64_t now = check->world->now;
	__int128 most = (__int128)rule->burst * SECOND;

	group->tokens += (__int128)rule->rate * (now - group->filled_at);
	if (group->tokens > most)
		group->tokens = most;
	group->filled_at = now;
	group->tokens -= (__int128)bytes * SECOND;
	if (group->tokens <= -(__int128)SECOND) /* bytes are whole: a part of one may be ahead */
		check_fault(check, "rate", session, direction,
			"%s: %" PRIu64 " bytes are %" PRIu64 " more than a bucket of %" PRIu64 " at %" PRIu64
			" a second had",
			rule->policy->name, bytes, (uint64_t)(-group->tokens / SECOND), rule->burst, rule->rate);
}

/* Forgets what has been written, and counts what is at the least still under way. */
static uint64_t under_way(struct check_batches *batches, uint64_t written)
{
	struct check_batch *first = &batches->batches[batches->first];

	while (batches->count > 0 && first->end <= written) {
		batches->chunks -= first->chunks;
		batches->first = (batches->first + 1) % CHECK_BATCHES;
		batches->count--;
		first = &batches->batches[batches->first];
	}
	/* of those that are partly written, the last one is, for sure */
	return batches->count == 0 ? 0 : batches->chunks - first->chunks + 1;
}

static void count_chunks(struct check *check, const struct sim_session *session, int direction,
	struct check_batches *batches, const struct check_rule *rule)
{
	const struct flow *flow = check_flow_of(session, direction);
	uint64_t chunks;

	if (flow->chunks > batches->seen && batches->count < CHECK_BATCHES) {
		batches->batches[(batches->first + batches->count++) % CHECK_BATCHES] = (struct check_batch){flow->read,
			flow->chunks - batches->seen};
		batches->chunks += flow->chunks - batches->seen;
		batches->seen = flow->chunks;
	}
	chunks = under_way(batches, flow->written);
	if (chunks > rule->chunks)
		check_fault(check, "chunks", session, direction,
			"%s: %" PRIu64 " are under way, at most %" PRIu64 " may be", rule->policy->name, chunks,
			rule->chunks);
}

static void count_fair(const struct sim_session *session, const struct check_flow *seen, int direction, unsigned member,
	struct check_group *group)
{
	uint64_t alpha = group->rule->alpha;
	uint64_t before = seen->leased[member];
	uint64_t leased = check_leased(session, direction, member);
	uint64_t asked = leased > before ? leased * (8 + alpha) - alpha * before : 0;

	group->leased += leased;
	group->returned += leased < before ? before - leased : 0;
	group->asked = asked > group->asked ? asked : group->asked;
}

static uint64_t beyond_floor(const struct flow *flow)
{
	return flow->store.held > FLOOR ? flow->store.held - FLOOR : 0;
}

static void count(struct check *check, const struct sim_session *session, struct check_flow *seen, int direction,
	struct check_group *group)
{
	const struct check_rule *rule = group->rule;
	const struct flow *flow = check_flow_of(session, direction);
	uint64_t bytes = rule->writes ? flow->written - seen->written : flow->read - seen->read;
	bool wasted = flow->end == FLOW_DROPPED; /* nobody gets what is read */

	if (rule->kind == CHECK_SHAPE && rule->directions[direction] && bytes > 0 && !wasted)
		spend(check, session, direction, group, bytes);
	else if (rule->kind == CHECK_WATERMARK || rule->kind == CHECK_FAIR)
		group->held += beyond_floor(flow);
	else if (rule->kind == CHECK_CREDIT)
		group->held += (flow->store.held + rule->segment - 1) / rule->segment;
	else if (rule->kind == CHECK_DEMAND && check_runs(session))
		count_chunks(check, session, direction, seen->batches, rule);
}

void check_group_count(struct check *check, const struct sim_session *session, struct check_session *seen)
{
	for (int direction = 0; direction < 2; direction++)
		for (unsigned i = 0; i < check_rules_of(check, session)->count; i++) {
			struct check_group *group = seen->flows[direction].groups[i];

			count(check, session, &seen->flows[direction], direction, group);
			if (group->rule->kind == CHECK_FAIR)
				count_fair(session, &seen->flows[direction], direction, i, group);
		}
}

static void look_at_sum(struct check *check, const struct check_group *group)
{
	const struct check_rule *rule = group->rule;

	if ((rule->kind == CHECK_WATERMARK || rule->kind == CHECK_FAIR) && group->held > rule->high)
		check_fault(check, "held", NULL, -1,
			"%s: %u flows hold %" PRIu64 " bytes beyond their %d each, %" PRIu64 " is the most",
			rule->policy->name, group->members, group->held, FLOOR, rule->high);
	if (rule->kind == CHECK_CREDIT && group->held > rule->high)
		check_fault(check, "credit", NULL, -1, "%s: %u flows fill %" PRIu64 " segments of %" PRIu64,
			rule->policy->name, group->members, group->held, rule->high);
}

static void look_at_fair(struct check *check, const struct check_group *group)
{
	uint64_t alpha = group->rule->alpha;
	uint64_t free = group->rule->high - group->leased_before + group->returned;

	if (group->asked > alpha * free)
		check_fault(check, "fair", NULL, -1,
			"%s: a flow has taken more than %" PRIu64 "/8 of what was free, at most %" PRIu64 " units",
			group->rule->policy->name, alpha, free);
}

void check_group_look(struct check *check)
{
	struct check_group *group;

	LIST_FOREACH (group, &check->groups, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		look_at_sum(check, group);
		if (group->rule->kind == CHECK_FAIR)
			look_at_fair(check, group);
	}
}
