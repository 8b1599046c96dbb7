/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops - how weir recognizes itself: the addresses it listens on, and the connections it has made to where clients wanted
 * to go. One that comes back would be sent to the same place again, and so on until nothing is left of the machine.
 *
 * Shared by all workers. Addresses are added before threads start; departures come and go from any thread, and so does what
 * is learnt of where listeners lead.
 */
#ifndef LOOPS_H
#define LOOPS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"

#define LOOPS_BUCKETS 1024

/*
 * A connection that weir has made, by both its ends: Linux gives one port to many connections of a machine, as long as they
 * go to different servers. In its owner, for as long as it lasts; all zero: none.
 */
struct departure {
	LIST_ENTRY(departure) link;
	bool listed;
	union address_brief from;
	union address_brief to;
};

LIST_HEAD(departures, departure);

struct loops {
	uint32_t mark; /* of weir's own sockets; 0: none */
	struct loops_listening {
		struct address address;
		size_t listener;
	} * listening;
	size_t listening_count;
	size_t listener_count;
	atomic_size_t *leads; /* which listener's address each one has dialled last, as far as is known */
	struct loops_bucket {
		pthread_mutex_t lock;
		struct departures departures;
	} buckets[LOOPS_BUCKETS];
};

/* Allocates room for so many listeners and addresses. 0, or -1 with errno; either way, loops_destroy() ends it. */
int loops_init(struct loops *loops, size_t listeners, size_t addresses) __attribute__((warn_unused_result));
void loops_destroy(struct loops *loops); /* all zero is fine */

/* This listener, counted from 0, listens here; no more often than there is room. */
void loops_listen(struct loops *loops, size_t listener, const struct address *address);

/* Whether a connection to this address would come to weir itself. */
bool loops_lead_to(const struct loops *loops, const struct address *destination);

/* What the kernel said last of an address being this machine's own, to one worker; all zero: nothing yet. */
struct loops_memory {
	struct address address;
	bool local;
	uint64_t until; /* ns: it is believed for a second */
};

/*
 * Whether what this listener sends to this address would come back to it: the address is its own, or another listener's whose
 * connections lead here. Others are known by what they have dialled last, so that a circle is found on its first round.
 */
bool loops_lead_back(struct loops *loops, struct loops_memory *memory, size_t listener,
	const struct address *destination, uint64_t now);

/* Notes a socket that connects to this address, and forgets it; to forget one that is not noted is fine. */
void loops_depart(struct loops *loops, struct departure *departure, int fd, const struct address *to);
void loops_forget(struct loops *loops, struct departure *departure);

/* Whether this client, who wanted to go there, is one of weir's own connections. */
bool loops_return(struct loops *loops, const struct address *client, const struct address *destination);

#endif
