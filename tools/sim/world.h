/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world - all there is in a simulation, for those that make it go, and for those that look at it after every step.
 *
 *     sim_world -- sim_worker:   a sched, a context, depots, slots: what a thread is elsewhere
 *               -- sim_listener: a stack and a profile for each [listener] in use
 *               -- sim_traffic:  sessions still to come
 *               -- sim_session:  a session and its two ends, in the order of their begin
 *                    -- sim_end: an endpoint as weir has it, the connection behind it, and the peer's application
 *
 * An end is a connection between weir and one peer, which is a source and a sink:
 *
 *     application    peer's kernel                weir's kernel    weir
 *     source  ------> in.written ~~~ in.sent ~~~> in.arrived ----> in.taken
 *     sink    <------ out.taken  <~~ out.sent ~~~ out.written <--- write
 *
 * So the flow up reads from the client's `in`, and writes to the server's `out`.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"
#include "admission.h"
#include "agenda.h"
#include "chance.h"
#include "context.h"
#include "endpoint.h"
#include "pattern.h"
#include "pool.h"
#include "ring.h"
#include "scenario.h"
#include "sched.h"
#include "scope.h"
#include "session.h"
#include "sim.h"
#include "slab.h"
#include "stack.h"
#include "store.h"
#include "wire.h"

#define WORLD_BEGIN UINT64_C(1000000000000) /* ns: the virtual clock at a simulation's begin; 0 is "never" in places */

struct check;
struct measure;
struct sim_world;
struct sim_session;

/* What an application writes. What its kernel has not sent waits: in.written - in.sent. */
struct sim_source {
	const struct scenario_source *law;
	struct chance chance;
	uint64_t begun_at;
	uint64_t next_at;   /* ns: when it writes, or looks, again; AGENDA_NEVER */
	uint64_t phase_at;  /* begin of the phase that writes are counted from */
	uint64_t phase_end; /* of SOURCE_ONOFF */
	uint64_t writes;    /* in this phase */
	uint64_t credit;    /* SOURCE_BULK: bytes it may write, as of credit_at; SOURCE_ECHO: hundredths of a byte */
	uint64_t credit_at;
	uint64_t left;  /* bytes until it ends; SCENARIO_UNLIMITED */
	bool eager;     /* SOURCE_BULK: writes whenever there is room */
	size_t arrival; /* of a trace: the next one */
	/* of SOURCE_REQUESTS */
	bool waits; /* as many as may be are unanswered */
	/* of SOURCE_ANSWERS, counts, ever */
	uint64_t begun; /* of those it was asked for */
	uint64_t answered;
	struct sim_ring service; /* when which of those that are begun are through */
	uint64_t through_at;     /* ns: the last of them */
	bool last;               /* nothing more will be asked */
	bool over;               /* writes no more: ended, reset, or it never does */
};

/* How an application takes what it is sent. */
struct sim_sink {
	const struct scenario_sink *law;
	struct chance chance;
	uint64_t begun_at;
	uint64_t rate;      /* in force */
	uint64_t ready_at;  /* ns: no read before */
	uint64_t change_at; /* ns: a step or a stall begins; AGENDA_NEVER */
	uint64_t stall_at;  /* ns: the next stall begins; AGENDA_NEVER */
	uint64_t stall_end; /* ns: the present one's end, 0: it is over */
	uint64_t taken;     /* bytes, ever */
	size_t step;        /* of the schedule: the next one */
	bool over;          /* has seen the end, or a reset */
};

/* A connection between weir and a peer. */
struct sim_end {
	struct endpoint endpoint; /* first */
	struct sim_session *session;
	struct sim_wire in;  /* to weir */
	struct sim_wire out; /* from weir */
	struct sim_source source;
	struct sim_sink sink;
	struct sim_event event; /* whatever happens here next */
	struct sim_ring stay;   /* bytes that weir has read here and not written on: up to which position, and when */
	uint64_t gone;          /* position: those before it have been written on */
	/* weir's socket */
	uint64_t seen;  /* position: arrivals that made an edge */
	uint64_t lowat; /* notsent_lowat */
	uint64_t sndbuf;
	int pending;                /* the error that is told once */
	bool broken;                /* the peer has reset */
	bool waiting;               /* a write came up short: room makes an edge */
	bool edge;                  /* something happened that weir has not been told of; in world->edges then */
	bool connected;             /* weir has it */
	struct sim_pattern pattern; /* of what the peer sends (scenario->content) */
	TAILQ_ENTRY(sim_end) edges;
};

