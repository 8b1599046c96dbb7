/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay - the floor: the least that a relay can do between two sockets, and so what weir is compared with. One thread,
 * edge-triggered epoll with one epoll_ctl per socket, no timer, no limit, no log, no options; end of file is passed on.
 *
 *   relay --to PORT [--mode copy|splice] [--pipe BYTES] [--read BYTES]
 *
 * It copies through one buffer that all share, and keeps only what a sink does not take; or it splices through one pipe
 * per flow, which is given back when it is empty. A flow that goes on and on is put off after TURN bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "poller.h"
#include "wire.h"

#define BUFFER_MAX (1024 * 1024)
#define TURN (1024 * 1024)
#define ACCEPTS_PER_TURN 64
#define SPARE_PIPES 64

TAILQ_HEAD(pair_list, pair);

struct pipe {
	int out;
	int in;
};

struct relay {
	struct watch listener;
	struct poller poller;
	uint16_t to;
	bool splice;
	int pipe_size;
	size_t read_size;
	unsigned spares;
	struct pipe spare[SPARE_PIPES];
	struct pair_list dead;    /* freed when no event of this turn can name them any more */
	struct pair_list put_off; /* have more to do */
	unsigned char buffer[BUFFER_MAX];
};

/* One socket, and what has been read from it but not been written to the other one. */
struct end {
	struct watch watch;
	struct pair *pair;
	bool readable;
	bool writable;
	bool hung_up; /* then a short read does not mean that nothing is left */
	bool eof;
	bool eof_passed;
	struct pipe pipe;
	unsigned char *kept;
	size_t kept_at;
	size_t fill; /* of the pipe, or of what is kept */
};

struct pair {
	struct end ends[2];
	struct relay *relay;
	bool is_dead;
	bool is_put_off;
	TAILQ_ENTRY(pair) link;
};

static struct end *other(struct end *end)
{
	return end == &end->pair->ends[0] ? &end->pair->ends[1] : &end->pair->ends[0];
}

/* ---- pipes */

static int take_pipe(struct relay *relay, struct end *end)
{
	int fds[2];

	if (end->pipe.in != -1)
		return 0;
	if (relay->spares > 0) {
		end->pipe = relay->spare[--relay->spares];
		return 0;
	}
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == -1)
		return -1;
	end->pipe = (struct pipe){fds[0], fds[1]};
	(void)fcntl(fds[1], F_SETPIPE_SZ, relay->pipe_size);
	return 0;
}

static void give_pipe(struct relay *relay, struct end *end)
{
	if (end->pipe.in == -1)
		return;
	if (end->fill == 0 && relay->spares < SPARE_PIPES) {
		relay->spare[relay->spares++] = end->pipe;
	} else {
		close(end->pipe.in);
		close(end->pipe.out);
	}
	end->pipe = (struct pipe){-1, -1};
}

/* ---- reading and writing; all return -1 when the pair is lost */

static int pass_eof(struct end *from)
{
	from->eof_passed = true;
	return shutdown(other(from)->watch.fd, SHUT_WR);
}

static int came_nothing(struct end *from, ssize_t n)
{
	if (n == -1 && errno != EAGAIN)
		return -1;
	from->readable = false;
	from->eof = n == 0;
	return 0;
}

/* What the sink does not take is kept, in memory of the connection's own. */
static int keep(struct end *from, const unsigned char *bytes, size_t n)
{
	other(from)->writable = false;
	from->kept = malloc(n);
	if (from->kept == NULL)
		return -1;
	memcpy(from->kept, bytes, n);
	from->kept_at = 0;
	from->fill = n;
	return 0;
}

static int copy_in(struct relay *relay, struct end *from)
{
	ssize_t n = recv(from->watch.fd, relay->buffer, relay->read_size, 0);
	ssize_t sent;

	if (n <= 0)
		return came_nothing(from, n);
	if ((size_t)n < relay->read_size && !from->hung_up)
		from->readable = false;
	sent = send(other(from)->watch.fd, relay->buffer, (size_t)n, MSG_NOSIGNAL);
	if (sent == -1 && errno != EAGAIN)
		return -1;
	if (sent == -1)
		sent = 0;
	if (sent < n && keep(from, relay->buffer + sent, (size_t)(n - sent)) == -1)
		return -1;
	return (int)n;
}

