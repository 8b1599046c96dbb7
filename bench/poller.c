/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poller - see poller.h.
 */
#include "poller.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define EVENTS_PER_TURN 256

int poller_open(struct poller *poller)
{
	*poller = (struct poller){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return poller->epoll != -1 ? 0 : poller_fail(poller, "epoll_create1: %s", strerror(errno));
}

/* 0: was never opened. */
void poller_close(struct poller *poller)
{
	if (poller->epoll > 0)
		close(poller->epoll);
	poller->epoll = -1;
}

static int control(struct poller *poller, int operation, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(poller->epoll, operation, watch->fd, &event) == 0)
		return 0;
	return poller_fail(poller, "epoll_ctl: %s", strerror(errno));
}

int poller_add(struct poller *poller, struct watch *watch, uint32_t events)
{
	return control(poller, EPOLL_CTL_ADD, watch, events);
}

int poller_change(struct poller *poller, struct watch *watch, uint32_t events)
{
	return control(poller, EPOLL_CTL_MOD, watch, events);
}

/* Rounded up, or the last millisecond before a deadline would be spent spinning. */
static int timeout_until(uint64_t deadline, uint64_t now)
{
	uint64_t milliseconds = (deadline - now + CLOCK_MS - 1) / CLOCK_MS;

	if (deadline == CLOCK_NEVER)
		return -1;
	return milliseconds < 1000 ? (int)milliseconds : 1000;
}

void poller_turn(struct poller *poller, int timeout)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(poller->epoll, events, EVENTS_PER_TURN, timeout);

	if (n == -1 && errno != EINTR)
		poller_fail(poller, "epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n && !poller->stopped; i++) {
		struct watch *watch = events[i].data.ptr;

		watch->ready(watch, events[i].events);
	}
}

int poller_run(struct poller *poller, uint64_t deadline)
{
	uint64_t now;

	poller->stopped = poller->error[0] != '\0';
	while (!poller->stopped && (now = clock_now()) < deadline)
		poller_turn(poller, timeout_until(deadline, now));
	return poller->error[0] == '\0' ? 0 : -1;
}

void poller_stop(struct poller *poller)
{
	poller->stopped = true;
}

int poller_fail(struct poller *poller, const char *format, ...)
{
	va_list arguments;

	poller->stopped = true;
	if (poller->error[0] != '\0')
		return -1;
	va_start(arguments, format);
	vsnprintf(poller->error, sizeof(poller->error), format, arguments);
	va_end(arguments);
	return -1;
}
