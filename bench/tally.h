/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally - asks the server, over a connection of its own through the same proxy, how many bytes have reached its sinks. What
 * a sender has handed over says less: megabytes per connection may still be on their way.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

#include "poller.h"
#include "wire.h"

struct tally {
	struct watch watch;
	struct poller *poller;
	unsigned fill;
	unsigned char answer[WIRE_COUNT_ANSWER];
	uint64_t bytes; /* so many */
	uint64_t at;    /* at this time, clock_now() of the server */
};

__attribute__((warn_unused_result)) int tally_open(struct tally *tally, struct poller *poller, uint16_t port);

/* Runs the poller, and with it all load, until the answer is here. */
__attribute__((warn_unused_result)) int tally_take(struct tally *tally);
void tally_close(struct tally *tally);

#endif
