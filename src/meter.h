/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meter - where a flow's time goes. A plain answer to "who is slow?".
 *
 * A flow is in one state at any time, and the states' times add up to its age. Pauses are timed apart, each under the
 * name of what caused it; several may run at once, and they overlap the states: a flow whose policy paused it because
 * the sink takes nothing is blocked, and paused.
 */
#ifndef METER_H
#define METER_H

#include <stdint.h>

/* state, name */
#define METER_STATES(X)                                                                                                \
	X(IDLE, "idle")       /* waits for the source: nothing to do */                                                \
	X(MOVING, "moving")   /* has work, and waits for its next turn only */                                         \
	X(BLOCKED, "blocked") /* the sink does not take what is held */                                                \
	X(HELD, "held")       /* a policy or the memory limit holds it back, though the sink would take */

enum meter_state {
#define X(id, name) METER_##id,
	METER_STATES(X)
#undef X
		METER_STATE_COUNT
};

extern const char *const meter_state_names[METER_STATE_COUNT];

struct meter_pause {
	uint64_t spent; /* ns; less the time at which it began, while it lasts */
	uint32_t count;
	uint32_t
		since; /* when the last one began: in steps of 2^20 ns, of which only the last 52 days can be told apart */
};

struct meter {
	struct meter_pause *pauses;        /* of each cause; memory is the session's */
	uint64_t spent[METER_STATE_COUNT]; /* ns; in the state it is in, less the time at which that began */
	uint32_t paused;                   /* a bit for each cause that pauses the flow now */
	uint8_t state;                     /* enum meter_state */
	uint8_t causes;                    /* how many causes there are */
};

void meter_init(struct meter *meter, uint64_t now, struct meter_pause *pauses, uint32_t causes);

/* From now on the flow is in this state, paused by these causes. */
void meter_set(struct meter *meter, uint64_t now, enum meter_state state, uint32_t paused);

/* Time spent in a state, or paused by a cause, up to now, open intervals included; ns. */
uint64_t meter_spent(const struct meter *meter, uint64_t now, enum meter_state state);
uint64_t meter_paused(const struct meter *meter, uint64_t now, uint32_t cause);

/* For how long a cause has paused it without a break, to some ms; 0: it does not, or has only just begun. ns. */
uint64_t meter_lasts(const struct meter *meter, uint64_t now, uint32_t cause);

/* For how long the cause that came last of those that pause it now had done so at that time; 0: it came later. ns. */
uint64_t meter_newest(const struct meter *meter, uint64_t then);

#endif
