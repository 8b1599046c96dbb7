/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_sample - what a flow's policies need to know that only the kernel knows: bytes unread, acknowledged, the round trip.
 *
 * Each costs a system call, and nobody is told when it changes. So it is asked for when it could make a difference: often while a
 * policy keeps the flow waiting or others wait for what it leases, rarely while all goes freely, and ever more rarely
 * while nothing changes.
 */
#ifndef FLOW_SAMPLE_H
#define FLOW_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"

/* Bytes that a flow of this stack needs for its samples; 0: its policies need none. */
size_t flow_sample_room(const struct stack *stack);

/* Takes samples, if they are due, or if anyway; flow->acked is up to date then. Before the policies are asked. */
void flow_sample(struct flow *flow, bool anyway, uint64_t now);

/* Whether the flow has come to a limit that older samples than need be have drawn: the next turn takes new ones. */
bool flow_sample_late(struct flow *flow, uint64_t now);

/* When they are due without an event; WEIR_NEVER: nothing can have changed. */
uint64_t flow_sample_at(const struct flow *flow);

#endif