static int copy_out(struct end *from)
{
	ssize_t n = send(other(from)->watch.fd, from->kept + from->kept_at, from->fill, MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN)
		return -1;
	if (n > 0) {
		from->kept_at += (size_t)n;
		from->fill -= (size_t)n;
	}
	if (from->fill > 0) {
		other(from)->writable = false;
	} else {
		free(from->kept);
		from->kept = NULL;
	}
	return 0;
}

static int splice_out(struct end *from)
{
	ssize_t n = splice(from->pipe.out, NULL, other(from)->watch.fd, NULL, from->fill,
		SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n == -1 && errno != EAGAIN)
		return -1;
	if (n == -1)
		other(from)->writable = false;
	else
		from->fill -= (size_t)n;
	return 0;
}

static int splice_in(struct relay *relay, struct end *from)
{
	ssize_t n;

	if (take_pipe(relay, from) == -1)
		return -1;
	n = splice(from->watch.fd, NULL, from->pipe.in, NULL, (size_t)relay->pipe_size,
		SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n <= 0)
		return came_nothing(from, n);
	from->fill = (size_t)n;
	/* No more pieces than a pipe has slots: it cannot have been full. */
	if (n < relay->pipe_size / 4096 && !from->hung_up)
		from->readable = false;
	return (int)n;
}

/* ---- flows and pairs */

static int flush(struct relay *relay, struct end *from)
{
	while (from->fill > 0 && other(from)->writable)
		if ((relay->splice ? splice_out(from) : copy_out(from)) == -1)
			return -1;
	return 0;
}

static int pump(struct relay *relay, struct end *from)
{
	size_t moved = 0;

	for (;;) {
		int n;

		if (flush(relay, from) == -1)
			return -1;
		if (from->fill > 0 || !from->readable || from->eof || !other(from)->writable)
			break;
		if (moved >= TURN)
			return 1;
		n = relay->splice ? splice_in(relay, from) : copy_in(relay, from);
		if (n == -1)
			return -1;
		moved += (size_t)n;
	}
	if (from->fill == 0)
		give_pipe(relay, from);
	if (from->eof && from->fill == 0 && !from->eof_passed)
		return pass_eof(from);
	return 0;
}

static void kill_pair(struct pair *pair)
{
	struct relay *relay = pair->relay;

	if (pair->is_put_off)
		TAILQ_REMOVE(&relay->put_off, pair, link);
	pair->is_put_off = false;
	pair->is_dead = true;
	for (int i = 0; i < 2; i++) {
		close(pair->ends[i].watch.fd);
		give_pipe(relay, &pair->ends[i]);
		free(pair->ends[i].kept);
	}
	TAILQ_INSERT_TAIL(&relay->dead, pair, link);
}

static void work(struct pair *pair)
{
	struct relay *relay = pair->relay;
	bool more = false;

	for (int i = 0; i < 2; i++) {
		int result = pump(relay, &pair->ends[i]);

		if (result == -1) {
			kill_pair(pair);
			return;
		}
		more = more || result == 1;
	}
	if (pair->ends[0].eof_passed && pair->ends[1].eof_passed) {
		kill_pair(pair);
	} else if (more && !pair->is_put_off) {
		pair->is_put_off = true;
		TAILQ_INSERT_TAIL(&relay->put_off, pair, link);
	}
}

static void on_end(struct watch *watch, uint32_t events)
{
	struct end *end = (struct end *)watch;

	if (end->pair->is_dead)
		return;
	if ((events & ~EPOLLOUT) != 0)
		end->readable = true;
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		end->hung_up = true;
	if ((events & EPOLLOUT) != 0)
		end->writable = true;
	work(end->pair);
}

