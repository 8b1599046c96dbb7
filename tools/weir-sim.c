/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir-sim - the command line of the simulator: scenarios in, summaries, traces and plots out.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "plot.h"
#include "scenario.h"
#include "scenario_table.h"
#include "sim.h"
#include "summary.h"
#include "sweep.h"
#include "text.h"
#include "trace.h"

#define EXIT_USAGE 2

struct arguments {
	const char *file;
	const char *module_dir;
	const char *csv; /* a file, or "-"; NULL: none */
	const char *plot;
	const char *sweep;
	struct scenario_override *overrides; /* one more fits behind them */
	size_t override_count;
	bool json;
	bool check;
};

/* Where the rows of the trace go. */
struct trace {
	FILE *csv; /* or NULL */
	struct plot *plot;
};

static const char usage_text[] =
	"usage: weir-sim [options] SCENARIO    simulate, and tell what came of it\n"
	"       weir-sim --help-scenario       tell the keys of a scenario's own sections\n"
	"       weir-sim -V | -h\n"
	"\n"
	"  --csv FILE         write the trace; with \"-\", to standard output, and the summary to standard error\n"
	"  --plot FILE        draw the trace, by gnuplot: FILE.svg, or FILE.txt for a picture of letters\n"
	"  --json             tell the summary as JSON\n"
	"  --sweep KEY=RANGE  simulate once for each value: A..B:xFACTOR, A..B:+STEP or A,B,C; KEY as for --set\n"
	"  --set KEY=VALUE    as if the scenario said so: policy.smooth.high=64K, scenario.duration=1m; may be repeated\n"
	"  --seed N           the same as --set scenario.seed=N\n"
	"  --check            look after every step at what must hold; slow\n"
	"  --module-dir DIR   where the policy modules are\n"
	"\n"
	"weir-sim(1) says more.\n";

