/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greeting - peek, parse, take.
 */
#include "greeting.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "container.h"

/* The reason is not what peeking says: the kernel has told its error then, and forgotten it. */
static struct greeting_outcome broken(int error)
{
	return (struct greeting_outcome){error == ECONNRESET ? CLOSE_CLIENT_RESET : CLOSE_CLIENT_ERROR, NULL, NULL};
}

static struct greeting_outcome wrong(const char *error)
{
	return (struct greeting_outcome){CLOSE_PROXY_ERROR, error, NULL};
}

static void finish(struct greeting *greeting, const struct greeting_outcome *outcome, uint64_t now)
{
	greeting_cancel(greeting);
	greeting->done(greeting->argument, outcome, now);
}

/* All bytes that ever come are there, and the next look sees them. */
static bool has_ended(const struct greeting *greeting)
{
	struct pollfd poll_fd = {.fd = greeting->client->fd, .events = POLLRDHUP};

	return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Removes the header from the stream. What was peeked at is there. */
static struct greeting_outcome take(struct greeting *greeting, const struct proxy_header *header)
{
	ssize_t n = recv(greeting->client->fd, greeting->context->scratch, header->bytes, 0);

	if (n < 0)
		return broken(errno);
	if ((size_t)n != header->bytes)
		return wrong("an urgent byte in the PROXY header");
	return (struct greeting_outcome){CLOSE_NONE, NULL, header};
}

/* True: the outcome is known; else what is there is right so far, and not all. */
static bool look(struct greeting *greeting, struct proxy_header *header, struct greeting_outcome *outcome)
{
	ssize_t n = recv(greeting->client->fd, greeting->context->scratch, greeting->limit, MSG_PEEK);

	if (n < 0 && errno == EINTR)
		n = 0;
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		*outcome = broken(errno);
		return true;
	}
	switch (proxy_header_parse(header, greeting->context->scratch, n > 0 ? (size_t)n : 0, greeting->limit)) {
	case PROXY_HEADER_DONE:
		*outcome = take(greeting, header);
		return true;
	case PROXY_HEADER_WRONG:
		*outcome = wrong(header->wrong);
		return true;
	default:
		return false;
	}
}

/* Bytes that wait to be read hide a reset from those who read. */
static struct greeting_outcome too_short(const struct greeting *greeting)
{
	struct endpoint *client = &greeting->client->endpoint;
	int error = client->ops->error(client);

	return error != 0 ? broken(error) : wrong("the client ended before its PROXY header did");
}

/* The rest, and the end, may come between looking and asking for the end: so what has ended is looked at once more. */
static bool look_to_the_end(struct greeting *greeting, struct proxy_header *header, struct greeting_outcome *outcome)
{
	if (look(greeting, header, outcome))
		return true;
	if (has_ended(greeting)) {
		if (!look(greeting, header, outcome))
			*outcome = too_short(greeting);
		return true;
	}
	*outcome = (struct greeting_outcome){CLOSE_PROXY_TIMEOUT, "no whole PROXY header in time", NULL};
	return greeting->timed_out;
}

static void run_task(struct task *task, uint64_t now)
{
	struct greeting *greeting = CONTAINER(task, struct greeting, task);
	struct greeting_outcome outcome;
	struct proxy_header header;

	if (look_to_the_end(greeting, &header, &outcome))
		finish(greeting, &outcome, now);
}

static void fire_timer(struct timer *timer, uint64_t now)
{
	struct greeting *greeting = CONTAINER(timer, struct greeting, timer);

	(void)now;
	greeting->timed_out = true;
	sched_enqueue(greeting->context->sched, &greeting->task);
}

void greeting_notify(void *argument)
{
	struct greeting *greeting = argument;

	if (greeting_waits(greeting))
		sched_enqueue(greeting->context->sched, &greeting->task);
}

void greeting_start(struct greeting *greeting, struct context *context, struct endpoint_socket *client, size_t limit,
	uint64_t timeout, uint64_t now, greeting_done *done, void *argument)
{
	*greeting = (struct greeting){
		.context = context,
		.client = client,
		.limit = limit,
		.begun_at = now,
		.task.run = run_task,
		.done = done,
		.argument = argument,
	};
	timer_init(&greeting->timer, fire_timer);
	if (timeout != WEIR_NEVER)
		sched_timer_set(context->sched, &greeting->timer, now + timeout);
	sched_enqueue(context->sched, &greeting->task); /* it may be there already */
}

bool greeting_waits(const struct greeting *greeting)
{
	return greeting->client != NULL;
}

void greeting_cancel(struct greeting *greeting)
{
	if (!greeting_waits(greeting))
		return;
	greeting->client = NULL;
	sched_timer_clear(greeting->context->sched, &greeting->timer);
	sched_dequeue(greeting->context->sched, &greeting->task);
}
