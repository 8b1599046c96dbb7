/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops - a list of addresses, and a table of connections by address.
 */
#include "loops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "origin.h"

#define NOBODY SIZE_MAX
#define BELIEVED (UINT64_C(1) * 1000000000) /* ns */

int loops_init(struct loops *loops, size_t listeners, size_t addresses)
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
	loops->leads = calloc(listeners + 1, sizeof(*loops->leads));
	if (loops->listening == NULL || loops->leads == NULL)
		return -1;
	loops->listener_count = listeners;
	for (size_t i = 0; i < listeners; i++)
		atomic_init(&loops->leads[i], NOBODY);
	return 0;
}

void loops_destroy(struct loops *loops)
{
	for (size_t i = 0; loops->listening != NULL && i < LOOPS_BUCKETS; i++)
		pthread_mutex_destroy(&loops->buckets[i].lock);
	free(loops->listening);
	free(loops->leads);
	loops->listening = NULL;
	loops->leads = NULL;
}

/* ---- listening addresses ------------------------------------------------------------------------------------------- */

void loops_listen(struct loops *loops, size_t listener, const struct address *address)
{
	struct loops_listening *listening = &loops->listening[loops->listening_count++];

	*listening = (struct loops_listening){*address, listener};
	address_unmap(&listening->address);
}

/* Four system calls, where the question is new. */
static bool is_local(struct loops_memory *memory, const struct address *address, uint64_t now)
{
	if (memory == NULL)
		return origin_is_local(address);
	if (now >= memory->until || !address_same_host(&memory->address, address)) {
		memory->address = *address;
		memory->local = origin_is_local(address);
		memory->until = now + BELIEVED;
	}
	return memory->local;
}

/* Ports first: the kernel is asked only where one of weir's own is dialled. */
static bool arrives(const struct address *to, const struct address *own, struct loops_memory *memory, uint64_t now)
{
	if (address_port(own) == 0 || address_port(own) != address_port(to) || own->sa.sa_family != to->sa.sa_family)
		return false;
	return address_same_host(own, to) || (address_is_wildcard(own) && is_local(memory, to, now));
}

/* The listener that gets a connection to this address. */
static size_t who_listens(const struct loops *loops, const struct address *destination, struct loops_memory *memory,
	uint64_t now)
{
	struct address to = *destination;

	address_reached(&to);
	for (size_t i = 0; i < loops->listening_count; i++)
		if (arrives(&to, &loops->listening[i].address, memory, now))
			return loops->listening[i].listener;
	return NOBODY;
}

bool loops_lead_to(const struct loops *loops, const struct address *destination)
{
	return who_listens(loops, destination, NULL, 0) != NOBODY;
}

/* A dial that is refused leads nowhere: the listener may have another address, or its name another meaning soon. */
bool loops_lead_back(struct loops *loops, struct loops_memory *memory, size_t listener,
	const struct address *destination, uint64_t now)
{
	size_t to = who_listens(loops, destination, memory, now);
	size_t next = to;

	for (size_t steps = 0; steps < loops->listener_count && next != NOBODY && next != listener; steps++)
		next = atomic_load_explicit(&loops->leads[next], memory_order_relaxed);
	if (next == listener)
		to = NOBODY;
	if (atomic_load_explicit(&loops->leads[listener], memory_order_relaxed) != to)
		atomic_store_explicit(&loops->leads[listener], to, memory_order_relaxed);
	return next == listener;
}

/* ---- departures ---------------------------------------------------------------------------------------------------- */

/* The port is what connections of one machine differ in. */
static struct loops_bucket *bucket_of(struct loops *loops, uint16_t port)
{
	return &loops->buckets[ntohs(port) % LOOPS_BUCKETS];
}

void loops_depart(struct loops *loops, struct departure *departure, int fd, const struct address *to)
{
	socklen_t length = sizeof(departure->from);
	struct loops_bucket *bucket;

	if (departure->listed || getsockname(fd, &departure->from.sa, &length) != 0 ||
		(departure->from.sa.sa_family != AF_INET && departure->from.sa.sa_family != AF_INET6))
		return;
	address_pack(&departure->to, to);
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
		found |= address_is_packed(client, &departure->from) && address_is_packed(destination, &departure->to);
	pthread_mutex_unlock(&bucket->lock);
	return found;
}
