/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir-intercept - the command line of what brings weir's listeners their traffic: rules and routes up, down, shown, or
 * looked at.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "intercept.h"
#include "log.h"
#include "plan.h"
#include "show.h"

#define EXIT_USAGE 2

struct arguments {
	const char *file;
	const char *module_dir;
};

/* One of what it can be told to do. */
struct command {
	const char *name;
	int (*run)(const struct arguments *arguments, const struct plan *plan);
};

static const char usage_text[] =
	"usage: weir-intercept -f FILE [--module-dir DIR] up      put up the rules and routes that its listeners need\n"
	"       weir-intercept -f FILE [--module-dir DIR] down    take all of them away\n"
	"       weir-intercept -f FILE [--module-dir DIR] show    print the shell commands that do the same as up\n"
	"       weir-intercept -f FILE [--module-dir DIR] check   look why it does not work, and tell what mends it\n"
	"       weir-intercept -V | -h\n"
	"\n"
	"weir-intercept(8) says more.\n";

static int usage_error(void)
{
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

/* What stdout did not take is an error too: a full disk must not pass for success. */
static int printed(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	fprintf(stderr, "weir-intercept: cannot write to standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static int up(const struct arguments *arguments, const struct plan *plan)
{
	if (plan->count == 0 && !plan->routes[0] && !plan->routes[1])
		fprintf(stderr, "weir-intercept: %s: no listener asks for anything; nothing will be up\n",
			arguments->file);
	return intercept_up(plan, stderr) < 0 ? EXIT_FAILURE : 0;
}

static int down(const struct arguments *arguments, const struct plan *plan)
{
	(void)arguments;
	return intercept_down(plan->config, stderr) < 0 ? EXIT_FAILURE : 0;
}

static int show(const struct arguments *arguments, const struct plan *plan)
{
	show_plan(plan, arguments->file, stdout);
	return printed();
}

static int check(const struct arguments *arguments, const struct plan *plan)
{
	int findings = doctor_check(plan, arguments->file, stdout), status = printed();

	return findings != 0 ? EXIT_FAILURE : status;
}

static const struct command commands[] = {{"up", up}, {"down", down}, {"show", show}, {"check", check}};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* ---- the command line ---------------------------------------------------------------------------------------------- */

/* Of a file that is wrong now, all can still be taken away that says who made it: stopping must not fail for a typing error. */
static int without_config(const struct command *command)
{
	const struct config unknown = {0};

	if (command->run != down)
		return EXIT_FAILURE;
	fprintf(stderr, "weir-intercept: going down without the configuration\n");
	return intercept_down(&unknown, stderr) < 0 ? EXIT_FAILURE : 0;
}

static int with_config(const struct arguments *arguments, const struct command *command)
{
	struct config *config = config_load(arguments->file, arguments->module_dir, stderr);
	int status = EXIT_FAILURE;
	struct plan plan;

	if (config == NULL)
		return without_config(command);
	if (plan_make(&plan, config) == 0) {
		status = command->run(arguments, &plan);
		plan_free(&plan);
	} else {
		fprintf(stderr, "weir-intercept: %s\n", strerror(errno));
	}
	config_free(config);
	return status;
}

static int version(void)
{
	printf("weir-intercept %s\n", PACKAGE_VERSION);
	return printed();
}

int main(int argc, char **argv)
{
	enum { OPTION_MODULE_DIR = 256 };
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"module-dir", required_argument, NULL, OPTION_MODULE_DIR},
		{NULL, 0, NULL, 0},
	};
	struct arguments arguments = {NULL, NULL};
	const struct command *command;
	int option;

	log_open();
	while ((option = getopt_long(argc, argv, "f:Vh", longs, NULL)) != -1) {
		switch (option) {
		case 'f':
			arguments.file = optarg;
			break;
		case OPTION_MODULE_DIR:
			arguments.module_dir = optarg;
			break;
		case 'V':
			return version();
		case 'h':
			fputs(usage_text, stdout);
			return printed();
		default:
			return usage_error();
		}
	}
	if (arguments.file == NULL || optind + 1 != argc)
		return usage_error();
	command = find_command(argv[optind]);
	return command != NULL ? with_config(&arguments, command) : usage_error();
}
