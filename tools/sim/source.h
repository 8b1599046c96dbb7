/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - an application that writes, by its law. What its kernel does not send yet waits for it.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

/* `seed` and `who` say what it draws. Writes nothing before source_begin(). */
void source_init(struct sim_source *source, const struct scenario_source *law, uint64_t seed, uint64_t who);
void source_destroy(struct sim_source *source);

/* What the bytes are that such a source sends. */
struct sim_pattern source_pattern(const struct scenario_source *law, uint32_t number);

/* The connection is there. */
void source_begin(struct sim_end *end, uint64_t now);

/* Writes what is due. */
void source_write(struct sim_end *end, uint64_t now);

static inline void source_run(struct sim_end *end, uint64_t now)
{
	const struct sim_source *source = &end->source;

	if (source->next_at <= now || (source->eager && end->in.edge > end->in.written))
		source_write(end, now);
}

/*
 * When it writes next, if nothing else happens. Who has more than the window lets out only adds to what waits, which can be
 * made up for when the window opens: no event for each of these writes.
 */
static inline uint64_t source_due(const struct sim_end *end)
{
	return end->in.written > end->in.edge ? AGENDA_NEVER : end->source.next_at;
}

/* Whether what it sends depends on what the sink of the same end takes. */
bool source_listens(const struct sim_end *end);

/* The sink of the same end has taken so many bytes: who listens answers. */
void source_hear(struct sim_end *end, uint64_t length, uint64_t now);

/* Who answers, and has so much to send that it reads no more. */
bool source_busy(const struct sim_end *end);

/* The sink of the same end has seen the stream's end: what lives only as long as its session ends, too. */
void source_hear_end(struct sim_end *end, uint64_t now);

/* The session is to end by itself: writes no more, but what it owes. */
void source_leave(struct sim_end *end);

/* For its own kinds: writes so many bytes, and ends behind the last it has; draws a time of this mean, or takes the mean. */
void source_put(struct sim_end *end, uint64_t length);
uint64_t source_drawn(struct sim_source *source, uint64_t mean);

/* Writes no more: its stream ends behind what was written. */
void source_end(struct sim_end *end);

/* Writes no more, and nothing follows: there was a reset. */
void source_stop(struct sim_end *end);

#endif
