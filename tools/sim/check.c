/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - walks over a world after every step.
 */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "check_parts.h"

#define TOLD_MAX 10   /* faults: one brings others */
#define IDLE_TURNS 64 /* of each session while no byte moves and nothing ends; plus as many for the world */

/* ---- faults ---------------------------------------------------------------------------------------------------------- */

void check_fault(struct check *check, const char *name, const struct sim_session *session, int direction,
	const char *format, ...)
{
	const struct sim_world *world = check->world;
	uint64_t at = world->now - WORLD_BEGIN;
	va_list arguments;

	if (check->fault_count++ >= TOLD_MAX)
		return;
	fprintf(check->faults, "fault %s: seed %" PRIu64 ", %" PRIu64 ".%09" PRIu64 " s", name, world->scenario->seed,
		at / 1000000000, at % 1000000000);
	if (session != NULL)
		fprintf(check->faults, ", session %" PRIu64 "%s", session->number,
			direction < 0                  ? ""
				: direction == WEIR_UP ? " up"
						       : " down");
	fprintf(check->faults, ": ");
	va_start(arguments, format);
	vfprintf(check->faults, format, arguments);
	va_end(arguments);
	fprintf(check->faults, "\n");
}

void check_no_memory(struct check *check)
{
	check_fault(check, "memory", NULL, -1, "the check itself has none left");
}

bool check_failed(const struct check *check)
{
	return check->fault_count > 0;
}

/* ---- sessions that come and go ----------------------------------------------------------------------------------------- */

static void forget(struct check *check, struct check_session *seen)
{
	TAILQ_REMOVE(&check->sessions, seen, link);
	check_group_leave(check, seen);
	free(seen);
}

static struct check_session *remember(struct check *check, const struct sim_session *session)
{
	struct check_session *seen = calloc(1, sizeof(*seen));

	if (seen == NULL)
		return NULL;
	seen->number = session->number;
	seen->flows[0].able_since = AGENDA_NEVER;
	seen->flows[1].able_since = AGENDA_NEVER;
	TAILQ_INSERT_TAIL(&check->sessions, seen, link);
	if (check_group_join(check, session, seen))
		return seen;
	forget(check, seen);
	return NULL;
}

/* Both lists are in the order of the sessions' begin; `next` is the first that has not been passed here. */
static struct check_session *follow(struct check *check, const struct sim_session *session, struct check_session **next)
{
	while (*next != NULL && (*next)->number < session->number) {
		struct check_session *gone = *next;

		*next = TAILQ_NEXT(gone, link);
		forget(check, gone);
	}
	if (*next != NULL && (*next)->number == session->number) {
		struct check_session *seen = *next;

		*next = TAILQ_NEXT(seen, link);
		return seen;
	}
	return remember(check, session);
}

static void look_at_sessions(struct check *check)
{
	struct check_session *next = TAILQ_FIRST(&check->sessions);
	const struct sim_session *session;

	TAILQ_FOREACH (session, &check->world->sessions, link) {
		/* cppcheck-suppress uninitvar ; it does not follow the list */
		struct check_session *seen = follow(check, session, &next);

		if (seen == NULL) {
			check_no_memory(check);
			return;
		}
		check_group_count(check, session, seen);
		check_flow_look(check, session, seen);
	}
	while (next != NULL) {
		struct check_session *gone = next;

		next = TAILQ_NEXT(gone, link);
		forget(check, gone);
	}
}

/* ---- the world ----------------------------------------------------------------------------------------------------------- */

/* Turns are for something: bytes that move, sessions that come or go. */
static void look_for_spinning(struct check *check)
{
	const struct sim_world *world = check->world;
	uint64_t moved = world->read + world->written + world->begun - world->session_count;
	uint64_t turns = world->turns - check->moved_turns;

	if (moved != check->moved || world->now != check->moved_at) {
		check->moved = moved;
		check->moved_at = world->now;
		check->moved_turns = world->turns;
	} else if (turns > IDLE_TURNS * (world->session_count + 1)) {
		check_fault(check, "spinning", NULL, -1, "%" PRIu64 " turns at one time, and nothing moves", turns);
	}
}

