/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot_script - what gnuplot is told to draw.
 *
 * Two panels over one axis of time. Above: what traced flows hold, what all hold together when that is more than one, and
 * the marks. Below: the rates of all together, over a hundredth of the time each. Flows that never held anything are left out;
 * when nobody ever does, the panel above shows what each flow has read so far: a limit on reading is a slope.
 */
#include "plot_script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define SECOND UINT64_C(1000000000)
#define RATES 100
#define LINES_MAX 8 /* flows, and marks, that a picture can show before it shows nothing */

struct marks {
	struct mark {
		const char *policy;
		const char *key;
		uint64_t bytes;
	} all[LINES_MAX];
	size_t count;
};

struct picture {
	FILE *out;
	const struct sim_row *rows;
	size_t count;
	bool held;                 /* else it is what was read */
	uint64_t flows[LINES_MAX]; /* that have something to show at some time */
	size_t flow_count;
	uint64_t most; /* of these flows */
	uint64_t rate_max;
	struct marks marks;
};

/* ---- marks --------------------------------------------------------------------------------------------------------- */

static void add_mark(struct marks *marks, const struct policy *policy, const char *key)
{
	const struct weir_policy *api = &policy->module->api;
	const struct weir_option *row = option_find(api->options, api->option_stride, key);
	struct mark mark = {.policy = policy->name, .key = key};

	if (row == NULL || row->type != WEIR_OPTION_SIZE || marks->count == LINES_MAX)
		return;
	memcpy(&mark.bytes, (const char *)policy->options + row->offset, sizeof(mark.bytes));
	for (size_t i = 0; i < marks->count; i++)
		if (strcmp(marks->all[i].policy, policy->name) == 0 && strcmp(marks->all[i].key, key) == 0)
			return;
	if (mark.bytes < UINT64_MAX - 16) /* else it is a word */
		marks->all[marks->count++] = mark;
}

static void find_marks(struct marks *marks, const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->traffic_count; i++) {
		const struct config_listener *listener = scenario->traffics[i]->listener;

		for (size_t j = 0; j < listener->policy_count; j++) {
			add_mark(marks, listener->policies[j], "high");
			add_mark(marks, listener->policies[j], "low");
		}
	}
}

/* ---- what there is to see ------------------------------------------------------------------------------------------ */

static bool shows(const struct picture *picture, uint64_t flow)
{
	for (size_t i = 0; i < picture->flow_count; i++)
		if (picture->flows[i] == flow)
			return true;
	return false;
}

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* What the panel above shows of a row. */
static uint64_t value_of(const struct picture *picture, const struct sim_row *row)
{
	return picture->held ? row->held : row->read;
}

static void find_flows(struct picture *picture)
{
	for (size_t i = 0; i < picture->count; i++)
		picture->held |= picture->rows[i].held > 0;
	for (size_t i = 0; i < picture->count; i++) {
		const struct sim_row *row = &picture->rows[i];
		uint64_t value = value_of(picture, row);

		if (row->flow == 0 || value == 0)
			continue;
		if (!shows(picture, row->flow) && picture->flow_count < LINES_MAX)
			picture->flows[picture->flow_count++] = row->flow;
		if (shows(picture, row->flow) && value > picture->most)
			picture->most = value;
	}
	qsort(picture->flows, picture->flow_count, sizeof(picture->flows[0]), compare);
	for (size_t i = 0; picture->held && i < picture->marks.count; i++)
		if (picture->marks.all[i].bytes > picture->most)
			picture->most = picture->marks.all[i].bytes;
}

/* Does anybody hold bytes who is not shown alone? */
static bool shows_all(const struct picture *picture)
{
	uint64_t all = 0, one = 0;

	for (size_t i = 0; picture->held && i < picture->count; i++) {
		const struct sim_row *row = &picture->rows[i];

		if (row->flow == 0 && row->held > all)
			all = row->held;
		else if (row->flow != 0 && row->held > one)
			one = row->held;
	}
	return all > one;
}

/* ---- data ---------------------------------------------------------------------------------------------------------- */

static void put_time(FILE *out, uint64_t at)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64, at / SECOND, at % SECOND);
}

static void put_flow(const struct picture *picture, uint64_t flow)
{
	fprintf(picture->out, "$flow%" PRIu64 " << END\n", flow);
	if (!picture->held)
		fprintf(picture->out, "0 0\n"); /* a burst at the begin is seen, too */
	for (size_t i = 0; i < picture->count; i++) {
		const struct sim_row *row = &picture->rows[i];

		if (row->flow != flow)
			continue;
		put_time(picture->out, row->at);
		fprintf(picture->out, " %" PRIu64 "\n", value_of(picture, row));
	}
	fprintf(picture->out, "END\n");
}

/* Bytes per second. */
static uint64_t rate(struct picture *picture, uint64_t from, uint64_t to, uint64_t time)
{
	uint64_t bytes = (uint64_t)((unsigned __int128)(to - from) * SECOND / time);

	if (bytes > picture->rate_max)
		picture->rate_max = bytes;
	return bytes;
}

static void put_rates(struct picture *picture)
{
	uint64_t least = picture->count > 0 ? picture->rows[picture->count - 1].at / RATES : 0;
	const struct sim_row begin = {0}, *before = &begin; /* the first row has what moves at the begin */
	bool any = false;

	fprintf(picture->out, "$rates << END\n");
	for (size_t i = 0; i < picture->count; i++) {
		const struct sim_row *row = &picture->rows[i];

		uint64_t time = row->at - before->at;

		if (row->flow != 0 || time == 0 || time < least)
			continue;
		put_time(picture->out, before->at / 2 + row->at / 2);
		fprintf(picture->out, " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			rate(picture, before->read, row->read, time),
			rate(picture, before->written, row->written, time),
			rate(picture, before->taken, row->taken, time));
		before = row;
		any = true;
	}
	/* Without a single line there would be nothing that gnuplot could draw. */
	if (!any)
		fprintf(picture->out, "0 0 0 0\n");
	fprintf(picture->out, "END\n");
}

