/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - an application that reads, by its law. What it does not read fills its kernel's window.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

/* `seed` and `who` say what it draws. */
void sink_init(struct sim_sink *sink, const struct scenario_sink *law, uint64_t seed, uint64_t who);

/* The connection is there. */
void sink_begin(struct sim_end *end, uint64_t now);

/* Reads no more. */
void sink_stop(struct sim_end *end);

/* Reads what it may by now; meets the end. True if it did either. */
bool sink_read(struct sim_end *end, uint64_t now);

/* Whether there is something that it has not seen. */
static inline bool sink_has_news(const struct sim_end *end)
{
	return !end->sink.over && (wire_unread(&end->out) > 0 || wire_end_arrived(&end->out) || end->out.reset);
}

static inline bool sink_run(struct sim_end *end, uint64_t now)
{
	return (end->sink.change_at <= now || sink_has_news(end)) && sink_read(end, now);
}

/* When it has something to do although nothing comes; AGENDA_NEVER if it has not. */
uint64_t sink_reads_at(const struct sim_end *end);

static inline uint64_t sink_due(const struct sim_end *end)
{
	return sink_has_news(end) ? sink_reads_at(end) : end->sink.change_at;
}

#endif
