/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path - see path.h.
 */
#include "path.h"

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "kernel.h"
#include "loopback.h"

#define PATHS_MAX 2

void path_init(struct path *path)
{
	memset(path, 0, sizeof(*path));
	pump_init(&path->producer);
	pump_init(&path->consumer);
	path->listener = -1;
}

int path_listen(struct path *path)
{
	path->listener = loopback_listen(&path->consumer_port);
	return path->listener != -1 ? 0 : -1;
}

int path_connect(struct path *path, in_port_t relay_port)
{
	path->relay_port = relay_port;
	path->producer.fd = loopback_connect(relay_port);
	if (path->producer.fd == -1)
		return -1;
	path->producer_port = loopback_port(path->producer.fd);
	path->consumer.fd = loopback_accept(path->listener);
	if (path->consumer.fd == -1)
		return -1;
	path->relay_out_port = loopback_peer_port(path->consumer.fd);
	return 0;
}

int path_start(struct path *path, uint64_t pace)
{
	path->now.at = clock_now();
	for (int i = 0; i < PATH_HISTORY; i++)
		path->before[i] = path->now;
	if (pump_start_consumer(&path->consumer, path->consumer.fd, pace) == -1)
		return -1;
	return pump_start_producer(&path->producer, path->producer.fd);
}

void path_finish(struct path *path)
{
	pump_finish(&path->producer);
	pump_finish(&path->consumer);
}

bool path_finished(const struct path *path)
{
	return pump_over(&path->producer) && pump_over(&path->consumer);
}

bool path_broken(const struct path *path)
{
	return pump_over(&path->producer) || pump_over(&path->consumer);
}

bool path_complete(const struct path *path)
{
	return path->producer.done && path->consumer.done && path->producer.error == 0 && path->consumer.error == 0 &&
		path->producer.bytes == path->consumer.bytes;
}

void path_stop(struct path *path)
{
	pump_stop(&path->producer);
	pump_stop(&path->consumer);
	if (path->listener != -1)
		close(path->listener);
	path->listener = -1;
}

static double rate(uint64_t bytes, uint64_t elapsed)
{
	return elapsed > 0 ? (double)bytes * (double)CLOCK_SECOND / (double)elapsed : 0;
}

static void look(struct path *path, const struct kernel_socket *in, const struct kernel_socket *out)
{
	struct path_sample *now = &path->now, last = path->now;
	double latest;

	memmove(path->before, path->before + 1, sizeof(path->before) - sizeof(path->before[0]));
	path->before[PATH_HISTORY - 1] = last;
	now->at = clock_now();
	now->queues[PATH_PRODUCER_SENDS] = kernel_unsent(path->producer.fd);
	now->queues[PATH_RELAY_RECEIVES] = in->unread;
	now->queues[PATH_RELAY_SENDS] = out->unsent;
	now->queues[PATH_CONSUMER_RECEIVES] = kernel_unread(path->consumer.fd);
	now->got = path->consumer.bytes; /* before sent, so that never more has arrived than was sent */
	now->sent = path->producer.bytes;
	latest = rate(now->sent - last.sent, now->at - last.at);
	if (latest > path->sent_rate_max)
		path->sent_rate_max = latest;
}

void path_look(struct path **paths, int count)
{
	struct kernel_socket sockets[2 * PATHS_MAX];

	for (int i = 0; i < count; i++) {
		sockets[2 * i].local = paths[i]->relay_port;
		sockets[2 * i].remote = paths[i]->producer_port;
		sockets[2 * i + 1].local = paths[i]->relay_out_port;
		sockets[2 * i + 1].remote = paths[i]->consumer_port;
	}
	kernel_find(sockets, 2 * count);
	for (int i = 0; i < count; i++)
		look(paths[i], &sockets[2 * i], &sockets[2 * i + 1]);
}

void path_note(struct path *path, uint64_t held, uint64_t rss)
{
	path->now.held = held;
	path->now.rss = rss;
	if (rss > path->rss_max)
		path->rss_max = rss;
}

uint64_t path_on_its_way(const struct path *path)
{
	return path->now.sent > path->now.got ? path->now.sent - path->now.got : 0;
}

double path_rate_sent(const struct path *path)
{
	return rate(path->now.sent - path->before[0].sent, path->now.at - path->before[0].at);
}

double path_rate_got(const struct path *path)
{
	return rate(path->now.got - path->before[0].got, path->now.at - path->before[0].at);
}
