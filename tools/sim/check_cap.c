/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_cap - what is in flight, as the ends of the connections see it, and whether a cap is passed.
 *
 * A byte is in flight from its being read until the sink's kernel has acknowledged it, and weir knows. A request is from its
 * first byte's being written until weir has read the last one of its answer. Weir's own count may be older, never smaller.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check_parts.h"
#include "least.h"

static uint64_t bytes_in_flight(const struct sim_session *session, int direction)
{
	const struct sim_wire *in = &check_source(session, direction)->in;
	const struct sim_wire *out = &check_sink(session, direction)->out;

	if (out->cut || check_flow_of(session, direction)->end == FLOW_DROPPED)
		return 0; /* nothing will be acknowledged any more */
	return in->taken - least(out->acked, out->written);
}

/* Behind the last answer that there will be, nobody counts any more. */
static bool are_counted(const struct sim_session *session)
{
	const struct sim_end *server = &session->server;

	return session->traffic->law->up_source->kind == SOURCE_REQUESTS && !server->in.ended && !server->in.cut &&
		!server->out.cut;
}

static uint64_t requests_in_flight(const struct sim_session *session)
{
	const struct scenario_traffic *law = session->traffic->law;
	const struct sim_wire *out = &session->server.out;
	const struct sim_wire *in = &session->server.in;

	if (!are_counted(session))
		return 0;
	return (out->written + law->up_source->write - 1) / law->up_source->write - in->taken / law->down_source->write;
}

static uint64_t in_flight(const struct sim_session *session, int direction, const struct check_rule *rule)
{
	if (!check_runs(session) || !rule->directions[direction])
		return 0;
	return rule->requests ? requests_in_flight(session) : bytes_in_flight(session, direction);
}

/* ---- sums ---------------------------------------------------------------------------------------------------------------- */

static const char *upstream_of(const struct sim_session *session)
{
	const struct config_upstream *upstream = session->listener->config->upstream;

	return upstream != NULL ? upstream->name : "";
}

static bool same_upstream(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static struct check_cap *find(const struct check *check, const struct check_rule *rule, const char *upstream,
	int direction)
{
	struct check_cap *cap;

	LIST_FOREACH (cap, &check->caps, link)
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		if (cap->rule->policy == rule->policy && cap->direction == direction &&
			same_upstream(cap->upstream, upstream))
			return cap;
	return NULL;
}

static void add(struct check *check, const struct check_rule *rule, const char *upstream, int direction, uint64_t count)
{
	struct check_cap *cap = find(check, rule, upstream, direction);

	if (cap == NULL) {
		cap = calloc(1, sizeof(*cap));
		if (cap == NULL) {
			check_no_memory(check);
			return;
		}
		cap->rule = rule;
		cap->upstream = upstream;
		cap->direction = direction;
		LIST_INSERT_HEAD(&check->caps, cap, link);
	}
	cap->in_flight += count;
}

static void count(struct check *check, const struct sim_session *session, const struct check_rule *rule, int direction)
{
	uint64_t count = in_flight(session, direction, rule);

	if (count > rule->caps[CHECK_CAP_SESSION])
		check_fault(check, "inflight", session, direction,
			"%s: %" PRIu64 " %s are in flight, %" PRIu64 " may be", rule->policy->name, count,
			rule->requests ? "requests" : "bytes", rule->caps[CHECK_CAP_SESSION]);
	add(check, rule, upstream_of(session), direction, count);
	add(check, rule, NULL, direction, count);
}

static void count_session(struct check *check, const struct sim_session *session)
{
	const struct check_rules *rules = check_rules_of(check, session);

	for (unsigned i = 0; i < rules->count; i++)
		for (int direction = 0; rules->rules[i].kind == CHECK_CAP && direction < 2; direction++)
			count(check, session, &rules->rules[i], direction);
}

static void look_at_sum(struct check *check, const struct check_cap *cap)
{
	const struct check_rule *rule = cap->rule;
	uint64_t most = rule->caps[cap->upstream != NULL ? CHECK_CAP_UPSTREAM : CHECK_CAP_TOTAL];

	if (cap->in_flight > most)
		check_fault(check, "inflight", NULL, -1, "%s: %" PRIu64 " %s are in flight %s, %s, %" PRIu64 " may be",
			rule->policy->name, cap->in_flight, rule->requests ? "requests" : "bytes",
			cap->direction == WEIR_UP ? "up" : "down", cap->upstream != NULL ? "of one upstream" : "in all",
			most);
}

void check_cap_look(struct check *check)
{
	const struct sim_session *session;
	struct check_cap *cap;

	LIST_FOREACH (cap, &check->caps, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		cap->in_flight = 0;
	}
	TAILQ_FOREACH (session, &check->world->sessions, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		count_session(check, session);
	}
	LIST_FOREACH (cap, &check->caps, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		look_at_sum(check, cap);
	}
}

/* The least that it leases of the caps there are. */
static uint64_t leased(const struct sim_session *session, const struct check_rule *rule, unsigned member)
{
	const struct standing_member *has = standing_member(&session->session.up.standing, member);
	uint64_t units = UINT64_MAX;

	for (unsigned i = 0; i < CHECK_CAPS; i++)
		if (rule->caps[i] != UINT64_MAX)
			units = least(units, has->leased[i]);
	return units;
}

/* Whether it will have a turn at this time yet. */
static bool is_queued(const struct sim_session *session)
{
	return session->session.task.queued || atomic_load(&session->worker->sched.mailbox) != NULL;
}

void check_cap_gate(struct check *check, const struct sim_session *session)
{
	const struct check_rules *rules = check_rules_of(check, session);
	const struct flow *up = &session->session.up;

	if (!are_counted(session) || up->store.held == 0 || !up->sink->writable || is_queued(session))
		return;
	for (unsigned i = 0; i < rules->count; i++) {
		const struct check_rule *rule = &rules->rules[i];

		if (rule->kind == CHECK_CAP && rule->requests && !rule->slow &&
			up->standing.verdict.stopped == UINT32_C(1) << i &&
			requests_in_flight(session) < leased(session, rule, i))
			check_fault(check, "asleep", session, WEIR_UP,
				"%s: a request waits, with %" PRIu64 " in flight and %" PRIu64 " units leased",
				rule->policy->name, requests_in_flight(session), leased(session, rule, i));
	}
}

void check_cap_free(struct check *check)
{
	struct check_cap *cap;

	while ((cap = LIST_FIRST(&check->caps)) != NULL) {
		LIST_REMOVE(cap, link);
		free(cap);
	}
}

bool check_cap_holds(const struct check *check, const struct sim_session *session)
{
	const struct check_rules *rules = check_rules_of(check, session);

	for (unsigned i = 0; i < rules->count; i++)
		for (int direction = 0; rules->rules[i].kind == CHECK_CAP && direction < 2; direction++) {
			const struct check_cap *cap = find(check, &rules->rules[i], NULL, direction);

			if (cap != NULL && cap->in_flight > 0)
				return true;
		}
	return false;
}
