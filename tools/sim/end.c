/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * end - one door: whatever happened, settle() lets follow what follows from it, and works out when to look again.
 */
#include "end.h"

#include <errno.h>
#include <string.h>

#include "config.h"
#include "container.h"
#include "least.h"
#include "measure.h"
#include "pattern.h"
#include "sink.h"
#include "socket.h"
#include "source.h"
#include "visit.h"

#define WRITE_PIECE UINT64_C(65536)       /* of a write: a kernel's largest packet, or half a window */
#define KERNEL_RCVBUF (UINT64_C(1) << 20) /* what a kernel that tunes it by itself comes to, about */
#define KERNEL_SNDBUF (UINT64_C(4) << 20)

static struct sim_end *end_of(struct endpoint *endpoint)
{
	return CONTAINER(endpoint, struct sim_end, endpoint);
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct sim_world *world_of(const struct sim_end *end)
{
	return end->session->world;
}

/* ---- what weir's socket shows --------------------------------------------------------------------------------------- */

static bool has_room(const struct sim_end *end)
{
	return wire_unsent(&end->out) < end->lowat - end->lowat / 2 &&
		wire_queued(&end->out) <= end->sndbuf - end->sndbuf / 3;
}

static void mark(struct sim_end *end)
{
	if (end->edge || !end->endpoint.open || !end->connected)
		return;
	end->edge = true;
	TAILQ_INSERT_TAIL(&world_of(end)->edges, end, edges);
}

static void unmark(struct sim_end *end)
{
	if (!end->edge)
		return;
	end->edge = false;
	TAILQ_REMOVE(&world_of(end)->edges, end, edges);
}

/* As epoll reports the socket at this moment, and libevent passes it on. */
void end_deliver(struct sim_end *end)
{
	bool shut = end->broken || wire_end_arrived(&end->in);
	bool readable = wire_unread(&end->in) > 0 || shut;
	bool writable = has_room(end) || end->broken;
	bool news = readable || !end->endpoint.writable;

	unmark(end);
	end->waiting = !writable; /* whoever looks at a full socket is told when it has room again */
	if (end->pending != 0)
		endpoint_ready(&end->endpoint, true, true, false);
	else
		endpoint_ready(&end->endpoint, readable, writable, shut);
	if (news)
		session_ready(&end->session->session);
}

/* ---- what follows -------------------------------------------------------------------------------------------------- */

/* A reset has come, here or there. */
static void meet_resets(struct sim_end *end)
{
	if (end->in.reset && !end->broken) {
		end->broken = true;
		end->pending = wire_end_arrived(&end->in) ? EPIPE : ECONNRESET;
		wire_stop(&end->out);
		mark(end);
	}
	if (end->out.reset && !end->in.cut) {
		source_stop(end);
		wire_stop(&end->in);
	}
}

static void notice(struct sim_end *end, uint64_t now)
{
	if (end->in.arrived != end->seen) {
		end->seen = end->in.arrived;
		if (!end->endpoint.open && wire_unread(&end->in) > 0) {
			wire_cut(&end->out, now); /* bytes for nobody */
			wire_take(&end->in, wire_unread(&end->in), now);
		}
		mark(end);
	}
	if (end->waiting && has_room(end))
		mark(end);
	if (end->in.failed || end->out.failed)
		world_of(end)->no_memory = true;
}

static void schedule(struct sim_end *end)
{
	uint64_t at = least(wire_due(&end->in), wire_due(&end->out));

	agenda_set(&world_of(end)->agenda, &end->event, least(at, least(source_due(end), sink_due(end))));
}

/* Lets the applications and their kernels do what they can now. */
static void follow(struct sim_end *end, uint64_t now)
{
	bool again;

	source_run(end, now);
	meet_resets(end);
	do {
		source_run(end, now);
		again = wire_push(&end->in, now) && end->source.eager;
		wire_push(&end->out, now);
		again |= sink_run(end, now);
	} while (again);
}

static void settle(struct sim_end *end, uint64_t now)
{
	follow(end, now);
	notice(end, now);
	schedule(end);
}

static void fire(struct sim_event *event, uint64_t now)
{
	struct sim_end *end = CONTAINER(event, struct sim_end, event);

	wire_run(&end->in, now);
	wire_run(&end->out, now);
	settle(end, now);
	visit_settle(end->session);
}

/* ---- raw operations ------------------------------------------------------------------------------------------------ */

static int tell_error(struct sim_end *end)
{
	int error = end->pending;

	end->pending = 0;
	return error;
}

static ssize_t read_nothing(struct sim_end *end)
{
	if (wire_end_arrived(&end->in))
		return 0;
	if (end->pending != 0) {
		errno = tell_error(end);
		return -1;
	}
	if (end->broken)
		return 0;
	errno = EAGAIN;
	return -1;
}

static ssize_t raw_read(struct endpoint *endpoint, void *bytes, size_t length)
{
	struct sim_end *end = end_of(endpoint);
	struct sim_world *world = world_of(end);
	uint64_t n = least(length, wire_unread(&end->in));

	if (n == 0)
		return read_nothing(end);
	if (world->scenario->content != 0)
		pattern_fill(end->pattern, end->in.taken, bytes, (size_t)n);
	wire_take(&end->in, n, world->now);
	world->read += n;
	measure_read(end);
	follow(end, world->now);
	endpoint->left = (int)least(wire_unread(&end->in) + wire_end_arrived(&end->in), INT32_MAX);
	end->seen = most(end->seen,
		least(end->in.arrived, end->in.written)); /* what is left tells of bytes, not of an end */
	notice(end, world->now);
	schedule(end);
	return (ssize_t)n;
}

/* What the kernel takes of so many bytes. A fast reader makes room while they are being written. */
static uint64_t take(struct sim_end *end, uint64_t length)
{
	uint64_t now = world_of(end)->now;
	uint64_t largest = least(WRITE_PIECE, most(end->out.buffer / 2, 1));
	uint64_t taken = 0;

	while (taken < length && wire_unsent(&end->out) < end->lowat && wire_queued(&end->out) < end->sndbuf) {
		uint64_t piece = least(length - taken, least(largest, end->sndbuf - wire_queued(&end->out)));

		wire_write(&end->out, piece);
		taken += piece;
		while (wire_push(&end->out, now) && sink_run(end, now))
			;
	}
	return taken;
}

static uint64_t length_of(const struct iovec *iov, int count)
{
	uint64_t length = 0;

	for (int i = 0; i < count; i++)
		length += iov[i].iov_len;
	return length;
}

/* Whether these bytes are what the peer of the other end has sent, there. */
static void check_content(struct sim_end *end, const struct iovec *iov, uint64_t offset, uint64_t length)
{
	struct sim_end *other = sim_end_other(end);

	for (; length > 0; iov++) {
		uint64_t n = least(iov->iov_len, length);

		if (!pattern_matches(other->pattern, offset, iov->iov_base, (size_t)n)) {
			world_fault(world_of(end), "session %llu: wrong bytes are written at offset %llu",
				(unsigned long long)end->session->number, (unsigned long long)offset);
			return;
		}
		offset += n;
		length -= n;
	}
}

static ssize_t raw_write(struct endpoint *endpoint, const struct iovec *iov, int count)
{
	struct sim_end *end = end_of(endpoint);
	struct sim_world *world = world_of(end);
	uint64_t length = length_of(iov, count);
	uint64_t offset = end->out.written;
	uint64_t n;

	if (end->pending != 0 || end->broken) {
		errno = end->pending != 0 ? tell_error(end) : EPIPE;
		return -1;
	}
	n = take(end, length);
	if (world->scenario->content != 0)
		check_content(end, iov, offset, n);
	world->written += n;
	if (n > 0)
		measure_write(end);
	if (n < length)
		end->waiting = true;
	settle(end, world->now);
	errno = EAGAIN;
	return n > 0 ? (ssize_t)n : -1;
}

static int raw_finish(struct endpoint *endpoint)
{
	struct sim_end *end = end_of(endpoint);

	if (end->broken) {
		errno = ENOTCONN;
		return -1;
	}
	wire_end(&end->out);
	if (wire_end_arrived(&end->in))
		mark(end); /* both ways are shut: HUP */
	settle(end, world_of(end)->now);
	return 0;
}

static int raw_error(struct endpoint *endpoint)
{
	return tell_error(end_of(endpoint));
}

static void raw_sample(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample)
{
	const struct sim_end *end = end_of(endpoint);

	sample->unread = (what & ENDPOINT_UNREAD) != 0 ? wire_unread(&end->in) : 0;
	sample->queued = (what & ENDPOINT_QUEUED) != 0 ? wire_queued(&end->out) : 0;
	sample->rtt = (what & ENDPOINT_RTT) != 0 ? 2 * end->out.delay : 0;
}

static void raw_close(struct endpoint *endpoint, bool abort)
{
	struct sim_end *end = end_of(endpoint);
	uint64_t now = world_of(end)->now;

	unmark(end);
	if (abort || wire_unread(&end->in) > 0)
		wire_cut(&end->out, now);
	else
		wire_end(&end->out);
	settle(end, now);
}

static const struct endpoint_ops end_ops = {
	.read = raw_read,
	.write = raw_write,
	.finish = raw_finish,
	.error = raw_error,
	.sample = raw_sample,
	.close = raw_close,
};

/* ---- birth and end ------------------------------------------------------------------------------------------------- */

static uint64_t receive_buffer(const struct config_listener *config, uint64_t round_trip)
{
	if (config->rcvbuf == CONFIG_AUTO)
		return round_trip == 0 ? SOCKET_RCVBUF_LOOPBACK : KERNEL_RCVBUF;
	return config->rcvbuf == CONFIG_KERNEL ? KERNEL_RCVBUF : config->rcvbuf;
}

void end_init(struct sim_end *end, struct sim_session *session, const struct scenario_source *source,
	const struct scenario_sink *sink, uint32_t number)
{
	const struct config_listener *config = session->listener->config;
	uint64_t seed = session->world->scenario->seed;
	uint64_t who = 2 * session->number + (end == &session->server);

	memset(end, 0, sizeof(*end));
	endpoint_init(&end->endpoint, &end_ops);
	end->session = session;
	end->lowat = config->notsent_lowat; /* CONFIG_OFF is more than there ever is */
	end->sndbuf = config->sndbuf == CONFIG_KERNEL ? KERNEL_SNDBUF : config->sndbuf;
	end->pattern = source_pattern(source, number);
	wire_init(&end->in, source->rtt, source->bandwidth, receive_buffer(config, source->rtt));
	wire_init(&end->out, sink->rtt, sink->bandwidth, sink->window);
	source_init(&end->source, source, seed, who);
	sink_init(&end->sink, sink, seed, who);
	agenda_event_init(&end->event, fire);
}

void end_destroy(struct sim_end *end)
{
	unmark(end);
	agenda_set(&world_of(end)->agenda, &end->event, AGENDA_NEVER);
	wire_destroy(&end->in);
	wire_destroy(&end->out);
	source_destroy(&end->source);
	ring_clear(&end->stay);
}

void end_begin(struct sim_end *end, uint64_t now)
{
	end->connected = true;
	source_begin(end, now);
	sink_begin(end, now);
	mark(end); /* registering an event reports what there is */
	settle(end, now);
}

void end_leave(struct sim_end *end, bool reset, uint64_t now)
{
	source_run(end, now);
	if (reset) {
		source_stop(end);
		sink_stop(end);
		end->out.deaf = true;
		wire_cut(&end->in, now);
	} else {
		source_leave(end);
	}
	settle(end, now);
}

bool end_rests(const struct sim_end *end)
{
	return !end->connected || (!end->endpoint.open && end->event.at == AGENDA_NEVER);
}
