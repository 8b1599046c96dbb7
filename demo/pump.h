/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump - the two programs that know nothing of backpressure, a thread each: a producer that writes as fast as its socket
 * takes it, and a consumer that reads at a steady pace and compares every byte with what must have been sent.
 */
#ifndef DEMO_PUMP_H
#define DEMO_PUMP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum pump_phase {
	PUMP_FLOOD,   /* the producer writes, the consumer keeps its pace */
	PUMP_FINISH,  /* the producer ends its stream, the consumer takes the rest as fast as it can */
	PUMP_ABANDON, /* both stop at once */
};

struct pump {
	int fd;        /* -1: none; the pump's from start to join */
	uint64_t pace; /* bytes a second, for the consumer */
	pthread_t thread;
	bool started;
	_Atomic uint64_t bytes;
	_Atomic int phase;
	_Atomic bool done; /* saw the end of the other side's stream, after its own */
	_Atomic int error; /* what its socket said instead, or EBADMSG: a byte that was never sent */
};

void pump_init(struct pump *pump);
int pump_start_producer(struct pump *pump, int fd) __attribute__((warn_unused_result));
int pump_start_consumer(struct pump *pump, int fd, uint64_t pace) __attribute__((warn_unused_result));

void pump_finish(struct pump *pump);

/* Ends the thread, whatever it does, and closes its socket. May be called twice. */
void pump_stop(struct pump *pump);

static inline bool pump_over(const struct pump *pump)
{
	return pump->done || pump->error != 0;
}

#endif
