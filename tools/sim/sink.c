/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - reads when there is something, when it is not stalled, and when it is through with what it read before.
 */
#include "sink.h"

#include <string.h>

#include "least.h"
#include "source.h"

#define SECOND UINT64_C(1000000000)

void sink_init(struct sim_sink *sink, const struct scenario_sink *law, uint64_t seed, uint64_t who)
{
	memset(sink, 0, sizeof(*sink));
	sink->law = law;
	sink->rate = law->rate;
	sink->change_at = AGENDA_NEVER;
	sink->stall_at = AGENDA_NEVER;
	chance_init(&sink->chance, seed, who, 1);
}

static uint64_t drawn(struct sim_sink *sink, uint64_t mean)
{
	uint64_t time = sink->law->random != 0 ? chance_exponential(&sink->chance, mean) : mean;

	return time > 0 ? time : 1;
}

/* ---- what it may --------------------------------------------------------------------------------------------------- */

static uint64_t step_at(const struct sim_sink *sink)
{
	return sink->step < sink->law->step_count ? sink->begun_at + sink->law->steps[sink->step].at : AGENDA_NEVER;
}

/* From begin to begin of a stall it is stall_every; the next one begins behind the end of this one in any case. */
static void begin_stall(struct sim_sink *sink)
{
	uint64_t next = sink->stall_at + drawn(sink, sink->law->stall_every);

	sink->stall_end = sink->stall_at + drawn(sink, sink->law->stall_for);
	sink->stall_at = next > sink->stall_end ? next : sink->stall_end + 1;
}

static void pass_time(struct sim_sink *sink, uint64_t now)
{
	while (step_at(sink) <= now) {
		sink->rate = sink->law->steps[sink->step].rate;
		sink->ready_at = step_at(sink); /* the new rate does not wait for the old one */
		sink->step++;
	}
	while (sink->stall_at <= now)
		begin_stall(sink);
	sink->change_at = least(step_at(sink), sink->stall_at);
}

void sink_begin(struct sim_end *end, uint64_t now)
{
	struct sim_sink *sink = &end->sink;

	if (sink->over)
		return;
	sink->begun_at = now;
	if (sink->law->stall_every != SCENARIO_NEVER)
		sink->stall_at = now + drawn(sink, sink->law->stall_every);
	pass_time(sink, now);
}

/* But for the time of the read before. */
static bool may_read(const struct sim_end *end, uint64_t now)
{
	return end->sink.rate > 0 && end->sink.stall_end <= now && !source_busy(end);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static void read_some(struct sim_end *end, uint64_t now)
{
	struct sim_sink *sink = &end->sink;
	uint64_t length = wire_unread(&end->out);

	if (sink->rate != SCENARIO_UNLIMITED || source_listens(end))
		length = least(length, sink->law->read);
	if (sink->rate != SCENARIO_UNLIMITED)
		sink->ready_at = now + (uint64_t)((unsigned __int128)length * SECOND / sink->rate);
	wire_take(&end->out, length, now);
	sink->taken += length;
	source_hear(end, length, now);
}

void sink_stop(struct sim_end *end)
{
	end->sink.over = true;
	end->sink.change_at = AGENDA_NEVER;
}

static void meet_end(struct sim_end *end, uint64_t now)
{
	sink_stop(end);
	if (wire_end_arrived(&end->out))
		source_hear_end(end, now);
}

bool sink_read(struct sim_end *end, uint64_t now)
{
	struct sim_sink *sink = &end->sink;
	bool moved = false;

	if (sink->begun_at == 0)
		return false;
	if (sink->change_at <= now)
		pass_time(sink, now);
	while (wire_unread(&end->out) > 0 && sink->ready_at <= now && may_read(end, now)) {
		read_some(end, now);
		moved = true;
	}
	if (wire_unread(&end->out) == 0 && sink_has_news(end) && sink->ready_at <= now && may_read(end, now)) {
		meet_end(end, now);
		moved = true;
	}
	return moved;
}

uint64_t sink_reads_at(const struct sim_end *end)
{
	const struct sim_sink *sink = &end->sink;

	if (sink->begun_at == 0 || sink->rate == 0 || source_busy(end))
		return sink->change_at;
	return least(sink->change_at, sink->stall_end > sink->ready_at ? sink->stall_end : sink->ready_at);
}
