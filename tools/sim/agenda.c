/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agenda - a heap in which every entry has four below it: half as deep as one of two, and four lie in a line of cache.
 */
#include "agenda.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define WIDTH 4
#define ID_BITS 24
#define ID_MASK ((UINT64_C(1) << ID_BITS) - 1)
#define ROOM_MIN 64

static bool grow(struct sim_agenda *agenda, uint32_t room)
{
	struct sim_entry *entries = realloc(agenda->entries, room * sizeof(*entries));
	uint32_t *places = realloc(agenda->places, room * sizeof(*places));
	struct sim_event **events = realloc(agenda->events, room * sizeof(*events));

	agenda->entries = entries != NULL ? entries : agenda->entries;
	agenda->places = places != NULL ? places : agenda->places;
	agenda->events = events != NULL ? events : agenda->events;
	if (entries == NULL || places == NULL || events == NULL)
		return false;
	for (uint32_t id = agenda->room; id < room; id++)
		places[id] = id + 1 < room ? id + 1 : agenda->free;
	agenda->free = agenda->room;
	agenda->room = room;
	return true;
}

int agenda_reserve(struct sim_agenda *agenda, uint32_t events)
{
	uint32_t room = agenda->room == 0 ? ROOM_MIN : agenda->room;

	if (events <= agenda->room)
		return 0;
	while (room < events)
		room *= 2;
	return room <= ID_MASK && grow(agenda, room) ? 0 : -1;
}

void agenda_destroy(struct sim_agenda *agenda)
{
	free(agenda->entries);
	free(agenda->places);
	free(agenda->events);
	*agenda = (struct sim_agenda){0};
}

void agenda_event_init(struct sim_event *event, void (*fire)(struct sim_event *event, uint64_t now))
{
	event->fire = fire;
	event->at = AGENDA_NEVER;
	event->id = 0;
}

/* ---- the heap ------------------------------------------------------------------------------------------------------ */

static bool precedes(const struct sim_entry *a, const struct sim_entry *b)
{
	return a->at < b->at || (a->at == b->at && a->key < b->key);
}

static void put(struct sim_agenda *agenda, uint32_t place, const struct sim_entry *entry)
{
	agenda->entries[place] = *entry;
	agenda->places[entry->key & ID_MASK] = place;
}

static void rise(struct sim_agenda *agenda, uint32_t place, const struct sim_entry *entry)
{
	while (place > 0 && precedes(entry, &agenda->entries[(place - 1) / WIDTH])) {
		put(agenda, place, &agenda->entries[(place - 1) / WIDTH]);
		place = (place - 1) / WIDTH;
	}
	put(agenda, place, entry);
}

/* The earliest of those below a place, or the count if there are none. */
static uint32_t first_below(const struct sim_agenda *agenda, uint32_t place)
{
	uint32_t first = WIDTH * place + 1;
	uint32_t end = first + WIDTH < agenda->count ? first + WIDTH : agenda->count;

	if (first >= end)
		return agenda->count;
	for (uint32_t other = first + 1; other < end; other++)
		if (precedes(&agenda->entries[other], &agenda->entries[first]))
			first = other;
	return first;
}

static void sink(struct sim_agenda *agenda, uint32_t place, const struct sim_entry *entry)
{
	uint32_t below;

	while ((below = first_below(agenda, place)) < agenda->count && precedes(&agenda->entries[below], entry)) {
		put(agenda, place, &agenda->entries[below]);
		place = below;
	}
	put(agenda, place, entry);
}

/* Puts an entry where another was. */
static void replace(struct sim_agenda *agenda, uint32_t place, const struct sim_entry *entry)
{
	if (place > 0 && precedes(entry, &agenda->entries[(place - 1) / WIDTH]))
		rise(agenda, place, entry);
	else
		sink(agenda, place, entry);
}

/* ---- events -------------------------------------------------------------------------------------------------------- */

static void enter(struct sim_agenda *agenda, struct sim_event *event)
{
	assert(agenda->count < agenda->room);
	event->id = agenda->free;
	agenda->free = agenda->places[event->id];
	agenda->events[event->id] = event;
	agenda->places[event->id] = agenda->count++;
}

static void take_out(struct sim_agenda *agenda, struct sim_event *event)
{
	uint32_t place = agenda->places[event->id];
	struct sim_entry last = agenda->entries[--agenda->count];

	if (place != agenda->count)
		replace(agenda, place, &last);
	agenda->places[event->id] = agenda->free;
	agenda->free = event->id;
	event->at = AGENDA_NEVER;
}

void agenda_set(struct sim_agenda *agenda, struct sim_event *event, uint64_t at)
{
	struct sim_entry entry;

	if (at == event->at)
		return;
	if (at == AGENDA_NEVER) {
		take_out(agenda, event);
		return;
	}
	if (event->at == AGENDA_NEVER)
		enter(agenda, event);
	event->at = at;
	entry.at = at;
	entry.key = agenda->sequence++ << ID_BITS | event->id;
	replace(agenda, agenda->places[event->id], &entry);
}

uint64_t agenda_next(const struct sim_agenda *agenda)
{
	return agenda->count == 0 ? AGENDA_NEVER : agenda->entries[0].at;
}

void agenda_run(struct sim_agenda *agenda, uint64_t now)
{
	while (agenda_next(agenda) <= now) {
		struct sim_event *event = agenda->events[agenda->entries[0].key & ID_MASK];

		take_out(agenda, event);
		event->fire(event, now);
	}
}
