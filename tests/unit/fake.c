/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake - see fake.h.
 */
#include "fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MAX 200000 /* without time passing: the world spins */
#define WAKES_MAX 200000  /* in one world_pass() */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t drawn;

void draw_seed(uint64_t seed)
{
	drawn = seed * UINT64_C(2654435761) + 1;
}

uint64_t draw(uint64_t below)
{
	drawn = drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (drawn >> 20) % below;
}

/* ---- patterns ------------------------------------------------------------------------------------------------------ */

#define PERIOD 65521 /* a prime: no size that anything here is made of divides it */

const unsigned char *fake_pattern(unsigned pattern, uint64_t offset)
{
	static unsigned char bytes[PERIOD + CONTEXT_SCRATCH];

	if (bytes[0] == 0) {
		uint32_t state = 1;

		for (size_t i = 0; i < PERIOD; i++) {
			state = state * 1664525 + 1013904223;
			bytes[i] = state >> 24 != 0 ? (unsigned char)(state >> 24) : 1; /* ends of lines among them */
		}
		for (size_t i = PERIOD; i < sizeof(bytes); i++)
			bytes[i] = bytes[i - PERIOD];
	}
	return bytes + (offset + pattern * UINT64_C(7919)) % PERIOD;
}

bool fake_sent(unsigned pattern, const void *bytes, uint64_t length, uint64_t offset)
{
	MUST(length <= CONTEXT_SCRATCH, "so many bytes are never in one piece: %llu", (unsigned long long)length);
	return memcmp(bytes, fake_pattern(pattern, offset), length) == 0;
}

/* ---- raw operations ------------------------------------------------------------------------------------------------ */

static struct fake *fake_of(struct endpoint *endpoint)
{
	return (struct fake *)endpoint;
}

static int tell_error(struct fake *fake)
{
	int error = fake->pending;

	fake->pending = 0;
	return error;
}

static ssize_t raw_read(struct endpoint *endpoint, void *bytes, size_t length)
{
	struct fake *fake = fake_of(endpoint);
	uint64_t n = least(length, fake->sent - fake->read);

	MUST(!fake->closed, "read from a closed endpoint");
	MUST(length > 0 && length <= CONTEXT_SCRATCH, "read of %zu bytes", length);
	fake->reads++;
	if (fake->read_most > 0)
		n = least(n, fake->read_most);
	memcpy(bytes, fake_pattern(fake->pattern, fake->read), n);
	fake->read += n;
	if (fake->tells_left)
		endpoint->left = (int)least(fake->sent - fake->read + fake->fin, INT32_MAX);
	if (n > 0)
		return (ssize_t)n;
	if (fake->fin)
		return 0;
	if (fake->pending != 0) {
		errno = tell_error(fake);
		return -1;
	}
	if (fake->reset)
		return 0;
	fake->reads_in_vain++;
	errno = EAGAIN;
	return -1;
}

static ssize_t raw_write(struct endpoint *endpoint, const struct iovec *iov, int count)
{
	struct fake *fake = fake_of(endpoint);
	uint64_t room = fake->write_most > 0 ? least(fake->window, fake->write_most) : fake->window;
	uint64_t taken = 0;
	uint64_t length = 0;

	MUST(!fake->closed, "write to a closed endpoint");
	MUST(!fake->fin_sent, "write behind the end");
	fake->writes++;
	if (fake->pending != 0 || fake->reset) {
		errno = fake->pending != 0 ? tell_error(fake) : EPIPE;
		return -1;
	}
	for (int i = 0; i < count; i++) {
		uint64_t n = least(iov[i].iov_len, room - taken);

		MUST(iov[i].iov_len > 0, "write of an empty piece");
		MUST(fake_sent(fake->expected, iov[i].iov_base, n, fake->accepted + taken),
			"wrong bytes are written at %llu", (unsigned long long)(fake->accepted + taken));
		taken += n;
		length += iov[i].iov_len;
	}
	fake->window -= taken;
	fake->accepted += taken;
	if (fake->hoards)
		fake->queued += taken;
	if (taken < length) {
		fake->waiting = true;
		fake->edge |= fake->window > 0; /* cut by write_most only: the kernel would go on at once */
	}
	errno = EAGAIN;
	return taken > 0 ? (ssize_t)taken : -1;
}