/* ---- panels -------------------------------------------------------------------------------------------------------- */

static const struct scale {
	const char *name;
	uint64_t factor;
} scales[] = {{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};

/* The unit in which so many bytes are a few. */
static const struct scale *scale_of(uint64_t bytes)
{
	const struct scale *scale = scales;

	while (scale->factor > 1 && bytes < 2 * scale->factor)
		scale++;
	return scale;
}

static const char *first_or(bool *first)
{
	const char *joint = *first ? "plot " : ", ";

	*first = false;
	return joint;
}

/* Named at the line's end, and not in the key, which is full of flows; inside of the panel, where another axis is outside. */
static void put_marks(const struct picture *picture, const struct scale *scale, bool inside)
{
	const char *place = inside ? "graph 0.01" : "graph 1.01";
	FILE *out = picture->out;

	for (size_t i = 0; picture->held && i < picture->marks.count; i++) {
		const struct mark *mark = &picture->marks.all[i];

		fprintf(out,
			"set arrow from graph 0, first %" PRIu64 "/%" PRIu64 ". to graph 1, first %" PRIu64 "/%" PRIu64
			". nohead lc rgb '#888888'\n",
			mark->bytes, scale->factor, mark->bytes, scale->factor);
		fprintf(out, "set label '%s %s' at %s, first %" PRIu64 "/%" PRIu64 ".%s front\n", mark->policy,
			mark->key, place, mark->bytes, scale->factor, inside ? " offset 0,0.5" : "");
	}
}

static void put_upper_panel(const struct picture *picture)
{
	const struct scale *scale = scale_of(picture->most);
	bool first = true, all = shows_all(picture);
	FILE *out = picture->out;

	fprintf(out, "set ylabel '%s (%sB)'\nset xlabel ''\n", picture->held ? "held" : "read", scale->name);
	if (all)
		fprintf(out, "set ytics nomirror\nset y2tics\nset y2range [0:*]\nset y2label 'all together (%sB)'\n",
			scale->name);
	fprintf(out, "set yrange [0:%" PRIu64 "/%" PRIu64 ".]\n", picture->most / 10 * 11 + 1, scale->factor);
	put_marks(picture, scale, all);
	for (size_t i = 0; i < picture->flow_count; i++)
		fprintf(out, "%s$flow%" PRIu64 " using 1:($2/%" PRIu64 ".) title 'flow %" PRIu64 "' with lines lt %zu",
			first_or(&first), picture->flows[i], scale->factor, picture->flows[i], i + 1);
	if (all)
		fprintf(out,
			"%s$flow0 using 1:($2/%" PRIu64 ".) axes x1y2 title 'all together' with lines lc rgb '#999999'",
			first_or(&first), scale->factor);
	if (first)
		fprintf(out, "plot $flow0 using 1:2 title 'all together' with lines lc rgb '#999999'");
	fprintf(out, "\nunset y2tics\nunset y2label\nset ytics mirror\nunset arrow\nunset label\n");
}

static void put_lower_panel(const struct picture *picture)
{
	const struct scale *scale = scale_of(picture->rate_max);
	FILE *out = picture->out;

	fprintf(out, "set yrange [0:%" PRIu64 "/%" PRIu64 ".]\n", picture->rate_max / 10 * 11 + 1, scale->factor);
	fprintf(out, "set ylabel '%sB per second'\nset xlabel 'seconds'\n", scale->name);
	fprintf(out,
		"plot $rates using 1:($2/%" PRIu64 ".) title 'read' with lines lt 1, "
		"$rates using 1:($3/%" PRIu64 ".) title 'written' with lines lt 2, "
		"$rates using 1:($4/%" PRIu64 ".) title 'taken' with lines lt 3\n",
		scale->factor, scale->factor, scale->factor);
}

static void put_settings(const struct picture *picture, bool letters)
{
	uint64_t end = picture->count > 0 ? picture->rows[picture->count - 1].at : 0;
	FILE *out = picture->out;

	if (letters)
		fprintf(out, "set terminal dumb size 78,44 mono noenhanced\nset key above\n");
	else
		fprintf(out,
			"set terminal svg size 900,720 noenhanced font 'sans-serif,13' background 'white'\n"
			"set key above\nset grid\n");
	fprintf(out, "set xrange [0:");
	put_time(out, end > 0 ? end : 1);
	fprintf(out, "]\nset lmargin 12\nset rmargin %d\n", letters ? 14 : 16);
}

void plot_script(FILE *out, const struct scenario *scenario, const struct sim_row *rows, size_t count, bool letters)
{
	struct picture picture = {.out = out, .rows = rows, .count = count};

	find_marks(&picture.marks, scenario);
	find_flows(&picture);
	put_flow(&picture, 0);
	for (size_t i = 0; i < picture.flow_count; i++)
		put_flow(&picture, picture.flows[i]);
	put_rates(&picture);
	put_settings(&picture, letters);
	fprintf(out, "set multiplot layout 2,1\n");
	put_upper_panel(&picture);
	put_lower_panel(&picture);
	fprintf(out, "unset multiplot\n");
}
