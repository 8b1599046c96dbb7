/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream - a connection that carries bulk: up to a sink, down from a faucet, or both. It counts its bytes where it was told.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "poller.h"

struct stream {
	struct watch watch;
	struct poller *poller;
	bool up;
	bool down;
	bool greeted;
	uint64_t *sent;
	uint64_t *received;
};

/* Direction, counters and poller are set by the caller; a stream that breaks fails the poller. */
__attribute__((warn_unused_result)) int stream_open(struct stream *stream, uint16_t port);

/* With all that was sent delivered, if that is a matter of a second or two. */
void stream_close(struct stream *stream);

#endif
