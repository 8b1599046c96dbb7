/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial - one step at a time: look up, connect, next address. Events and timers only queue the dial's task, which takes
 * the step.
 */
#include "dial.h"

#include <errno.h>
#include <event2/dns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "dial_socket.h"
#include "rest.h"

#define RETRY_AFTER (UINT64_C(20) * 1000000) /* ns */

/* A question to the resolver. Its answer always comes, even to one that was cancelled: the dial may be gone by then. */
struct lookup {
	struct dial *dial; /* NULL: nobody asks any more */
	struct evdns_getaddrinfo_request *request;
};

struct dial {
	struct dial_base *base;
	struct dial *idle; /* the next one, while it is idle itself */
	const struct dial_target *target;
	const struct dial_terms *terms;
	struct endpoint_socket *socket;
	struct task task;
	struct timer timer;
	void (*done)(void *argument, const struct dial_outcome *outcome, uint64_t now);
	void *argument;
	struct lookup *lookup;
	struct evutil_addrinfo *found; /* what the resolver gave, and which of it comes next */
	struct evutil_addrinfo *next;
	struct dial_outcome outcome; /* of the last attempt */
	bool tried;                  /* the upstream's own address */
	bool connecting;             /* the socket is open */
	bool waiting;        /* for a descriptor, or for room in a unix socket's backlog, to try that address again */
	uint64_t give_up_at; /* ns: when this address has had its time */
	bool timed_out;
};

static struct dial *dial_new(struct dial_base *base)
{
	struct dial *dial = base->idle;

	if (dial == NULL)
		return malloc(sizeof(*dial));
	base->idle = dial->idle;
	base->idle_count--;
	return dial;
}

static void put_aside(struct dial *dial)
{
	struct dial_base *base = dial->base;

	if (base->idle_count == DIAL_IDLE_MAX) {
		free(dial);
		return;
	}
	dial->idle = base->idle;
	base->idle = dial;
	base->idle_count++;
}

void dial_forget(struct dial_base *base)
{
	while (base->idle != NULL)
		free(dial_new(base));
}

static void dial_free(struct dial *dial)
{
	sched_timer_clear(dial->base->sched, &dial->timer);
	sched_dequeue(dial->base->sched, &dial->task);
	if (dial->lookup != NULL) {
		struct lookup *lookup = dial->lookup;

		lookup->dial = NULL;
		evdns_getaddrinfo_cancel(lookup->request); /* its callback frees the lookup, now or later */
	}
	if (dial->found != NULL)
		evutil_freeaddrinfo(dial->found);
	put_aside(dial);
}

static void finish(struct dial *dial, uint64_t now)
{
	void (*done)(void *, const struct dial_outcome *, uint64_t) = dial->done;
	void *argument = dial->argument;
	struct dial_outcome outcome = dial->outcome;

	dial_free(dial);
	done(argument, &outcome, now);
}

static enum close_reason reason_of(int error, bool loop)
{
	if (loop)
		return CLOSE_LOOP;
	if (error == ECONNREFUSED)
		return CLOSE_CONNECT_REFUSED;
	if (error == ETIMEDOUT)
		return CLOSE_CONNECT_TIMEOUT;
	return dial_out_of_descriptors(error) ? CLOSE_NO_DESCRIPTORS : CLOSE_CONNECT_FAILED;
}

static void failed(struct dial *dial, int error)
{
	bool loop = error == ELOOP && !address_is_unix(&dial->outcome.address); /* a path may have too many links */

	dial->outcome.reason = reason_of(error, loop);
	if (loop)
		dial->outcome.error = "that is weir itself, or leads back to it";
	else if (error == EAFNOSUPPORT)
		dial->outcome.error = "there is no address of the server's family to connect from";
	else if (error == EMSGSIZE)
		dial->outcome.error = "the send buffer has no room for the PROXY header";
	else
		dial->outcome.error = strerrordesc_np(error);
}

/* ---- connecting ---------------------------------------------------------------------------------------------------- */

static void on_event(void *argument)
{
	struct dial *dial = argument;

	sched_enqueue(dial->base->sched, &dial->task);
}

/* What passes by itself: the same address is tried again, as long as it may. */
static bool wait_to_retry(struct dial *dial, int error, uint64_t now)
{
	bool full = error == EAGAIN && address_is_unix(&dial->outcome.address);

	if ((!dial_out_of_descriptors(error) && !full) || now >= dial->give_up_at)
		return false;
	dial->waiting = true;
	sched_timer_set(dial->base->sched, &dial->timer, now + RETRY_AFTER);
	return true;
}

