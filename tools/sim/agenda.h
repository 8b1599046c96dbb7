/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agenda - what will happen in a simulated world, and when: a heap of events by time, and by order of entry at one time.
 */
#ifndef AGENDA_H
#define AGENDA_H

#include <stddef.h>
#include <stdint.h>

#define AGENDA_NEVER UINT64_MAX

/* Something that happens once. Embedded in its owner. */
struct sim_event {
	void (*fire)(struct sim_event *event, uint64_t now);
	uint64_t at; /* ns; AGENDA_NEVER while it is not entered */
	uint32_t id; /* while it is entered */
};

/*
 * An entry is a time and, in one word, the order of entry and the event's id. Where an id's entry is, and whose id it is,
 * lies apart: whoever moves entries about does not touch the events, which are far from each other.
 */
struct sim_entry {
	uint64_t at;
	uint64_t key;
};

struct sim_agenda {
	struct sim_entry *entries;
	uint32_t *places;          /* by id; of one that is not in use, the next such */
	struct sim_event **events; /* by id */
	uint32_t count;
	uint32_t room;
	uint32_t free; /* the first id that is not in use */
	uint64_t sequence;
};

/* Room for so many events; entering never fails then. 0, or -1 with errno. */
int agenda_reserve(struct sim_agenda *agenda, uint32_t events) __attribute__((warn_unused_result));
void agenda_destroy(struct sim_agenda *agenda);

void agenda_event_init(struct sim_event *event, void (*fire)(struct sim_event *event, uint64_t now));

/* At this time, behind all that is entered for it; AGENDA_NEVER takes it out. One that is entered for it stays where it is. */
void agenda_set(struct sim_agenda *agenda, struct sim_event *event, uint64_t at);

/* When the next one is due; AGENDA_NEVER if there is none. */
uint64_t agenda_next(const struct sim_agenda *agenda);

/* Lets everything happen that is due. */
void agenda_run(struct sim_agenda *agenda, uint64_t now);

#endif
