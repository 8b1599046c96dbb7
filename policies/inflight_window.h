/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight_window - slow start: how much of its caps a session may use, found out by trying.
 *
 *     size  1 -> 2 -> 3 ... threshold          each success adds one
 *                           threshold -> + 1   so many successes as the window has add one
 *           halved, and the threshold with it  when nothing succeeds for a while although something is in flight
 *
 * Celeborn's SlowStartPushStrategy, number by number. There the worker tells that it is congested; nobody tells weir.
 */
#ifndef INFLIGHT_WINDOW_H
#define INFLIGHT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct window {
	uint64_t size; /* units that may be in flight */
	uint64_t threshold;
	uint64_t successes; /* towards the next step beyond the threshold */
	uint64_t since;     /* ns: the last success, or when the first came to be in flight; UINT64_MAX: nothing is */
};

void window_init(struct window *window, uint64_t threshold);

/* Something is in flight, or nothing is any more. */
void window_busy(struct window *window, bool busy, uint64_t now);

/* So many successes; the window never grows beyond `most`. */
void window_succeed(struct window *window, uint64_t successes, uint64_t most, uint64_t now);

/* When it counts as congested, unless something succeeds before; UINT64_MAX: never. */
uint64_t window_deadline(const struct window *window, uint64_t patience);

/* Halves it if that time has come; whether it did. */
bool window_judge(struct window *window, uint64_t patience, uint64_t now);

#endif
