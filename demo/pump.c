/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump - see pump.h. The stream repeats with a period that is prime, so that a block that is lost, doubled or moved on its
 * way does not fit where it arrives.
 */
#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define PERIOD 65521
#define BLOCK 65536
#define TICK (10 * CLOCK_MS)
#define LOOK_UP_MS 100 /* nobody waits longer without a look at the phase */

static unsigned char pattern[PERIOD + BLOCK];
static pthread_once_t pattern_once = PTHREAD_ONCE_INIT;

static void pattern_make(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < PERIOD; i++) {
		state = state * 1664525 + 1013904223;
		pattern[i] = (unsigned char)(state >> 24);
	}
	for (size_t i = PERIOD; i < sizeof(pattern); i++)
		pattern[i] = pattern[i - PERIOD];
}

static bool again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void fail(struct pump *pump, int error)
{
	if (pump->phase != PUMP_ABANDON)
		pump->error = error;
}

static void wait_for_end(struct pump *pump)
{
	char byte;

	while (pump->phase != PUMP_ABANDON) {
		ssize_t n = recv(pump->fd, &byte, 1, 0);

		if (n == 0)
			pump->done = true;
		else if (n > 0 || !again())
			fail(pump, n > 0 ? EBADMSG : errno);
		if (pump_over(pump))
			return;
	}
}

/* A blocking send would do the same, but count its bytes only when it returns. */
static void wait_for_room(struct pump *pump)
{
	struct pollfd room = {.fd = pump->fd, .events = POLLOUT};

	poll(&room, 1, LOOK_UP_MS);
}

static void *produce(void *argument)
{
	struct pump *pump = argument;

	while (pump->phase == PUMP_FLOOD) {
		ssize_t n = send(pump->fd, pattern + pump->bytes % PERIOD, BLOCK, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			pump->bytes += (uint64_t)n;
		} else if (!again()) {
			fail(pump, errno);
			return NULL;
		} else {
			wait_for_room(pump);
		}
	}
	shutdown(pump->fd, SHUT_WR);
	wait_for_end(pump);
	return NULL;
}

/* How much the pace allows by now. It never catches up more than a few ticks: a slow reader does not turn fast. */
static size_t allowance(struct pump *pump, uint64_t *credit, uint64_t *last)
{
	uint64_t now = clock_now();
	uint64_t most = pump->pace / 20;

	if (pump->phase != PUMP_FLOOD)
		return BLOCK;
	*credit += pump->pace * (now - *last) / CLOCK_SECOND;
	*last = now;
	if (*credit > most)
		*credit = most;
	return *credit < BLOCK ? (size_t)*credit : BLOCK;
}

static void *consume(void *argument)
{
	struct pump *pump = argument;
	uint64_t credit = 0, last = clock_now();
	unsigned char block[BLOCK];

	while (pump->phase != PUMP_ABANDON) {
		size_t most = allowance(pump, &credit, &last);
		struct timespec tick = {.tv_nsec = TICK};
		ssize_t n = most > 0 ? recv(pump->fd, block, most, 0) : -1;

		if (n > 0 && memcmp(block, pattern + pump->bytes % PERIOD, (size_t)n) != 0) {
			fail(pump, EBADMSG);
		} else if (n > 0) {
			pump->bytes += (uint64_t)n;
			credit -= credit < (uint64_t)n ? credit : (uint64_t)n;
		} else if (n == 0) {
			pump->done = true;
		} else if (most > 0 && !again()) {
			fail(pump, errno);
		}
		if (pump_over(pump))
			break;
		if (pump->phase == PUMP_FLOOD)
			nanosleep(&tick, NULL);
	}
	shutdown(pump->fd, SHUT_RDWR);
	return NULL;
}

void pump_init(struct pump *pump)
{
	memset(pump, 0, sizeof(*pump));
	pump->fd = -1;
}

static int start(struct pump *pump, int fd, void *(*work)(void *))
{
	const struct timeval look_up = {.tv_usec = LOOK_UP_MS * 1000};
	int error;

	pthread_once(&pattern_once, pattern_make);
	pump->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &look_up, sizeof(look_up));
	error = pthread_create(&pump->thread, NULL, work, pump);
	pump->started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

int pump_start_producer(struct pump *pump, int fd)
{
	return start(pump, fd, produce);
}

int pump_start_consumer(struct pump *pump, int fd, uint64_t pace)
{
	pump->pace = pace;
	return start(pump, fd, consume);
}

void pump_finish(struct pump *pump)
{
	pump->phase = PUMP_FINISH;
}

void pump_stop(struct pump *pump)
{
	if (pump->started) {
		pump->phase = PUMP_ABANDON;
		shutdown(pump->fd, SHUT_RDWR);
		pthread_join(pump->thread, NULL);
		pump->started = false;
	}
	if (pump->fd != -1)
		close(pump->fd);
	pump->fd = -1;
}
