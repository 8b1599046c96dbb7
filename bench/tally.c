/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally - see tally.h. The answer may be late, behind a proxy that is busy; since it says when it was true, that does not
 * matter.
 */
#include "tally.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define PATIENCE (20 * CLOCK_SECOND)

static void on_tally(struct watch *watch, uint32_t events)
{
	struct tally *tally = (struct tally *)watch;
	ssize_t n = recv(watch->fd, tally->answer + tally->fill, sizeof(tally->answer) - tally->fill, 0);

	(void)events;
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		poller_fail(tally->poller, "the server's count: %s", n == 0 ? "end of file" : strerror(errno));
		return;
	}
	tally->fill += (unsigned)n;
	if (tally->fill == sizeof(tally->answer))
		poller_stop(tally->poller);
}

static void on_connected(struct watch *watch, uint32_t events)
{
	struct tally *tally = (struct tally *)watch;
	unsigned char header[WIRE_HEADER];

	(void)events;
	wire_header(header, WIRE_COUNT, 0);
	if (send(watch->fd, header, sizeof(header), MSG_NOSIGNAL) != WIRE_HEADER) {
		poller_fail(tally->poller, "the server's count: %s", strerror(errno));
		return;
	}
	watch->ready = on_tally;
	if (poller_change(tally->poller, watch, EPOLLIN) == 0)
		poller_stop(tally->poller);
}

static int run_until_stopped(struct tally *tally)
{
	uint64_t deadline = clock_now() + PATIENCE;

	if (poller_run(tally->poller, deadline) == -1)
		return -1;
	return clock_now() < deadline ? 0 : poller_fail(tally->poller, "the server's count did not come");
}

int tally_open(struct tally *tally, struct poller *poller, uint16_t port)
{
	*tally = (struct tally){.watch = {wire_connect(port, 0), on_connected}, .poller = poller};
	if (tally->watch.fd == -1)
		return poller_fail(poller, "connect: %s", strerror(errno));
	if (poller_add(poller, &tally->watch, EPOLLOUT) == -1)
		return -1;
	return run_until_stopped(tally);
}

int tally_take(struct tally *tally)
{
	tally->fill = 0;
	if (send(tally->watch.fd, "?", 1, MSG_NOSIGNAL) != 1)
		return poller_fail(tally->poller, "the server's count: %s", strerror(errno));
	if (run_until_stopped(tally) == -1)
		return -1;
	tally->bytes = wire_get(tally->answer, 8);
	tally->at = wire_get(tally->answer + 8, 8);
	return 0;
}

void tally_close(struct tally *tally)
{
	if (tally->watch.fd > 0)
		close(tally->watch.fd);
	tally->watch.fd = -1;
}
