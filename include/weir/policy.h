/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir/policy.h - what a policy module and weir say to each other.
 *
 * A policy judges; weir acts. A module is a shared object that exports one function, weir_policy_entry(), which returns
 * a constant struct weir_policy. weir asks it one question about a flow (one direction of a proxied connection):
 *
 *     Up to which byte may this flow read, up to which may it write, and when should I ask again?
 *
 * Three verbs keep stacks of policies sound. ask() is pure: it reads the view and its own state and changes nothing.
 * weir grants: it takes the smallest of all limits, and only then the leases. event() tells once per turn what really
 * happened; that is where a policy's state changes.
 *
 * A policy owns no descriptor, reads no clock and allocates nothing: time is in the view, state is allocated by weir in
 * the sizes declared here, zeroed. Calls for one flow, its session and its worker come from one thread, one at a time;
 * the instance's state is shared by all workers, and what a module keeps there is its own to protect with atomics.
 *
 * Units: bytes, nanoseconds of a monotonic clock without an epoch, and a pool's own units. Offsets count from the first
 * byte of the flow. C11, and clean in C++.
 */
#ifndef WEIR_POLICY_H
#define WEIR_POLICY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_POLICY_MAGIC UINT32_C(0x72696577) /* "weir" */
#define WEIR_POLICY_MAJOR 1                    /* a module of another major is refused */
#define WEIR_POLICY_MINOR 2                    /* grows when a struct grows at its end */

#define WEIR_UNLIMITED UINT64_MAX /* an offset, a ceiling: no limit */
#define WEIR_NEVER UINT64_MAX     /* a time that does not come */
#define WEIR_POOLS_MAX 4          /* pools that one policy may declare */
#define WEIR_COUNTERS_MAX 8       /* counters likewise */

/* The direction of a flow. */
enum weir_direction {
	WEIR_UP = 0,   /* client to server */
	WEIR_DOWN = 1, /* server to client */
};

/* ---- options ----------------------------------------------------------------------------------------------------- */

enum weir_option_type {
	WEIR_OPTION_SIZE = 1,   /* uint64_t, bytes; K, M, G are powers of 1024 */
	WEIR_OPTION_TIME = 2,   /* uint64_t, nanoseconds; written with us, ms, s, m, h, or bare seconds */
	WEIR_OPTION_COUNT = 3,  /* uint64_t, a plain number */
	WEIR_OPTION_BOOL = 4,   /* uint32_t, 0 or 1; written yes or no */
	WEIR_OPTION_ENUM = 5,   /* uint32_t, index into names */
	WEIR_OPTION_STRING = 6, /* const char *, owned by weir, valid as long as the options are */
};

/*
 * One key of a module's ini section. A table of these ends with a NULL key. The default is text and goes through the
 * same parser as the user's value, so it cannot be out of range.
 */
struct weir_option {
	const char *key;
	uint32_t type;   /* enum weir_option_type */
	uint32_t offset; /* of the value in the module's options struct */
	const char *def; /* the default, as the user would write it; NULL: the key is required */
	uint64_t min;    /* smallest value allowed: SIZE, TIME, COUNT */
	uint64_t max;    /* largest value allowed */
	/* ENUM: the words, NULL at the end. SIZE, TIME, COUNT: words that stand for UINT64_MAX - index, or NULL. */
	const char *const *names;
	const char *doc; /* one sentence, for --help-policy, the manual and the sample */
};

/* ---- pools --------------------------------------------------------------------------------------------------------- */

/* Who shares one pool. */
enum weir_pool_scope {
	WEIR_SCOPE_NONE = 0,     /* nobody: there is no such pool, and what is wanted of it is ignored (for scopes) */
	WEIR_SCOPE_INSTANCE = 1, /* every flow of this ini section, on all workers and listeners */
	WEIR_SCOPE_LISTENER = 2, /* every flow of one listener, on all workers */
	WEIR_SCOPE_FLOW = 3,     /* one flow alone */
	WEIR_SCOPE_SESSION = 4,  /* the two flows of one session */
	WEIR_SCOPE_CLIENT = 5,   /* every flow of this ini section whose client has the same address, ports aside */
	WEIR_SCOPE_UPSTREAM = 6, /* every flow of this ini section whose listener has the same upstream (since 1.2) */
	WEIR_SCOPE_OPTION = 255, /* as the user says: scopes[the value at scope_offset] */
};

