/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay - the naive relay to compare with: a small process that reads whatever comes, queues it in memory, and writes when
 * it can. That is what a callback-style program does that never looks at its queue.
 *
 * So that it cannot hurt the machine it stops reading at a bound; and it is the first that the kernel would kill for memory.
 */
#ifndef DEMO_RELAY_H
#define DEMO_RELAY_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* Shared with the relay's process. Times are clock_now()'s; 0 is never. */
struct relay_figures {
	_Atomic uint64_t held;
	_Atomic uint64_t held_max;
	_Atomic uint64_t first_byte_at;
	_Atomic uint64_t bound_met_at;
};

struct relay {
	pid_t pid;
	in_port_t port;
	struct relay_figures *figures;
};

/* Relays one connection to its port to 127.0.0.1:consumer. */
int relay_start(struct relay *relay, in_port_t consumer, uint64_t bound) __attribute__((warn_unused_result));
void relay_stop(struct relay *relay);

#endif
