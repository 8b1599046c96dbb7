/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold - sessions that do nothing while somebody else looks what they cost: idle ones, and ones stalled by their reader.
 * stdout says when all are there; the end of stdin ends them.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "caller.h"
#include "clock.h"
#include "input.h"
#include "load.h"
#include "stream.h"

#define CONNECTING_MAX 64
#define USED_MESSAGE 16384
#define PATIENCE (60 * CLOCK_SECOND)
#define LOOK (50 * CLOCK_MS)
/* Nothing has moved for so long: nothing will. */
#define STILL CLOCK_SECOND

/* From now on, whatever happens to a session fails the poller. */
static int hold(struct poller *poller)
{
	struct input input;

	fflush(stdout);
	if (input_watch(&input, poller) == -1)
		return 0;
	return poller_run(poller, CLOCK_NEVER);
}

static int finish(const char *name, struct poller *poller, int result)
{
	if (result == -1)
		fprintf(stderr, "load: %s: %s\n", name, poller->error);
	poller_close(poller);
	return result == 0 ? 0 : 1;
}

/* ---- idle */

struct idle {
	struct poller poller;
	const struct load *load;
	unsigned opened;
	unsigned ready;
	struct session *sessions;
};

struct session {
	struct caller caller;
	struct idle *idle;
	uint64_t to_use;
};

static void open_next(struct idle *idle);

static void on_answer(struct caller *caller)
{
	struct session *session = (struct session *)caller;
	struct idle *idle = session->idle;

	if (session->to_use > 0) {
		session->to_use -= session->to_use < USED_MESSAGE ? session->to_use : USED_MESSAGE;
		caller_ask(caller);
		return;
	}
	if (++idle->ready == idle->load->connections)
		poller_stop(&idle->poller);
	open_next(idle);
}

static void open_next(struct idle *idle)
{
	struct session *session;

	if (idle->opened == idle->load->connections)
		return;
	session = &idle->sessions[idle->opened++];
	*session = (struct session){.idle = idle, .to_use = idle->load->used};
	session->caller = (struct caller){
		.poller = &idle->poller,
		.answered = on_answer,
		.kind = idle->load->used > 0 ? WIRE_ECHO : WIRE_IDLE,
		.size = USED_MESSAGE,
	};
	(void)!caller_open(&session->caller, idle->load->port);
}

static int be_idle(struct idle *idle)
{
	for (int i = 0; i < CONNECTING_MAX; i++)
		open_next(idle);
	if (poller_run(&idle->poller, clock_now() + PATIENCE) == -1)
		return -1;
	if (idle->ready < idle->load->connections)
		return poller_fail(&idle->poller, "only %u of %u are ready", idle->ready, idle->load->connections);
	printf("{\"ready\": %u}\n", idle->ready);
	return hold(&idle->poller);
}

int idle(const struct load *load)
{
	struct idle idle = {.load = load, .sessions = calloc(load->connections, sizeof(struct session))};
	int result = -1;

	if (idle.sessions == NULL)
		poller_fail(&idle.poller, "no memory");
	else if (poller_open(&idle.poller) == 0)
		result = be_idle(&idle);
	for (unsigned i = 0; i < idle.opened; i++)
		caller_close(&idle.sessions[i].caller);
	free(idle.sessions);
	return finish("idle", &idle.poller, result);
}

/* ---- stalled */

struct stalled {
	struct poller poller;
	unsigned n;
	struct stream *streams;
	uint64_t received;
};

static int open_streams(struct stalled *stalled, const struct load *load)
{
	while (stalled->n < load->connections) {
		struct stream *stream = &stalled->streams[stalled->n++];

		*stream = (struct stream){
			.poller = &stalled->poller,
			.down = true,
			.left = load->warm_up,
			.queue = wire_queue(load->connections),
			.received = &stalled->received,
		};
		if (stream_open(stream, load->port) == -1)
			return -1;
	}
	return 0;
}

/* What waits in our sockets, all of them together; 0 as long as nothing waits in one of them. */
static uint64_t unread(const struct stalled *stalled)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < stalled->n; i++) {
		int waiting = 0;

		if (ioctl(stalled->streams[i].watch.fd, SIOCINQ, &waiting) == -1 || waiting == 0)
			return 0;
		sum += (uint64_t)waiting;
	}
	return sum;
}

static int await_stillness(struct stalled *stalled, uint64_t warm_up, uint64_t *sum)
{
	uint64_t deadline = clock_now() + PATIENCE;
	uint64_t moved = clock_now();

	*sum = 0;
	while (clock_now() < deadline) {
		uint64_t now_unread;

		if (poller_run(&stalled->poller, clock_now() + LOOK) == -1)
			return -1;
		now_unread = unread(stalled);
		if (now_unread != *sum || now_unread == 0 || stalled->received < warm_up * stalled->n)
			moved = clock_now();
		else if (clock_now() - moved >= STILL)
			return 0;
		*sum = now_unread;
	}
	return poller_fail(&stalled->poller, "bytes still move, or do not come at all");
}

static int be_stalled(struct stalled *stalled, const struct load *load)
{
	uint64_t sum;

	if (open_streams(stalled, load) == -1 || await_stillness(stalled, load->warm_up, &sum) == -1)
		return -1;
	printf("{\"ready\": %u, \"unread\": %" PRIu64 "}\n", stalled->n, sum);
	return hold(&stalled->poller);
}

int stalled(const struct load *load)
{
	struct stalled stalled = {.streams = calloc(load->connections, sizeof(struct stream))};
	int result = -1;

	if (stalled.streams == NULL)
		poller_fail(&stalled.poller, "no memory");
	else if (poller_open(&stalled.poller) == 0)
		result = be_stalled(&stalled, load);
	streams_close(stalled.streams, stalled.n);
	free(stalled.streams);
	return finish("stalled", &stalled.poller, result);
}
