/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rounds - ping-pong: every connection sends a request, waits for an answer of the same size, and sends the next one. As
 * mice, elephants trample beside them: streams that bring bulk down.
 */
#include <stdio.h>
#include <stdlib.h>

#include "caller.h"
#include "clock.h"
#include "histogram.h"
#include "json.h"
#include "load.h"
#include "stream.h"
#include "window.h"

struct rounds {
	const char *name;
	struct poller poller;
	struct window window;
	uint32_t size;
	struct histogram latency;
	unsigned n;
	struct player *players;
	unsigned n_elephants;
	struct stream *elephants;
	uint64_t elephant_bytes;
};

struct player {
	struct caller caller;
	struct rounds *rounds;
	uint64_t began; /* 0 while the greeting is not answered, which is no round */
};

static void next_round(struct caller *caller)
{
	struct player *player = (struct player *)caller;
	uint64_t now = clock_now();

	if (player->began != 0)
		histogram_count(&player->rounds->latency, now - player->began);
	player->began = now;
	caller_ask(caller);
}

static int open_player(struct rounds *rounds, struct player *player, uint16_t port)
{
	*player = (struct player){
		.rounds = rounds,
		.caller =
			{
				.poller = &rounds->poller,
				.answered = next_round,
				.kind = WIRE_ECHO,
				.size = rounds->size,
			},
	};
	return caller_open(&player->caller, port);
}

static int open_all(struct rounds *rounds, unsigned players, unsigned elephants, uint16_t port)
{
	while (rounds->n < players)
		if (open_player(rounds, &rounds->players[rounds->n++], port) == -1)
			return -1;
	while (rounds->n_elephants < elephants) {
		struct stream *elephant = &rounds->elephants[rounds->n_elephants++];

		*elephant = (struct stream){
			.poller = &rounds->poller,
			.down = true,
			.left = UINT64_MAX,
			.received = &rounds->elephant_bytes,
		};
		if (stream_open(elephant, port) == -1)
			return -1;
	}
	return 0;
}

static void close_all(struct rounds *rounds)
{
	for (unsigned i = 0; i < rounds->n; i++)
		caller_close(&rounds->players[i].caller);
	streams_close(rounds->elephants, rounds->n_elephants);
}

static int measure(struct rounds *rounds, const struct load *load)
{
	if (window_begin(&rounds->window, &load->cpu, load->settle, &rounds->poller) == -1)
		return -1;
	histogram_clear(&rounds->latency);
	rounds->elephant_bytes = 0;
	if (window_run(&rounds->window, load->seconds, &rounds->latency.count, &rounds->poller) == -1)
		return -1;
	return rounds->latency.count > 0 ? 0 : poller_fail(&rounds->poller, "no round came back");
}

static void print(const struct rounds *rounds)
{
	const struct histogram *latency = &rounds->latency;
	double seconds = window_seconds(&rounds->window);

	json_begin(rounds->name);
	json_count("connections", rounds->n);
	json_count("size", rounds->size);
	json_count("rounds", latency->count);
	json_number("seconds", seconds);
	json_number("rounds_s", (double)latency->count / seconds);
	json_count("cpu_ns", rounds->window.cpu_ns);
	json_number("cpu_us_per_round", window_cost(&rounds->window, (double)latency->count) * 1e6);
	json_number("p50_us", (double)histogram_at(latency, 0.5) / 1e3);
	json_number("p99_us", (double)histogram_at(latency, 0.99) / 1e3);
	json_number("p999_us", (double)histogram_at(latency, 0.999) / 1e3);
	json_number("max_us", (double)latency->longest / 1e3);
	json_count("elephants", rounds->n_elephants);
	json_count("bytes", rounds->elephant_bytes);
	json_number("gbit_s", (double)rounds->elephant_bytes * 8 / 1e9 / seconds);
	json_end();
}

static int play(struct rounds *rounds, const struct load *load, unsigned players, unsigned elephants)
{
	int result = -1;

	rounds->size = load->size;
	rounds->players = calloc(players, sizeof(struct player));
	rounds->elephants = calloc(elephants > 0 ? elephants : 1, sizeof(struct stream));
	if (rounds->players == NULL || rounds->elephants == NULL)
		poller_fail(&rounds->poller, "no memory");
	else if (poller_open(&rounds->poller) == 0 && open_all(rounds, players, elephants, load->port) == 0)
		result = measure(rounds, load);
	if (result == 0)
		print(rounds);
	else
		fprintf(stderr, "load: %s: %s\n", rounds->name, rounds->poller.error);
	close_all(rounds);
	poller_close(&rounds->poller);
	free(rounds->elephants);
	free(rounds->players);
	return result == 0 ? 0 : 1;
}

int rounds(const struct load *load)
{
	static struct rounds rounds = {.name = "rounds"};

	return play(&rounds, load, load->connections, 0);
}

int mice(const struct load *load)
{
	static struct rounds mice = {.name = "mice"};

	return play(&mice, load, load->mice, load->elephants);
}
