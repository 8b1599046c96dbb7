/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy - a weir of our own: the sample ini with other addresses, a child process, and what it says on stderr.
 */
#ifndef DEMO_PROXY_H
#define DEMO_PROXY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proxy_files {
	const char *weir;
	const char *policies; /* the directory of its modules */
	const char *ini;      /* the sample */
};

/* What weir says of the flow from producer to consumer, when asked and at its end. */
struct proxy_flow {
	uint64_t held;
	uint64_t held_max;
	uint64_t pauses;
	double paused; /* seconds */
	char state[16];
	bool over; /* the session's last line has come */
};

struct proxy {
	pid_t pid;
	int log;             /* our end of its stderr; -1: none, or it ended */
	char directory[128]; /* for its ini; empty: none */
	in_port_t port;      /* 0: not known yet */
	bool ready;
	unsigned answers; /* to proxy_ask */
	struct proxy_flow flow;
	char trouble[160]; /* the first line that is no news but a complaint */
	char text[8192];   /* what has come of the next lines */
	size_t length;
};

void proxy_init(struct proxy *proxy);

/* Starts weir before 127.0.0.1:consumer; proxy_read tells when it is ready. On failure `trouble` says why. */
int proxy_start(struct proxy *proxy, const struct proxy_files *files, in_port_t consumer)
	__attribute__((warn_unused_result));

/* Takes in what it has said, without waiting. -1 when it has ended. */
int proxy_read(struct proxy *proxy) __attribute__((warn_unused_result));

/* Asks for a status line. */
void proxy_ask(struct proxy *proxy);

void proxy_stop(struct proxy *proxy);

#endif
