/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary - what came of a scenario, told to people: aligned, in units, the same text for the same result.
 */
#include "summary.h"

#include <inttypes.h>
#include <string.h>

#include "summary_units.h"

#define LABEL "%-12s"
#define UNITS SUMMARY_UNITS_MAX

/* ---- one result ---------------------------------------------------------------------------------------------------- */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_bytes(FILE *out, const struct sim_result *result)
{
	char sent[UNITS], read[UNITS], written[UNITS], taken[UNITS], rate[UNITS];

	fprintf(out, LABEL "sent %-9s read %-9s written %-9s taken %s\n", "bytes", summary_bytes(sent, result->sent),
		summary_bytes(read, result->read), summary_bytes(written, result->written),
		summary_bytes(taken, result->taken));
	fprintf(out, LABEL "%s\n", "throughput", summary_rate(rate, result->throughput));
}

typedef const char *teller(char buffer[UNITS], uint64_t number);

static void print_spread(FILE *out, const char *label, const struct sim_spread *spread, teller *tell, const char *of)
{
	char p50[UNITS], p99[UNITS], max[UNITS];

	fprintf(out, LABEL "p50 %-10s p99 %-10s max %-10s %s\n", label, tell(p50, spread->p50), tell(p99, spread->p99),
		tell(max, spread->max), of);
}

static uint64_t all_time(const struct sim_result *result)
{
	uint64_t total = 0;

	for (size_t i = 0; i < METER_STATE_COUNT; i++)
		total += result->spent[i];
	return total;
}

static void print_time(FILE *out, const struct sim_result *result)
{
	char percent[UNITS];

	fprintf(out, LABEL, "time");
	for (size_t i = 0; i < METER_STATE_COUNT; i++)
		fprintf(out, "%s%s %s", i > 0 ? "   " : "", meter_state_names[i],
			summary_percent(percent, result->spent[i], all_time(result)));
	fprintf(out, "\n");
}

static void print_causes(FILE *out, const struct sim_result *result)
{
	uint64_t whole = all_time(result);
	char percent[UNITS];

	if (result->cause_count > 0)
		fprintf(out, "\n%-24s %10s %10s\n", "paused by", "pauses", "of time");
	for (size_t i = 0; i < result->cause_count; i++)
		fprintf(out, "%-24s %10" PRIu64 " %10s\n", result->causes[i].name, result->causes[i].pauses,
			summary_percent(percent, result->causes[i].paused, whole));
}

static void print_pools(FILE *out, const struct sim_result *result)
{
	if (result->pool_count > 0)
		fprintf(out, "\n%-24s %12s %12s %12s %10s\n", "pool", "units", "used, mean", "max", "shortages");
	for (size_t i = 0; i < result->pool_count; i++) {
		const struct sim_pool *pool = &result->pools[i];
		char name[sizeof(pool->policy) + sizeof(pool->name)];

		snprintf(name, sizeof(name), "%s%s%s", pool->policy, pool->policy[0] != '\0' ? "." : "", pool->name);
		fprintf(out, "%-24s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %10" PRIu64 "\n", name, pool->size,
			pool->used_mean, pool->used_max, pool->shortages);
	}
}

static void print_counters(FILE *out, const struct sim_result *result)
{
	if (result->counter_count > 0)
		fprintf(out, "\n%-24s %12s\n", "counter", "count");
	for (size_t i = 0; i < result->counter_count; i++) {
		const struct sim_counter *counter = &result->counters[i];
		char name[sizeof(counter->policy) + sizeof(counter->name)];

		snprintf(name, sizeof(name), "%s.%s", counter->policy, counter->name);
		fprintf(out, "%-24s %12" PRIu64 "\n", name, counter->count);
	}
}

void summary_print(FILE *out, const struct scenario *scenario, const struct sim_result *result)
{
	char text[UNITS];

	fprintf(out,
		LABEL "%s, seed %" PRIu64 ": %" PRIu64 " session%s (%" PRIu64 " ended), %" PRIu64 " flow%s, %" PRIu64
		      " turn%s\n",
		"simulated", summary_time(text, result->duration), scenario->seed, result->sessions,
		plural(result->sessions), result->ended, result->flows, plural(result->flows), result->turns,
		plural(result->turns));
	print_bytes(out, result);
	print_spread(out, "held", &result->held, summary_bytes, "by a flow");
	print_spread(out, "", &result->held_all, summary_bytes, "by all together");
	print_spread(out, "sojourn", &result->sojourn, summary_time, "of a byte");
	fprintf(out, LABEL "%" PRIu64 ", %s flips/s of a flow\n", "pauses", result->pauses,
		summary_thousandths(text, result->flips));
	fprintf(out, LABEL "%s (Jain's index)\n", "fairness", summary_thousandths(text, result->jain / 1000));
	print_time(out, result);
	print_causes(out, result);
	print_pools(out, result);
	print_counters(out, result);
}

/* ---- a sweep ------------------------------------------------------------------------------------------------------- */

static void print_row(FILE *out, int width, const struct summary_row *row)
{
	const struct sim_result *result = &row->result;
	char text[9][UNITS];

	fprintf(out, "%*s %10s %8s %8s %8s %8s %8s %8" PRIu64 " %9s %6s\n", width, row->value,
		summary_rate(text[0], result->throughput), summary_bytes(text[1], result->held.p50),
		summary_bytes(text[2], result->held.p99), summary_bytes(text[3], result->held.max),
		summary_time(text[4], result->sojourn.p50), summary_time(text[5], result->sojourn.p99), result->pauses,
		summary_thousandths(text[6], result->flips), summary_thousandths(text[7], result->jain / 1000));
}

void summary_table(FILE *out, const char *key, const struct summary_row *rows, size_t count)
{
	size_t width = strlen(key);

	for (size_t i = 0; i < count; i++)
		if (strlen(rows[i].value) > width)
			width = strlen(rows[i].value);
	fprintf(out, "%*s %10s %8s %8s %8s %8s %8s %8s %9s %6s\n", (int)width, "", "", "held", "", "", "sojourn", "",
		"", "", "");
	fprintf(out, "%*s %10s %8s %8s %8s %8s %8s %8s %9s %6s\n", (int)width, key, "throughput", "p50", "p99", "max",
		"p50", "p99", "pauses", "flips/s", "jain");
	for (size_t i = 0; i < count; i++)
		print_row(out, (int)width, &rows[i]);
}
