/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caller - see caller.h. Edge-triggered with no call in vain: there is no more to read than what is awaited, so that neither
 * a short read nor a whole answer needs a second look.
 */
#include "caller.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void broke(struct caller *caller, ssize_t n)
{
	poller_fail(caller->poller, "a connection broke: %s", n == 0 ? "end of file" : strerror(errno));
}

static void greet(struct caller *caller)
{
	unsigned char header[WIRE_HEADER];

	wire_header(header, caller->kind, caller->size);
	if (send(caller->watch.fd, header, sizeof(header), MSG_NOSIGNAL) != WIRE_HEADER) {
		poller_fail(caller->poller, "could not connect: %s", strerror(errno));
		return;
	}
	caller->greeted = true;
	caller->awaited = 1;
}

/* One call, unless the request is larger than one sends. What does not fit is announced by an edge. */
static void push(struct caller *caller)
{
	while (caller->unsent > 0) {
		ssize_t n = wire_send_lines(caller->watch.fd, caller->unsent);

		if (n == -1) {
			if (errno != EAGAIN)
				broke(caller, n);
			return;
		}
		caller->unsent -= (uint32_t)n;
	}
}

static void pull(struct caller *caller)
{
	ssize_t n = wire_discard(caller->watch.fd, caller->awaited);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		broke(caller, n);
		return;
	}
	caller->awaited -= (uint32_t)n;
	if (caller->awaited == 0)
		caller->answered(caller);
}

static void on_caller(struct watch *watch, uint32_t events)
{
	struct caller *caller = (struct caller *)watch;

	if (!caller->greeted) {
		greet(caller);
		return;
	}
	if ((events & EPOLLOUT) != 0 && caller->unsent > 0)
		push(caller);
	if ((events & ~EPOLLOUT) != 0)
		pull(caller);
}

int caller_open(struct caller *caller, uint16_t port)
{
	caller->watch = (struct watch){wire_connect(port, 0), on_caller};
	if (caller->watch.fd == -1)
		return poller_fail(caller->poller, "connect: %s", strerror(errno));
	return poller_add(caller->poller, &caller->watch, EPOLLIN | EPOLLOUT | EPOLLET);
}

void caller_ask(struct caller *caller)
{
	caller->awaited = caller->size;
	caller->unsent = caller->size;
	push(caller);
}

void caller_close(struct caller *caller)
{
	if (caller->watch.fd != -1)
		close(caller->watch.fd);
	caller->watch.fd = -1;
}