static int usage_error(void)
{
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

static int complain(const char *what, const char *error)
{
	fprintf(stderr, "weir-sim: %s: %s\n", what, error);
	return EXIT_FAILURE;
}

/* What a stream did not take is an error too: a full disk must not pass for success. */
static int flushed(FILE *stream, const char *name)
{
	if (fflush(stream) == 0 && ferror(stream) == 0)
		return 0;
	return complain(name, strerror(errno));
}

/* ---- one simulation ------------------------------------------------------------------------------------------------ */

static void take_row(void *argument, const struct sim_row *row)
{
	struct trace *trace = argument;

	if (trace->csv != NULL)
		trace_row(trace->csv, row);
	if (trace->plot != NULL)
		plot_row(trace->plot, row);
}

static int run(const struct arguments *arguments, const struct scenario *scenario, struct trace *trace,
	struct sim_result *result)
{
	struct sim_options options = {
		.row = trace->csv != NULL || trace->plot != NULL ? take_row : NULL,
		.argument = trace,
		.check = arguments->check,
		.faults = stderr,
	};

	if (trace->csv != NULL)
		trace_header(trace->csv);
	return sim_run(scenario, &options, result);
}

static int open_trace(const struct arguments *arguments, struct trace *trace)
{
	char error[TEXT_ERROR_MAX];

	if (arguments->csv != NULL) {
		trace->csv = strcmp(arguments->csv, "-") == 0 ? stdout : fopen(arguments->csv, "we");
		if (trace->csv == NULL)
			return complain(arguments->csv, strerror(errno));
	}
	if (arguments->plot == NULL)
		return 0;
	trace->plot = plot_open(arguments->plot, error, sizeof(error));
	return trace->plot != NULL ? 0 : complain("--plot", error);
}

/* scenario NULL: there is nothing to draw. */
static int close_trace(const struct arguments *arguments, struct trace *trace, const struct scenario *scenario)
{
	char error[TEXT_ERROR_MAX];
	int status = 0;

	if (trace->csv != NULL)
		status = flushed(trace->csv, arguments->csv);
	if (trace->csv != NULL && trace->csv != stdout && fclose(trace->csv) != 0)
		status = complain(arguments->csv, strerror(errno));
	if (trace->plot != NULL && plot_close(trace->plot, scenario, error, sizeof(error)) < 0)
		status = complain("--plot", error);
	return status;
}

/* Standard output is the trace's, if it goes there: a program that reads it meets nothing else. */
static int tell(const struct arguments *arguments, const struct scenario *scenario, const struct sim_result *result)
{
	FILE *out = arguments->csv != NULL && strcmp(arguments->csv, "-") == 0 ? stderr : stdout;

	if (arguments->json)
		summary_json(out, scenario, result);
	else
		summary_print(out, scenario, result);
	return flushed(out, "standard output");
}

static int simulate(const struct arguments *arguments)
{
	struct scenario *scenario = scenario_load(arguments->file, arguments->module_dir, arguments->overrides,
		arguments->override_count, stderr);
	static struct sim_result result;
	struct trace trace = {NULL, NULL};
	int status, rc = -1;

	if (scenario == NULL)
		return EXIT_FAILURE;
	status = open_trace(arguments, &trace);
	if (status == 0) {
		rc = run(arguments, scenario, &trace, &result);
		if (rc < 0)
			status = complain(arguments->file, strerror(errno));
		else if (rc > 0)
			status = EXIT_FAILURE;
	}
	status |= close_trace(arguments, &trace, rc >= 0 ? scenario : NULL);
	if (rc >= 0)
		status |= tell(arguments, scenario, &result);
	scenario_free(scenario);
	return status;
}

/* ---- a series ------------------------------------------------------------------------------------------------------ */

static struct scenario *load_value(const struct arguments *arguments, const struct sweep *sweep, size_t i)
{
	arguments->overrides[arguments->override_count] = (struct scenario_override){sweep->key, sweep->values[i]};
	return scenario_load(arguments->file, arguments->module_dir, arguments->overrides,
		arguments->override_count + 1, stderr);
}

/* Every value is tried before the first is simulated: the last of a long series may be the wrong one. */
static int check_values(const struct arguments *arguments, const struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++) {
		struct scenario *scenario = load_value(arguments, sweep, i);

		if (scenario == NULL)
			return EXIT_FAILURE;
		scenario_free(scenario);
	}
	return 0;
}

static int run_value(const struct arguments *arguments, const struct sweep *sweep, size_t i, struct summary_row *row)
{
	struct scenario *scenario = load_value(arguments, sweep, i);
	struct trace none = {NULL, NULL};
	int rc;

	if (scenario == NULL)
		return -1;
	row->value = sweep->values[i];
	rc = run(arguments, scenario, &none, &row->result);
	if (rc < 0)
		complain(arguments->file, strerror(errno));
	scenario_free(scenario);
	return rc;
}

static int run_values(const struct arguments *arguments, const struct sweep *sweep)
{
	struct summary_row *rows = calloc(sweep->count, sizeof(*rows));
	int status = rows != NULL ? 0 : complain("--sweep", strerror(errno));
	size_t done = 0;

	for (int rc = 0; rows != NULL && done < sweep->count; done++) {
		rc = run_value(arguments, sweep, done, &rows[done]);
		if (rc != 0)
			status = EXIT_FAILURE;
		if (rc < 0)
			break;
	}
	if (rows != NULL && arguments->json)
		summary_json_table(stdout, sweep->key, rows, done);
	else if (rows != NULL)
		summary_table(stdout, sweep->key, rows, done);
	free(rows);
	return status | flushed(stdout, "standard output");
}

static int simulate_series(const struct arguments *arguments)
{
	char error[TEXT_ERROR_MAX];
	struct sweep sweep;
	int status;

	if (sweep_parse(&sweep, arguments->sweep, error, sizeof(error)) < 0)
		status = complain("--sweep", error);
	else
		status = check_values(arguments, &sweep) != 0 ? EXIT_FAILURE : run_values(arguments, &sweep);
	sweep_free(&sweep);
	return status;
}

/* ---- the command line ---------------------------------------------------------------------------------------------- */