/* A session, from its first packet until nothing of it is left, neither in weir nor in its peers' kernels. */
struct sim_session {
	struct session session; /* first */
	struct sim_world *world;
	struct sim_worker *worker;
	struct sim_listener *listener;
	struct sim_traffic *traffic;
	struct address peer;     /* the client's */
	uint32_t slot;           /* of its worker */
	uint64_t number;         /* of the session, from 1 on, in the order of begin */
	uint64_t flow_number[2]; /* by direction: as the trace tells it; 0: a flow whose source never sends */
	struct sim_end client;
	struct sim_end server;
	struct sim_event connect;                      /* the server answers */
	struct sim_event leave;                        /* the client leaves */
	void (*turn)(struct task *task, uint64_t now); /* the session's own */
	uint64_t held;                                 /* bytes, of both flows, as counted in world->held */
	bool opened;                                   /* its policies have let it in */
	bool released;                                 /* weir has done with it; the ends may have not */
	TAILQ_ENTRY(sim_session) link;
};

TAILQ_HEAD(sim_sessions, sim_session);
TAILQ_HEAD(sim_ends, sim_end);

/* A [traffic] section at work. */
struct sim_traffic {
	const struct scenario_traffic *law;
	struct sim_world *world;
	struct sim_listener *listener;
	struct chance chance;
	struct sim_event start;   /* all that begin at once */
	struct sim_event arrival; /* the next one that comes alone */
	uint64_t begun;           /* sessions, ever */
	uint64_t waiting;         /* clients that are not admitted yet */
	struct admission admission;
	bool granted;    /* what it waited for is there, and it has not taken note */
	unsigned number; /* of the section */
};

struct sim_listener {
	const struct config_listener *config;
	struct stack stack;
	struct session_profile profile;
	bool ready;           /* stack is there */
	bool limited;         /* by max_sessions of its own, too */
	struct pool sessions; /* these */
};

struct sim_worker {
	struct sim_world *world;
	struct sched sched;
	struct context context;
	struct store_depots depots;
	struct slab sessions; /* of struct sim_session */
	bool ready;
};

struct sim_world {
	const struct scenario *scenario;
	const struct sim_options *options;
	uint64_t now; /* ns, from WORLD_BEGIN on */
	uint64_t end; /* ns: the scenario's duration ends */
	struct sim_agenda agenda;
	struct pool memory;
	bool memory_ready;
	struct pool limit; /* max_sessions of all */
	bool limit_ready;
	struct scopes scopes;
	bool scopes_ready;
	struct sim_worker *workers;
	unsigned worker_count;
	struct sim_listener *listeners;
	size_t listener_count;
	struct sim_traffic *traffics; /* scenario->traffic_count */
	struct sim_sessions sessions; /* that are not gone, in the order of their begin */
	uint64_t session_count;       /* of them: those that weir has, not released yet */
	uint64_t present;             /* all of them */
	uint64_t begun;               /* sessions, ever */
	uint64_t numbered;            /* flows, ever */
	struct sim_ends edges;        /* ends that something happened to */
	struct chance chance;         /* of the workers' order */
	uint64_t read;                /* bytes that weir took from sources, ever */
	uint64_t written;             /* bytes that weir gave to sinks, ever */
	uint64_t held;                /* bytes in weir, of all sessions */
	uint64_t rounds;              /* of scheds, ever */
	uint64_t turns;               /* of sessions, ever */
	bool vacancy;                 /* somebody who waits to be admitted has been granted what he waited for */
	bool stopping;                /* sessions are closed because the time is over */
	bool draining;                /* sources have ended; nobody comes any more */
	bool no_memory;               /* the simulation cannot go on */
	bool faulty;                  /* something that must hold did not; told to options->faults */
	struct measure *measure;
	struct check *check; /* NULL: not looked at */
};

/* The flow that reads from this end, and the one that writes to it. */
static inline struct flow *sim_end_reads(const struct sim_end *end)
{
	struct session *session = &end->session->session;

	return end == &end->session->client ? &session->up : &session->down;
}

static inline struct flow *sim_end_writes(const struct sim_end *end)
{
	struct session *session = &end->session->session;

	return end == &end->session->client ? &session->down : &session->up;
}

/* The other end of the session. */
static inline struct sim_end *sim_end_other(struct sim_end *end)
{
	return end == &end->session->client ? &end->session->server : &end->session->client;
}

/* Tells a broken promise, to options->faults; the run stops. */
void world_fault(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes weir in it: workers, pools, listeners. 0, or -1 with errno; the world is to be destroyed either way. */
int world_init(struct sim_world *world, const struct scenario *scenario, const struct sim_options *options)
	__attribute__((warn_unused_result));

/* All sessions are gone. What is not whole is a fault. */
void world_destroy(struct sim_world *world);

#endif
