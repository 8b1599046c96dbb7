/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_flow - one session after a step: counts, ends, times, and whether it waits for something that will come.
 */
#include <inttypes.h>

#include "check_parts.h"
#include "least.h"

#define SECOND UINT64_C(1000000000)
#define PATIENCE (2 * SECOND) /* that a flow may stand still which no bucket keeps waiting */
#define FLOOR 4096            /* bytes of a group's that a flow may hold without a lease */
#define FLOOR_PAGES 1         /* that each flow has beside what it leases */
#define QUANTUM_MIN 1448      /* bytes that shape lets a flow wait for; at most burst */
#define QUANTUM_MAX (256 * 1024)
#define QUANTUM_SHARE 100 /* of a second */
#define ROUNDS 4          /* that others may be served before it, for it waits in several queues */

/* ---- bytes and ends ------------------------------------------------------------------------------------------------- */

static void look_at_counts(struct check *check, const struct sim_session *session, int direction)
{
	const struct flow *flow = check_flow_of(session, direction);
	const struct sim_end *source = check_source(session, direction);
	const struct sim_end *sink = check_sink(session, direction);

	if (flow->end != FLOW_DROPPED && flow->read - flow->written != flow->store.held)
		check_fault(check, "counts", session, direction,
			"%" PRIu64 " bytes read - %" PRIu64 " written are not %" PRIu64 " held", flow->read,
			flow->written, flow->store.held);
	if (source->endpoint.open && flow->read != source->in.taken)
		check_fault(check, "counts", session, direction,
			"%" PRIu64 " bytes read, the source's end says %" PRIu64, flow->read, source->in.taken);
	if (sink->endpoint.open && flow->written != sink->out.written)
		check_fault(check, "counts", session, direction,
			"%" PRIu64 " bytes written, the sink's end says %" PRIu64, flow->written, sink->out.written);
}

/* Also after weir has done with the session: what it said last is still on its way. */
static void look_at_end(struct check *check, const struct sim_session *session, int direction)
{
	const struct sim_wire *in = &check_source(session, direction)->in;
	const struct sim_wire *out = &check_sink(session, direction)->out;

	if (!out->ended || out->cut)
		return;
	if (!in->ended)
		check_fault(check, "end", session, direction,
			"the sink sees an end after %" PRIu64 " bytes, the source has not ended", out->written);
	else if (out->written != in->written)
		check_fault(check, "end", session, direction,
			"the sink sees an end after %" PRIu64 " bytes, the source has sent %" PRIu64, out->written,
			in->written);
}

static bool is_broken(const struct sim_end *end)
{
	return end->broken || end->endpoint.error != 0 || end->in.reset;
}

/* Weir has closed it. Who is not told the end of the other's stream is reset, unless he broke the connection himself. */
static void look_at_close(struct check *check, const struct sim_session *session, int direction)
{
	const struct sim_end *sink = check_sink(session, direction);

	if (session->session.server == NULL)
		return;
	if (!sink->out.ended && !sink->out.cut && !is_broken(sink))
		check_fault(check, "reset", session, direction,
			"closed (%s), and the sink sees neither an end nor a reset",
			close_reason_names[session->session.reason]);
	if (session->session.reason == CLOSE_DONE && !sink->out.ended && !sink->out.cut)
		check_fault(check, "end", session, direction, "done without an end");
}

/* ---- times ---------------------------------------------------------------------------------------------------------- */

static void look_at_times(struct check *check, const struct sim_session *session, int direction)
{
	const struct session *own = &session->session;
	const struct meter *meter = &check_flow_of(session, direction)->meter;
	uint64_t now = own->state == SESSION_CLOSED ? own->closed_at : check->world->now;
	uint64_t sum = 0;

	for (int state = 0; state < METER_STATE_COUNT; state++)
		sum += meter_spent(meter, now, (enum meter_state)state);
	if (sum != now - own->opened_at)
		check_fault(check, "meter", session, direction,
			"its states' times are %" PRIu64 " ns, its age is %" PRIu64, sum, now - own->opened_at);
	for (uint32_t cause = 0; cause < meter->causes; cause++)
		if (meter_paused(meter, now, cause) > now - own->opened_at)
			check_fault(check, "meter", session, direction,
				"paused by %s for %" PRIu64 " ns, its age is %" PRIu64,
				stack_cause(own->owner.stack, cause), meter_paused(meter, now, cause),
				now - own->opened_at);
}

/* A turn will come, whatever happens. */
static bool is_due(const struct sim_session *session, const struct flow *flow)
{
	uint64_t at = flow_deadline(flow);

	return session->session.task.queued || atomic_load(&session->worker->sched.mailbox) != NULL ||
		(at != WEIR_NEVER && session->session.timer.at <= at);
}

/* ---- bounds of one flow ---------------------------------------------------------------------------------------------- */

