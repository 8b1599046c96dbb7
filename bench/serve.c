/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve - the far side of every load: what a connection is used for, its header says (wire.h). Runs until it is killed or
 * its stdin, if that is a pipe or a terminal, ends.
 *
 * All is level-triggered with one call per wake-up, so that no connection waits for another one's megabytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "input.h"
#include "load.h"
#include "poller.h"
#include "wire.h"

#define ACCEPTS_PER_TURN 64
/* Holds a whole exchange, so that header and message come in one call. */
#define FIRST_READ 32768

struct server {
	struct watch listener;
	struct input input;
	struct poller poller;
	uint64_t sunk; /* bytes that sinks have discarded */
};

struct guest {
	struct watch watch;
	struct server *server;
	unsigned char header[WIRE_HEADER];
	unsigned header_fill;
	bool sink;
	bool faucet;
	bool counts;
	bool pushing;        /* waits for writability, too */
	uint64_t answers_to; /* as many bytes are answered with as many; 0: nothing is */
	uint64_t come;       /* of them, by now */
	uint64_t owed;
};

static void close_guest(struct guest *guest)
{
	close(guest->watch.fd);
	free(guest);
}

/* Waits for room only while there is something to send. A guest that cannot be watched any more fails the poller. */
static void wait_for_room(struct guest *guest)
{
	bool wanted = guest->faucet || guest->owed > 0;

	if (wanted == guest->pushing)
		return;
	guest->pushing = wanted;
	(void)!poller_change(&guest->server->poller, &guest->watch, EPOLLIN | (wanted ? EPOLLOUT : 0U));
}

static int push(struct guest *guest)
{
	ssize_t n;

	if (!guest->faucet && guest->owed == 0)
		return 0;
	n = guest->faucet ? wire_send(guest->watch.fd, WIRE_CHUNK) : wire_send_lines(guest->watch.fd, guest->owed);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	guest->owed -= guest->faucet ? 0 : (uint64_t)n;
	return 0;
}

/* Fits: nobody asks twice before the first answer came. */
static void tell_count(struct guest *guest)
{
	unsigned char answer[WIRE_COUNT_ANSWER];

	wire_put(answer, 8, guest->server->sunk);
	wire_put(answer + 8, 8, clock_now());
	(void)!send(guest->watch.fd, answer, sizeof(answer), MSG_NOSIGNAL);
}

static void take(struct guest *guest, uint64_t n)
{
	if (guest->sink)
		guest->server->sunk += n;
	if (guest->counts && n > 0)
		tell_count(guest);
	if (guest->answers_to == 0)
		return;
	guest->come += n;
	guest->owed += guest->come - guest->come % guest->answers_to;
	guest->come %= guest->answers_to;
}

static int obey_header(struct guest *guest)
{
	uint64_t size = wire_get(guest->header + 4, 4);

	switch (guest->header[0]) {
	case WIRE_SINK:
		guest->sink = true;
		return 0;
	case WIRE_FAUCET:
		guest->faucet = true;
		return 0;
	case WIRE_BOTH:
		guest->sink = true;
		guest->faucet = true;
		return 0;
	case WIRE_COUNT:
		guest->counts = true;
		return 0;
	case WIRE_IDLE:
		guest->owed = 1;
		return 0;
	case WIRE_ECHO:
		guest->owed = 1;
		guest->answers_to = size;
		return 0;
	case WIRE_EXCHANGE:
		guest->answers_to = size;
		take(guest, WIRE_HEADER);
		return 0;
	default:
		return -1;
	}
}

static ssize_t read_header(struct guest *guest)
{
	static unsigned char first[FIRST_READ];
	ssize_t n = recv(guest->watch.fd, first, sizeof(first), 0);
	size_t missing = WIRE_HEADER - guest->header_fill;

	if (n <= 0)
		return n;
	if ((size_t)n < missing)
		missing = (size_t)n;
	memcpy(guest->header + guest->header_fill, first, missing);
	guest->header_fill += (unsigned)missing;
	if (guest->header_fill < WIRE_HEADER)
		return n;
	if (obey_header(guest) == -1)
		return 0;
	if (guest->sink)
		wire_bound_queue(guest->watch.fd, (uint32_t)wire_get(guest->header + 4, 4));
	take(guest, (uint64_t)n - missing);
	return n;
}

static int pull(struct guest *guest)
{
	ssize_t n;

	if (guest->header_fill < WIRE_HEADER) {
		n = read_header(guest);
	} else {
		n = wire_discard(guest->watch.fd, WIRE_CHUNK);
		if (n > 0)
			take(guest, (uint64_t)n);
	}
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	return n > 0 ? 0 : -1;
}

static void on_guest(struct watch *watch, uint32_t events)
{
	struct guest *guest = (struct guest *)watch;

	if ((events & ~EPOLLOUT) != 0 && pull(guest) == -1) {
		close_guest(guest);
		return;
	}
	if (push(guest) == -1)
		close_guest(guest);
	else
		wait_for_room(guest);
}

static void welcome(struct server *server, int fd)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (guest == NULL) {
		close(fd);
		return;
	}
	*guest = (struct guest){.watch = {fd, on_guest}, .server = server};
	if (poller_add(&server->poller, &guest->watch, EPOLLIN) == -1)
		close_guest(guest);
}

static void on_listener(struct watch *watch, uint32_t events)
{
	struct server *server = (struct server *)watch;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd != -1)
			welcome(server, fd);
		else if (errno == EAGAIN)
			return;
		else if (errno != ECONNABORTED && errno != EINTR) {
			poller_fail(&server->poller, "accept4: %s", strerror(errno));
			return;
		}
	}
}

int serve(const struct load *load)
{
	struct server server = {.sunk = 0};
	uint16_t port;

	(void)load;
	server.listener = (struct watch){wire_listen(&port), on_listener};
	if (server.listener.fd == -1) {
		perror("load: listening");
		return 1;
	}
	if (poller_open(&server.poller) == 0 && poller_add(&server.poller, &server.listener, EPOLLIN) == 0) {
		(void)!input_watch(&server.input, &server.poller);
		printf("%u\n", port);
		fflush(stdout);
		(void)!poller_run(&server.poller, CLOCK_NEVER);
	}
	if (server.poller.error[0] != '\0')
		fprintf(stderr, "load: serve: %s\n", server.poller.error);
	poller_close(&server.poller);
	close(server.listener.fd);
	return server.poller.error[0] != '\0';
}
