/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialog - applications that ask, and such that answer: lines of equal length, answers in the order of the requests.
 *
 * Of the other's lines it knows the length by his law, so it counts them by bytes; that they are the right ones is looked
 * at where they are written.
 */
#ifndef DIALOG_H
#define DIALOG_H

#include <stdint.h>

#include "world.h"

/* Lines of the other end that the sink of this one has taken to the end. */
uint64_t dialog_heard(const struct sim_end *end);

/* SOURCE_REQUESTS: sends the one that is due, unless too many are unanswered. */
void dialog_ask(struct sim_end *end);
void dialog_hear_answers(struct sim_end *end, uint64_t now);

/* SOURCE_ANSWERS: sends those that are due, and begins others in their place. */
void dialog_answer(struct sim_end *end);
void dialog_hear_requests(struct sim_end *end, uint64_t now);

/* The end of the requests has come: ends behind the last answer. */
void dialog_last(struct sim_end *end, uint64_t now);

#endif