/* -1 with errno. */
static int begin_connecting(struct dial *dial, uint64_t now)
{
	const struct address *address = &dial->outcome.address;
	int fd;

	/* where a client wants to go is looked at when it arrives */
	if (dial->terms->to == NULL &&
		loops_lead_back(dial->target->loops, &dial->base->asked, dial->target->listener, address, now)) {
		rest_close(dial->socket);
		errno = ELOOP;
		return -1;
	}
	fd = rest_find(dial->socket, address);
	if (fd >= 0 && connect(fd, &address->sa, address->length) != 0 && errno != EINPROGRESS) {
		rest_close(dial->socket); /* if it is not the socket's fault, a new one will tell */
		fd = -1;
	}
	if (fd >= 0) {
		dial_note_departure(dial->target, dial->terms, fd, address);
		rest_end(dial->socket, on_event, dial);
		return 0;
	}
	fd = dial_connect(dial->base, dial->target, dial->terms, address);
	if (fd < 0)
		return -1;
	if (endpoint_socket_open(dial->socket, fd, address, dial->base->events, on_event, dial) != 0) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* Begins an attempt, or goes on with one that had to wait. -1: it failed at once. */
static int try_address(struct dial *dial, uint64_t now)
{
	dial->timed_out = false;
	dial->waiting = false;
	if (begin_connecting(dial, now) == 0) {
		dial->connecting = true;
		sched_timer_set(dial->base->sched, &dial->timer, dial->give_up_at);
		return 0;
	}
	if (wait_to_retry(dial, errno, now))
		return 0;
	failed(dial, errno);
	return -1;
}

/* Nothing is to be looked up. */
static bool is_numeric(const struct dial *dial)
{
	return dial->terms->to != NULL || dial->target->upstream->address.length != 0;
}

/* The next address to try; false: there is none, and the last one stays what it was. */
static bool next_address(struct dial *dial, struct address *address)
{
	const struct config_upstream *upstream = dial->target->upstream;

	if (is_numeric(dial)) {
		*address = dial->terms->to != NULL ? *dial->terms->to : upstream->address;
		return !dial->tried;
	}
	while (dial->next != NULL) {
		struct evutil_addrinfo *info = dial->next;

		dial->next = info->ai_next;
		if (info->ai_addrlen > sizeof(address->storage))
			continue;
		memset(address, 0, sizeof(*address));
		memcpy(&address->storage, info->ai_addr, info->ai_addrlen);
		address->length = (socklen_t)info->ai_addrlen;
		return true;
	}
	return false;
}

static void try_next(struct dial *dial, uint64_t now)
{
	uint64_t timeout = dial->target->connect_timeout;

	while (next_address(dial, &dial->outcome.address)) {
		dial->tried = true;
		dial->give_up_at = timeout == WEIR_NEVER ? WEIR_NEVER : now + timeout;
		if (try_address(dial, now) == 0)
			return;
	}
	/* every address failed: the outcome of the last one stands, and is told on a later turn */
	sched_enqueue(dial->base->sched, &dial->task);
}

/* ---- looking up ---------------------------------------------------------------------------------------------------- */

static void on_answer(int result, struct evutil_addrinfo *found, void *argument)
{
	struct lookup *lookup = argument;
	struct dial *dial = lookup->dial;

	free(lookup);
	if (dial == NULL) {
		if (found != NULL)
			evutil_freeaddrinfo(found);
		return;
	}
	sched_timer_clear(dial->base->sched, &dial->timer);
	dial->timed_out = false;
	dial->lookup = NULL;
	dial->found = found;
	dial->next = found;
	if (result != 0) {
		dial->outcome.reason = CLOSE_RESOLVE_FAILED;
		dial->outcome.error = evutil_gai_strerror(result);
	}
	sched_enqueue(dial->base->sched, &dial->task);
}

static void look_up(struct dial *dial, uint64_t now)
{
	const struct config_upstream *upstream = dial->target->upstream;
	struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct evdns_getaddrinfo_request *request;
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	char port[8];

	dial->outcome.reason = CLOSE_RESOLVE_FAILED;
	dial->outcome.error = "no resolver, or no memory for the look-up";
	if (lookup == NULL || dial->base->dns == NULL) {
		free(lookup);
		sched_enqueue(dial->base->sched, &dial->task);
		return;
	}
	snprintf(port, sizeof(port), "%u", upstream->port);
	lookup->dial = dial;
	dial->lookup = lookup;
	if (dial->target->connect_timeout != WEIR_NEVER)
		sched_timer_set(dial->base->sched, &dial->timer, now + dial->target->connect_timeout);
	/* NULL: the answer has come already, and the lookup is gone */
	request = evdns_getaddrinfo(dial->base->dns, upstream->host, port, &hints, on_answer, lookup);
	if (request != NULL)
		lookup->request = request;
}

/* ---- steps --------------------------------------------------------------------------------------------------------- */

/*
 * A server may accept, answer and reset before anybody looks. Such an error cannot come from connecting: it is kept, and
 * the session finds out what was sent before.
 */
static bool was_connected(int error)
{
	return error == 0 || error == ECONNRESET || error == EPIPE;
}

/* The send queue is empty, so all of it is taken, unless the buffer is tiny. 0, or -1 with errno. */
static int send_preface(const struct dial *dial)
{
	const struct dial_terms *terms = dial->terms;
	ssize_t n;

	if (terms->preface_bytes == 0)
		return 0;
	n = send(dial->socket->fd, terms->preface, terms->preface_bytes, MSG_NOSIGNAL);
	if (n == (ssize_t)terms->preface_bytes)
		return 0;
	if (n >= 0 || errno == EAGAIN)
		errno = EMSGSIZE;
	return -1;
}

/* The socket has news: connected, failed, or out of time. */
static void check_attempt(struct dial *dial, uint64_t now)
{
	struct endpoint *endpoint = &dial->socket->endpoint;
	int error = ETIMEDOUT;

	if (endpoint->writable) /* and nothing but that: it is connected */
		error = endpoint->suspect ? endpoint->ops->error(endpoint) : 0;
	else if (!dial->timed_out)
		return; /* nothing yet */
	if (error == 0 && send_preface(dial) != 0)
		error = errno;
	if (was_connected(error)) {
		endpoint->suspect = false;
		endpoint->error = error;
		dial->outcome.reason = CLOSE_NONE;
		finish(dial, now);
		return;
	}
	endpoint_close(endpoint, true);
	dial->connecting = false;
	failed(dial, error);
	try_next(dial, now);
}

static void run_task(struct task *task, uint64_t now)
{
	struct dial *dial = CONTAINER(task, struct dial, task);

	if (dial->connecting) {
		check_attempt(dial, now);
	} else if (dial->waiting) {
		if (try_address(dial, now) != 0)
			try_next(dial, now);
	} else if (dial->timed_out && dial->lookup != NULL) {
		dial->outcome.reason = CLOSE_RESOLVE_FAILED;
		dial->outcome.error = "the look-up took too long";
		finish(dial, now);
	} else if (dial->next != NULL) {
		try_next(dial, now);
	} else if (dial->lookup == NULL) {
		finish(dial, now);
	}
}

static void fire_timer(struct timer *timer, uint64_t now)
{
	struct dial *dial = CONTAINER(timer, struct dial, timer);

	(void)now;
	dial->timed_out = true;
	sched_enqueue(dial->base->sched, &dial->task);
}

struct dial *dial_start(struct dial_base *base, const struct dial_target *target, const struct dial_terms *terms,
	struct endpoint_socket *socket, uint64_t now,
	void (*done)(void *argument, const struct dial_outcome *outcome, uint64_t now), void *argument)
{
	static const struct dial_terms none;
	struct dial *dial = dial_new(base);

	if (dial == NULL)
		return NULL;
	memset(dial, 0, sizeof(*dial));
	dial->base = base;
	dial->target = target;
	dial->terms = terms != NULL ? terms : &none;
	dial->socket = socket;
	dial->task.run = run_task;
	timer_init(&dial->timer, fire_timer);
	dial->done = done;
	dial->argument = argument;
	if (is_numeric(dial))
		try_next(dial, now);
	else
		look_up(dial, now);
	return dial;
}

void dial_cancel(struct dial *dial)
{
	if (dial == NULL)
		return;
	if (dial->connecting)
		endpoint_close(&dial->socket->endpoint, true);
	dial_free(dial);
}
