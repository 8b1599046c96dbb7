/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - a client and a server, and the two flows between them.
 *
 *     CONNECTING --> RUNNING --> CLOSED
 *          |            |          ^
 *          |            v          |
 *          |         LINGER -------+     an end broke: what can still be delivered is, then the other is reset too
 *          +-----------------------+
 *
 * One door for state: events only mark endpoints and queue the session; session_turn() does the work, settles what
 * follows from it, and works out anew what the session waits for. The session frees nothing of its owner's: when it is
 * closed and nobody can reach it any more, ops->release() is called, the last thing it does.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "endpoint.h"
#include "flow.h"
#include "sched.h"
#include "scope.h"
#include "stack.h"

/* id, name in the log */
#define CLOSE_REASONS(X)                                                                                               \
	X(NONE, "none")                                                                                                \
	X(DONE, "done") /* both directions ended */                                                                    \
	X(CLIENT_RESET, "client-reset")                                                                                \
	X(SERVER_RESET, "server-reset")                                                                                \
	X(CLIENT_ERROR, "client-error") /* another error than a reset: unreachable, timed out */                       \
	X(SERVER_ERROR, "server-error")                                                                                \
	X(CONNECT_REFUSED, "connect-refused")                                                                          \
	X(CONNECT_TIMEOUT, "connect-timeout")                                                                          \
	X(CONNECT_FAILED, "connect-failed")                                                                            \
	X(RESOLVE_FAILED, "resolve-failed")                                                                            \
	X(IDLE_TIMEOUT, "idle-timeout")                                                                                \
	X(HALF_CLOSE_TIMEOUT, "half-close-timeout")                                                                    \
	X(STALL_TIMEOUT, "stall-timeout")                                                                              \
	X(NO_MEMORY, "no-memory")                                                                                      \
	X(NO_DESCRIPTORS, "no-descriptors")                                                                            \
	X(REFUSED_BY_POLICY, "refused-by-policy")                                                                      \
	X(DENIED, "denied")                         /* by the listener's lists */                                      \
	X(DESTINATION_DENIED, "destination-denied") /* it wanted to go where nobody may */                             \
	X(NO_DESTINATION, "no-destination")         /* nobody knows where it wanted to go */                           \
	X(LOOP, "loop")                             /* weir would connect to itself */                                 \
	X(PROXY_ERROR, "proxy-error")               /* no PROXY header, or a wrong one */                              \
	X(PROXY_TIMEOUT, "proxy-timeout")                                                                              \
	X(POLICY, "policy")     /* one has ended it */                                                                 \
	X(SHUTDOWN, "shutdown") /* weir stops */

enum close_reason {
#define X(id, name) CLOSE_##id,
	CLOSE_REASONS(X)
#undef X
		CLOSE_REASON_COUNT
};

extern const char *const close_reason_names[];

enum session_state {
	SESSION_FREE,
	SESSION_CONNECTING,
	SESSION_RUNNING,
	SESSION_LINGER,
	SESSION_CLOSED,
};

/* What is had in the session itself for its policies; a stack that needs more gets a block. */
#define SESSION_ROOM 144

/* What all sessions of a listener have in common. Times in ns, WEIR_NEVER for none. */
struct session_profile {
	const char *name; /* the listener's */
	const struct stack *stack;
	uint64_t idle_timeout;
	uint64_t half_close_timeout;
	uint64_t stall_timeout;
	enum pipe_use splice;
};

struct session;

/* What the session needs of its owner. Never called from within another of these. */
struct session_ops {
	/* Start to connect to the server; ends in session_connected() or session_failed(), on a later turn. */
	void (*dial)(struct session *session, uint64_t now);
	/* stop that, if it has begun and not ended: the session closes before it was connected */
	void (*hang_up)(struct session *session);
	void (*closed)(struct session *session, uint64_t now); /* statistics are final, endpoints are closed */
	void (*release)(struct session *session);              /* its memory is the owner's again */
	/* both directions have ended cleanly: the owner may keep the server's end, instead of its being closed; may be NULL */
	void (*part)(struct session *session);
};

struct session {
	struct task task;
	struct timer timer;
	struct mail wake; /* of session_wake(); lives as long as the slot */
	atomic_bool woken;
	uint8_t state;               /* enum session_state */
	uint8_t reason;              /* enum close_reason */
	_Atomic uint32_t generation; /* of the owner's ref, for other threads */
	struct standing_owner owner; /* who it is, and what its flows have in common */
	const struct session_profile *profile;
	const struct session_ops *ops;
	struct endpoint *client;
	struct endpoint *server; /* NULL until connected */
	struct flow up;
	struct flow down;
	uint64_t opened_at;    /* ns */
	uint64_t connected_at; /* 0: never */
	uint64_t closed_at;
	uint64_t queue_moved_at; /* ns: when a deadline last found that the sinks' queues had moved */
	uint64_t queue_mark;     /* bytes they had then */
	uint64_t doubt_at;       /* when to look for a reset behind bytes that were read; WEIR_NEVER: no need */
	/* while it lingers */
	struct flow *last;                             /* the flow that may still deliver; NULL: both */
	uint64_t progress_at;                          /* when its sink last took something */
	uint64_t progress_mark;                        /* what is measured for that */
	_Alignas(max_align_t) char room[SESSION_ROOM]; /* states, members, samples and pauses, if they fit */
};

/* Bytes that a session needs for its policies. */
size_t session_block(const struct stack *stack);

/* Once for a slot's life, before the first session in it. */
void session_slot_init(struct session *session, struct context *context, uint32_t slot);

/*
 * Begins a session for an accepted client, for whom stack_take_floors() was true, or an admission passed; from here on, events go to the session's task. ends: only looked at; NULL: nothing
 * is known of them. The session may be closed already when this returns 0: a policy can refuse it. -1: memory
 * is short, and the client and the floors are still the caller's.
 */
int session_open(struct session *session, const struct session_profile *profile, const struct session_ops *ops,
	struct endpoint *client, const struct scope_ends *ends, uint64_t now) __attribute__((warn_unused_result));

/* The outcome of dial(). */
void session_connected(struct session *session, struct endpoint *server, uint64_t now);
void session_failed(struct session *session, enum close_reason reason, uint64_t now);

/* One turn; also run as the session's task. */
void session_turn(struct session *session, uint64_t now);

/* Ends the session at once; both ends are reset. A closed one is left alone. */
void session_close(struct session *session, enum close_reason reason, uint64_t now);

/* An event came in for one of its endpoints. */
void session_ready(struct session *session);

/* Gives the session a turn soon. Any thread; the slot must exist, the session need not. */
void session_wake(struct session *session);

/* How a policy wants it to end; the first to say so, for one of its flows, is the one that counts. */
enum standing_ending session_ending(const struct session *session);

/* Whether the slot has this very session. Any thread. */
bool session_is(const struct session *session, uint32_t generation);

#endif
