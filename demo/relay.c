/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay - see relay.h. One direction only, one connection, then it ends.
 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "loopback.h"

#define CHUNK_SIZE 65000 /* and what malloc and the list need still fit into 64 KiB */

struct chunk {
	TAILQ_ENTRY(chunk) link;
	size_t filled;
	size_t sent;
	unsigned char bytes[CHUNK_SIZE];
};

TAILQ_HEAD(chunk_queue, chunk);

/* In the relay's process. */
struct job {
	int source;
	int sink;
	bool ended; /* by the source */
	uint64_t bound;
	struct relay_figures *figures;
	struct chunk_queue queue;
};

static struct chunk *chunk_with_room(struct job *job)
{
	struct chunk *chunk = TAILQ_LAST(&job->queue, chunk_queue);

	if (chunk != NULL && chunk->filled < CHUNK_SIZE)
		return chunk;
	chunk = malloc(sizeof(*chunk));
	if (chunk == NULL)
		return NULL;
	chunk->filled = chunk->sent = 0;
	TAILQ_INSERT_TAIL(&job->queue, chunk, link);
	return chunk;
}

static void count_in(struct job *job, uint64_t bytes)
{
	struct relay_figures *figures = job->figures;
	uint64_t now = clock_now();

	if (figures->first_byte_at == 0)
		figures->first_byte_at = now;
	figures->held += bytes;
	if (figures->held > figures->held_max)
		figures->held_max = figures->held;
	if (figures->held >= job->bound && figures->bound_met_at == 0)
		figures->bound_met_at = now;
}

/* One read at most, as much as there is up to a chunk. */
static int take(struct job *job)
{
	struct chunk *chunk = chunk_with_room(job);
	ssize_t n;

	if (chunk == NULL)
		return -1;
	n = recv(job->source, chunk->bytes + chunk->filled, CHUNK_SIZE - chunk->filled, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		job->ended = true;
	chunk->filled += (size_t)n;
	count_in(job, (uint64_t)n);
	return 0;
}

static int give(struct job *job)
{
	struct chunk *chunk = TAILQ_FIRST(&job->queue);
	ssize_t n = send(job->sink, chunk->bytes + chunk->sent, chunk->filled - chunk->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	chunk->sent += (size_t)n;
	job->figures->held -= (uint64_t)n;
	if (chunk->sent == chunk->filled) {
		TAILQ_REMOVE(&job->queue, chunk, link);
		free(chunk);
	}
	return 0;
}

static int pass_on(struct job *job)
{
	while (!job->ended || job->figures->held > 0) {
		struct pollfd fds[] = {
			{.fd = job->figures->held < job->bound && !job->ended ? job->source : -1, .events = POLLIN},
			{.fd = job->figures->held > 0 ? job->sink : -1, .events = POLLOUT},
		};

		if (poll(fds, 2, -1) == -1 && errno != EINTR)
			return -1;
		if (fds[0].revents != 0 && take(job) == -1)
			return -1;
		if (fds[1].revents != 0 && give(job) == -1)
			return -1;
	}
	return 0;
}

/* The consumer says nothing but its end, and only when it has got ours. */
static void end(struct job *job)
{
	char byte;

	fcntl(job->sink, F_SETFL, 0);
	shutdown(job->sink, SHUT_WR);
	while (recv(job->sink, &byte, 1, 0) > 0)
		;
	shutdown(job->source, SHUT_WR);
}

/* Should memory run out in spite of the bound, it shall hit nobody else. */
static void volunteer(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");

	if (file == NULL)
		return;
	fputs("1000", file);
	fclose(file);
}

static void run(int listener, in_port_t consumer, struct job *job)
{
	volunteer();
	job->source = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	job->sink = loopback_connect(consumer);
	if (job->source == -1 || job->sink == -1 || fcntl(job->sink, F_SETFL, O_NONBLOCK) == -1)
		_exit(1);
	if (pass_on(job) == -1)
		_exit(1);
	end(job);
	_exit(0);
}

static int share_figures(struct relay *relay)
{
	/* cppcheck-suppress invalidFunctionArg; no file */
	void *page = mmap(NULL, sizeof(*relay->figures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -1;
	relay->figures = page;
	return 0;
}

int relay_start(struct relay *relay, in_port_t consumer, uint64_t bound)
{
	struct job job = {.bound = bound};
	int listener;

	if (share_figures(relay) == -1)
		return -1;
	listener = loopback_listen(&relay->port);
	if (listener == -1)
		return -1;
	TAILQ_INIT(&job.queue);
	job.figures = relay->figures;
	relay->pid = child_fork();
	if (relay->pid == 0)
		run(listener, consumer, &job);
	close(listener);
	return relay->pid > 0 ? 0 : -1;
}

void relay_stop(struct relay *relay)
{
	child_end(&relay->pid);
	if (relay->figures != NULL)
		munmap(relay->figures, sizeof(*relay->figures));
	relay->figures = NULL;
}
