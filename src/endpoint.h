/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint - one end of a session, whatever it is made of: a socket, or a test's stand-in for one.
 *
 * It remembers what a kernel tells only once. The first error is kept for ever, whichever call met it, so that an end
 * of stream that is really a reset is never taken for a clean one: recv() == 0 is an end only if no error is kept
 * and the socket has none, or has EPIPE, which Linux reports when the peer had ended cleanly and reset afterwards.
 *
 * Readiness is edge-triggered: whoever delivers events sets the bits through endpoint_ready(); reads and writes that
 * come up short clear them.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "address.h"

struct endpoint;

/* What the kernel knows of the endpoint; each costs a system call, so only what is needed is asked for. */
#define ENDPOINT_UNREAD UINT32_C(1)
#define ENDPOINT_QUEUED UINT32_C(2)
#define ENDPOINT_RTT UINT32_C(4)

/* 0 where nothing is known, or nothing was asked for. */
struct endpoint_sample {
	uint64_t unread; /* bytes in the receive queue */
	uint64_t queued; /* bytes written and not yet acknowledged by the peer's host */
	uint64_t rtt;    /* ns, 0: unknown */
};

#define ENDPOINT_UNKNOWN (-1)

/* Raw operations: system calls' conventions, no memory of errors. */
struct endpoint_ops {
	/* both reads may set endpoint->left, if they know how much is left */
	ssize_t (*read)(struct endpoint *endpoint, void *bytes, size_t length);
	ssize_t (*write)(struct endpoint *endpoint, const struct iovec *iov, int count);
	/* the same, to and from a pipe; may be NULL. What the pipe refuses is EAGAIN like what the socket does not have */
	ssize_t (*to_pipe)(struct endpoint *endpoint, int pipe, size_t length);
	ssize_t (*from_pipe)(struct endpoint *endpoint, int pipe, size_t length);
	int (*finish)(struct endpoint *endpoint); /* no more writes: FIN */
	int (*error)(struct endpoint *endpoint);  /* the pending error, which is then forgotten; 0: none */
	bool (*at_mark)(
		struct endpoint *endpoint); /* the next byte is an urgent one, at which reads stop short; may be NULL */
	void (*sample)(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample);
	void (*close)(struct endpoint *endpoint, bool abort); /* abort: the peer sees a reset, queued bytes are lost */
};

struct endpoint {
	const struct endpoint_ops *ops;
	int error;     /* errno of the first failure; 0: none */
	int left;      /* bytes left behind by the last read, or ENDPOINT_UNKNOWN */
	bool open;     /* closed endpoints are left alone */
	bool readable; /* a read may bring something */
	bool writable; /* a write may be taken */
	bool hung;     /* the peer has ended, or everything has: reads go on until they return 0 */
	bool fin_seen; /* the peer's clean end has arrived, whether it has been read yet or not */
	bool suspect;  /* an event that could be a reset came in: endpoint_probe() finds out */
	bool doubtful; /* it brought bytes, but something may lie behind them: endpoint_settle_doubt() finds out */
	bool marked;   /* the peer sends urgent bytes: a short read does not mean that there is no more */
	bool ended;    /* the clean end has been read */
	bool finished; /* our end has been sent */
	bool exempt;   /* no reset and no exact queue here: a unix socket */
};

void endpoint_init(struct endpoint *endpoint, const struct endpoint_ops *ops);

/* An event: `closed` says that the peer's end arrived. */
void endpoint_ready(struct endpoint *endpoint, bool readable, bool writable, bool closed);

/* Bytes read; 0: the clean end; -1 with errno: EAGAIN, or the error kept, which means truncated. */
ssize_t endpoint_read(struct endpoint *endpoint, void *bytes, size_t length) __attribute__((warn_unused_result));

/* Bytes taken; -1 with errno: EAGAIN, or the error kept, which means that nothing will be taken any more. */
ssize_t endpoint_write(struct endpoint *endpoint, const struct iovec *iov, int count)
	__attribute__((warn_unused_result));

/*
 * Reads into a pipe, writes from one. Both need endpoint_pipes(). EAGAIN of the first may mean that the pipe is full,
 * that an urgent mark is in the way, or the end, and so says nothing of the endpoint: endpoint_read() does.
 */
bool endpoint_pipes(const struct endpoint *endpoint);
ssize_t endpoint_to_pipe(struct endpoint *endpoint, int pipe, size_t length) __attribute__((warn_unused_result));
ssize_t endpoint_from_pipe(struct endpoint *endpoint, int pipe, size_t length) __attribute__((warn_unused_result));

/* Sends our end, once. Failures are kept as the endpoint's error. */
void endpoint_finish(struct endpoint *endpoint);

/* Looks for an error behind a suspicious event, for an endpoint nobody is about to read. */
void endpoint_probe(struct endpoint *endpoint);

/*
 * Looks for what may lie behind bytes that were read. Data and a reset that come as one event look like data alone, and
 * a read stops short at an urgent byte as if there were no more; neither makes a second event. But to ask after every
 * read would be a system call for each, so this is for a little later. True: there is more to read.
 */
bool endpoint_settle_doubt(struct endpoint *endpoint);

/* Whether the peer ended its stream cleanly, although perhaps not all of it has been read. */
bool endpoint_ended_cleanly(const struct endpoint *endpoint);

/* what: of ENDPOINT_UNREAD, ENDPOINT_QUEUED, ENDPOINT_RTT */
void endpoint_sample(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample);
void endpoint_close(struct endpoint *endpoint, bool abort); /* a closed one is fine */

#endif
