/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - turns, ends and deadlines.
 *
 * Resets. When one end, X, breaks, the flow into X is dropped, and the flow out of X goes on to its end towards the
 * other one, Y: what X sent before it broke is delivered. If X had ended its stream cleanly, Y gets the clean end as
 * well, and only afterwards, when Y's host has acknowledged everything, the reset. If not, Y gets what is there within a
 * bounded time, and then the reset; never a clean end.
 */
#include "session.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "scope.h"

#define LINGER_GRACE (UINT64_C(500) * 1000000) /* ns without progress that a broken session may last */
#define LINGER_POLL (UINT64_C(10) * 1000000)   /* ns between looks at a send queue, which makes no event */

#define DOUBT (UINT64_C(250) * 1000000) /* ns that a reset, or an urgent byte, may stay unseen behind what was read */

const char *const close_reason_names[] = {
#define X(id, name) name,
	CLOSE_REASONS(X)
#undef X
};

/* ---- birth --------------------------------------------------------------------------------------------------------- */

static void try_release(struct session *session);

static void run_task(struct task *task, uint64_t now)
{
	struct session *session = CONTAINER(task, struct session, task);

	session_turn(session, now);
	if (session->state == SESSION_CLOSED)
		try_release(session);
}

static void fire_timer(struct timer *timer, uint64_t now)
{
	struct session *session = CONTAINER(timer, struct session, timer);

	(void)now;
	session_ready(session);
}

static void deliver_wake(struct mail *mail, uint64_t now)
{
	struct session *session = CONTAINER(mail, struct session, wake);

	(void)now;
	atomic_store_explicit(&session->woken, false, memory_order_release);
	session->up.asked = true;
	session->down.asked = true;
	if (session->state != SESSION_FREE)
		session_ready(session);
}

void session_slot_init(struct session *session, struct context *context, uint32_t slot)
{
	memset(session, 0, sizeof(*session));
	session->task.run = run_task;
	timer_init(&session->timer, fire_timer);
	session->wake.deliver = deliver_wake;
	atomic_init(&session->woken, false);
	atomic_init(&session->generation, 0);
	session->owner.context = context;
	session->owner.task = &session->task;
	session->owner.ref.worker = context->worker;
	session->owner.ref.slot = slot;
	session->state = SESSION_FREE;
}

static size_t members_size(const struct stack *stack)
{
	return 2 * stack->count * sizeof(struct standing_member);
}

static size_t places_size(const struct stack *stack)
{
	return stack->place_count * sizeof(struct scope_place);
}

size_t session_block(const struct stack *stack)
{
	return stack->state_size + members_size(stack) + places_size(stack) + 2 * flow_room(stack);
}

static void free_states(struct session *session)
{
	if (session->owner.states != session->room)
		free(session->owner.states);
	session->owner.states = NULL;
}

/* The block holds, in this order: the policies' states, both flows' members, the session's pools, the flows' samples
   and pauses. */
static int make_block(struct session *session, const struct scope_ends *ends)
{
	static const struct scope_ends nobody;
	const struct stack *stack = session->profile->stack;
	struct context *context = session->owner.context;
	size_t size = session_block(stack);
	char *block = size <= sizeof(session->room) ? session->room : malloc(size);
	char *up;

	if (block == NULL)
		return -1;
	memset(block, 0, size);
	up = block + stack->state_size + members_size(stack) + places_size(stack);
	session->owner.stack = stack;
	session->owner.states = block;
	if (scope_open(context->scopes, stack, ends != NULL ? ends : &nobody, standing_places(&session->owner),
		    session->opened_at) != 0) {
		free_states(session);
		return -1;
	}
	flow_init(&session->up, &session->owner, WEIR_UP, session->opened_at, up);
	flow_init(&session->down, &session->owner, WEIR_DOWN, session->opened_at, up + flow_room(stack));
	return 0;
}

static void free_block(struct session *session)
{
	standing_destroy(&session->up.standing);
	standing_destroy(&session->down.standing);
	scope_close(session->owner.context->scopes, session->profile->stack, standing_places(&session->owner),
		session->closed_at);
	free_states(session);
}

int session_open(struct session *session, const struct session_profile *profile, const struct session_ops *ops,
	struct endpoint *client, const struct scope_ends *ends, uint64_t now)
{
	session->profile = profile;
	session->ops = ops;
	session->client = client;
	session->server = NULL;
	session->reason = CLOSE_NONE;
	session->opened_at = now;
	session->connected_at = 0;
	session->doubt_at = WEIR_NEVER;
	session->queue_moved_at = 0;
	session->queue_mark = 0;
	session->last = NULL;
	session->owner.ref.generation = atomic_load_explicit(&session->generation, memory_order_relaxed) + 1;
	if (make_block(session, ends) != 0)
		return -1;
	atomic_store_explicit(&session->generation, session->owner.ref.generation, memory_order_release);
	session->state = SESSION_CONNECTING;
	if (standing_open(&session->up.standing) != 0 || standing_open(&session->down.standing) != 0)
		session_close(session, CLOSE_REFUSED_BY_POLICY, now);
	else
		ops->dial(session, now);
	return 0;
}