static int raw_finish(struct endpoint *endpoint)
{
	struct fake *fake = fake_of(endpoint);

	MUST(!fake->closed, "end sent to a closed endpoint");
	if (fake->reset) {
		errno = ENOTCONN;
		return -1;
	}
	fake->fin_sent = true;
	fake->edge |= fake->fin; /* both ways are shut: HUP */
	return 0;
}

static int raw_error(struct endpoint *endpoint)
{
	struct fake *fake = fake_of(endpoint);

	MUST(!fake->closed, "error of a closed endpoint");
	fake->errors++;
	return tell_error(fake);
}

static void raw_sample(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample)
{
	struct fake *fake = fake_of(endpoint);

	fake->samples++;
	sample->unread = (what & ENDPOINT_UNREAD) != 0 ? fake->sent - fake->read : 0;
	sample->queued = (what & ENDPOINT_QUEUED) != 0 ? fake->queued : 0;
	sample->rtt = (what & ENDPOINT_RTT) != 0 ? 10 * MS : 0;
}

static void raw_close(struct endpoint *endpoint, bool abort)
{
	struct fake *fake = fake_of(endpoint);

	MUST(!fake->closed, "closed twice");
	fake->closed = true;
	fake->aborted = abort;
}

/* Pipes are real ones; what they refuse, or what a fake with an urgent mark cannot splice, is EAGAIN. */
static ssize_t raw_to_pipe(struct endpoint *endpoint, int pipe, size_t length)
{
	struct fake *fake = fake_of(endpoint);
	uint64_t n = least(length, fake->sent - fake->read);
	ssize_t went = 0;

	MUST(!fake->closed, "spliced from a closed endpoint");
	if (fake->read_most > 0)
		n = least(n, fake->read_most);
	fake->splices++;
	if (n > 0 && fake->urgent) {
		errno = EAGAIN;
		return fake->fin ? 0 : -1; /* Linux takes a FIN that is in already for an end that was reached */
	}
	if (n > 0) {
		went = write(pipe, fake_pattern(fake->pattern, fake->read), n);
		fake->read += went > 0 ? (uint64_t)went : 0;
		endpoint->left = (int)least(fake->sent - fake->read, INT32_MAX);
		return went;
	}
	return raw_read(endpoint, &went, 1); /* an end, an error, or nothing */
}

static ssize_t raw_from_pipe(struct endpoint *endpoint, int pipe, size_t length)
{
	struct fake *fake = fake_of(endpoint);
	static unsigned char bytes[CONTEXT_SCRATCH];
	struct iovec iov = {bytes,
		least(length, fake->write_most > 0 ? least(fake->window, fake->write_most) : fake->window)};
	bool cut = iov.iov_len < length;
	ssize_t n;

	MUST(length > 0 && length <= CONTEXT_SCRATCH, "splice of %zu bytes", length);
	fake->splices++;
	if (fake->pending != 0 || fake->reset)
		return raw_write(endpoint, NULL, 0);
	if (iov.iov_len == 0) {
		fake->waiting = true;
		errno = EAGAIN;
		return -1;
	}
	n = read(pipe, bytes, iov.iov_len);
	MUST(n == (ssize_t)iov.iov_len, "the pipe gave %zd of %zu bytes", n, iov.iov_len);
	n = raw_write(endpoint, &iov, 1);
	if (cut) {
		fake->waiting = true;
		fake->edge |= fake->window > 0;
	}
	return n;
}

static const struct endpoint_ops fake_ops = {
	.read = raw_read,
	.write = raw_write,
	.to_pipe = raw_to_pipe,
	.from_pipe = raw_from_pipe,
	.finish = raw_finish,
	.error = raw_error,
	.sample = raw_sample,
	.close = raw_close,
};

/* ---- the peer ------------------------------------------------------------------------------------------------------ */

void fake_init(struct fake *fake, unsigned pattern, unsigned expected)
{
	memset(fake, 0, sizeof(*fake));
	endpoint_init(&fake->endpoint, &fake_ops);
	fake->pattern = pattern;
	fake->expected = expected;
	fake->window = FAKE_WIDE;
	fake->edge = true; /* registering an event reports what there is */
}

void fake_send(struct fake *fake, uint64_t bytes)
{
	MUST(!fake->fin && !fake->reset, "the test sends behind the end");
	fake->sent += bytes;
	fake->edge = true;
}

