/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream - a connection that carries bulk: up to a sink, down from a faucet, or both.
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
	uint32_t queue;     /* bytes that may wait unread, at either end */
	uint64_t left;      /* of what is received; it stops reading when this is 0 */
	uint64_t *received; /* counted here */
	bool greeted;
};

/* All but the last is set by the owner. A stream that breaks fails the poller. */
__attribute__((warn_unused_result)) int stream_open(struct stream *stream, uint16_t port);

/* What was sent up is delivered first, if that is a matter of a second or two: it must not disturb whoever comes next. */
void streams_close(struct stream *streams, unsigned n);

#endif