static int version(void)
{
	printf("weir-sim %s\n", PACKAGE_VERSION);
	printf("policy ABI %d.%d, modules in %s\n", WEIR_POLICY_MAJOR, WEIR_POLICY_MINOR, WEIR_MODULE_DIR);
	return flushed(stdout, "standard output");
}

/* text is KEY=VALUE, and is cut in two. */
static bool add_override(struct arguments *arguments, char *text)
{
	char *equal = strchr(text, '=');

	if (equal == NULL) {
		complain("--set", "no '='; expected KEY=VALUE");
		return false;
	}
	*equal = '\0';
	arguments->overrides[arguments->override_count++] = (struct scenario_override){text, equal + 1};
	return true;
}

enum {
	OPTION_CSV = 256,
	OPTION_PLOT,
	OPTION_JSON,
	OPTION_SWEEP,
	OPTION_SET,
	OPTION_SEED,
	OPTION_CHECK,
	OPTION_MODULE_DIR
};

static bool take_option(struct arguments *arguments, int option)
{
	switch (option) {
	case OPTION_CSV:
		arguments->csv = optarg;
		return true;
	case OPTION_PLOT:
		arguments->plot = optarg;
		return true;
	case OPTION_JSON:
		arguments->json = true;
		return true;
	case OPTION_SWEEP:
		arguments->sweep = optarg;
		return true;
	case OPTION_SET:
		return add_override(arguments, optarg);
	case OPTION_SEED:
		arguments->overrides[arguments->override_count++] = (struct scenario_override){"scenario.seed", optarg};
		return true;
	case OPTION_CHECK:
		arguments->check = true;
		return true;
	case OPTION_MODULE_DIR:
		arguments->module_dir = optarg;
		return true;
	default:
		return false;
	}
}

/* What was asked for together, and cannot be had together. */
static bool fits(const struct arguments *arguments)
{
	if (arguments->file == NULL)
		return false;
	if (arguments->sweep != NULL && (arguments->csv != NULL || arguments->plot != NULL)) {
		complain("--sweep", "has no trace of its own; expected neither --csv nor --plot beside it");
		return false;
	}
	if (arguments->plot != NULL && !plot_is_name(arguments->plot)) {
		complain("--plot", "expected a file that ends with .svg or .txt");
		return false;
	}
	return true;
}

static int work(const struct arguments *arguments)
{
	if (!fits(arguments))
		return usage_error();
	return arguments->sweep != NULL ? simulate_series(arguments) : simulate(arguments);
}

int main(int argc, char **argv)
{
	enum { OPTION_HELP_SCENARIO = 512 };
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"help-scenario", no_argument, NULL, OPTION_HELP_SCENARIO},
		{"csv", required_argument, NULL, OPTION_CSV},
		{"plot", required_argument, NULL, OPTION_PLOT},
		{"json", no_argument, NULL, OPTION_JSON},
		{"sweep", required_argument, NULL, OPTION_SWEEP},
		{"set", required_argument, NULL, OPTION_SET},
		{"seed", required_argument, NULL, OPTION_SEED},
		{"check", no_argument, NULL, OPTION_CHECK},
		{"module-dir", required_argument, NULL, OPTION_MODULE_DIR},
		{NULL, 0, NULL, 0},
	};
	static struct arguments arguments;
	int option, status;

	log_open();
	arguments.overrides = calloc((size_t)argc + 1, sizeof(*arguments.overrides));
	if (arguments.overrides == NULL)
		return complain("start", strerror(errno));
	while ((option = getopt_long(argc, argv, "Vh", longs, NULL)) != -1) {
		if (option == 'V')
			return version();
		if (option == 'h' || option == OPTION_HELP_SCENARIO) {
			option == 'h' ? (void)fputs(usage_text, stdout) : scenario_help(stdout);
			return flushed(stdout, "standard output");
		}
		if (!take_option(&arguments, option))
			return usage_error();
	}
	if (optind + 1 == argc)
		arguments.file = argv[optind];
	status = work(&arguments);
	free(arguments.overrides);
	return status;
}