static int watch_end(struct pair *pair, int i)
{
	return poller_add(&pair->relay->poller, &pair->ends[i].watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void relay_client(struct relay *relay, int client)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int fds[2] = {client, wire_connect(relay->to, 0)};

	if (pair == NULL || fds[1] == -1) {
		close(client);
		if (fds[1] != -1)
			close(fds[1]);
		free(pair);
		return;
	}
	pair->relay = relay;
	for (int i = 0; i < 2; i++)
		pair->ends[i] = (struct end){.watch = {fds[i], on_end}, .pair = pair, .pipe = {-1, -1}};
	if (watch_end(pair, 0) == -1 || watch_end(pair, 1) == -1)
		kill_pair(pair);
}

static void on_listener(struct watch *watch, uint32_t events)
{
	struct relay *relay = (struct relay *)watch;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1)
			return;
		relay_client(relay, fd);
	}
}

static void bury_dead(struct relay *relay)
{
	struct pair *pair;

	while ((pair = TAILQ_FIRST(&relay->dead)) != NULL) {
		TAILQ_REMOVE(&relay->dead, pair, link);
		free(pair);
	}
}

/* Each of those that were put off gets one more go, and so cannot keep the others from being looked at. */
static void resume_put_off(struct relay *relay)
{
	struct pair *last = TAILQ_LAST(&relay->put_off, pair_list);
	struct pair *pair;

	while (last != NULL && (pair = TAILQ_FIRST(&relay->put_off)) != NULL) {
		TAILQ_REMOVE(&relay->put_off, pair, link);
		pair->is_put_off = false;
		work(pair);
		if (pair == last)
			return;
	}
}

static int run(struct relay *relay)
{
	while (relay->poller.error[0] == '\0') {
		poller_turn(&relay->poller, TAILQ_EMPTY(&relay->put_off) ? -1 : 0);
		resume_put_off(relay);
		bury_dead(relay);
	}
	fprintf(stderr, "relay: %s\n", relay->poller.error);
	return 1;
}

/* ---- command line */

static const char usage[] = "usage: relay --to PORT [--mode copy|splice] [--pipe BYTES] [--read BYTES]\n";

static int parse_number(const char *text, long most, long *number)
{
	char *end;

	*number = strtol(text, &end, 10);
	return end != text && *end == '\0' && *number > 0 && *number <= most ? 0 : -1;
}

static int parse_option(struct relay *relay, int option, const char *text)
{
	long number = 0;

	if (option == 'm') {
		relay->splice = strcmp(text, "splice") == 0;
		return relay->splice || strcmp(text, "copy") == 0 ? 0 : -1;
	}
	if (parse_number(text, option == 't' ? UINT16_MAX : option == 'r' ? BUFFER_MAX : INT_MAX, &number) == -1)
		return -1;
	switch (option) {
	case 't':
		relay->to = (uint16_t)number;
		return 0;
	case 'p':
		relay->pipe_size = (int)number;
		return 0;
	case 'r':
		relay->read_size = (size_t)number;
		return 0;
	default:
		return -1;
	}
}

static int parse_options(struct relay *relay, int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 't'},
		{"mode", required_argument, NULL, 'm'},
		{"pipe", required_argument, NULL, 'p'},
		{"read", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?' || parse_option(relay, option, optarg) == -1)
			return -1;
	}
	return optind == argc && relay->to != 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct relay relay = {.pipe_size = 1024 * 1024, .read_size = 256 * 1024};
	uint16_t port;

	TAILQ_INIT(&relay.dead);
	TAILQ_INIT(&relay.put_off);
	if (parse_options(&relay, argc, argv) == -1) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	wire_raise_limit();
	relay.listener = (struct watch){wire_listen(&port), on_listener};
	if (relay.listener.fd == -1) {
		perror("relay: listening");
		return 1;
	}
	if (poller_open(&relay.poller) == 0 && poller_add(&relay.poller, &relay.listener, EPOLLIN) == 0) {
		printf("%u\n", port);
		fflush(stdout);
	}
	return run(&relay);
}
