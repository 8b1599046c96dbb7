/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poller - epoll and nothing else: descriptors, and a function for each that is called when it is ready.
 *
 * A struct watch is the first member of what owns it, which therefore is a cast away. A function may close and free its
 * own watch, but no other. The first failure stops the loop; its text waits in error.
 */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct watch;
typedef void watch_ready(struct watch *watch, uint32_t events);

struct watch {
	int fd;
	watch_ready *ready;
};

struct poller {
	int epoll;
	bool stopped;
	char error[200];
};

__attribute__((warn_unused_result)) int poller_open(struct poller *poller);
void poller_close(struct poller *poller);

/* Both fail the poller themselves. */
__attribute__((warn_unused_result)) int poller_add(struct poller *poller, struct watch *watch, uint32_t events);
__attribute__((warn_unused_result)) int poller_change(struct poller *poller, struct watch *watch, uint32_t events);

/* Until the deadline or poller_stop(): 0; after a failure: -1. Never longer than a turn past the deadline. */
__attribute__((warn_unused_result)) int poller_run(struct poller *poller, uint64_t deadline);
/* Waits so many milliseconds (-1: for ever) for something to be ready, and handles all that is. */
void poller_turn(struct poller *poller, int timeout);
void poller_stop(struct poller *poller);

/* Always -1, so that callers can return it. Only the first failure is kept. */
__attribute__((format(printf, 2, 3))) int poller_fail(struct poller *poller, const char *format, ...);

#endif
