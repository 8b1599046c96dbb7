/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bulk - as much as goes, over some connections at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "json.h"
#include "load.h"
#include "stream.h"
#include "tally.h"
#include "window.h"
#include "wire.h"

#define GIB 1073741824.0

struct bulk {
	struct poller poller;
	struct window window;
	struct tally before;
	struct tally tally;
	unsigned n;
	struct stream *streams;
	uint64_t received;
};

static int open_streams(struct bulk *bulk, const struct load *load)
{
	while (bulk->n < load->connections) {
		struct stream *stream = &bulk->streams[bulk->n++];

		*stream = (struct stream){
			.poller = &bulk->poller,
			.up = load->up,
			.down = load->down,
			.left = UINT64_MAX,
			.queue = wire_queue(load->connections),
			.received = &bulk->received,
		};
		if (stream_open(stream, load->port) == -1)
			return -1;
	}
	return 0;
}

/* The two tallies frame a window of their own, a little later than ours: rates are the same. */
static int measure(struct bulk *bulk, const struct load *load)
{
	if (load->up && tally_open(&bulk->tally, &bulk->poller, load->port) == -1)
		return -1;
	if (open_streams(bulk, load) == -1 ||
		window_begin(&bulk->window, &load->cpu, load->settle, &bulk->poller) == -1)
		return -1;
	bulk->received = 0;
	if (load->up && tally_take(&bulk->tally) == -1)
		return -1;
	bulk->before = bulk->tally;
	if (window_run(&bulk->window, load->seconds, load->up ? NULL : &bulk->received, &bulk->poller) == -1)
		return -1;
	return load->up ? tally_take(&bulk->tally) : 0;
}

static double bytes_up(const struct bulk *bulk)
{
	double seconds = (double)(bulk->tally.at - bulk->before.at) / CLOCK_SECOND;

	if (seconds == 0)
		return 0;
	return (double)(bulk->tally.bytes - bulk->before.bytes) / seconds * window_seconds(&bulk->window);
}

static void print(const struct bulk *bulk)
{
	double bytes = bytes_up(bulk) + (double)bulk->received;
	double seconds = window_seconds(&bulk->window);

	json_begin("bulk");
	json_count("connections", bulk->n);
	json_number("seconds", seconds);
	json_count("bytes", (uint64_t)bytes);
	json_count("cpu_ns", bulk->window.cpu_ns);
	json_number("gbit_s", bytes * 8 / 1e9 / seconds);
	json_number("cpu_s_per_gib", window_cost(&bulk->window, bytes / GIB));
	json_end();
}

int bulk(const struct load *load)
{
	struct bulk bulk = {.streams = calloc(load->connections, sizeof(struct stream))};
	int result = -1;

	if (bulk.streams == NULL)
		poller_fail(&bulk.poller, "no memory");
	else if (poller_open(&bulk.poller) == 0)
		result = measure(&bulk, load);
	if (result == 0)
		print(&bulk);
	else
		fprintf(stderr, "load: bulk: %s\n", bulk.poller.error);
	streams_close(bulk.streams, bulk.n);
	tally_close(&bulk.tally);
	poller_close(&bulk.poller);
	free(bulk.streams);
	return result == 0 ? 0 : 1;
}
