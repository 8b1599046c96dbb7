/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow - the pump.
 */
#include "flow.h"

#include <errno.h>
#include <string.h>

#include "flow_sample.h"
#include "least.h"

#define FLOW_IOV 16
#define BULK_FROM (48 * 1024) /* bytes a turn from which splicing wins over copying */
#define BULK_TO (16 * 1024)   /* bytes a turn below which it loses */
#define TURN_READ (64 * 1024) /* no read of a turn is cut shorter than that by what others read before it */
#define TURN_STEPS 64         /* reads of a turn: small limits must not make many small reads of its bytes */
#define DRAIN_INTERVAL (UINT64_C(50) * 1000000) /* ns over which the drain rate is measured */

static uint64_t beyond(uint64_t limit, uint64_t now)
{
	return limit > now ? limit - now : 0;
}

static struct context *context_of(const struct flow *flow)
{
	return flow->standing.owner->context;
}

size_t flow_room(const struct stack *stack)
{
	return flow_sample_room(stack) + (stack->count + 1) * sizeof(struct meter_pause);
}

void flow_init(struct flow *flow, const struct standing_owner *owner, enum weir_direction direction, uint64_t now,
	char *room)
{
	size_t samples = flow_sample_room(owner->stack);

	memset(flow, 0, sizeof(*flow));
	flow->direction = (uint8_t)direction;
	standing_init(&flow->standing, owner, direction);
	store_init(&flow->store, owner->context->depots);
	flow->samples = samples > 0 ? (struct flow_samples *)room : NULL;
	meter_init(&flow->meter, now, (struct meter_pause *)(room + samples), owner->stack->count + 1);
}

static bool scans(const struct flow *flow)
{
	return (flow->standing.owner->stack->needs & WEIR_NEED_SCAN) != 0;
}

void flow_attach(struct flow *flow, struct endpoint *source, struct endpoint *sink, enum pipe_use splice, uint64_t now)
{
	bool able = endpoint_pipes(source) && endpoint_pipes(sink) && context_of(flow)->pipes != NULL && !scans(flow);

	flow->source = source;
	flow->sink = sink;
	flow->splice = (uint8_t)(able ? splice : PIPE_USE_OFF);
	flow->bulk = flow->splice == PIPE_USE_ON;
	flow->asked = true;
	flow->moved_at = now;
	flow->taken_at = now;
}

/* ---- what is allowed ----------------------------------------------------------------------------------------------- */

static uint64_t read_room(const struct flow *flow)
{
	const struct verdict *verdict = &flow->standing.verdict;

	if (flow->chunks >= verdict->chunks_to)
		return 0;
	return least(beyond(verdict->read_to, flow->read), beyond(verdict->held_max, flow->store.held));
}

static uint64_t write_room(const struct flow *flow)
{
	return beyond(flow->standing.verdict.write_to, flow->written);
}

static bool can_fill(const struct flow *flow)
{
	return flow->end == FLOW_OPEN && flow->source->readable && !flow->short_of && read_room(flow) > 0;
}

static bool can_drain(const struct flow *flow)
{
	return flow->store.held > 0 && flow->sink->writable && write_room(flow) > 0;
}

/* ---- what the policies see ----------------------------------------------------------------------------------------- */

/* Averages what the sink takes while it has something to take, from one time that it took some to another. */
static void measure_drain(struct flow *flow, uint64_t now)
{
	uint64_t elapsed;
	uint64_t rate;

	if (flow->store.held == 0) {
		flow->drain_since = 0;
		return;
	}
	if (flow->drain_since == 0) {
		flow->drain_since = now;
		flow->drain_written = flow->written;
		return;
	}
	elapsed = now - flow->drain_since;
	if (elapsed < DRAIN_INTERVAL || flow->written == flow->drain_written)
		return;
	rate = (uint64_t)((double)(flow->written - flow->drain_written) * 1e9 / (double)elapsed);
	flow->drain_rate = flow->drain_rate == 0 ? rate : flow->drain_rate - flow->drain_rate / 4 + rate / 4;
	flow->drain_since = now;
	flow->drain_written = flow->written;
}

/* Whether the source has: one whose sink is gone, or that a policy's close has stopped, has not by that. */
static bool has_ended(const struct flow *flow)
{
	const struct endpoint *source = flow->source;

	return flow->end != FLOW_OPEN && (source == NULL || source->ended || source->error != 0);
}