static void look_at_promises(struct check *check)
{
	for (size_t i = 0; i < check->world->listener_count; i++)
		for (unsigned r = 0; r < check->rules[i].count; r++) {
			const struct check_rule *rule = &check->rules[i].rules[r];

			if (rule->kind == CHECK_OTHER)
				continue;
			if (atomic_flag_test_and_set(&((struct policy *)rule->policy)->promise_broken))
				check_fault(check, "promise", NULL, -1, "%s: promised nothing that could come true",
					rule->policy->name);
			else
				atomic_flag_clear(&((struct policy *)rule->policy)->promise_broken);
		}
}

void check_step(struct check *check)
{
	if (check->world->session_count > check->crowd)
		check->crowd = check->world->session_count;
	check_group_begin(check);
	check_cap_look(check);
	look_at_sessions(check);
	check_group_look(check);
	check_pool_look(check);
	look_for_spinning(check);
}

/* Whether something is still to happen. */
static bool is_due(const struct sim_world *world)
{
	bool due = agenda_next(&world->agenda) != AGENDA_NEVER;

	for (unsigned i = 0; i < world->worker_count; i++)
		due |= sched_busy(&world->workers[i].sched) || sched_deadline(&world->workers[i].sched) != WEIR_NEVER;
	return due;
}

static void tell_stuck(struct check *check, const struct sim_session *session, int direction)
{
	static const char *const ends[] = {"open", "ending", "finished", "truncated", "dropped"};
	const struct flow *flow = check_flow_of(session, direction);

	check_fault(check, "stuck", session, direction,
		"nothing happens any more; it is %s and holds %" PRIu64 " bytes; the source %s, the sink %s",
		ends[flow->end], flow->store.held,
		flow->source == NULL             ? "is not there"
			: flow->source->readable ? "may have some"
						 : "has none",
		flow->sink == NULL             ? "is not there"
			: flow->sink->writable ? "takes"
					       : "takes nothing");
}

void check_end(struct check *check)
{
	const struct sim_session *session;

	check_step(check);
	look_at_promises(check);
	if (!check->world->draining || check_failed(check))
		return; /* it was stopped */
	if (is_due(check->world))
		return; /* sinks that take next to nothing: told by who ran it */
	TAILQ_FOREACH (session, &check->world->sessions, link)
		for (int direction = 0; check_lives(session) && direction < 2; direction++)
			tell_stuck(check, session, direction);
}

struct check *check_new(const struct sim_world *world, FILE *faults)
{
	struct check *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return NULL;
	check->world = world;
	check->faults = faults;
	TAILQ_INIT(&check->sessions);
	LIST_INIT(&check->groups);
	LIST_INIT(&check->caps);
	check->rules = calloc(world->listener_count + 1, sizeof(*check->rules));
	if (check->rules == NULL) {
		check_free(check);
		return NULL;
	}
	for (size_t i = 0; i < world->listener_count; i++) {
		const struct stack *stack = &world->listeners[i].stack;

		check->rules[i].count = stack->count;
		for (unsigned r = 0; r < stack->count; r++)
			check_rule_init(&check->rules[i].rules[r], stack->members[r].policy);
	}
	return check;
}

void check_free(struct check *check)
{
	struct check_session *seen;
	struct check_group *group;

	if (check == NULL)
		return;
	while ((seen = TAILQ_FIRST(&check->sessions)) != NULL)
		forget(check, seen);
	while ((group = LIST_FIRST(&check->groups)) != NULL) {
		LIST_REMOVE(group, link);
		free(group);
	}
	check_cap_free(check);
	free(check->tallies);
	free(check->before);
	free(check->rules);
	free(check);
}