/*
 * Units come back by themselves: `rate` of them each second, until `size` are free. What a flow has used up of its lease
 * it says with host->lease_spend(). A token bucket, that is. A size of UINT64_MAX (a word such as auto in the option's
 * row) stands for what comes back in 100 ms, and at least 64K. Such a pool is brief, too.
 */
#define WEIR_POOL_CONSUMED UINT32_C(1)
/* Leased for what can move just now: a flow keeps no more than `used` while there is nothing it could use units for. */
#define WEIR_POOL_BRIEF UINT32_C(2)
/* Once it has run short, nobody in the queue is served before less than `low` units are out. */
#define WEIR_POOL_LOW UINT32_C(4)
/* Since 1.2. Each direction has a pool of its own, so that flows up and flows down never wait for each other. */
#define WEIR_POOL_DIRECTED UINT32_C(8)
/*
 * Since 1.2, for scopes INSTANCE and LISTENER. Each flow owns `floor` of the units as long as it lives: a session is not
 * accepted before both its flows can lease theirs, and meanwhile its client waits in the backlog. They count as leased, and
 * are never given back before the flow is over.
 */
#define WEIR_POOL_FLOOR UINT32_C(16)
/* Since 1.2. The size is in bytes, of which one unit is so many: as many units as fit. Their memory is promised. */
#define WEIR_POOL_SEGMENTS UINT32_C(32)

/*
 * Units that many flows share. The module only declares a pool: weir keeps it, leases its units, queues who finds it
 * short (first in, first out) and takes every lease back when its flow closes. leased + free = size, unless they are
 * consumed. Since 1.2: one that is not consumed and has a size of UINT64_MAX (a word such as unlimited in the option's row)
 * does not exist, as if its scope were NONE.
 */
struct weir_pool {
	const char *name;     /* for messages and statistics */
	uint32_t scope;       /* enum weir_pool_scope */
	uint32_t size_offset; /* of a uint64_t in the options struct: the pool's size in units, 1 .. 2^31-1 */
	uint64_t unit_bytes;  /* bytes of memory that one unit promises, 0 if units are no memory; the sum over all
	                         pools must fit into weir's memory limit beside the sessions' reserves; scopes smaller
	                         than a listener promise none */
	/* since 1.1 */
	uint32_t flags;         /* WEIR_POOL_* */
	uint32_t rate_offset;   /* WEIR_POOL_CONSUMED: of a uint64_t: units per second, 1 .. 2^40 */
	uint32_t low_offset;    /* WEIR_POOL_LOW: of a uint64_t: units, 1 .. size */
	uint32_t scope_offset;  /* WEIR_SCOPE_OPTION: of a uint32_t, an ENUM's */
	const uint32_t *scopes; /* WEIR_SCOPE_OPTION: enum weir_pool_scope for each of that option's names */
	/* since 1.2 */
	uint32_t floor_offset; /* WEIR_POOL_FLOOR: of a uint64_t: units, 1 .. half the size */
	uint32_t unit_offset;  /* WEIR_POOL_SEGMENTS: of a uint64_t: bytes, 1 .. 2^30; unit_bytes is 0 then */
};

/* ---- counters ------------------------------------------------------------------------------------------------------ */

/* Since 1.2. What a policy counts, summed up over its ini section, shown in weir's status and statistics. */
struct weir_counter {
	const char *name; /* lower case, digits and '_' */
	const char *doc;  /* one sentence */
};

/* ---- the view, the answer, the event ----------------------------------------------------------------------------- */

/* What is costly to know is sampled only for flows whose policies declare that they need it (struct weir_policy). */
#define WEIR_NEED_ACKED UINT32_C(1)  /* view.acked */
#define WEIR_NEED_UNREAD UINT32_C(2) /* view.unread */
#define WEIR_NEED_RTT UINT32_C(4)    /* view.rtt */
#define WEIR_NEED_SCAN UINT32_C(8)   /* scan() is called with the flow's bytes */