/* What changes while bytes move. */
static void view_update(const struct flow *flow, uint64_t now, struct hearing *hearing)
{
	struct weir_view *view = &hearing->view;
	bool readable = flow->end == FLOW_OPEN && flow->source->readable;

	hearing->usable[STANDING_READING] = readable;
	hearing->usable[STANDING_WRITING] = flow->sink->writable && (flow->store.held > 0 || readable);
	view->read = flow->read;
	view->written = flow->written;
	view->acked = flow->acked;
	view->held = flow->store.held;
	view->chunks = flow->chunks;
	if (flow->samples != NULL)
		view->unread = flow->samples->unread;
	view->oldest_age = flow->store.held > 0 ? now - store_oldest(&flow->store) : 0;
	view->drain_rate = flow->drain_rate;
	view->ended = has_ended(flow);
}

static void view_fill(const struct flow *flow, uint64_t now, struct hearing *hearing)
{
	struct weir_view *view = &hearing->view;

	memset(view, 0, sizeof(*view));
	view->size = sizeof(*view);
	view->direction = flow->direction;
	view->now = now;
	if (flow->samples != NULL)
		view->rtt = flow->samples->rtt;
	hearing->meter = &flow->meter;
	view->blocked = meter_spent(&flow->meter, now, METER_BLOCKED);
	view_update(flow, now, hearing);
}

/* Begins the turn's talk with the policies. */
static void hear(struct flow *flow, uint64_t now, struct hearing *hearing)
{
	if (flow->standing.owner->stack->count == 0)
		return;
	view_fill(flow, now, hearing);
	hearing->moved = false;
	hearing->over = false;
	standing_hear(&flow->standing, hearing);
	standing_consult(&flow->standing, hearing);
}

/* ---- moving bytes -------------------------------------------------------------------------------------------------- */

static void wrote(struct flow *flow, uint64_t length, uint64_t now)
{
	flow->written += length;
	flow->taken_at = now;
	flow->moved_at = now;
}

/* The pipe goes back as soon as it is empty: others keep up with it. */
static void return_pipe(struct flow *flow)
{
	if (flow->store.pipe != NULL && store_piped(&flow->store) == 0)
		pipes_put(context_of(flow)->pipes, store_take_pipe(&flow->store));
}

static ssize_t write_held(struct flow *flow, uint64_t length)
{
	struct iovec iov[FLOW_IOV];
	uint64_t piped = store_piped(&flow->store);

	if (piped > 0)
		return endpoint_from_pipe(flow->sink, flow->store.pipe->from, (size_t)least(length, piped));
	return endpoint_write(flow->sink, iov, store_peek(&flow->store, iov, FLOW_IOV, length));
}

/* Writes from the store what the sink takes; returns how much. */
static uint64_t drain(struct flow *flow, uint64_t budget, uint64_t now)
{
	ssize_t n;

	if (!can_drain(flow))
		return 0;
	n = write_held(flow, least(budget, write_room(flow)));
	if (n <= 0) {
		flow->taken_at = now; /* it refuses from now on; what a policy held back before was not its fault */
		return 0;
	}
	store_consume(&flow->store, (uint64_t)n);
	return_pipe(flow);
	wrote(flow, (uint64_t)n, now);
	return (uint64_t)n;
}

/* Hands bytes straight from the scratch buffer to the sink, if nothing is in front of them; returns how many. */
static size_t pass_on(struct flow *flow, size_t length, uint64_t now)
{
	struct iovec iov = {context_of(flow)->scratch, (size_t)least(length, write_room(flow))};
	ssize_t n;

	if (flow->store.held > 0 || !flow->sink->writable || iov.iov_len == 0 || scans(flow))
		return 0;
	n = endpoint_write(flow->sink, &iov, 1);
	if (n <= 0)
		return 0;
	wrote(flow, (uint64_t)n, now);
	return (size_t)n;
}

static void note_held(struct flow *flow, bool first, uint64_t now)
{
	if (first)
		flow->taken_at = now;
	if (flow->store.held > flow->held_max)
		flow->held_max = flow->store.held;
}

static void hold(struct flow *flow, size_t passed, size_t length, uint64_t now)
{
	bool first = flow->store.held == 0;

	if (passed == length)
		return;
	if (store_append(&flow->store, context_of(flow)->scratch + passed, length - passed, now) != 0) {
		flow->no_memory = true;
		return;
	}
	note_held(flow, first, now);
}

