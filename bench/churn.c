/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * churn - connections that live for one exchange: connect, request, answer, FIN, the FIN from the other side, close; the
 * next one takes the place. Latency is all of that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "histogram.h"
#include "json.h"
#include "load.h"
#include "window.h"
#include "wire.h"

/* All of them leave a port in TIME_WAIT, here and in the proxy. */
#define CONNECTIONS_MAX 20000
/* 127.0.0.1 to here, when the ports of one run out. */
#define SOURCES 16

struct churn {
	struct poller poller;
	struct window window;
	struct histogram latency;
	uint16_t port;
	uint8_t source;
	unsigned opened;
	unsigned char *request;
	uint32_t size;
	unsigned n;
	struct place *places;
};

struct place {
	struct watch watch;
	struct churn *churn;
	uint64_t began;
	uint32_t unsent;
	uint32_t awaited;
};

static int open_next(struct place *place);

static int broke(struct place *place, const char *when, ssize_t n)
{
	return poller_fail(&place->churn->poller, "broke while %s: %s", when, n == 0 ? "end of file" : strerror(errno));
}

static int ask(struct place *place)
{
	struct churn *churn = place->churn;
	ssize_t n = send(place->watch.fd, churn->request + churn->size - place->unsent, place->unsent, MSG_NOSIGNAL);

	if (n == -1)
		return errno == EAGAIN ? 0 : broke(place, "asking", n);
	place->unsent -= (uint32_t)n;
	return 0;
}

/* Our FIN goes out as soon as we have what we wanted. */
static int hear(struct place *place)
{
	ssize_t n = wire_discard(place->watch.fd, place->awaited);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return broke(place, "hearing", n);
	place->awaited -= (uint32_t)n;
	if (place->awaited == 0)
		shutdown(place->watch.fd, SHUT_WR);
	return 0;
}

static int part(struct place *place)
{
	ssize_t n = wire_discard(place->watch.fd, 1);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n != 0) {
		errno = n > 0 ? EPROTO : errno;
		return broke(place, "parting", -1);
	}
	close(place->watch.fd);
	place->watch.fd = -1;
	histogram_count(&place->churn->latency, clock_now() - place->began);
	return open_next(place);
}

static void on_place(struct watch *watch, uint32_t events)
{
	struct place *place = (struct place *)watch;

	if (place->unsent > 0 && (events & EPOLLOUT) != 0 && ask(place) == -1)
		return;
	if ((events & ~EPOLLOUT) == 0)
		return;
	if (place->awaited > 0)
		(void)!hear(place);
	else
		(void)!part(place);
}

static int connect_somehow(struct churn *churn)
{
	int fd = wire_connect(churn->port, churn->source);

	while (fd == -1 && errno == EADDRNOTAVAIL && churn->source < SOURCES) {
		churn->source = churn->source == 0 ? 2 : churn->source + 1;
		fd = wire_connect(churn->port, churn->source);
	}
	return fd;
}

static int open_next(struct place *place)
{
	struct churn *churn = place->churn;

	if (churn->opened == CONNECTIONS_MAX) {
		poller_stop(&churn->poller);
		return 0;
	}
	churn->opened++;
	place->began = clock_now();
	place->unsent = churn->size;
	place->awaited = churn->size;
	place->watch.fd = connect_somehow(churn);
	if (place->watch.fd == -1)
		return poller_fail(&churn->poller, "connect: %s", strerror(errno));
	return poller_add(&churn->poller, &place->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static int measure(struct churn *churn, const struct load *load)
{
	while (churn->n < load->at_once) {
		struct place *place = &churn->places[churn->n++];

		*place = (struct place){.watch = {-1, on_place}, .churn = churn};
		if (open_next(place) == -1)
			return -1;
	}
	if (window_begin(&churn->window, &load->cpu, load->settle, &churn->poller) == -1)
		return -1;
	histogram_clear(&churn->latency);
	if (window_run(&churn->window, load->seconds, &churn->latency.count, &churn->poller) == -1)
		return -1;
	return churn->latency.count > 0 ? 0 : poller_fail(&churn->poller, "no connection was served");
}

static void print(const struct churn *churn)
{
	const struct histogram *latency = &churn->latency;
	double seconds = window_seconds(&churn->window);

	json_begin("churn");
	json_count("at_once", churn->n);
	json_count("size", churn->size);
	json_count("connections", latency->count);
	json_number("seconds", seconds);
	json_number("connections_s", (double)latency->count / seconds);
	json_count("cpu_ns", churn->window.cpu_ns);
	json_number("cpu_us_per_connection", window_cost(&churn->window, (double)latency->count) * 1e6);
	json_number("p50_us", (double)histogram_at(latency, 0.5) / 1e3);
	json_number("p99_us", (double)histogram_at(latency, 0.99) / 1e3);
	json_end();
}

static void close_all(struct churn *churn)
{
	for (unsigned i = 0; i < churn->n; i++)
		if (churn->places[i].watch.fd != -1)
			close(churn->places[i].watch.fd);
}

int churn(const struct load *load)
{
	static struct churn churn;
	int result = -1;

	churn.port = load->port;
	churn.size = load->size < WIRE_HEADER ? WIRE_HEADER : load->size;
	churn.places = calloc(load->at_once, sizeof(struct place));
	churn.request = calloc(1, churn.size);
	if (churn.places == NULL || churn.request == NULL) {
		poller_fail(&churn.poller, "no memory");
	} else if (poller_open(&churn.poller) == 0) {
		wire_header(churn.request, WIRE_EXCHANGE, churn.size);
		result = measure(&churn, load);
	}
	if (result == 0)
		print(&churn);
	else
		fprintf(stderr, "load: churn: %s\n", churn.poller.error);
	close_all(&churn);
	poller_close(&churn.poller);
	free(churn.request);
	free(churn.places);
	return result == 0 ? 0 : 1;
}