void fake_end(struct fake *fake)
{
	fake->fin = true;
	fake->edge = true;
}

void fake_fail(struct fake *fake, int error)
{
	fake->reset = true;
	fake->pending = error;
	fake->queued = 0;
	fake->edge = true;
}

void fake_reset(struct fake *fake)
{
	fake_fail(fake, fake->fin ? EPIPE : ECONNRESET);
}

void fake_open(struct fake *fake, uint64_t bytes)
{
	fake->window += bytes;
	fake->edge |= fake->waiting;
}

void fake_shut(struct fake *fake)
{
	fake->window = 0;
}

void fake_ack(struct fake *fake, uint64_t bytes)
{
	MUST(bytes <= fake->queued, "the test acknowledges more than is queued");
	fake->queued -= bytes;
}

uint64_t fake_delivered(const struct fake *fake)
{
	return fake->accepted - (fake->aborted ? fake->queued : 0);
}

bool fake_saw_end(const struct fake *fake)
{
	if (fake->reset)
		return false;
	return (fake->fin_sent && (!fake->aborted || fake->queued == 0)) || (fake->closed && !fake->aborted);
}

bool fake_saw_reset(const struct fake *fake)
{
	return fake->closed && fake->aborted;
}

/* As epoll reports the socket at this moment, and libevent passes it on. */
bool fake_deliver(struct fake *fake)
{
	bool shut = fake->reset || fake->fin;

	if (!fake->edge || fake->deaf || fake->closed)
		return false;
	fake->edge = false;
	fake->waiting = fake->window == 0; /* whoever looks at a full socket is told when it has room again */
	if (fake->pending != 0)
		endpoint_ready(&fake->endpoint, true, true, false);
	else
		endpoint_ready(&fake->endpoint, fake->sent > fake->read || shut, fake->window > 0 || fake->reset, shut);
	if (fake->session != NULL)
		session_ready(fake->session);
	return true;
}

/* ---- the world ----------------------------------------------------------------------------------------------------- */

void world_init(struct world *world, uint32_t pages)
{
	memset(world, 0, sizeof(*world));
	world->now = 1000 * SECOND + 123456;
	sched_init(&world->sched, world->now, NULL, NULL);
	ck_assert_int_eq(pool_init(&world->memory, "memory", pages), 0);
	world->host.size = sizeof(world->host);
	world->host.major = WEIR_POLICY_MAJOR;
	world->context.sched = &world->sched;
	world->context.memory = &world->memory;
	world->context.host = &world->host;
	pipes_init(&world->pipes, WORLD_PIPES);
	world->context.pipes = &world->pipes;
	store_depots_init(&world->depots);
	world->context.depots = &world->depots;
	ck_assert_int_eq(scopes_init(&world->scopes), 0);
	world->context.scopes = &world->scopes;
	world->context.scratch = malloc(CONTEXT_SCRATCH);
	ck_assert_ptr_nonnull(world->context.scratch);
}

void world_destroy(struct world *world)
{
	pool_put(&world->memory, world->context.reserve);
	MUST(pool_free(&world->memory) == (int32_t)world->memory.size, "%d of %u pages are back",
		pool_free(&world->memory), world->memory.size);
	ck_assert_uint_eq(pool_waiters(&world->memory), 0);
	MUST(!sched_busy(&world->sched), "somebody still waits for a turn");
	MUST(sched_deadline(&world->sched) == WEIR_NEVER, "a timer is left behind");
	scopes_destroy(&world->scopes);
	pool_destroy(&world->memory);
	pipes_destroy(&world->pipes);
	free(world->context.scratch);
	store_depots_destroy(&world->depots);
}

void world_add(struct world *world, struct fake *fake)
{
	ck_assert_uint_lt(world->fake_count, WORLD_FAKES);
	world->fakes[world->fake_count++] = fake;
}

bool world_step(struct world *world)
{
	bool events = false;

	for (unsigned i = 0; i < world->fake_count; i++)
		events |= fake_deliver(world->fakes[i]);
	if (!events && !sched_busy(&world->sched) && sched_deadline(&world->sched) > world->now)
		return false;
	sched_run(&world->sched, world->now);
	world->rounds++;
	if (world->check != NULL)
		world->check(world);
	return true;
}

void world_run(struct world *world)
{
	for (unsigned i = 0; world_step(world); i++)
		MUST(i < ROUNDS_MAX, "spins: no rest after %u rounds", i);
}