/* Counts what a read brought; n <= 0: none, and perhaps none any more. Returns how many bytes. */
static uint64_t took(struct flow *flow, ssize_t n, uint64_t now)
{
	if (n < 0) {
		if (errno != EAGAIN)
			flow->end = FLOW_TRUNCATED;
		return 0;
	}
	flow->moved_at = now;
	if (n == 0) {
		flow->end = FLOW_ENDING;
		return 0;
	}
	flow->read += (uint64_t)n;
	flow->chunks++;
	return (uint64_t)n;
}

/* Has a pipe, empty or with all that is held in it. */
static bool get_pipe(struct flow *flow, uint64_t now)
{
	struct pipe *pipe;

	if (!flow->bulk || flow->store.held > store_piped(&flow->store))
		return false;
	if (flow->store.pipe != NULL)
		return pipe_room(flow->store.pipe) > 0;
	if (!standing_spare(&flow->standing, &flow->store, PIPE_CAPACITY / STORE_PAGE))
		return false;
	pipe = pipes_take(context_of(flow)->pipes, now);
	if (pipe != NULL)
		store_set_pipe(&flow->store, pipe);
	return pipe != NULL;
}

/* Reads once, into a pipe, and writes on what the sink takes; returns how much was read. */
static uint64_t fill_pipe(struct flow *flow, uint64_t want, uint64_t now)
{
	bool first = flow->store.held == 0;
	uint64_t n = took(flow, endpoint_to_pipe(flow->source, flow->store.pipe->to, (size_t)want), now);

	if (n > 0) {
		store_filled(&flow->store, n, now);
		drain(flow, n, now);
	}
	if (flow->store.held > 0)
		note_held(flow, first, now);
	return_pipe(flow);
	return n;
}

/* Reads once, into the scratch buffer, and passes on what the sink takes; returns how much was read. */
static uint64_t fill_scratch(struct flow *flow, uint64_t want, uint64_t now)
{
	uint64_t n;

	want = standing_memory(&flow->standing, &flow->store, want);
	if (want == 0) {
		flow->short_of = true;
		return 0;
	}
	n = took(flow, endpoint_read(flow->source, context_of(flow)->scratch, (size_t)want), now);
	if (flow->samples != NULL && flow->source->left != ENDPOINT_UNKNOWN)
		flow->samples->unread = (uint64_t)flow->source->left; /* for nothing */
	if (n > 0)
		hold(flow, pass_on(flow, (size_t)n, now), (size_t)n, now);
	return n;
}

/* Reads once; returns how much. What does not go into the pipe, because it is full or an urgent mark is in the way, is
   copied. */
static uint64_t fill(struct flow *flow, uint64_t budget, uint64_t now)
{
	uint64_t want;
	uint64_t n;

	if (!can_fill(flow))
		return 0;
	want = least(least(read_room(flow), budget), CONTEXT_SCRATCH);
	if (get_pipe(flow, now)) {
		n = fill_pipe(flow, least(want, pipe_room(flow->store.pipe)), now);
		if (n > 0 || !can_fill(flow))
			return n;
	}
	return fill_scratch(flow, want, now);
}

/* Copying wins where little comes at a time, splicing where much does. */
static void judge_pace(struct flow *flow, uint64_t read)
{
	if (read == 0)
		return;
	flow->pace = flow->pace - flow->pace / 4 + (uint32_t)(read / 4);
	if (flow->splice == PIPE_USE_AUTO)
		flow->bulk = flow->pace >= (flow->bulk ? BULK_TO : BULK_FROM);
}

/* What was left unconsumed for want of leases is shown again when there are more: each time less is left. */
static void scan(struct flow *flow, struct hearing *hearing, uint64_t now)
{
	bool again;

	if (!scans(flow) || flow->store.held == 0)
		return;
	view_update(flow, now, hearing);
	again = true;
	for (bool first = true; again; first = false) {
		bool left = standing_scan(&flow->standing, hearing, &flow->store);

		again = standing_consult(&flow->standing, hearing) && (left || first);
	}
}

/* Moves bytes until nothing moves, or the turn's budget is spent. */
static void pump(struct flow *flow, struct hearing *hearing, uint64_t now)
{
	uint64_t left = CONTEXT_SCRATCH;
	unsigned steps = 0;
	uint64_t moved;

	scan(flow, hearing, now);
	do {
		uint64_t in;

		moved = drain(flow, left, now);
		in = fill(flow, left, now);
		if (in > 0)
			scan(flow, hearing, now);
		moved = moved > in ? moved : in;
		left -= moved;
	} while (moved > 0 && left >= TURN_READ && ++steps < TURN_STEPS && !flow->no_memory);
}

