/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meter - one state, many pauses, all of them timed from edge to edge: what begins takes the time away, what ends adds it.
 */
#include "meter.h"

#include <string.h>

const char *const meter_state_names[METER_STATE_COUNT] = {
#define X(id, name) name,
	METER_STATES(X)
#undef X
};

void meter_init(struct meter *meter, uint64_t now, struct meter_pause *pauses, uint32_t causes)
{
	memset(meter, 0, sizeof(*meter));
	meter->spent[METER_IDLE] -= now;
	meter->pauses = pauses;
	meter->causes = (uint8_t)causes;
}

static uint32_t step_of(uint64_t at)
{
	return (uint32_t)(at >> 20);
}

static void set_pauses(struct meter *meter, uint64_t now, uint32_t paused)
{
	uint32_t changed = paused ^ meter->paused;

	for (uint32_t cause = 0; changed != 0; cause++, changed >>= 1) {
		struct meter_pause *pause = &meter->pauses[cause];

		if ((changed & 1) == 0)
			continue;
		if ((paused >> cause & 1) != 0) {
			pause->spent -= now;
			pause->count++;
			pause->since = step_of(now);
		} else {
			pause->spent += now;
		}
	}
	meter->paused = paused;
}

void meter_set(struct meter *meter, uint64_t now, enum meter_state state, uint32_t paused)
{
	if (state != meter->state) {
		meter->spent[meter->state] += now;
		meter->spent[state] -= now;
		meter->state = (uint8_t)state;
	}
	if (paused != meter->paused)
		set_pauses(meter, now, paused);
}

uint64_t meter_spent(const struct meter *meter, uint64_t now, enum meter_state state)
{
	return meter->spent[state] + (state == meter->state ? now : 0);
}

uint64_t meter_paused(const struct meter *meter, uint64_t now, uint32_t cause)
{
	return meter->pauses[cause].spent + ((meter->paused >> cause & 1) != 0 ? now : 0);
}

uint64_t meter_lasts(const struct meter *meter, uint64_t now, uint32_t cause)
{
	if ((meter->paused >> cause & 1) == 0)
		return 0;
	return (uint64_t)(step_of(now) - meter->pauses[cause].since) << 20;
}

uint64_t meter_newest(const struct meter *meter, uint64_t then)
{
	uint32_t newest = INT32_MAX;

	for (uint32_t cause = 0; cause < meter->causes; cause++) {
		uint32_t lasts = step_of(then) - meter->pauses[cause].since;

		if ((meter->paused >> cause & 1) == 0)
			continue;
		if (lasts > INT32_MAX)
			lasts = 0; /* it came since then */
		if (lasts < newest)
			newest = lasts;
	}
	return (uint64_t)newest << 20;
}
