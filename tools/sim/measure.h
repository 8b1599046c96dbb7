/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure - what a simulation's result is made of, counted while it runs; and the rows of its trace.
 *
 * A flow counts if its source ever sends, by its law or in fact. Held bytes are looked at every scenario->sample, but their
 * maxima are exact. Fairness is told within each direction of each [traffic] section, of bytes delivered per second of a
 * session's life; the least fair of them is the world's.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

#include "world.h"

struct measure *measure_new(const struct sim_world *world) __attribute__((warn_unused_result)); /* NULL: no memory */
void measure_free(struct measure *measure);                                                     /* NULL is fine */

/* weir has read from this end, or written to it. */
void measure_read(struct sim_end *end);
void measure_write(struct sim_end *end);

void measure_held(struct sim_world *world);  /* world->held has changed */
void measure_round(struct sim_world *world); /* of a sched, has ended */

/* A session has begun, is closed (its statistics are final), or gone with all that its peers still had of it. */
void measure_opened(struct sim_session *visit);
void measure_closed(struct sim_session *visit, uint64_t now);
void measure_gone(struct sim_session *visit);

/* Looks at everything, as it is at this time; makes the rows. */
void measure_sample(struct sim_world *world, uint64_t at);

/* All sessions are gone. */
void measure_result(const struct sim_world *world, struct sim_result *result);

#endif