/* Both ends are through with the other direction: closing the sink says what is left to say. */
static bool is_last_word(const struct flow *flow)
{
	const struct endpoint *source = flow->source;
	const struct endpoint *sink = flow->sink;

	return sink->ended && source->finished && source->error == 0 && sink->error == 0;
}

static void pass_end(struct flow *flow, uint64_t now)
{
	if (flow->end != FLOW_ENDING || flow->store.held > 0)
		return;
	if (!is_last_word(flow))
		endpoint_finish(flow->sink);
	flow->end = FLOW_FINISHED;
	flow->moved_at = now;
}

/* ---- the turn ------------------------------------------------------------------------------------------------------ */

struct before {
	uint64_t read;
	uint64_t written;
	uint64_t acked;
};

/* Tells the policies what this turn did, and asks them what follows from it. */
static void tell_policies(struct flow *flow, const struct before *before, bool timed, struct hearing *hearing,
	uint64_t now)
{
	struct weir_event event = {
		.size = sizeof(event),
		.read = flow->read - before->read,
		.written = flow->written - before->written,
		.acked = flow->acked - before->acked,
	};

	if (flow->standing.owner->stack->count == 0)
		return;
	event.what = (event.read > 0 ? WEIR_EVENT_READ : 0) | (event.written > 0 ? WEIR_EVENT_WROTE : 0) |
		(event.acked > 0 ? WEIR_EVENT_ACKED : 0) | (timed ? WEIR_EVENT_TIME : 0) |
		(has_ended(flow) && !flow->end_told ? WEIR_EVENT_ENDED : 0);
	flow->end_told = has_ended(flow);
	view_update(flow, now, hearing);
	hearing->moved = event.read > 0 || event.written > 0;
	hearing->over = true;
	standing_event(&flow->standing, hearing, &event);
	if (event.what == 0 && flow->standing.owner->stack->claim_count == 0)
		return;
	/* leases are not kept for nothing; and what came just now is used now, since nobody may ever wake this flow for it */
	if (standing_consult(&flow->standing, hearing))
		scan(flow, hearing, now);
}

static uint32_t paused_by(const struct flow *flow)
{
	const struct verdict *verdict = &flow->standing.verdict;
	uint32_t causes = 0;

	if (flow->end == FLOW_OPEN && flow->source->readable) {
		causes |= verdict->paused;
		if (flow->short_of)
			causes |= UINT32_C(1) << flow->standing.owner->stack->count;
	}
	if (flow->store.held > 0)
		causes |= verdict->stopped;
	return causes;
}

/* Works out, from what there is now, in which state the flow waits for its next turn. */
static void account(struct flow *flow, uint64_t now)
{
	uint32_t causes = paused_by(flow);
	enum meter_state state;

	if (flow->more)
		state = METER_MOVING;
	else if (flow->store.held > 0 && !flow->sink->writable)
		state = METER_BLOCKED;
	else
		state = causes != 0 ? METER_HELD : METER_IDLE;
	meter_set(&flow->meter, now, state, causes);
}

/* Nothing came, nothing is held, and nobody waits for anything: the turn is the other direction's. */
static bool rests(const struct flow *flow)
{
	return flow->end == FLOW_OPEN && !flow->source->readable && flow->store.held == 0 && !flow->asked &&
		flow->meter.state == METER_IDLE && flow->meter.paused == 0 && flow->acked == flow->written &&
		standing_rests(&flow->standing);
}

/*
 * Nothing more will come through. What its policies say is still used, bytes that are not acknowledged or requests that are
 * not answered, stays leased until it is not; all else goes back, and so does what is granted too late to be of use.
 */
static void wind_up(struct flow *flow, uint64_t now)
{
	struct weir_event event = {.size = sizeof(event), .acked = flow->acked};
	struct hearing hearing;

	if (standing_is_bare(&flow->standing))
		return;
	if (flow->end == FLOW_DROPPED) {
		standing_release(&flow->standing);
		return;
	}
	flow_sample(flow, false, now);
	event.acked = flow->acked - event.acked;
	event.what = event.acked > 0 ? WEIR_EVENT_ACKED : 0;
	view_fill(flow, now, &hearing);
	hearing.moved = false;
	hearing.over = true;
	standing_hear(&flow->standing, &hearing);
	standing_event(&flow->standing, &hearing, &event);
	standing_wind_up(&flow->standing, &hearing);
	standing_trim(&flow->standing, &flow->store);
}

