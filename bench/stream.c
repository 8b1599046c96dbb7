/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream - see stream.h. Level-triggered with one call per wake-up: streams take turns.
 */
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

static int greet(struct stream *stream)
{
	unsigned char header[WIRE_HEADER];
	enum wire_kind kind = stream->up && stream->down ? WIRE_BOTH : stream->up ? WIRE_SINK : WIRE_FAUCET;

	wire_header(header, kind, 0);
	if (send(stream->watch.fd, header, sizeof(header), MSG_NOSIGNAL) != WIRE_HEADER)
		return poller_fail(stream->poller, "a stream did not connect: %s", strerror(errno));
	stream->greeted = true;
	if (stream->up)
		return 0;
	return poller_change(stream->poller, &stream->watch, EPOLLIN);
}

static void push(struct stream *stream)
{
	ssize_t n = wire_send(stream->watch.fd, WIRE_CHUNK);

	if (n > 0)
		*stream->sent += (uint64_t)n;
	else if (errno != EAGAIN)
		poller_fail(stream->poller, "a stream broke: %s", strerror(errno));
}

static void pull(struct stream *stream)
{
	ssize_t n = wire_discard(stream->watch.fd, WIRE_CHUNK);

	if (n > 0)
		*stream->received += (uint64_t)n;
	else if (n == 0 || errno != EAGAIN)
		poller_fail(stream->poller, "a stream broke: %s", n == 0 ? "end of file" : strerror(errno));
}

static void on_stream(struct watch *watch, uint32_t events)
{
	struct stream *stream = (struct stream *)watch;

	if (!stream->greeted && greet(stream) == -1)
		return;
	if ((events & ~EPOLLOUT) != 0)
		pull(stream);
	if (stream->up && (events & EPOLLOUT) != 0)
		push(stream);
}

int stream_open(struct stream *stream, uint16_t port)
{
	stream->greeted = false;
	stream->watch = (struct watch){wire_connect(port, 0), on_stream};
	if (stream->watch.fd == -1)
		return poller_fail(stream->poller, "connect: %s", strerror(errno));
	return poller_add(stream->poller, &stream->watch, EPOLLIN | EPOLLOUT);
}

void stream_close(struct stream *stream)
{
	if (stream->watch.fd > 0)
		close(stream->watch.fd);
	stream->watch.fd = -1;
}
