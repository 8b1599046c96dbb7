/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agenda - a binary heap. Every event knows its place in it, so that it can be moved.
 */
#include "agenda.h"

#include <stdbool.h>
#include <stdlib.h>

int agenda_reserve(struct sim_agenda *agenda, uint32_t events)
{
	struct sim_entry *entries;
	uint32_t room = agenda->room == 0 ? 64 : agenda->room;

	if (events <= agenda->room)
		return 0;
	while (room < events)
		room *= 2;
	entries = realloc(agenda->entries, room * sizeof(*entries));
	if (entries == NULL)
		return -1;
	agenda->entries = entries;
	agenda->room = room;
	return 0;
}

void agenda_destroy(struct sim_agenda *agenda)
{
	free(agenda->entries);
	*agenda = (struct sim_agenda){0};
}

void agenda_event_init(struct sim_event *event, void (*fire)(struct sim_event *event, uint64_t now))
{
	event->fire = fire;
	event->at = AGENDA_NEVER;
	event->slot = 0;
}

static bool precedes(const struct sim_entry *a, const struct sim_entry *b)
{
	return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

static void put(struct sim_agenda *agenda, uint32_t slot, const struct sim_entry *entry)
{
	agenda->entries[slot] = *entry;
	entry->event->slot = slot;
}

static void rise(struct sim_agenda *agenda, uint32_t slot, const struct sim_entry *entry)
{
	while (slot > 0 && precedes(entry, &agenda->entries[(slot - 1) / 2])) {
		put(agenda, slot, &agenda->entries[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	put(agenda, slot, entry);
}

static void sink(struct sim_agenda *agenda, uint32_t slot, const struct sim_entry *entry)
{
	for (;;) {
		uint32_t child = 2 * slot + 1;

		if (child >= agenda->count)
			break;
		if (child + 1 < agenda->count && precedes(&agenda->entries[child + 1], &agenda->entries[child]))
			child++;
		if (!precedes(&agenda->entries[child], entry))
			break;
		put(agenda, slot, &agenda->entries[child]);
		slot = child;
	}
	put(agenda, slot, entry);
}

/* Puts an entry where another was. */
static void place(struct sim_agenda *agenda, uint32_t slot, const struct sim_entry *entry)
{
	if (slot > 0 && precedes(entry, &agenda->entries[(slot - 1) / 2]))
		rise(agenda, slot, entry);
	else
		sink(agenda, slot, entry);
}

static void take_out(struct sim_agenda *agenda, struct sim_event *event)
{
	struct sim_entry last = agenda->entries[--agenda->count];

	event->at = AGENDA_NEVER;
	if (last.event != event)
		place(agenda, event->slot, &last);
}

void agenda_set(struct sim_agenda *agenda, struct sim_event *event, uint64_t at)
{
	struct sim_entry entry = {at, agenda->sequence, event};
	bool entered = event->at != AGENDA_NEVER;

	if (at == event->at)
		return;
	if (at == AGENDA_NEVER) {
		take_out(agenda, event);
		return;
	}
	agenda->sequence++;
	event->at = at;
	if (entered)
		place(agenda, event->slot, &entry);
	else
		rise(agenda, agenda->count++, &entry);
}

uint64_t agenda_next(const struct sim_agenda *agenda)
{
	return agenda->count == 0 ? AGENDA_NEVER : agenda->entries[0].at;
}

void agenda_run(struct sim_agenda *agenda, uint64_t now)
{
	while (agenda_next(agenda) <= now) {
		struct sim_event *event = agenda->entries[0].event;

		take_out(agenda, event);
		event->fire(event, now);
	}
}
