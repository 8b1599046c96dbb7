/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bulk - as much as goes, over some connections at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "load.h"
#include "stream.h"
#include "window.h"

#define GIB 1073741824.0

struct bulk {
	struct poller poller;
	struct window window;
	unsigned n;
	struct stream *streams;
	uint64_t sent;
	uint64_t received;
};

static int measure(struct bulk *bulk, const struct load *load)
{
	for (; bulk->n < load->connections; bulk->n++) {
		bulk->streams[bulk->n] = (struct stream){.poller = &bulk->poller,
			.up = load->up,
			.down = load->down,
			.sent = &bulk->sent,
			.received = &bulk->received};
		if (stream_open(&bulk->streams[bulk->n], load->port) == -1)
			return -1;
	}
	if (window_begin(&bulk->window, &load->cpu, &bulk->poller) == -1)
		return -1;
	bulk->sent = 0;
	bulk->received = 0;
	return window_run(&bulk->window, load->seconds, &bulk->poller);
}

static void print(const struct bulk *bulk, const struct load *load)
{
	double bytes = (double)(bulk->sent + bulk->received);
	double seconds = window_seconds(&bulk->window);

	printf("{\"measure\": \"bulk\", \"connections\": %u, \"seconds\": %.6f, \"bytes\": %.0f, \"cpu_ns\": %llu, "
	       "\"gbit_s\": %.4f, \"cpu_s_per_gib\": %.6f}\n",
		load->connections, seconds, bytes, (unsigned long long)bulk->window.cpu_ns, bytes * 8 / 1e9 / seconds,
		window_cost(&bulk->window, bytes / GIB));
}

int bulk(const struct load *load)
{
	struct bulk bulk = {.streams = calloc(load->connections, sizeof(struct stream))};
	int result = -1;

	if (bulk.streams != NULL && poller_open(&bulk.poller) == 0)
		result = measure(&bulk, load);
	if (result == 0)
		print(&bulk, load);
	else
		fprintf(stderr, "load: bulk: %s\n", bulk.streams == NULL ? "no memory" : bulk.poller.error);
	while (bulk.n > 0)
		stream_close(&bulk.streams[--bulk.n]);
	poller_close(&bulk.poller);
	free(bulk.streams);
	return result == 0 ? 0 : 1;
}