/* What policies learn of bytes that nobody gets, and of the end behind them: that they came, and what is in them. */
static void tell_of_waste(struct flow *flow, uint64_t length, uint64_t now)
{
	struct weir_event event = {.size = sizeof(event), .read = length};
	struct hearing hearing;

	event.what = (length > 0 ? WEIR_EVENT_READ : 0) | (has_ended(flow) ? WEIR_EVENT_ENDED : 0);
	flow->end_told = has_ended(flow);
	view_fill(flow, now, &hearing);
	standing_hear(&flow->standing, &hearing);
	standing_waste(&flow->standing, &hearing, context_of(flow)->scratch, length);
	flow->read += length;
	view_update(flow, now, &hearing);
	standing_event(&flow->standing, &hearing, &event);
}

/*
 * Nobody will get what the source still sends; but one that is not read from may wait for that before it reads itself what the
 * other direction has for it, and that would wait for ever. And among it may be the answers to what it was asked.
 */
static void waste(struct flow *flow, uint64_t now)
{
	struct endpoint *source = flow->source;
	ssize_t n = 0;

	if (source == NULL || !source->open || flow->end_told)
		return;
	if (source->readable && !has_ended(flow))
		n = endpoint_read(source, context_of(flow)->scratch, CONTEXT_SCRATCH);
	if (n > 0 || has_ended(flow))
		tell_of_waste(flow, n > 0 ? (uint64_t)n : 0, now);
	flow->more = source->readable && !has_ended(flow);
}

void flow_turn(struct flow *flow, uint64_t now)
{
	struct before before = {flow->read, flow->written, flow->acked};
	bool timed = flow->standing.verdict.ask_at <= now;
	struct hearing hearing;

	flow->more = false;
	if (flow_over(flow)) {
		wind_up(flow, now);
		if (flow->end == FLOW_DROPPED)
			waste(flow, now);
		return;
	}
	if (!timed && rests(flow))
		return;
	flow->asked = false;
	flow->short_of = false;
	flow_sample(flow, timed, now);
	hear(flow, now, &hearing);
	pump(flow, &hearing, now);
	judge_pace(flow, flow->read - before.read);
	measure_drain(flow, now);
	if ((flow->standing.owner->stack->needs & WEIR_NEED_ACKED) == 0)
		flow->acked = flow->written;
	tell_policies(flow, &before, timed, &hearing, now);
	pass_end(flow, now);
	standing_trim(&flow->standing, &flow->store);
	if (flow_over(flow))
		wind_up(flow, now);
	flow->no_memory |= flow->standing.broke;
	flow->more = !flow->no_memory && (can_fill(flow) || can_drain(flow));
	account(flow, now);
	flow->more |= flow_sample_late(flow, now);
}

/* What is held is lost. */
static void discard(struct flow *flow)
{
	struct pipe *pipe = store_take_pipe(&flow->store);

	if (pipe != NULL)
		pipes_put(context_of(flow)->pipes, pipe);
	store_clear(&flow->store);
}

void flow_stop(struct flow *flow)
{
	if (flow->end == FLOW_OPEN)
		flow->end = FLOW_TRUNCATED;
}

void flow_drop(struct flow *flow, uint64_t now)
{
	flow->end = FLOW_DROPPED;
	flow->more = false;
	discard(flow);
	standing_release(&flow->standing);
	account(flow, now);
}

void flow_close(struct flow *flow, uint64_t now)
{
	flow->more = false;
	meter_set(&flow->meter, now, METER_IDLE, 0);
	discard(flow);
	standing_close(&flow->standing);
}

bool flow_over(const struct flow *flow)
{
	return flow->end == FLOW_FINISHED || flow->end == FLOW_DROPPED ||
		(flow->end == FLOW_TRUNCATED && flow->store.held == 0);
}

uint64_t flow_deadline(const struct flow *flow)
{
	if (flow_over(flow))
		return flow->acked < flow->written && !standing_is_bare(&flow->standing) ? flow_sample_at(flow)
											 : WEIR_NEVER;
	return least(flow->standing.verdict.ask_at, flow_sample_at(flow));
}

bool flow_is_held(const struct flow *flow)
{
	if (flow->store.held > 0)
		return flow->sink->writable && flow->standing.verdict.stopped != 0;
	return flow->end == FLOW_OPEN && flow->source->readable && flow->standing.verdict.paused != 0;
}

uint64_t flow_stalled_since(const struct flow *flow)
{
	return flow->store.held > 0 && !flow->sink->writable ? flow->taken_at : WEIR_NEVER;
}
