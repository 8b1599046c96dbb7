/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake - a socket as Linux would behave, played by the test; and a clock that only moves when it is told to.
 *
 * A fake endpoint has a peer behind it, which the test plays: fake_send(), fake_end() and fake_reset() are what the peer
 * sends, fake_open() and fake_ack() what it takes. Each stream is a pattern that both sides know, so that every byte is
 * checked where it arrives. As in Linux: a reset leaves what is in the receive queue readable, purges the send queue, and
 * its error is told once, to whichever call comes first; behind a FIN it is EPIPE, and reads never tell it.
 *
 * Events are edges: whatever happens at the peer raises one; world_run() delivers it, as libevent would report it then.
 * A deaf endpoint keeps its edges until it hears again.
 */
#ifndef FAKE_H
#define FAKE_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "endpoint.h"
#include "pipe.h"
#include "pool.h"
#include "sched.h"
#include "scope.h"
#include "session.h"
#include "store.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* ck_assert_msg() tells the parent process each time that it held; this one is for what is checked for each byte. */
#define MUST(condition, ...)                                                                                           \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			ck_abort_msg(__VA_ARGS__);                                                                     \
	} while (0)

/* Chance that can be repeated: the same seed, the same numbers. */
void draw_seed(uint64_t seed);
uint64_t draw(uint64_t below);

#define FAKE_WIDE (UINT64_C(1) << 60) /* a window that never closes */

struct fake {
	struct endpoint endpoint; /* first */
	struct session *session;  /* gets its events; NULL: nobody */
	unsigned pattern;         /* of what the peer sends */
	unsigned expected;        /* of what is written to it */
	/* from the peer */
	uint64_t sent; /* bytes that arrived here, ever */
	uint64_t read; /* of them */
	bool fin;
	bool reset;
	int pending; /* the error that is told once */
	/* to the peer */
	uint64_t window;   /* bytes that may still be written */
	uint64_t accepted; /* bytes written, ever */
	uint64_t queued;   /* of them, not acknowledged yet */
	bool hoards;       /* nothing is acknowledged but by fake_ack() */
	bool waiting;      /* a write came up short: room makes an edge */
	bool fin_sent;
	/* events */
	bool edge;
	bool deaf;
	bool urgent;     /* a mark is at the front: nothing can be spliced */
	bool tells_left; /* reads say how much is left, as TCP_INQ does */
	/* limits of one call, 0: none; without tells_left, a short read means an empty queue */
	uint64_t read_most;
	uint64_t write_most;
	/* the end */
	bool closed;
	bool aborted;
	/* counts */
	unsigned reads;
	unsigned reads_in_vain; /* that met an empty queue */
	unsigned writes;
	unsigned splices; /* to or from a pipe */
	unsigned errors;  /* times SO_ERROR was asked for */
	unsigned samples;
};

void fake_init(struct fake *fake, unsigned pattern, unsigned expected);

/* What the peer does. */
void fake_send(struct fake *fake, uint64_t bytes);
void fake_end(struct fake *fake);                  /* FIN */
void fake_reset(struct fake *fake);                /* RST */
void fake_fail(struct fake *fake, int error);      /* the connection breaks without the peer's doing: ETIMEDOUT */
void fake_open(struct fake *fake, uint64_t bytes); /* room for so many bytes more */
void fake_shut(struct fake *fake);                 /* no room any more */
void fake_ack(struct fake *fake, uint64_t bytes);

/* What a peer with this pattern sends at this offset, and behind it: CONTEXT_SCRATCH bytes are there. */
const unsigned char *fake_pattern(unsigned pattern, uint64_t offset);
bool fake_sent(unsigned pattern, const void *bytes, uint64_t length, uint64_t offset); /* whether these are such */

/* What the peer saw at the end: bytes, a clean end behind all of them, a reset (perhaps behind the end). */
uint64_t fake_delivered(const struct fake *fake);
bool fake_saw_end(const struct fake *fake);
bool fake_saw_reset(const struct fake *fake);

/* Delivers what happened since the last time; true if there was anything. */
bool fake_deliver(struct fake *fake);

/* ---- the world ----------------------------------------------------------------------------------------------------- */

#define WORLD_FAKES 512
#define WORLD_PIPES 4

struct world {
	struct sched sched;
	struct pool memory;
	struct pipes pipes;
	struct context context;
	struct store_depots depots;
	struct scopes scopes;
	struct weir_host host;
	uint64_t now;
	uint64_t rounds; /* of the scheduler, ever: what a quiet world must not spend */
	struct fake *fakes[WORLD_FAKES];
	unsigned fake_count;
	void (*check)(struct world *world); /* called after every round */
	void *argument;
};

/* pages: of the memory limit, beyond all reserves. */
void world_init(struct world *world, uint32_t pages);
void world_destroy(struct world *world); /* every page must be back */
void world_add(struct world *world, struct fake *fake);

/* One round: events, then the scheduler. False: there was nothing to do. */
bool world_step(struct world *world);
void world_run(struct world *world); /* until nothing is left to do; fails the test if that does not come */
void world_pass(struct world *world, uint64_t time); /* lets time pass, doing what falls due */

/* ---- a session with its two ends ------------------------------------------------------------------------------------ */

struct pair {
	struct session session;
	struct session_profile profile;
	struct fake client;
	struct fake server;
	struct world *world;
	const struct address *peer;   /* the client's; NULL: nobody's */
	const struct address *wanted; /* where it wants to go; NULL: it does not say */
	unsigned dialed;
	unsigned hung_up;
	unsigned closed;
	unsigned released;
};

extern const struct stack no_policies;

/* A pair with timeouts of a day, whose session is not open yet. stack NULL: no policies. */
void pair_init(struct pair *pair, struct world *world, const struct stack *stack);
void pair_try(struct pair *pair);     /* the client is accepted; what comes of it is the caller's to see */
void pair_begin(struct pair *pair);   /* the client is accepted, the server dialed */
void pair_connect(struct pair *pair); /* the server answers */
void pair_open(struct pair *pair);    /* both, and runs */

/* The ends of a direction. */
struct fake *pair_source(struct pair *pair, int direction);
struct fake *pair_sink(struct pair *pair, int direction);
struct flow *pair_flow(struct pair *pair, int direction);

/* Units that are granted to a flow already, although it has not been told; of its stack's claim, or claim_count: pages. */
uint32_t coming_units(const struct standing *standing, unsigned claim);

/* Pages that the session leases, or is about to. */
uint64_t pair_pages(const struct pair *pair);

#endif
