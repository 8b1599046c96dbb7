/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - what must hold in a simulated world, looked at after every step.
 *
 * What is promised is worked out here once more, from what the options say and from what the ends have seen, and not
 * taken from those who are to keep it. Each promise has a name; one that is broken is told as
 *
 *     fault NAME: seed 7, 1.250000000 s, session 3 up: what was seen, what was promised
 *
 *     counts      what was read and not written is held; both are what the ends say
 *     end         an end follows the last byte, and only if the source ended
 *     reset       whoever is cut off sees a reset, and no clean end
 *     meter       the times of a flow's states add up to its age; no pause is longer than that
 *     held        no flow, and no group of flows, holds more than its watermark or its demand lets it
 *     chunks      no more of them are under way than were asked for
 *     rate        no more passes a bucket than burst + rate x time
 *     flips       a watermark pauses at most once for each high - low bytes; a pause ends below low
 *     low         so it is for a group: who waits is served when it holds less than low
 *     surplus     nobody leases of a group what he cannot use, nor for requests that nobody will answer
 *     credit      a flow holds no more than its segments, and has no more of them than its backlog asks for
 *     share       who has one of the segments free that he owns is not paused for want of others
 *     fair        a flow takes no more than alpha times what is free then
 *     inflight    no more bytes are unacknowledged, and no more requests unanswered, than the caps let
 *     floor       as long as a flow lives, it has what it owns of each pool
 *     pages       who holds bytes has paid for the pages
 *     pool        leased, granted and free units are as many as there are
 *     queue       who came first is served first
 *     wake-up     the head of a queue is served as soon as there is enough for it
 *     edge        what happened at an end is known to weir
 *     asleep      who could move is waiting for something that will come
 *     liveness    nobody stands still for long while its sink takes and its source has something
 *     spinning    no turns for nothing
 *     promise     no policy had to be asked again for want of a promise
 *     stuck       when nothing happens any more, all sessions have ended
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>

struct check;
struct sim_world;

/* The world is made, but nothing has happened yet; it must outlive the check. NULL: no memory. */
struct check *check_new(const struct sim_world *world, FILE *faults) __attribute__((warn_unused_result));
void check_free(struct check *check); /* NULL is fine */

void check_step(struct check *check); /* after every round of a sched */
void check_end(struct check *check);  /* after the last one: nothing more will happen */

/* Whether a promise was broken. */
bool check_failed(const struct check *check);

#endif