void session_connected(struct session *session, struct endpoint *server, uint64_t now)
{
	session->server = server;
	session->connected_at = now;
	session->state = SESSION_RUNNING;
	flow_attach(&session->up, session->client, server, session->profile->splice, now);
	flow_attach(&session->down, server, session->client, session->profile->splice, now);
	session_ready(session);
}

void session_failed(struct session *session, enum close_reason reason, uint64_t now)
{
	session_close(session, reason, now);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static void try_release(struct session *session)
{
	standing_release(&session->up.standing);
	standing_release(&session->down.standing);
	if (standing_awaited(&session->up.standing) || standing_awaited(&session->down.standing))
		return; /* a grant is on its way here; it brings another turn */
	sched_dequeue(session->owner.context->sched, &session->task);
	session->state = SESSION_FREE;
	free_block(session);
	session->ops->release(session);
}

static void end_session(struct session *session, enum close_reason reason, bool abort_client, bool abort_server,
	uint64_t now)
{
	bool connecting = session->state == SESSION_CONNECTING;

	session->state = SESSION_CLOSED;
	session->reason = reason;
	session->closed_at = now;
	atomic_fetch_add_explicit(&session->generation, 1, memory_order_release); /* stale from now on */
	if (connecting)
		session->ops->hang_up(session);
	flow_close(&session->up, now);
	flow_close(&session->down, now);
	sched_timer_clear(session->owner.context->sched, &session->timer);
	endpoint_close(session->client, abort_client);
	if (session->server != NULL)
		endpoint_close(session->server, abort_server);
	session->ops->closed(session, now);
	sched_enqueue(session->owner.context->sched, &session->task); /* its last turn releases it */
}

void session_close(struct session *session, enum close_reason reason, uint64_t now)
{
	if (session->state == SESSION_CLOSED || session->state == SESSION_FREE)
		return;
	end_session(session, reason, true, true, now);
}

static enum close_reason reason_of(const struct session *session, const struct endpoint *broken)
{
	bool reset = broken->error == ECONNRESET || broken->error == EPIPE;

	if (broken == session->client)
		return reset ? CLOSE_CLIENT_RESET : CLOSE_CLIENT_ERROR;
	return reset ? CLOSE_SERVER_RESET : CLOSE_SERVER_ERROR;
}

/* ---- lingering ----------------------------------------------------------------------------------------------------- */

/* One end broke. */
static void begin_linger(struct session *session, struct endpoint *broken, uint64_t now)
{
	struct flow *in = broken == session->client ? &session->down : &session->up;

	session->state = SESSION_LINGER;
	session->reason = reason_of(session, broken);
	session->last = broken == session->client ? &session->up : &session->down;
	session->progress_at = now;
	session->progress_mark = UINT64_MAX;
	broken->readable = true; /* all it will ever bring is there, and so is its end */
	broken->hung = true;
	session_ready(session);
	if (in->end != FLOW_FINISHED)
		flow_drop(in, now);
	if (session->last->end == FLOW_FINISHED)
		endpoint_finish(session->last->sink); /* an end that was left to a clean close, which will not be */
}

static void end_linger(struct session *session, bool abort_other, uint64_t now)
{
	struct endpoint *other = session->last->sink;

	end_session(session, session->reason, other != session->client || abort_other,
		other != session->server || abort_other, now);
}

/*
 * What is left between weir and the last bytes' being with the peer: held, then queued in the kernel. 0: nothing. A
 * mark that falls is progress; one that stays for LINGER_GRACE ends it.
 */
static uint64_t linger_mark(const struct flow *last)
{
	struct endpoint_sample sample;

	endpoint_sample(last->sink, ENDPOINT_QUEUED, &sample);
	if (last->sink->exempt)
		sample.queued = 0;
	return (flow_over(last) ? 0 : last->store.held + 1) + sample.queued;
}

/* Whether a close that a policy asks for is still to begin; of an end that broke, there may be something to deliver. */
static bool may_close(const struct session *session)
{
	return session->state == SESSION_RUNNING || (session->state == SESSION_LINGER && session->last != NULL);
}

/* A policy has ended the session: nothing more is read, and what is there is delivered both ways. */
static void begin_close(struct session *session, uint64_t now)
{
	session->state = SESSION_LINGER;
	session->reason = CLOSE_POLICY;
	session->last = NULL;
	session->progress_at = now;
	session->progress_mark = UINT64_MAX;
	flow_stop(&session->up);
	flow_stop(&session->down);
	session_ready(session);
}

/* What is left of one direction, which is nothing when nobody can take it any more. */
static uint64_t close_mark(struct flow *flow, uint64_t now)
{
	if (flow->sink->error != 0 && flow->end != FLOW_DROPPED)
		flow_drop(flow, now);
	return flow->end == FLOW_DROPPED ? 0 : linger_mark(flow);
}

/* A policy that holds something back here gets no more time than a sink that takes nothing. */
static uint64_t linger_closing(struct session *session, uint64_t now)
{
	uint64_t mark = close_mark(&session->up, now) + close_mark(&session->down, now);

	if (mark != session->progress_mark) {
		session->progress_mark = mark;
		session->progress_at = now;
	}
	if (mark > 0 && now - session->progress_at < LINGER_GRACE)
		return now + LINGER_POLL;
	end_session(session, session->reason, true, true, now);
	return WEIR_NEVER;
}

/* Returns when to look again. */
static uint64_t linger(struct session *session, uint64_t now)
{
	struct flow *last = session->last;
	bool clean;
	uint64_t mark;

	if (last == NULL)
		return linger_closing(session, now);
	clean = endpoint_ended_cleanly(last->source);
	if (last->sink->error != 0) {
		end_linger(session, true, now);
		return WEIR_NEVER;
	}
	if (clean && !flow_over(last))
		return WEIR_NEVER; /* a clean end takes the time it takes: the usual timeouts hold */
	mark = linger_mark(last);
	if (mark == 0) {
		end_linger(session, true, now);
		return WEIR_NEVER;
	}
	/* a policy that holds it back takes its time; the usual timeouts hold */
	if (mark != session->progress_mark || last->moved_at > session->progress_at || flow_is_held(last)) {
		session->progress_mark = mark;
		session->progress_at = now;
	} else if (now - session->progress_at >= LINGER_GRACE) {
		/* with the clean end sent, the kernel may go on delivering; without, it may not look like one */
		end_linger(session, last->end != FLOW_FINISHED, now);
		return WEIR_NEVER;
	}
	return now + LINGER_POLL;
}

/* ---- deadlines ----------------------------------------------------------------------------------------------------- */

struct deadline {
	uint64_t at;
	enum close_reason reason;
};

static void earlier(struct deadline *first, uint64_t since, uint64_t timeout, enum close_reason reason)
{
	uint64_t at;

	if (since == WEIR_NEVER || timeout >= WEIR_NEVER - since)
		return;
	at = since + timeout;
	if (at < first->at) {
		first->at = at;
		first->reason = reason;
	}
}

static struct deadline first_deadline(const struct session *session)
{
	const struct session_profile *profile = session->profile;
	struct deadline first = {WEIR_NEVER, CLOSE_NONE};
	uint64_t moved = session->up.moved_at > session->down.moved_at ? session->up.moved_at : session->down.moved_at;

	if (session->queue_moved_at > moved)
		moved = session->queue_moved_at;
	if (flow_over(&session->up) != flow_over(&session->down))
		earlier(&first, moved, profile->half_close_timeout, CLOSE_HALF_CLOSE_TIMEOUT);
	else
		earlier(&first, moved, profile->idle_timeout, CLOSE_IDLE_TIMEOUT);
	earlier(&first, flow_stalled_since(&session->up), profile->stall_timeout, CLOSE_STALL_TIMEOUT);
	earlier(&first, flow_stalled_since(&session->down), profile->stall_timeout, CLOSE_STALL_TIMEOUT);
	return first;
}

/*
 * Bytes that the sinks' kernels still have are moving as long as they get fewer, though weir sees nothing of it. A deadline
 * of silence that is due looks there once, before it ends a session that somebody is still reading from.
 */
static bool queues_move(struct session *session, uint64_t now)
{
	struct endpoint_sample client;
	struct endpoint_sample server;
	uint64_t queued;

	endpoint_sample(session->client, ENDPOINT_QUEUED, &client);
	endpoint_sample(session->server, ENDPOINT_QUEUED, &server);
	queued = client.queued + server.queued;
	if (queued == 0 || queued == session->queue_mark)
		return false;
	session->queue_mark = queued;
	session->queue_moved_at = now;
	return true;
}

/* ---- the turn ------------------------------------------------------------------------------------------------------ */

/* Moves the state on as far as what the flows did allows; returns when to come again at the latest. */
static uint64_t settle(struct session *session, uint64_t now)
{
	struct deadline first;
	uint64_t at = WEIR_NEVER;

	if (session->up.no_memory || session->down.no_memory) {
		session_close(session, CLOSE_NO_MEMORY, now);
		return WEIR_NEVER;
	}
	if (session_ending(session) == STANDING_RESETS) {
		session_close(session, CLOSE_POLICY, now);
		return WEIR_NEVER;
	}
	if (may_close(session) && session_ending(session) == STANDING_CLOSES)
		begin_close(session, now);
	if (session->state == SESSION_RUNNING && session->client->error != 0)
		begin_linger(session, session->client, now);
	else if (session->state == SESSION_RUNNING && session->server->error != 0)
		begin_linger(session, session->server, now);
	if (session->state == SESSION_RUNNING && flow_over(&session->up) && flow_over(&session->down)) {
		if (session->ops->part != NULL)
			session->ops->part(session);
		end_session(session, CLOSE_DONE, false, false, now);
		return WEIR_NEVER;
	}
	if (session->state == SESSION_LINGER)
		at = linger(session, now);
	if (session->state == SESSION_CLOSED)
		return WEIR_NEVER;
	first = first_deadline(session);
	if (first.at <= now && first.reason != CLOSE_STALL_TIMEOUT && queues_move(session, now))
		first = first_deadline(session);
	if (first.at <= now) {
		session_close(session, first.reason, now);
		return WEIR_NEVER;
	}
	return first.at < at ? first.at : at;
}

static void wait_until(struct session *session, uint64_t at)
{
	uint64_t up = flow_deadline(&session->up);
	uint64_t down = flow_deadline(&session->down);

	if (up < at)
		at = up;
	if (down < at)
		at = down;
	/* lazily: a timer that fires too early finds out and is set again, so none is moved for every read */
	if (at < session->timer.at)
		sched_timer_set(session->owner.context->sched, &session->timer, at);
}

/* At once where nobody reads; behind a read, and for urgent bytes, once in a while. */
static void look_for_resets(struct session *session, uint64_t now)
{
	endpoint_probe(session->client);
	endpoint_probe(session->server);
	if (now >= session->doubt_at) {
		bool more = endpoint_settle_doubt(session->client);

		if (endpoint_settle_doubt(session->server) || more)
			session_ready(session);
	}
	if (!session->client->doubtful && !session->server->doubtful)
		session->doubt_at = WEIR_NEVER;
	else if (session->doubt_at == WEIR_NEVER)
		session->doubt_at = now + DOUBT;
}

static void run(struct session *session, uint64_t now)
{
	uint64_t at;

	flow_turn(&session->up, now);
	flow_turn(&session->down, now);
	look_for_resets(session, now);
	at = settle(session, now);
	if (session->state == SESSION_CLOSED)
		return;
	wait_until(session, at < session->doubt_at ? at : session->doubt_at);
	if (session->up.more || session->down.more)
		sched_enqueue(session->owner.context->sched, &session->task);
}

/*
 * While it connects. The client has sent, or reset: an event does not tell which of them, and to ask would be a system
 * call for each that sends at once. So it is asked if connecting takes a while.
 */
static void watch_client(struct session *session, uint64_t now)
{
	struct endpoint *client = session->client;

	if (now >= session->doubt_at) {
		session->doubt_at = WEIR_NEVER;
		endpoint_probe(client);
	} else if (client->suspect && session->doubt_at == WEIR_NEVER) {
		session->doubt_at = now + DOUBT;
		sched_timer_set(session->owner.context->sched, &session->timer, session->doubt_at);
	}
	if (client->error != 0)
		session_close(session, reason_of(session, client), now);
}

void session_turn(struct session *session, uint64_t now)
{
	sched_dequeue(session->owner.context->sched, &session->task); /* this is the turn it was queued for */
	switch ((enum session_state)session->state) {
	case SESSION_FREE:
		break;
	case SESSION_CLOSED:
		try_release(session);
		break;
	case SESSION_CONNECTING:
		watch_client(session, now);
		break;
	case SESSION_RUNNING:
	case SESSION_LINGER:
		run(session, now);
		break;
	}
}

/* ---- from outside -------------------------------------------------------------------------------------------------- */

void session_ready(struct session *session)
{
	sched_enqueue(session->owner.context->sched, &session->task);
}

void session_wake(struct session *session)
{
	if (!atomic_exchange_explicit(&session->woken, true, memory_order_acq_rel))
		sched_post(session->owner.context->sched, &session->wake);
}

enum standing_ending session_ending(const struct session *session)
{
	uint8_t up = session->up.standing.ending;

	return (enum standing_ending)(up != STANDING_STAYS ? up : session->down.standing.ending);
}

bool session_is(const struct session *session, uint32_t generation)
{
	return atomic_load_explicit(&session->generation, memory_order_acquire) == generation;
}
