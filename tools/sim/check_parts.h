/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_parts - what the parts of check share: what is remembered between two steps, and how a fault is told.
 */
#ifndef CHECK_PARTS_H
#define CHECK_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>

#include "check.h"
#include "world.h"

#define CHECK_BATCHES 1024 /* a power of two, and more than any demand lets be under way */

/* A policy of ours whose promise can be worked out. */
enum check_kind {
	CHECK_OTHER,
	CHECK_WATERMARK,
	CHECK_SHAPE,
	CHECK_DEMAND,
	CHECK_CREDIT,
	CHECK_FAIR,
	CHECK_CAP,
};

/* Who shares what it bounds. */
enum check_scope {
	CHECK_FLOW,
	CHECK_SESSION,
	CHECK_CLIENT,
	CHECK_LISTENER,
	CHECK_INSTANCE,
};

/* Who shares a cap. */
enum check_cap_scope {
	CHECK_CAP_SESSION,
	CHECK_CAP_UPSTREAM,
	CHECK_CAP_TOTAL,
	CHECK_CAPS,
};

/* What one policy of a stack promises, in numbers. */
struct check_rule {
	const struct policy *policy;
	enum check_kind kind;
	enum check_scope scope;
	uint64_t high; /* watermark; also what else bounds the bytes of one flow. SCENARIO_UNLIMITED: nothing does.
	                  fair: the pool; credit: the same, in segments */
	uint64_t low;
	uint64_t rate; /* shape */
	uint64_t burst;
	bool writes;        /* shape: it is writing that costs */
	bool directions[2]; /* shape, caps: whom it concerns */
	uint64_t chunks;    /* demand */
	uint64_t segment;   /* credit: bytes; the next in segments */
	uint64_t exclusive;
	uint64_t most;
	uint64_t alpha;            /* fair: in eighths */
	bool requests;             /* caps: the unit, else bytes */
	bool slow;                 /* begins with less than the caps */
	uint64_t caps[CHECK_CAPS]; /* UINT64_MAX: none */
};

struct check_rules {
	unsigned count;
	struct check_rule rules[STACK_MAX];
};

/* Flows that share a mark or a bucket. */
struct check_group {
	LIST_ENTRY(check_group) link;
	const struct check_rule *rule;
	enum check_scope scope;
	const void *listener;   /* of CHECK_LISTENER */
	struct address address; /* of CHECK_CLIENT */
	unsigned members;
	uint64_t held;   /* watermark, fair: bytes, as of this step; credit: segments */
	__int128 tokens; /* shape: 10^-9 of a byte */
	uint64_t filled_at;
	/* fair: units, as of this step but for the first */
	uint64_t leased_before; /* by all, in the step before */
	uint64_t leased;
	uint64_t returned; /* by those that have fewer than then */
	uint64_t asked;    /* the largest that any who has more must have found, see check_group.c */
};

/* What is in flight by one cap of one policy, in one direction. */
struct check_cap {
	LIST_ENTRY(check_cap) link;
	const struct check_rule *rule;
	const char *upstream; /* NULL: of the whole policy */
	int direction;
	uint64_t in_flight; /* as of this step */
};

/* Reads of one turn: so many chunks end at or before this offset. */
struct check_batch {
	uint64_t end;
	uint64_t chunks;
};

struct check_batches {
	struct check_batch batches[CHECK_BATCHES];
	uint32_t first;
	uint32_t count;
	uint64_t chunks; /* of all */
	uint64_t seen;   /* chunks, ever */
};

/* What is remembered of a flow since the last step. */
struct check_flow {
	uint64_t read;
	uint64_t written;
	uint32_t paused; /* by whom, a bit each */
	uint8_t end;
	uint64_t able_since;        /* ns: since when it could have moved, and did not; AGENDA_NEVER: it could not */
	uint32_t leased[STACK_MAX]; /* of each policy's first pool */
	struct check_group *groups[STACK_MAX];
	struct check_batches *batches; /* NULL: nobody counts chunks */
};

struct check_session {
	TAILQ_ENTRY(check_session) link;
	uint64_t number;
	bool closed; /* it has been looked at after its close */
	struct check_flow flows[2];
};

