/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage - how much of each pool is out. Pools that one declaration made for many listeners, clients, sessions or flows are
 * told as one, by the fullest. Those of an instance or a listener, and memory, are looked at after every round, so that
 * their maximum is exact; the others with every sample.
 */
#ifndef USAGE_H
#define USAGE_H

#include "world.h"

struct usage;

struct usage *usage_new(const struct sim_world *world) __attribute__((warn_unused_result)); /* NULL: no memory */
void usage_free(struct usage *usage);                                                       /* NULL is fine */

void usage_round(struct usage *usage, const struct sim_world *world);
void usage_sample(struct usage *usage, const struct sim_world *world);

/* A session has its pools, and will have them no more. 0, or -1 when memory is short. */
int usage_opened(struct usage *usage, const struct sim_session *visit) __attribute__((warn_unused_result));
void usage_closed(struct usage *usage, const struct sim_session *visit);

void usage_result(const struct usage *usage, struct sim_result *result);

#endif
