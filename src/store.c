/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store - a queue of segments.
 */
#include "store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct segment {
	struct segment *next;
	uint64_t born;     /* when its first byte was read */
	uint32_t capacity; /* of bytes */
	uint32_t begin;    /* begin <= end <= capacity; held bytes lie between */
	uint32_t end;
	uint32_t pages;
	unsigned char bytes[];
};

#define SMALL_CAPACITY (STORE_PAGE - sizeof(struct segment))
#define LARGE_CAPACITY ((size_t)STORE_SEGMENT_PAGES * STORE_PAGE - sizeof(struct segment))

void store_depots_init(struct store_depots *depots)
{
	depot_init(&depots->small, STORE_PAGE);
	depot_init(&depots->large, (size_t)STORE_SEGMENT_PAGES * STORE_PAGE);
	depots->lengths = false;
}

void store_depots_init_lengths(struct store_depots *depots)
{
	store_depots_init(depots);
	depots->lengths = true;
}

void store_depots_destroy(struct store_depots *depots)
{
	depot_destroy(&depots->small);
	depot_destroy(&depots->large);
}

void store_init(struct store *store, struct store_depots *depots)
{
	store->depots = depots;
	store->head = NULL;
	store->tail = NULL;
	store->pipe = NULL;
	store->held = 0;
	store->pages = 0;
}

static struct depot *depot_of(const struct store *store, uint32_t pages)
{
	return pages == 1 ? &store->depots->small : &store->depots->large;
}

static struct segment *take_segment(const struct store *store, uint32_t pages)
{
	return store->depots->lengths ? malloc(sizeof(struct segment)) : depot_take(depot_of(store, pages));
}

static void put_segment(const struct store *store, struct segment *segment)
{
	if (store->depots->lengths)
		free(segment);
	else
		depot_put(depot_of(store, segment->pages), segment);
}

static void drop_head(struct store *store)
{
	struct segment *segment = store->head;

	store->head = segment->next;
	if (store->head == NULL)
		store->tail = NULL;
	store->pages -= segment->pages;
	store->held -= segment->end - segment->begin;
	put_segment(store, segment);
}

void store_clear(struct store *store)
{
	while (store->head != NULL)
		drop_head(store);
	assert(store->held == 0 && store->pages == 0);
}

static size_t tail_room(const struct store *store)
{
	return store->tail == NULL ? 0 : store->tail->capacity - store->tail->end;
}

static struct segment *segment_new(const struct store *store, size_t length, uint64_t now)
{
	uint32_t pages = length <= SMALL_CAPACITY ? 1 : STORE_SEGMENT_PAGES;
	size_t size = (size_t)pages * STORE_PAGE;
	struct segment *segment = take_segment(store, pages);

	if (segment == NULL)
		return NULL;
	segment->next = NULL;
	segment->born = now;
	segment->capacity = (uint32_t)(size - sizeof(*segment));
	segment->begin = 0;
	segment->end = 0;
	segment->pages = pages;
	return segment;
}

/* A chain of segments for so many bytes, or NULL. */
static struct segment *chain_new(const struct store *store, size_t length, uint64_t now)
{
	struct segment *first = NULL;
	struct segment **next = &first;

	while (length > 0) {
		struct segment *segment = segment_new(store, length, now);

		if (segment == NULL) {
			while (first != NULL) {
				segment = first->next;
				put_segment(store, first);
				first = segment;
			}
			return NULL;
		}
		*next = segment;
		next = &segment->next;
		length -= length < segment->capacity ? length : segment->capacity;
	}
	return first;
}

static size_t segment_fill(const struct store *store, struct segment *segment, const unsigned char *bytes,
	size_t length)
{
	size_t room = segment->capacity - segment->end;
	size_t take = length < room ? length : room;

	if (!store->depots->lengths)
		memcpy(segment->bytes + segment->end, bytes, take);
	segment->end += (uint32_t)take;
	return take;
}

