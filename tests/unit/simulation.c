/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulation - see simulation.h.
 */
#include "simulation.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"

#define ROWS_MIN 512

struct sim_result result;
struct sim_row *rows;
size_t row_count;
char *faults;

static size_t row_room;

static void add_row(void *argument, const struct sim_row *row)
{
	(void)argument;
	if (row_count == row_room) {
		struct sim_row *grown = realloc(rows, 2 * (row_room + ROWS_MIN) * sizeof(*rows));

		ck_assert_ptr_nonnull(grown);
		rows = grown;
		row_room = 2 * (row_room + ROWS_MIN);
	}
	rows[row_count++] = *row;
}

void simulate_forget(void)
{
	rows = NULL;
	row_count = 0;
	row_room = 0;
}

int simulate_status(const char *text)
{
	size_t size;
	FILE *errors;
	struct scenario *scenario;
	struct sim_options options = {.row = add_row, .check = true};
	int status;

	free(faults);
	faults = NULL;
	row_count = 0;
	errors = open_memstream(&faults, &size);
	options.faults = errors;
	directory_write("scenario.ini", text, strlen(text));
	scenario = scenario_load("scenario.ini", "modules", NULL, 0, errors);
	fflush(errors);
	ck_assert_msg(scenario != NULL, "%s", faults);
	status = sim_run(scenario, &options, &result);
	scenario_free(scenario);
	fclose(errors);
	return status;
}

void simulate(const char *text)
{
	int status = simulate_status(text);

	ck_assert_msg(status == 0, "status %d: %s", status, faults);
}

const struct sim_row *row_at(uint64_t flow, uint64_t at)
{
	const struct sim_row *found = NULL;

	for (size_t i = 0; i < row_count; i++)
		if (rows[i].flow == flow && rows[i].at <= at)
			found = &rows[i];
	ck_assert_msg(found != NULL, "no row of flow %llu", (unsigned long long)flow);
	return found;
}

void about(const char *what, uint64_t seen, uint64_t expected, unsigned percent)
{
	uint64_t slack = expected / 100 * percent;

	ck_assert_msg(seen + slack >= expected && seen <= expected + slack, "%s is %llu; expected %llu, %u %% about",
		what, (unsigned long long)seen, (unsigned long long)expected, percent);
}