struct weir_lease {
	uint64_t units; /* leased to this flow */
	uint64_t free;  /* free in the pool just now, by anybody's leave gone when read */
};

/* What a policy may know of a flow. size first; fields are only ever added at the end. */
struct weir_view {
	uint32_t size;
	uint32_t direction; /* enum weir_direction */
	uint64_t now;       /* ns */
	uint64_t read;      /* bytes read from the source, ever */
	uint64_t written;   /* bytes taken by the sink's socket, ever */
	uint64_t
		acked; /* bytes acknowledged by the sink's host, ever; sampled if a policy of the stack needs it, else = written */
	uint64_t scanned;    /* bytes this policy's scan() has consumed, ever */
	uint64_t held;       /* read - written */
	uint64_t unread;     /* bytes waiting in the source's receive queue; 0 unless a policy of the stack needs it */
	uint64_t chunks;     /* reads that brought bytes, ever */
	uint64_t oldest_age; /* ns since the oldest held byte was read; 0 while nothing is held */
	uint64_t drain_rate; /* bytes per second that the sink took while bytes were held, averaged; 0: unknown */
	uint64_t rtt;        /* ns, smoothed round trip to the sink; 0: unknown, or no policy of the stack needs it */
	uint64_t blocked;    /* ns that the sink took nothing although bytes were held, in all */
	uint32_t ended;      /* 1: the source has ended, read will not grow */
	uint32_t reserved;
	struct weir_lease pools[WEIR_POOLS_MAX]; /* in the order of the declaration */
	/* Since 1.2. ns, to some milliseconds, for which this policy, without a break, has kept waiting what the source has, or
	   what is held; 0: it does not, as of the end of the last turn. */
	uint64_t waited;
};

/* What will end a limit of nothing. A promise that cannot come true is logged by name, and weir asks again by timer. */
#define WEIR_PROMISE_DRAIN UINT32_C(1)   /* the sink takes held bytes */
#define WEIR_PROMISE_ACKED UINT32_C(2)   /* the sink's host acknowledges bytes (WEIR_NEED_ACKED) */
#define WEIR_PROMISE_LEASE UINT32_C(4)   /* a wanted unit is granted */
#define WEIR_PROMISE_WAKE UINT32_C(8)    /* the module will call host->wake */
#define WEIR_PROMISE_TIME UINT32_C(16)   /* ask_at comes */
#define WEIR_PROMISE_SOURCE UINT32_C(32) /* more bytes are read: for write_to only */

/*
 * A policy's answer. weir hands it in with every limit unlimited, no promise, ask_at never, nothing wanted; a policy
 * writes only what it means. Limits are absolute, so asking twice is the same as asking once. A limit behind what has
 * already been read or written means: nothing now.
 */
struct weir_limits {
	uint32_t size;
	uint32_t promises; /* WEIR_PROMISE_*, required when a limit is nothing */
	uint64_t read_to;  /* the flow may read up to this offset */
	uint64_t write_to; /* the flow may write up to this offset */
	uint64_t held_max; /* and hold at most so many bytes; a limit on reading */
	uint64_t ask_at;   /* ns, view.now's clock: ask again then, whatever happens */
	/*
	 * Units of each declared pool. The flow may read only while it leases at least need; below want it takes what is
	 * free, and queues for more. What it leases above want is given back. While need is missing, what it leases beyond
	 * used of that pool, and of those acquired after it, is given back too, so that no circle of flows can wait for
	 * each other: used is what the bytes held now occupy, which draining alone frees. used > want counts as want =
	 * used, need > want as want = need. A want above the pool's size is cut to it, and logged once. A flow that
	 * cannot go on queues in the first pool that is short, and in no other; of brief pools it gives back what it got
	 * meanwhile, until it has done so twice without moving a byte.
	 */
	uint64_t used[WEIR_POOLS_MAX];
	uint64_t need[WEIR_POOLS_MAX];
	uint64_t want[WEIR_POOLS_MAX];
	/*
	 * Since 1.1. How many units beyond used are worth having, where fewer would only make for small reads: while a flow
	 * cannot lease used + grain (or want, if that is less), it takes none and queues, and what the limits above say
	 * may go on. Whenever leases have changed, weir asks again, and the answer may depend on what is leased.
	 */
	uint64_t grain[WEIR_POOLS_MAX];
	/* The flow may read until so many reads have brought bytes, ever: view.chunks. */
	uint64_t chunks_to;
	/* Pools (a bit each) of which units are needed for writing, and not for reading; before 1.2, consumed ones only. What is
	   said above of reading then holds for writing. */
	uint32_t for_writing;
	uint32_t reserved;
};