/* A pause ends below the low mark: the turn that drains so much reads nothing yet. */
static void look_at_resume(struct check *check, const struct sim_session *session, int direction,
	const struct check_flow *seen, const struct check_rule *rule, uint32_t cause)
{
	const struct flow *flow = check_flow_of(session, direction);
	uint32_t ended = seen->paused & ~flow->meter.paused;
	uint64_t pauses = flow->meter.pauses[cause].count;

	if ((ended >> cause & 1) != 0 && flow->end == FLOW_OPEN && flow->source->readable && flow->read == seen->read &&
		flow->store.held >= rule->low)
		check_fault(check, "flips", session, direction,
			"%s: a pause ends with %" PRIu64 " bytes held, low is %" PRIu64, rule->policy->name,
			flow->store.held, rule->low);
	if (pauses > 1 && (pauses - 1) * (rule->high - rule->low + 1) > flow->written)
		check_fault(check, "flips", session, direction,
			"%s: %" PRIu64 " pauses for %" PRIu64 " bytes, with marks of %" PRIu64 " and %" PRIu64,
			rule->policy->name, pauses, flow->written, rule->low, rule->high);
}

/* What it leases of a group's bytes beyond those it holds is for reading: without anything to read, it is for others. */
static void look_at_surplus(struct check *check, const struct sim_session *session, int direction,
	const struct check_rule *rule, uint32_t member)
{
	const struct flow *flow = check_flow_of(session, direction);
	uint64_t leased = standing_member(&flow->standing, member)->leased[0];
	uint64_t used = flow->store.held > FLOOR ? flow->store.held - FLOOR : 0;

	if (leased > used && flow->end == FLOW_OPEN && !flow->source->readable && !is_due(session, flow))
		check_fault(check, "surplus", session, direction,
			"%s: leases %" PRIu64 " bytes and needs %" PRIu64 ", for there is nothing to read",
			rule->policy->name, leased, used);
}

/* Behind the end of the answers nobody counts any more, and what was leased for requests is for others. */
static void look_at_uncounted(struct check *check, const struct sim_session *session, const struct check_rule *rule,
	uint32_t member)
{
	const struct flow *up = &session->session.up;
	const struct flow *down = &session->session.down;
	uint64_t leased = 0;

	for (unsigned i = 0; i < CHECK_CAPS; i++)
		leased += standing_member(&up->standing, member)->leased[i];
	if (leased > 0 && down->end == FLOW_FINISHED && !is_due(session, up))
		check_fault(check, "surplus", session, WEIR_UP,
			"%s: leases %" PRIu64 " units, for requests that nobody will answer", rule->policy->name,
			leased);
}

static void look_at_marks(struct check *check, const struct sim_session *session, int direction,
	const struct check_flow *seen, const struct check_rule *rule, uint32_t member)
{
	const struct flow *flow = check_flow_of(session, direction);

	if (rule->kind == CHECK_FAIR || (rule->scope != CHECK_FLOW && rule->kind == CHECK_WATERMARK)) {
		look_at_surplus(check, session, direction, rule, member);
		return;
	}
	if (rule->kind == CHECK_CREDIT)
		return; /* see check_share.c */
	if (rule->kind == CHECK_CAP && rule->requests && direction == WEIR_UP)
		look_at_uncounted(check, session, rule, member);
	if (flow->store.held > rule->high)
		check_fault(check, "held", session, direction,
			"%s: holds %" PRIu64 " bytes, at most %" PRIu64 " may be", rule->policy->name, flow->store.held,
			rule->high);
	if (rule->kind == CHECK_WATERMARK)
		look_at_resume(check, session, direction, seen, rule, member);
}

static void look_at_bounds(struct check *check, const struct sim_session *session, int direction,
	const struct check_flow *seen)
{
	const struct check_rules *rules = check_rules_of(check, session);
	const struct flow *flow = check_flow_of(session, direction);

	for (uint32_t i = 0; i < rules->count; i++)
		look_at_marks(check, session, direction, seen, &rules->rules[i], i);
	if (flow->store.pages > flow->standing.memory + FLOOR_PAGES)
		check_fault(check, "pages", session, direction, "%" PRIu32 " pages are used, %" PRIu32 " + %d leased",
			flow->store.pages, flow->standing.memory, FLOOR_PAGES);
}

/* ---- who waits for what ----------------------------------------------------------------------------------------------- */

/* All that happens at an end sets its bits in the endpoint, or is about to. */
static void look_at_edges(struct check *check, const struct sim_session *session, int direction)
{
	const struct flow *flow = check_flow_of(session, direction);
	const struct sim_end *source = check_source(session, direction);
	const struct sim_end *sink = check_sink(session, direction);

	if (flow->end == FLOW_OPEN && !source->endpoint.readable && !source->edge && source->endpoint.error == 0 &&
		(wire_unread(&source->in) > 0 || wire_end_arrived(&source->in)))
		check_fault(check, "edge", session, direction,
			"%" PRIu64 " bytes%s have arrived, and weir does not know", wire_unread(&source->in),
			wire_end_arrived(&source->in) ? " and the end" : "");
	if (flow->store.held > 0 && !sink->endpoint.writable && !sink->waiting && !sink->edge &&
		sink->endpoint.error == 0)
		check_fault(check, "edge", session, direction, "its sink has not refused bytes, and is given none");
}