int store_append(struct store *store, const void *bytes, size_t length, uint64_t now)
{
	const unsigned char *from = bytes;
	size_t room = tail_room(store);
	struct segment *chain = NULL;
	size_t taken;

	if (length > room) {
		chain = chain_new(store, length - room, now);
		if (chain == NULL)
			return -1;
	}
	store->held += length;
	if (room > 0) {
		taken = segment_fill(store, store->tail, from, length);
		from = store->depots->lengths ? NULL : from + taken;
		length -= taken;
	}
	for (; chain != NULL; chain = chain->next) {
		taken = segment_fill(store, chain, from, length);
		from = store->depots->lengths ? NULL : from + taken;
		length -= taken;
		store->pages += chain->pages;
		if (store->tail == NULL)
			store->head = chain;
		else
			store->tail->next = chain;
		store->tail = chain;
	}
	return 0;
}

void store_set_pipe(struct store *store, struct pipe *pipe)
{
	assert(store->pipe == NULL && store->head == NULL);
	store->pipe = pipe;
	store->pages += pipe->capacity / STORE_PAGE;
}

struct pipe *store_take_pipe(struct store *store)
{
	struct pipe *pipe = store->pipe;

	if (pipe == NULL)
		return NULL;
	store->pipe = NULL;
	store->pages -= pipe->capacity / STORE_PAGE;
	store->held -= pipe->held;
	return pipe;
}

void store_filled(struct store *store, uint64_t length, uint64_t now)
{
	pipe_filled(store->pipe, length, now);
	store->held += length;
}

uint64_t store_piped(const struct store *store)
{
	return store->pipe == NULL ? 0 : store->pipe->held;
}

/* What of a segment lies so far behind its begin. */
static void *bytes_at(const struct store *store, const struct segment *segment, uint64_t offset)
{
	return store->depots->lengths ? NULL : (void *)(segment->bytes + segment->begin + offset);
}

int store_peek(const struct store *store, struct iovec *iov, int count, uint64_t limit)
{
	const struct segment *segment = store->head;
	int pieces = 0;

	assert(store_piped(store) == 0);
	while (segment != NULL && pieces < count && limit > 0) {
		uint64_t length = segment->end - segment->begin;

		if (length > limit)
			length = limit;
		iov[pieces].iov_base = bytes_at(store, segment, 0);
		iov[pieces].iov_len = (size_t)length;
		pieces++;
		limit -= length;
		segment = segment->next;
	}
	return pieces;
}

struct iovec store_at(const struct store *store, uint64_t offset)
{
	const struct segment *segment = store->head;
	struct iovec iov = {NULL, 0};

	while (segment != NULL && offset >= segment->end - segment->begin) {
		offset -= segment->end - segment->begin;
		segment = segment->next;
	}
	if (segment != NULL) {
		iov.iov_base = bytes_at(store, segment, offset);
		iov.iov_len = segment->end - segment->begin - offset;
	}
	return iov;
}

void store_consume(struct store *store, uint64_t length)
{
	uint64_t piped = store_piped(store);

	assert(length <= store->held);
	if (piped > 0) {
		uint64_t from_pipe = length < piped ? length : piped;

		pipe_drained(store->pipe, from_pipe);
		store->held -= from_pipe;
		length -= from_pipe;
	}
	while (length > 0) {
		struct segment *segment = store->head;
		uint32_t here = segment->end - segment->begin;

		if (length < here) {
			segment->begin += (uint32_t)length;
			store->held -= length;
			return;
		}
		length -= here;
		drop_head(store);
	}
}

uint32_t store_pages_for(const struct store *store, uint64_t length)
{
	uint64_t room = tail_room(store);
	uint64_t rest;

	if (length <= room)
		return 0;
	length -= room;
	rest = length % LARGE_CAPACITY;
	return (uint32_t)(length / LARGE_CAPACITY) * STORE_SEGMENT_PAGES +
		(rest == 0                               ? 0
				: rest <= SMALL_CAPACITY ? 1
							 : STORE_SEGMENT_PAGES);
}

uint64_t store_fits(const struct store *store, uint32_t pages)
{
	return tail_room(store) + (uint64_t)(pages / STORE_SEGMENT_PAGES) * LARGE_CAPACITY +
		(pages % STORE_SEGMENT_PAGES > 0 ? SMALL_CAPACITY : 0);
}

uint64_t store_oldest(const struct store *store)
{
	if (store_piped(store) > 0)
		return store->pipe->born;
	return store->head == NULL ? 0 : store->head->born;
}
