/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflight_window - see inflight_window.h.
 */
#include "inflight_window.h"

#define NOTHING UINT64_MAX

void window_init(struct window *window, uint64_t threshold)
{
	window->size = 1;
	window->threshold = threshold;
	window->successes = 0;
	window->since = NOTHING;
}

void window_busy(struct window *window, bool busy, uint64_t now)
{
	if (!busy)
		window->since = NOTHING;
	else if (window->since == NOTHING)
		window->since = now;
}

static void grow(struct window *window)
{
	if (window->size >= window->threshold && ++window->successes < window->size)
		return;
	window->size++;
	window->successes = 0;
}

void window_succeed(struct window *window, uint64_t successes, uint64_t most, uint64_t now)
{
	window->since = now;
	for (; successes > 0 && window->size < most; successes--)
		grow(window);
}

/* A window of one that grows step by step has nothing left to halve. */
uint64_t window_deadline(const struct window *window, uint64_t patience)
{
	if (window->since == NOTHING || (window->size == 1 && window->threshold == 1))
		return UINT64_MAX;
	return window->since + patience;
}

bool window_judge(struct window *window, uint64_t patience, uint64_t now)
{
	if (now < window_deadline(window, patience))
		return false;
	if (window->size > 1)
		window->size /= 2;
	window->threshold = window->size;
	window->successes = 0;
	window->since = now;
	return true;
}