static void look_at_sleep(struct check *check, const struct sim_session *session, int direction)
{
	const struct flow *flow = check_flow_of(session, direction);
	bool drains = flow->store.held > 0 && !flow->sink->writable; /* the sink will take some */

	if (is_due(session, flow))
		return;
	if (flow->store.held > 0 && !drains && !standing_waits(&flow->standing, STANDING_WRITING))
		check_fault(check, "asleep", session, direction,
			"holds %" PRIu64 " bytes that its sink would take, and waits for nothing", flow->store.held);
	if (flow->end == FLOW_OPEN && flow->source->readable && flow->store.held == 0 &&
		!standing_waits(&flow->standing, STANDING_READING))
		check_fault(check, "asleep", session, direction,
			"holds nothing, its source is readable, and it waits for "
			"nothing");
}

/* ns in which everybody else's turn at the buckets passes. */
static uint64_t patience(const struct check *check, const struct sim_session *session)
{
	const struct check_rules *rules = check_rules_of(check, session);
	uint64_t flows = 2 * check->crowd;
	uint64_t time = PATIENCE;

	for (unsigned i = 0; i < rules->count; i++) {
		const struct check_rule *rule = &rules->rules[i];
		uint64_t quantum;

		if (rule->kind != CHECK_SHAPE)
			continue;
		quantum = least(rule->rate / QUANTUM_SHARE, QUANTUM_MAX);
		quantum = least(quantum > QUANTUM_MIN ? quantum : QUANTUM_MIN, rule->burst);
		time += (uint64_t)((unsigned __int128)ROUNDS * flows * quantum * SECOND / rule->rate);
	}
	return time;
}

/* Whether it has something to move, its sink takes, and it has not to wait for others' acknowledgements and answers. */
static bool is_able(const struct check *check, const struct sim_session *session, int direction)
{
	const struct flow *flow = check_flow_of(session, direction);
	const struct sim_wire *in = &check_source(session, direction)->in;

	if (flow_over(flow) || !flow->sink->writable || check_cap_holds(check, session))
		return false;
	return flow->store.held > 0 ||
		(flow->end == FLOW_OPEN && (wire_unread(in) > 0 || wire_end_arrived(in) || in->reset));
}

static void look_at_life(struct check *check, const struct sim_session *session, struct check_flow *seen, int direction)
{
	const struct flow *flow = check_flow_of(session, direction);
	uint64_t now = check->world->now;

	if (!is_able(check, session, direction) || flow->read != seen->read || flow->written != seen->written ||
		flow->end != seen->end) {
		seen->able_since = AGENDA_NEVER;
		return;
	}
	if (seen->able_since == AGENDA_NEVER)
		seen->able_since = now;
	if (now - seen->able_since > patience(check, session))
		check_fault(check, "liveness", session, direction,
			"stands still for %" PRIu64 " ms, though its sink takes", (now - seen->able_since) / 1000000);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static void look_at_running(struct check *check, const struct sim_session *session, struct check_session *seen,
	int direction)
{
	look_at_counts(check, session, direction);
	look_at_bounds(check, session, direction, &seen->flows[direction]);
	check_share_look(check, session, direction, &seen->flows[direction]);
	look_at_life(check, session, &seen->flows[direction], direction);
	if (flow_over(check_flow_of(session, direction)))
		return;
	if (direction == WEIR_UP)
		check_cap_gate(check, session);
	look_at_edges(check, session, direction);
	look_at_sleep(check, session, direction);
}

static void remember_leases(const struct check *check, const struct sim_session *session, int direction,
	struct check_flow *seen)
{
	for (unsigned i = 0; i < check_rules_of(check, session)->count; i++)
		seen->leased[i] = check_leased(session, direction, i);
}

void check_flow_look(struct check *check, const struct sim_session *session, struct check_session *seen)
{
	bool closed = !check_lives(session) || session->session.state == SESSION_CLOSED;

	for (int direction = 0; direction < 2; direction++) {
		look_at_end(check, session, direction);
		if (check_lives(session))
			look_at_times(check, session, direction);
		if (check_runs(session))
			look_at_running(check, session, seen, direction);
		if (closed && !seen->closed)
			look_at_close(check, session, direction);
	}
	seen->closed = closed;
	for (int direction = 0; direction < 2; direction++) {
		const struct flow *flow = check_flow_of(session, direction);

		seen->flows[direction].read = flow->read;
		seen->flows[direction].written = flow->written;
		seen->flows[direction].end = flow->end;
		seen->flows[direction].paused = flow->meter.paused;
		remember_leases(check, session, direction, &seen->flows[direction]);
	}
}