/* The units of one pool, as counted in this step. */
struct check_tally {
	struct pool *pool;
	struct bucket *bucket; /* NULL: its units are not consumed */
	uint64_t leased;
	uint64_t granted; /* of tickets whose owners have not taken note */
	uint64_t newest;  /* the largest number of these */
	uint64_t fresh;   /* units of those that were granted in this step */
	uint64_t served;  /* the largest number that ever was granted, as far as was seen */
	uint64_t head;    /* number of the first in line; 0: nobody waits */
	uint64_t last;    /* and of the last */
	int32_t free;
};

struct check {
	const struct sim_world *world;
	FILE *faults;
	unsigned fault_count;
	struct check_rules *rules; /* of each listener */
	TAILQ_HEAD(check_sessions, check_session) sessions;
	LIST_HEAD(check_groups, check_group) groups;
	LIST_HEAD(check_caps, check_cap) caps;
	struct check_tally *tallies; /* an open hash by address, which nothing is told in the order of */
	uint32_t tally_room;         /* a power of two */
	uint32_t tally_count;
	struct check_tally *before; /* as of the step before */
	uint32_t before_room;
	uint64_t crowd;       /* sessions, at most, at one time */
	uint64_t moved;       /* bytes and sessions, as of the last change */
	uint64_t moved_turns; /* turns by then */
	uint64_t moved_at;    /* ns */
};

/* Tells a fault; of no session in particular if it is NULL, of both directions if that is negative. */
void check_fault(struct check *check, const char *name, const struct sim_session *session, int direction,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
void check_no_memory(struct check *check);

static inline const struct flow *check_flow_of(const struct sim_session *session, int direction)
{
	return direction == WEIR_UP ? &session->session.up : &session->session.down;
}

static inline const struct sim_end *check_source(const struct sim_session *session, int direction)
{
	return direction == WEIR_UP ? &session->client : &session->server;
}

static inline const struct sim_end *check_sink(const struct sim_session *session, int direction)
{
	return direction == WEIR_UP ? &session->server : &session->client;
}

/* Whether weir has it, so that all its parts may be looked at. */
static inline bool check_lives(const struct sim_session *session)
{
	return !session->released && session->session.state != SESSION_FREE;
}

static inline const struct check_rules *check_rules_of(const struct check *check, const struct sim_session *session)
{
	return &check->rules[session->listener - check->world->listeners];
}

/* Whether bytes may move. */
static inline bool check_runs(const struct sim_session *session)
{
	return check_lives(session) &&
		(session->session.state == SESSION_RUNNING || session->session.state == SESSION_LINGER);
}

/* Units that a flow leases of a policy's first pool. */
static inline uint32_t check_leased(const struct sim_session *session, int direction, unsigned member)
{
	if (!check_lives(session))
		return 0;
	return standing_member(&check_flow_of(session, direction)->standing, member)->leased[0];
}

/* check_rule.c: what policies promise */
void check_rule_init(struct check_rule *rule, const struct policy *policy);

/* check_flow.c: one session after a step */
void check_flow_look(struct check *check, const struct sim_session *session, struct check_session *seen);

/* check_group.c: marks and buckets that flows share; chunks */
bool check_group_join(struct check *check, const struct sim_session *session, struct check_session *seen);
void check_group_leave(struct check *check, struct check_session *seen);
void check_group_begin(struct check *check);
void check_group_count(struct check *check, const struct sim_session *session, struct check_session *seen);
void check_group_look(struct check *check);

/* check_share.c: what a flow has of a pool of segments, or of a fair one */
void check_share_look(struct check *check, const struct sim_session *session, int direction,
	const struct check_flow *seen);

/* check_cap.c: what is in flight */
void check_cap_look(struct check *check);
void check_cap_free(struct check *check);

/* Whether a request waits that could pass. */
void check_cap_gate(struct check *check, const struct sim_session *session);

/* Whether what is in flight may keep this flow waiting; behind check_cap_look(). */
bool check_cap_holds(const struct check *check, const struct sim_session *session);

/* check_pool.c: all pools after a step */
void check_pool_look(struct check *check);

#endif
