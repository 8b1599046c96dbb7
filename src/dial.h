/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial - connecting to an upstream: resolves its name if it has one, then tries its addresses in turn.
 *
 * Lives on its worker. connect_timeout bounds the look-up, and then each address. The outcome comes on a later turn,
 * never from within dial_start().
 */
#ifndef DIAL_H
#define DIAL_H

#include <stdint.h>

#include "config.h"
#include "endpoint_socket.h"
#include "loops.h"
#include "sched.h"
#include "session.h"
#include "socket.h"
#include "stock.h"

#define DIAL_IDLE_MAX 64

struct dial;
struct evdns_base;

/* Where dials are made. Outlives them. */
struct dial_base {
	struct event_base *events;
	struct evdns_base *dns; /* NULL: no name can be resolved */
	struct sched *sched;
	struct stock stock; /* of what keeps descriptors that can be spared */
	struct dial *idle;  /* over, kept for the next ones: the heap stays as it is */
	unsigned idle_count;
	struct loops_memory asked;
	int spare; /* a descriptor kept for the socket of a client that was accepted with the last but one; -1: used */
};

/* What to dial. Outlives the dial. */
struct dial_target {
	const struct config_upstream *upstream;
	const struct socket_options *options;
	const struct address *bind; /* two, by family, IPv4 and IPv6: the connection's own address; length 0: none */
	bool bound;                 /* there is one: servers of the other family cannot be reached */
	bool keep_port;             /* of clients whose address a connection is to have */
	uint64_t connect_timeout;   /* ns, WEIR_NEVER for none */
	struct loops *loops;
	size_t listener; /* whose it is, as loops count them */
};

/* What one dial has of its own; all zero: nothing. Outlives it. */
struct dial_terms {
	const struct address *to;     /* in place of the upstream's address */
	const struct address *client; /* whose address and port the connection is to have */
	const void *preface;          /* what is sent first, */
	size_t preface_bytes;
	struct departure *departure; /* where the connection is noted, until the owner forgets it */
};

struct dial_outcome {
	enum close_reason reason; /* CLOSE_NONE: connected */
	const char *error;        /* what the kernel or the resolver said, for the log; static */
	struct address address;   /* the last one tried; length 0: none */
};

/* Frees what is kept for the next dials. */
void dial_forget(struct dial_base *base);

/*
 * Starts to dial into `socket`, which may be at rest (see rest.h), and is open for its session when done() is told
 * CLOSE_NONE, its `notify` still being the dial's until the caller changes it. terms: NULL for none. The dial frees itself
 * before done() is called. NULL when memory is short.
 */
struct dial *dial_start(struct dial_base *base, const struct dial_target *target, const struct dial_terms *terms,
	struct endpoint_socket *socket, uint64_t now,
	void (*done)(void *argument, const struct dial_outcome *outcome, uint64_t now), void *argument)
	__attribute__((warn_unused_result));

/* Gives up: closes what is open, frees the dial; done() will not be called. NULL is fine. */
void dial_cancel(struct dial *dial);

#endif
