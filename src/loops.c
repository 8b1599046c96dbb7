/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops - a list of addresses, and a table of connections by address.
 */
#include "loops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "origin.h"

int loops_init(struct loops *loops, size_t addresses)
{
	memset(loops, 0, sizeof(*loops));
	for (size_t i = 0; i < LOOPS_BUCKETS; i++) {
		int error = pthread_mutex_init(&loops->buckets[i].lock, NULL);

		if (error != 0) {
			errno = error;
			return -1;
		}
		LIST_INIT(&loops->buckets[i].departures);
	}
	loops->listening = calloc(addresses + 1, sizeof(*loops->listening));
	return loops->listening != NULL ? 0 : -1;
}

void loops_destroy(struct loops *loops)
{
	for (size_t i = 0; loops->listening != NULL && i < LOOPS_BUCKETS; i++)
		pthread_mutex_destroy(&loops->buckets[i].lock);
	free(loops->listening);
	loops->listening = NULL;
}

/* ---- listening addresses ------------------------------------------------------------------------------------------- */

void loops_listen(struct loops *loops, const struct address *address)
{
	loops->listening[loops->listening_count++] = *address;
}

bool loops_lead_to(const struct loops *loops, const struct address *destination)
{
	for (size_t i = 0; i < loops->listening_count; i++) {
		const struct address *own = &loops->listening[i];

		if (address_port(own) == 0 || address_port(own) != address_port(destination) ||
			own->sa.sa_family != destination->sa.sa_family)
			continue;
		if (address_same_host(own, destination))
			return true;
		if (address_is_wildcard(own) && origin_is_local(destination))
			return true;
	}
	return false;
}

/* ---- departures ---------------------------------------------------------------------------------------------------- */

/* The port is what connections of one machine differ in. */
static struct loops_bucket *bucket_of(struct loops *loops, uint16_t port)
{
	return &loops->buckets[ntohs(port) % LOOPS_BUCKETS];
}

static bool is_end(const union loops_end *end, const struct address *address)
{
	if (end->sa.sa_family != address->sa.sa_family)
		return false;
	if (address->sa.sa_family == AF_INET)
		return end->in.sin_port == address->in.sin_port &&
			end->in.sin_addr.s_addr == address->in.sin_addr.s_addr;
	return address->sa.sa_family == AF_INET6 && end->in6.sin6_port == address->in6.sin6_port &&
		IN6_ARE_ADDR_EQUAL(&end->in6.sin6_addr, &address->in6.sin6_addr);
}

void loops_depart(struct loops *loops, struct departure *departure, int fd, const struct address *to)
{
	socklen_t length = sizeof(departure->from);
	struct loops_bucket *bucket;

	if (departure->listed || getsockname(fd, &departure->from.sa, &length) != 0 ||
		(departure->from.sa.sa_family != AF_INET && departure->from.sa.sa_family != AF_INET6))
		return;
	memcpy(&departure->to, &to->storage, sizeof(departure->to));
	bucket = bucket_of(loops, departure->from.in.sin_port);
	pthread_mutex_lock(&bucket->lock);
	LIST_INSERT_HEAD(&bucket->departures, departure, link);
	departure->listed = true;
	pthread_mutex_unlock(&bucket->lock);
}

void loops_forget(struct loops *loops, struct departure *departure)
{
	struct loops_bucket *bucket;

	if (!departure->listed)
		return;
	bucket = bucket_of(loops, departure->from.in.sin_port);
	pthread_mutex_lock(&bucket->lock);
	LIST_REMOVE(departure, link);
	departure->listed = false;
	pthread_mutex_unlock(&bucket->lock);
}

bool loops_return(struct loops *loops, const struct address *client, const struct address *destination)
{
	struct loops_bucket *bucket = bucket_of(loops, client->in.sin_port);
	const struct departure *departure;
	bool found = false;

	pthread_mutex_lock(&bucket->lock);
	LIST_FOREACH (departure, &bucket->departures, link)
		found |= is_end(&departure->from, client) && is_end(&departure->to, destination);
	pthread_mutex_unlock(&bucket->lock);
	return found;
}
