/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialog - see dialog.h.
 */
#include "dialog.h"

#include "source.h"

uint64_t dialog_heard(const struct sim_end *end)
{
	const struct sim_session *visit = end->session;
	const struct sim_end *other = end == &visit->client ? &visit->server : &visit->client;

	return end->sink.taken / other->source.law->write;
}

/* ---- who asks ------------------------------------------------------------------------------------------------------ */

static bool may_ask(const struct sim_end *end)
{
	const struct scenario_source *law = end->source.law;

	return end->in.written / law->write - dialog_heard(end) < law->pipeline;
}

void dialog_ask(struct sim_end *end)
{
	struct sim_source *source = &end->source;

	source->waits = !may_ask(end);
	if (source->waits) {
		source->next_at = AGENDA_NEVER;
		return;
	}
	if (source->law->period > 0)
		source->next_at += source_drawn(source, source->law->period);
	source_put(end, source->law->write);
}

void dialog_hear_answers(struct sim_end *end, uint64_t now)
{
	if (end->source.waits && may_ask(end))
		end->source.next_at = now;
}

/* ---- who answers --------------------------------------------------------------------------------------------------- */

/* At a time: as many as can be. Nobody's answer overtakes another's, so who is through waits for those before him. */
static void begin(struct sim_end *end, uint64_t at)
{
	struct sim_source *source = &end->source;
	uint64_t asked = dialog_heard(end);

	while (source->begun < asked && source->begun - source->answered < source->law->concurrency) {
		uint64_t through = at + (source->law->service > 0 ? source_drawn(source, source->law->service) : 0);
		struct sim_parcel parcel = {through, ++source->begun, 0};

		if (through < source->through_at)
			parcel.at = source->through_at;
		source->through_at = parcel.at;
		if (ring_push(&source->service, &parcel) != 0)
			end->in.failed = true;
	}
	source->next_at = ring_due(&source->service);
}

static void end_if_last(struct sim_end *end)
{
	if (end->source.last && end->source.answered == dialog_heard(end))
		source_end(end);
}

void dialog_answer(struct sim_end *end)
{
	struct sim_source *source = &end->source;
	const struct sim_parcel through = *ring_first(&source->service);
	uint64_t count = through.position - source->answered;

	ring_pop(&source->service);
	source->answered = through.position;
	source_put(end, count * source->law->write);
	if (source->over)
		return;
	begin(end, through.at);
	end_if_last(end);
}

void dialog_hear_requests(struct sim_end *end, uint64_t now)
{
	source_write(end, now);
	if (!end->source.over)
		begin(end, now);
}

void dialog_last(struct sim_end *end, uint64_t now)
{
	source_write(end, now);
	end->source.last = true;
	if (!end->source.over)
		end_if_last(end);
}
