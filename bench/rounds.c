/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rounds - ping-pong: every connection sends a request, waits for an answer of the same size, and sends the next one. As
 * mice, elephants trample beside them: streams that bring bulk down.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "histogram.h"
#include "load.h"
#include "stream.h"
#include "window.h"
#include "wire.h"

struct rounds {
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
	struct watch watch;
	struct rounds *rounds;
	bool greeted;
	uint64_t began;
	uint32_t awaited; /* of the answer */
	uint32_t unsent;  /* of the request */
};

static int greet(struct player *player)
{
	unsigned char header[WIRE_HEADER];

	wire_header(header, WIRE_ECHO, player->rounds->size);
	if (send(player->watch.fd, header, sizeof(header), MSG_NOSIGNAL) != WIRE_HEADER)
		return poller_fail(&player->rounds->poller, "did not connect: %s", strerror(errno));
	player->greeted = true;
	player->awaited = 1;
	return 0;
}

static int push(struct player *player)
{
	ssize_t n = wire_send(player->watch.fd, player->unsent);

	if (n > 0)
		player->unsent -= (uint32_t)n;
	else if (errno != EAGAIN)
		return poller_fail(&player->rounds->poller, "broke: %s", strerror(errno));
	return 0;
}

/* The answer is here, as one to the greeting, whose latency is 0 and not counted. */
static int next_round(struct player *player)
{
	uint64_t now = clock_now();

	if (player->began != 0)
		histogram_count(&player->rounds->latency, now - player->began);
	player->began = now;
	player->awaited = player->rounds->size;
	player->unsent = player->rounds->size;
	return push(player);
}

static int pull(struct player *player)
{
	ssize_t n = wire_discard(player->watch.fd, player->awaited);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return poller_fail(&player->rounds->poller, "broke: %s", n == 0 ? "end of file" : strerror(errno));
	player->awaited -= (uint32_t)n;
	return player->awaited == 0 ? next_round(player) : 0;
}

/* Edge-triggered: a request that did not fit wakes us again, and so does every piece of an answer, of which no more comes. */
static void on_player(struct watch *watch, uint32_t events)
{
	struct player *player = (struct player *)watch;

	if (!player->greeted) {
		(void)!greet(player);
		return;
	}
	if ((events & EPOLLOUT) != 0 && player->unsent > 0 && push(player) == -1)
		return;
	if ((events & ~EPOLLOUT) != 0)
		(void)!pull(player);
}

static int open_player(struct rounds *rounds, struct player *player, uint16_t port)
{
	*player = (struct player){.watch = {wire_connect(port, 0), on_player}, .rounds = rounds};
	if (player->watch.fd == -1)
		return poller_fail(&rounds->poller, "connect: %s", strerror(errno));
	return poller_add(&rounds->poller, &player->watch, EPOLLIN | EPOLLOUT | EPOLLET);
}

static int open_all(struct rounds *rounds, unsigned players, unsigned elephants, uint16_t port)
{
	for (; rounds->n < players; rounds->n++)
		if (open_player(rounds, &rounds->players[rounds->n], port) == -1)
			return -1;
	for (; rounds->n_elephants < elephants; rounds->n_elephants++) {
		struct stream *elephant = &rounds->elephants[rounds->n_elephants];

		*elephant = (struct stream){.poller = &rounds->poller,
			.down = true,
			.received = &rounds->elephant_bytes};
		if (stream_open(elephant, port) == -1)
			return -1;
	}
	return 0;
}

static void close_all(struct rounds *rounds)
{
	for (unsigned i = 0; i < rounds->n; i++)
		close(rounds->players[i].watch.fd);
	for (unsigned i = 0; i < rounds->n_elephants; i++)
		stream_close(&rounds->elephants[i]);
}

static int measure(struct rounds *rounds, const struct load *load)
{
	if (window_begin(&rounds->window, &load->cpu, &rounds->poller) == -1)
		return -1;
	histogram_clear(&rounds->latency);
	rounds->elephant_bytes = 0;
	if (window_run(&rounds->window, load->seconds, &rounds->poller) == -1)
		return -1;
	return rounds->latency.count > 0 ? 0 : poller_fail(&rounds->poller, "no round came back");
}

static void print(const struct rounds *rounds, const char *name)
{
	const struct histogram *latency = &rounds->latency;
	double seconds = window_seconds(&rounds->window);

	printf("{\"measure\": \"%s\", \"connections\": %u, \"size\": %u, \"rounds\": %llu, \"seconds\": %.6f, "
	       "\"rounds_s\": %.1f, \"cpu_ns\": %llu, \"cpu_us_per_round\": %.4f, \"p50_us\": %.3f, \"p99_us\": %.3f, "
	       "\"p999_us\": %.3f, \"max_us\": %.3f",
		name, rounds->n, rounds->size, (unsigned long long)latency->count, seconds,
		(double)latency->count / seconds, (unsigned long long)rounds->window.cpu_ns,
		window_cost(&rounds->window, (double)latency->count) * 1e6, (double)histogram_at(latency, 0.5) / 1e3,
		(double)histogram_at(latency, 0.99) / 1e3, (double)histogram_at(latency, 0.999) / 1e3,
		(double)latency->longest / 1e3);
	if (rounds->elephants != NULL)
		printf(", \"elephants\": %u, \"bytes\": %llu, \"gbit_s\": %.4f", rounds->n_elephants,
			(unsigned long long)rounds->elephant_bytes, (double)rounds->elephant_bytes * 8 / 1e9 / seconds);
	printf("}\n");
}

static int play(const struct load *load, const char *name, unsigned players, unsigned elephants)
{
	static struct rounds rounds;
	int result = -1;

	rounds = (struct rounds){.size = load->size};
	rounds.players = calloc(players, sizeof(struct player));
	rounds.elephants = elephants > 0 ? calloc(elephants, sizeof(struct stream)) : NULL;
	if (poller_open(&rounds.poller) == 0 && open_all(&rounds, players, elephants, load->port) == 0)
		result = measure(&rounds, load);
	if (result == 0)
		print(&rounds, name);
	else
		fprintf(stderr, "load: %s: %s\n", name, rounds.poller.error);
	close_all(&rounds);
	poller_close(&rounds.poller);
	free(rounds.elephants);
	free(rounds.players);
	return result == 0 ? 0 : 1;
}

int rounds(const struct load *load)
{
	return play(load, "rounds", load->connections, 0);
}

int mice(const struct load *load)
{
	return play(load, "mice", load->mice, load->elephants);
}
