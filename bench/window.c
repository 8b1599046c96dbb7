/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window - see window.h.
 */
#include "window.h"

#include <errno.h>
#include <string.h>

#include "clock.h"

enum { PATIENCE = 10 }; /* how many times as long as it should a window may take to see anything */

static int read_cpu(const struct cpu *cpu, uint64_t *ns, struct poller *poller)
{
	return cpu_read(cpu, ns) == 0 ? 0 : poller_fail(poller, "CPU time: %s", strerror(errno));
}

int window_begin(struct window *window, const struct cpu *cpu, double settle, struct poller *poller)
{
	*window = (struct window){.cpu = cpu};
	if (poller_run(poller, clock_now() + (uint64_t)(settle * CLOCK_SECOND)) == -1)
		return -1;
	if (read_cpu(cpu, &window->cpu_ns, poller) == -1)
		return -1;
	window->began = clock_now();
	return 0;
}

int window_run(struct window *window, double seconds, const uint64_t *count, struct poller *poller)
{
	uint64_t before = window->cpu_ns;
	uint64_t length = (uint64_t)(seconds * CLOCK_SECOND);
	uint64_t end = window->began;

	do {
		end += length;
		if (poller_run(poller, end) == -1)
			return -1;
	} while (count != NULL && *count == 0 && clock_now() < window->began + PATIENCE * length);
	if (read_cpu(window->cpu, &window->cpu_ns, poller) == -1)
		return -1;
	window->ended = clock_now();
	window->cpu_ns -= before;
	return 0;
}

double window_seconds(const struct window *window)
{
	return (double)(window->ended - window->began) / CLOCK_SECOND;
}

double window_cost(const struct window *window, double units)
{
	return units > 0 ? (double)window->cpu_ns / CLOCK_SECOND / units : 0;
}