void world_pass(struct world *world, uint64_t time)
{
	uint64_t end = world->now + time;

	world_run(world);
	for (unsigned i = 0; sched_deadline(&world->sched) <= end; i++) {
		MUST(i < WAKES_MAX, "woken %u times in %llu ms", i, (unsigned long long)(time / MS));
		if (sched_deadline(&world->sched) > world->now)
			world->now = sched_deadline(&world->sched);
		world_run(world);
	}
	world->now = end;
	world_run(world);
}

/* ---- pairs --------------------------------------------------------------------------------------------------------- */

const struct stack no_policies;

static struct pair *pair_of(struct session *session)
{
	return (struct pair *)session;
}

static void pair_dial(struct session *session, uint64_t now)
{
	(void)now;
	pair_of(session)->dialed++;
}

static void pair_hang_up(struct session *session)
{
	pair_of(session)->hung_up++;
}

static void pair_closed(struct session *session, uint64_t now)
{
	struct pair *pair = pair_of(session);

	ck_assert_uint_eq(pair->closed, 0);
	MUST(pair->client.closed, "the client is left open");
	MUST(session->server == NULL || pair->server.closed, "the server is left open");
	ck_assert_uint_eq(session->closed_at, now);
	pair->closed++;
}

static void pair_release(struct session *session)
{
	struct pair *pair = pair_of(session);

	ck_assert_uint_eq(pair->closed, 1);
	ck_assert_uint_eq(pair->released, 0);
	pair->released++;
}

static const struct session_ops pair_ops = {pair_dial, pair_hang_up, pair_closed, pair_release, NULL};

void pair_init(struct pair *pair, struct world *world, const struct stack *stack)
{
	memset(pair, 0, sizeof(*pair));
	pair->world = world;
	pair->profile = (struct session_profile){
		.name = "test",
		.stack = stack != NULL ? stack : &no_policies,
		.idle_timeout = 24 * HOUR,
		.half_close_timeout = 24 * HOUR,
		.stall_timeout = 24 * HOUR,
		.splice = PIPE_USE_OFF,
	};
	fake_init(&pair->client, 1, 2);
	fake_init(&pair->server, 2, 1);
	session_slot_init(&pair->session, &world->context, 0);
}

void pair_try(struct pair *pair)
{
	pair->client.session = &pair->session;
	world_add(pair->world, &pair->client);
	ck_assert_msg(stack_take_floors(pair->profile.stack), "there is not enough left for a session's own share");
	ck_assert_int_eq(session_open(&pair->session, &pair->profile, &pair_ops, &pair->client.endpoint,
				 &(struct scope_ends){pair->peer, pair->wanted}, pair->world->now),
		0);
}

void pair_begin(struct pair *pair)
{
	pair_try(pair);
	ck_assert_uint_eq(pair->dialed, 1);
}

void pair_connect(struct pair *pair)
{
	pair->server.session = &pair->session;
	world_add(pair->world, &pair->server);
	session_connected(&pair->session, &pair->server.endpoint, pair->world->now);
}

void pair_open(struct pair *pair)
{
	pair_begin(pair);
	pair_connect(pair);
	world_run(pair->world);
}

struct fake *pair_source(struct pair *pair, int direction)
{
	return direction == WEIR_UP ? &pair->client : &pair->server;
}

struct fake *pair_sink(struct pair *pair, int direction)
{
	return direction == WEIR_UP ? &pair->server : &pair->client;
}

struct flow *pair_flow(struct pair *pair, int direction)
{
	return direction == WEIR_UP ? &pair->session.up : &pair->session.down;
}

/* A grant under way belongs to the flow already, although it does not know yet. */
uint32_t coming_units(const struct standing *standing, unsigned claim)
{
	const struct pool_ticket *ticket = standing->waits != NULL ? &standing->waits[claim].ticket : NULL;

	return ticket != NULL && atomic_load(&ticket->state) == POOL_TICKET_GRANTED ? ticket->units : 0;
}

static uint64_t flow_pages(const struct flow *flow)
{
	const struct standing *standing = &flow->standing;

	return standing->owner == NULL ? 0
				       : standing->memory + coming_units(standing, standing->owner->stack->claim_count);
}

uint64_t pair_pages(const struct pair *pair)
{
	return flow_pages(&pair->session.up) + flow_pages(&pair->session.down);
}
