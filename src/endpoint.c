/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint - the memory around the raw operations.
 */
#include "endpoint.h"

#include <errno.h>
#include <string.h>

void endpoint_init(struct endpoint *endpoint, const struct endpoint_ops *ops)
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->ops = ops;
	endpoint->open = true;
}

void endpoint_ready(struct endpoint *endpoint, bool readable, bool writable, bool closed)
{
	if (readable)
		endpoint->readable = true;
	if (writable)
		endpoint->writable = true;
	if (closed) {
		endpoint->hung = true;
		/* a reset shuts both ways too, but never without leaving an error, pending or kept; a pending one is told */
		if (endpoint->error == 0) {
			endpoint->fin_seen = true;
			endpoint->suspect = false;
			endpoint->doubtful = false;
		}
	} else if (readable && writable) {
		endpoint->suspect = true;
	}
}

static void keep_error(struct endpoint *endpoint, int error)
{
	if (endpoint->error == 0)
		endpoint->error = error;
}

bool endpoint_ended_cleanly(const struct endpoint *endpoint)
{
	return endpoint->ended || endpoint->fin_seen || endpoint->error == EPIPE;
}

static ssize_t read_end(struct endpoint *endpoint)
{
	bool asks = !endpoint->fin_seen ||
		endpoint->suspect; /* the event of a clean end said that there was no error */

	endpoint->readable = false;
	endpoint->suspect = false;
	endpoint->doubtful = false;
	if (endpoint->error == 0 && asks)
		keep_error(endpoint, endpoint->ops->error(endpoint));
	if (endpoint->error == 0 || endpoint_ended_cleanly(endpoint)) {
		endpoint->ended = true;
		return 0;
	}
	errno = endpoint->error;
	return -1;
}

/*
 * Whether a read emptied the queue: what comes later makes an event then. What has hung up made its last, and a socket
 * reads short before an urgent byte, or a descriptor that was passed: such are read until there is nothing.
 */
static bool queue_is_empty(const struct endpoint *endpoint, bool was_short)
{
	if (endpoint->hung || endpoint->error != 0)
		return false;
	return endpoint->left == ENDPOINT_UNKNOWN ? was_short && !endpoint->exempt && !endpoint->marked
						  : endpoint->left == 0;
}

/* After a read of up to `length` bytes that brought n. */
static ssize_t read_some(struct endpoint *endpoint, ssize_t n, size_t length)
{
	endpoint->doubtful = true;
	if (!endpoint->fin_seen) /* behind an end that has come, an error makes the last event there is */
		endpoint->suspect = false;
	if (queue_is_empty(endpoint, (size_t)n < length))
		endpoint->readable = false;
	return n;
}

static ssize_t read_failed(struct endpoint *endpoint)
{
	keep_error(endpoint, errno);
	return read_end(endpoint);
}

static bool would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

ssize_t endpoint_read(struct endpoint *endpoint, void *bytes, size_t length)
{
	ssize_t n;

	if (endpoint->ended)
		return 0;
	endpoint->left = ENDPOINT_UNKNOWN;
	do {
		n = endpoint->ops->read(endpoint, bytes, length);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return read_some(endpoint, n, length);
	if (n == 0)
		return read_end(endpoint);
	if (!would_block(errno))
		return read_failed(endpoint);
	endpoint->readable = false;
	endpoint->suspect = false; /* it would have told */
	endpoint->doubtful = false;
	errno = EAGAIN;
	return -1;
}

bool endpoint_pipes(const struct endpoint *endpoint)
{
	return endpoint->ops->to_pipe != NULL && endpoint->ops->from_pipe != NULL && !endpoint->exempt;
}

/* Not this connection's: the call is not to be had here, or its memory is not. */
static bool call_refused(int error)
{
	return error == EPERM || error == EINVAL || error == ENOSYS || error == ENOMEM;
}

/* Of an end that it meets together with an urgent mark, splice says 0 although there is more: only a read knows. */
ssize_t endpoint_to_pipe(struct endpoint *endpoint, int pipe, size_t length)
{
	ssize_t n;

	if (endpoint->ended)
		return 0;
	endpoint->left = ENDPOINT_UNKNOWN;
	do {
		n = endpoint->ops->to_pipe(endpoint, pipe, length);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return read_some(endpoint, n, length);
	if (n < 0 && !would_block(errno) && !call_refused(errno))
		return read_failed(endpoint);
	errno = EAGAIN;
	return -1;
}

/* After a write of `length` bytes of which n were taken, -1 with errno: none. */
static ssize_t wrote(struct endpoint *endpoint, ssize_t n, size_t length)
{
	if (n >= 0) {
		if ((size_t)n < length)
			endpoint->writable = false;
		return n;
	}
	endpoint->writable = false;
	if (would_block(errno)) {
		errno = EAGAIN;
		return -1;
	}
	keep_error(endpoint, errno);
	errno = endpoint->error;
	return -1;
}

ssize_t endpoint_write(struct endpoint *endpoint, const struct iovec *iov, int count)
{
	size_t length = 0;
	ssize_t n;

	if (endpoint->error != 0) {
		errno = endpoint->error;
		return -1;
	}
	for (int i = 0; i < count; i++)
		length += iov[i].iov_len;
	do {
		n = endpoint->ops->write(endpoint, iov, count);
	} while (n < 0 && errno == EINTR);
	return wrote(endpoint, n, length);
}

ssize_t endpoint_from_pipe(struct endpoint *endpoint, int pipe, size_t length)
{
	ssize_t n;

	if (endpoint->error != 0) {
		errno = endpoint->error;
		return -1;
	}
	do {
		n = endpoint->ops->from_pipe(endpoint, pipe, length);
	} while (n < 0 && errno == EINTR);
	return wrote(endpoint, n, length);
}

void endpoint_finish(struct endpoint *endpoint)
{
	int failure;

	if (endpoint->finished)
		return;
	endpoint->finished = true;
	if (endpoint->ops->finish(endpoint) == 0)
		return;
	failure = errno; /* ENOTCONN: it was reset before; the socket may still tell how */
	keep_error(endpoint, endpoint->ops->error(endpoint));
	keep_error(endpoint, failure);
}

void endpoint_probe(struct endpoint *endpoint)
{
	if (!endpoint->suspect || !endpoint->open)
		return;
	endpoint->suspect = false;
	endpoint->doubtful = false;
	if (endpoint->error == 0)
		keep_error(endpoint, endpoint->ops->error(endpoint));
}

bool endpoint_settle_doubt(struct endpoint *endpoint)
{
	if (!endpoint->doubtful)
		return false;
	endpoint->suspect = true;
	endpoint_probe(endpoint);
	if (!endpoint->open || endpoint->readable || endpoint->exempt || endpoint->ops->at_mark == NULL ||
		!endpoint->ops->at_mark(endpoint))
		return false;
	endpoint->marked = true;
	endpoint->readable = true;
	return true;
}

void endpoint_sample(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	if (endpoint->open)
		endpoint->ops->sample(endpoint, what, sample);
}

void endpoint_close(struct endpoint *endpoint, bool abort)
{
	if (!endpoint->open)
		return;
	endpoint->open = false;
	endpoint->ops->close(endpoint, abort);
}
