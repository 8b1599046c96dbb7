/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - the two ends of a session as its client and its server see them.
 *
 * What an end sends is a pattern: the byte at each position follows from a seed, so that the other end checks order and
 * content of every byte it gets, however it arrives. Sockets are non-blocking; whatever waits, waits with a deadline.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness.h"

#define ALL UINT64_MAX

struct end {
	int fd;
	const char *name;
	unsigned port; /* its own */
	uint64_t out_seed;
	uint64_t sent;
	uint64_t in_seed;
	uint64_t got;
	bool fin;     /* it has shut down its sending side */
	bool eof;     /* it was told the end of the other's bytes */
	int in_error; /* the first errno of receiving, of sending */
	int out_error;
	/* for ends_step() */
	uint64_t out_goal; /* send up to this position */
	uint64_t in_goal;  /* take up to this position; ALL: whatever comes, the end too */
	bool fin_goal;     /* shut down behind out_goal */
};

struct pair {
	struct end client;
	struct end server;
};

/* A server's listening socket. */
struct server {
	int fd;
	unsigned port;
	char address[128]; /* as weir's ini names it */
};

struct server server_listen(void); /* 127.0.0.1, a port from the kernel */
struct server server_listen_at(const char *ip, unsigned port, int backlog, int rcvbuf);
struct server server_listen_beside(const char *ip, const char *other, int backlog); /* on a port free on both */
struct server server_listen_unix(const char *path);
struct server server_refusing(void); /* the port is taken, nobody listens */
/* A listener whose backlog is full: connecting to it hangs. The two sockets that fill it are kept in fillers. */
struct server server_hanging(const char *ip, unsigned port, int fillers[2]);
void server_open_up(struct server *server);       /* from now on it takes connections */
bool server_pending(const struct server *server); /* somebody waits to be accepted */
void server_close(struct server *server);
struct end server_accept(struct server *server); /* waits for one */

/* A weir with a listener `a` before this server, and a policy `marks`, a watermark. more: lines for the listener. */
struct weir *weir_before(const struct server *server, const char *high, const char *low, const char *more);

struct end client_connect(unsigned port);                      /* to 127.0.0.1 */
struct end client_connect_from(const char *ip, unsigned port); /* from one of 127.0.0.0/8 */
struct end client_connect6(unsigned port);
struct end client_connect_small(unsigned port, int rcvbuf);
struct end client_connect_unix(const char *path);

/* A client and the server's end of its session: one after the other, so that they belong together. */
struct pair pair_open(unsigned port, struct server *server);
struct pair pair_open_from(const char *client_ip, unsigned port, struct server *server);
struct pair pair_open_small(unsigned port, struct server *server, int client_rcvbuf);
void pair_join(struct pair *pair); /* gives both ends the seeds and names that belong together */
/*
 * For clients that connected without waiting for the server: each has been joined and has sent at least 8 bytes. Accepts
 * one session, finds by its first bytes whose it is, and gives that pair its server.
 */
struct pair *pair_accept(struct pair *pairs, size_t count, struct server *server);
void pair_close(struct pair *pair);

/* The ends of a direction: down, from the server to the client; else up. */
struct end *pair_source(struct pair *pair, int down);
struct end *pair_sink(struct pair *pair, int down);

void pattern_fill(uint8_t *bytes, uint64_t seed, uint64_t position, size_t length);

/* One round over these ends: what can move towards its goals is moved. Waits for at most so many milliseconds. */
void ends_step(struct end *ends[], size_t count, int milliseconds);
void pairs_step(struct pair *pairs, size_t count, int milliseconds);
/* The same for one pair until the condition holds, or the case fails telling what both ends have seen. */
#define PAIR_UNTIL(pair, condition)                                                                                    \
	do {                                                                                                           \
		double until_ = harness_now() + PATIENCE;                                                              \
		while (!(condition)) {                                                                                 \
			ck_assert_msg(harness_now() < until_, "never: %s; %s", #condition, pair_text(pair));           \
			pairs_step((pair), 1, 5);                                                                      \
		}                                                                                                      \
	} while (0)
const char *pair_text(const struct pair *pair);

/* Steps until nothing has moved for so many seconds. */
void pairs_settle(struct pair *pairs, size_t count, double seconds);

/* All of these wait with a deadline, and fail the case. */
void end_write(struct end *end, uint64_t length);
void end_expect(struct end *end, uint64_t length); /* exactly these bytes, right in content; the end may come later */
void end_expect_eof(struct end *end);              /* a clean end, nothing before it */
void end_expect_reset(struct end *end);            /* whatever bytes, then a reset and no clean end */
void end_expect_gone(struct end *end);             /* sending fails at last */
void end_shutdown(struct end *end);
void end_flush(struct end *end); /* until the other host has everything */
bool end_is_reset(const struct end *end);
void end_close(struct end *end);
void end_reset(struct end *end); /* closes with a reset */

#endif
