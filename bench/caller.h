/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caller - a connection that asks and waits for the answer: the first question is the greeting, the next ones are of a fixed
 * size and so are their answers.
 */
#ifndef CALLER_H
#define CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "poller.h"
#include "wire.h"

struct caller;

/* The whole answer is here. Either asks again or does not. */
typedef void caller_answered(struct caller *caller);

struct caller {
	struct watch watch;
	struct poller *poller;
	caller_answered *answered;
	enum wire_kind kind;
	uint32_t size;
	bool greeted;
	uint32_t unsent;
	uint32_t awaited;
};

/* Poller, function, kind and size are set by the owner. A caller that breaks, now or later, fails the poller. */
__attribute__((warn_unused_result)) int caller_open(struct caller *caller, uint16_t port);
void caller_ask(struct caller *caller);
void caller_close(struct caller *caller);

#endif
