/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream - see stream.h. Level-triggered with one call per wake-up: streams take turns.
 */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"

#define DELIVERY (2 * CLOCK_SECOND)

static uint32_t interest(const struct stream *stream)
{
	return (stream->left > 0 ? EPOLLIN : 0U) | (stream->up ? EPOLLOUT : 0U);
}

static void broke(struct stream *stream, ssize_t n)
{
	poller_fail(stream->poller, "a stream broke: %s", n == 0 ? "end of file" : strerror(errno));
}

static int greet(struct stream *stream)
{
	unsigned char header[WIRE_HEADER];
	enum wire_kind kind = !stream->up ? WIRE_FAUCET : stream->down ? WIRE_BOTH : WIRE_SINK;

	wire_header(header, kind, stream->queue);
	if (send(stream->watch.fd, header, sizeof(header), MSG_NOSIGNAL) != WIRE_HEADER)
		return poller_fail(stream->poller, "a stream could not connect: %s", strerror(errno));
	stream->greeted = true;
	return poller_change(stream->poller, &stream->watch, interest(stream));
}

static void push(struct stream *stream)
{
	ssize_t n = wire_send(stream->watch.fd, WIRE_CHUNK);

	if (n == -1 && errno != EAGAIN)
		broke(stream, n);
}

static void pull(struct stream *stream)
{
	size_t size = stream->left < WIRE_CHUNK ? (size_t)stream->left : WIRE_CHUNK;
	ssize_t n = wire_discard(stream->watch.fd, size);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		broke(stream, n);
		return;
	}
	*stream->received += (uint64_t)n;
	stream->left -= (uint64_t)n;
	if (stream->left == 0)
		(void)!poller_change(stream->poller, &stream->watch, interest(stream));
}

static void on_stream(struct watch *watch, uint32_t events)
{
	struct stream *stream = (struct stream *)watch;

	if (!stream->greeted) {
		(void)!greet(stream);
		return;
	}
	if ((events & ~EPOLLOUT) != 0)
		pull(stream);
	if (stream->up && (events & EPOLLOUT) != 0)
		push(stream);
}

int stream_open(struct stream *stream, uint16_t port)
{
	stream->watch = (struct watch){wire_connect(port, 0), on_stream};
	if (stream->watch.fd == -1)
		return poller_fail(stream->poller, "connect: %s", strerror(errno));
	wire_bound_queue(stream->watch.fd, stream->queue);
	return poller_add(stream->poller, &stream->watch, EPOLLOUT);
}

static void await_delivery(const struct stream *stream, uint64_t deadline)
{
	struct pollfd end = {.fd = stream->watch.fd, .events = POLLIN};
	uint64_t now = clock_now();

	if (stream->up && !stream->down && now < deadline)
		(void)poll(&end, 1, (int)((deadline - now) / CLOCK_MS) + 1);
}

void streams_close(struct stream *streams, unsigned n)
{
	uint64_t deadline = clock_now() + DELIVERY;

	for (unsigned i = 0; i < n; i++)
		if (streams[i].watch.fd != -1)
			(void)shutdown(streams[i].watch.fd, SHUT_WR);
	for (unsigned i = 0; i < n; i++) {
		if (streams[i].watch.fd == -1)
			continue;
		await_delivery(&streams[i], deadline);
		close(streams[i].watch.fd);
	}
}