#define WEIR_EVENT_READ UINT32_C(1)   /* event.read bytes came from the source */
#define WEIR_EVENT_WROTE UINT32_C(2)  /* event.written bytes were taken by the sink */
#define WEIR_EVENT_ACKED UINT32_C(4)  /* event.acked bytes were acknowledged */
#define WEIR_EVENT_LEASED UINT32_C(8) /* a lease that was queued for was granted */
#define WEIR_EVENT_TIME UINT32_C(16)  /* ask_at came */
#define WEIR_EVENT_ENDED UINT32_C(32) /* the source ended */

/* What really happened since the last event of this flow. The view passed beside it is the state after it. */
struct weir_event {
	uint32_t size;
	uint32_t what;    /* WEIR_EVENT_* */
	uint64_t read;    /* bytes */
	uint64_t written; /* bytes */
	uint64_t acked;   /* bytes */
};

/* ---- calls --------------------------------------------------------------------------------------------------------- */

/* Names a flow for ever: of a flow that is gone, it names nothing. Plain data; may be kept and used on any thread. */
struct weir_ref {
	uint32_t worker;
	uint32_t slot;
	uint32_t generation;
	uint32_t direction; /* enum weir_direction */
};

struct weir_call;

/* Since 1.2. How a policy ends a session. */
enum weir_end {
	/* nothing more is read; what is held, and may be written, is delivered as long as it moves; then both ends are reset */
	WEIR_END_CLOSE = 0,
	WEIR_END_RESET = 1, /* both ends are reset at once */
};

enum weir_log_level {
	WEIR_LOG_ERROR = 0,
	WEIR_LOG_WARNING = 1,
	WEIR_LOG_INFO = 2,
	WEIR_LOG_DEBUG = 3,
};

/* What weir does for a module. Valid as long as the module is loaded. */
struct weir_host {
	uint32_t size;
	uint32_t major; /* WEIR_POLICY_MAJOR of the running weir */
	uint32_t minor;
	uint32_t reserved;
	/* Log one line under the policy's name. Only during the call. Newlines and control bytes are replaced. */
	void (*log)(const struct weir_call *call, enum weir_log_level level, const char *text);
	/* Ask about this flow again soon. Any thread, any worker; a stale reference does nothing. Never fails. */
	void (*wake)(const struct weir_ref *ref);
	/* Give back units that this flow leases, now rather than after the next ask. More than it leases: all of them.
	   Only from event() of this flow. */
	void (*lease_put)(const struct weir_call *call, uint32_t pool, uint64_t units);
	/* Since 1.1. The flow has used up so many of the units it leases of a consumed pool. More than it leases: all of
	   them. Only from event() of this flow. */
	void (*lease_spend)(const struct weir_call *call, uint32_t pool, uint64_t units);
	/* Since 1.2. This session ends at the end of this turn; why goes to the log, with the policy's name. Only from event()
	   or scan() of one of its flows. The first call counts. */
	void (*end)(const struct weir_call *call, enum weir_end how, const char *why);
	/* Since 1.2. Adds to a counter of this policy. Only during a callback about a flow. */
	void (*count)(const struct weir_call *call, uint32_t counter, uint64_t n);
};

