/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path - a producer, something that relays, a consumer; and where the bytes between them are.
 */
#ifndef DEMO_PATH_H
#define DEMO_PATH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pump.h"

enum path_queue {
	PATH_PRODUCER_SENDS,
	PATH_RELAY_RECEIVES,
	PATH_RELAY_SENDS,
	PATH_CONSUMER_RECEIVES,
	PATH_QUEUE_COUNT,
};

/* Bytes at one moment, from many places one after another: the parts are not one snapshot. */
struct path_sample {
	uint64_t at;
	uint64_t sent;
	uint64_t got;
	uint64_t queues[PATH_QUEUE_COUNT];
	uint64_t held; /* by the relay, as the relay says */
	uint64_t rss;  /* of the relay */
};

#define PATH_HISTORY 4

struct path {
	struct pump producer;
	struct pump consumer;
	int listener; /* the consumer's */
	in_port_t consumer_port;
	in_port_t relay_port;
	in_port_t relay_out_port;
	in_port_t producer_port;
	struct path_sample now;
	struct path_sample before[PATH_HISTORY]; /* the last ones, oldest first */
	double sent_rate_max;                    /* bytes a second, from one look to the next */
	uint64_t rss_max;
};

void path_init(struct path *path);

/* In this order: the consumer listens; the producer connects through the relay; both start. -1 with errno. */
int path_listen(struct path *path) __attribute__((warn_unused_result));
int path_connect(struct path *path, in_port_t relay_port) __attribute__((warn_unused_result));
int path_start(struct path *path, uint64_t pace) __attribute__((warn_unused_result));

/* The producer ends its stream, and all of it is taken to the consumer at full speed. */
void path_finish(struct path *path);
bool path_finished(const struct path *path);

/* Broken: something ended it that we did not. Complete: it is finished, and every byte has arrived as it was sent. */
bool path_broken(const struct path *path);
bool path_complete(const struct path *path);

void path_stop(struct path *path);

/* Looks at everything of `count` paths, but for held and rss, which stay. */
void path_look(struct path **paths, int count);

/* The relay's own figures, to follow path_look. */
void path_note(struct path *path, uint64_t held, uint64_t rss);

/* On its way: sent and not yet got. */
uint64_t path_on_its_way(const struct path *path);

/* Bytes a second over the last second or so. */
double path_rate_sent(const struct path *path);
double path_rate_got(const struct path *path);

#endif
