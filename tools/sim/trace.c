/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the rows of a simulation as CSV.
 */
#include "trace.h"

#include <inttypes.h>

void trace_header(FILE *out)
{
	fputs("time_s,flow,held_bytes,read_bytes,written_bytes,taken_bytes,unread_bytes,queued_bytes,state,paused\n",
		out);
}

/* Of all together, there is no state, and paused is how many flows are. */
void trace_row(FILE *out, const struct sim_row *row)
{
	fprintf(out,
		"%" PRIu64 ".%06" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		",%" PRIu64 ",%s,%" PRIu32 "\n",
		row->at / 1000000000, row->at % 1000000000 / 1000, row->flow, row->held, row->read, row->written,
		row->taken, row->unread, row->queued, row->flow != 0 ? meter_state_names[row->state] : "all",
		row->flow != 0 ? row->paused : row->state);
}