/* Handed to every callback about a flow. Valid during the call. */
struct weir_call {
	uint32_t size;
	uint32_t reserved;
	const struct weir_host *host;
	const void *options; /* the options in force */
	void *instance;      /* instance_size bytes, shared by all workers; NULL if 0, so are the others */
	void *worker;        /* worker_size bytes */
	void *session;       /* session_size bytes, shared by the session's two flows */
	void *flow;          /* flow_size bytes */
	struct weir_ref ref;
	/* Since 1.2. In scan(): the flow as it is, with this policy's leases. NULL in all others. */
	const struct weir_view *view;
};

/* ---- the module ---------------------------------------------------------------------------------------------------- */

/*
 * What weir_policy_entry() returns: constant, valid while the module is loaded. The first four fields protect the rest:
 * they are checked in this order, then the required callbacks. A module that was built against an older minor has a
 * smaller size; what lies behind its end counts as zero.
 */
struct weir_policy {
	uint32_t magic; /* WEIR_POLICY_MAGIC */
	uint32_t major; /* WEIR_POLICY_MAJOR */
	uint32_t minor; /* WEIR_POLICY_MINOR */
	uint32_t size;  /* sizeof(struct weir_policy) */

	const char *name;    /* lower case, the module file's name without .so */
	const char *summary; /* one line, for --help-policy */

	const struct weir_option *options; /* ends with a NULL key; NULL: none */
	uint32_t option_stride;            /* sizeof(struct weir_option) */
	uint32_t options_size;             /* of the module's options struct */

	const struct weir_pool *pools; /* pool_count of them; NULL: none */
	uint32_t pool_stride;          /* sizeof(struct weir_pool) */
	uint32_t pool_count;           /* at most WEIR_POOLS_MAX */

	uint32_t instance_size; /* bytes of state; alignment is that of max_align_t */
	uint32_t worker_size;
	uint32_t session_size;
	uint32_t flow_size;
	uint32_t needs; /* WEIR_NEED_* */
	uint32_t reserved;

	/* Are these options sound together? 0, or -1 with a sentence in error ("what is wrong; what was expected").
	   Called at load and under weir -t, without any flow. Optional. */
	int (*check)(const void *options, char *error, size_t error_size);
	/* A flow begins. 0, or -1: the session is refused. Optional. */
	int (*open)(const struct weir_call *call);
	/* The question. Pure. Required. */
	void (*ask)(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits);
	/* What happened. Optional. */
	void (*event)(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event);
	/* Bytes at offset view.scanned, in order, each shown until consumed. Returns how many of them, a prefix, are
	   done with; only those may be written, until the source ends: who holds back what is left even then says so by
	   write_to. A call shows one piece, and pieces end anywhere: a parser keeps its place in its state, and leaves
	   bytes unconsumed only to hold them back. They are shown again when leases have come, or another turn. Of
	   several policies that scan, each sees what those of earlier ini sections have consumed.
	   Required with WEIR_NEED_SCAN, else never called. */
	size_t (*scan)(const struct weir_call *call, const void *bytes, size_t length);
	/* The flow ends; its leases are taken back afterwards. Called once for every open that returned 0. Optional. */
	void (*close)(const struct weir_call *call);
	/* call->options have taken the place of old on a live flow. Optional. (Reload comes with a later weir; until
	   then it is not called.) */
	void (*reconfigure)(const struct weir_call *call, const void *old_options);
	/* Since 1.2. Which of `needs` these options really need. Called at load, without any flow. Optional: all. */
	uint32_t (*needs_of)(const void *options);
	const struct weir_counter *counters; /* since 1.2: counter_count of them; NULL: none */
	uint32_t counter_stride;             /* sizeof(struct weir_counter) */
	uint32_t counter_count;              /* at most WEIR_COUNTERS_MAX */
};

/* The one symbol a module exports. */
#if defined(__GNUC__)
#define WEIR_EXPORT __attribute__((visibility("default")))
#else
#define WEIR_EXPORT
#endif
#define WEIR_POLICY_ENTRY "weir_policy_entry"
WEIR_EXPORT const struct weir_policy *weir_policy_entry(void);

#ifdef __cplusplus
}
#endif

#endif
