/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main - the command line, and the only place that ends the process.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "module.h"
#include "server.h"
#include "text.h"

#define EXIT_USAGE 2

enum mode { MODE_RUN, MODE_CHECK, MODE_PRINT };

struct arguments {
	enum mode mode;
	const char *file;
	const char *module_dir;
	const char *policy; /* --help-policy */
	int louder;         /* -v minus -q */
};

static const char usage_text[] =
	"usage: weir -f FILE [-v | -q] [--module-dir DIR]    run in the foreground\n"
	"       weir -t -f FILE [--module-dir DIR]           check the configuration, modules included, and open nothing\n"
	"       weir -T -f FILE [--module-dir DIR]           print the configuration in force, defaults included\n"
	"       weir --help-policy NAME [--module-dir DIR]   tell what a policy module is for, and its options\n"
	"       weir -V | -h\n"
	"\n"
	"  -v, -q   log more, log less; may be given twice\n"
	"\n"
	"Signals: TERM and INT stop accepting and let sessions end, a second one ends them; USR1 logs where every session\n"
	"stands. weir(8) and weir.ini(5) say more.\n";

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
	fprintf(stderr, "weir: cannot write to standard output: %s\n", strerror(errno));
	return 1;
}

static int version(void)
{
	printf("weir %s\n", PACKAGE_VERSION);
	printf("policy ABI %d.%d, modules in %s\n", WEIR_POLICY_MAJOR, WEIR_POLICY_MINOR, WEIR_MODULE_DIR);
	printf("libevent %s (built with %s), systemd notification %s\n", event_get_version(), LIBEVENT_VERSION,
#ifdef HAVE_SYSTEMD
		"yes"
#else
		"no"
#endif
	);
	printf("built by %s %s\n",
#ifdef __clang__
		"", /* its version says its name */
#else
		"gcc",
#endif
		__VERSION__);
	return printed();
}

static int help_policy(const struct arguments *arguments)
{
	const char *directory = arguments->module_dir != NULL ? arguments->module_dir : WEIR_MODULE_DIR;
	char error[TEXT_ERROR_MAX];
	struct module *module = module_open(directory, arguments->policy, error, sizeof(error));

	if (module == NULL) {
		fprintf(stderr, "weir: policy module %s: %s\n", arguments->policy, error);
		return 1;
	}
	module_help(stdout, module);
	module_close(module);
	return printed();
}

static int check(const struct config *config, const char *file)
{
	char limit[CONFIG_LIMIT_MAX];
	uint64_t admits = config_admits(config, limit, sizeof(limit));

	printf("%s: ok: admits %" PRIu64 " sessions (limited by %s)\n", file, admits, limit);
	return printed();
}

static void set_log_level(const struct config *config, int louder)
{
	int level = (int)config->weir.log_level + louder;

	if (level < LOG_LEVEL_ERROR)
		level = LOG_LEVEL_ERROR;
	if (level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	log_set_level((enum log_level)level);
}

static int with_config(const struct arguments *arguments)
{
	struct config *config = config_load(arguments->file, arguments->module_dir, stderr);
	int status = 0;

	if (config == NULL)
		return 1;
	switch (arguments->mode) {
	case MODE_CHECK:
		status = check(config, arguments->file);
		break;
	case MODE_PRINT:
		config_print(config, stdout);
		status = printed();
		break;
	case MODE_RUN:
		set_log_level(config, arguments->louder);
		status = server_run(config, arguments->file);
		break;
	}
	config_free(config);
	return status;
}

int main(int argc, char **argv)
{
	enum { OPTION_MODULE_DIR = 256, OPTION_HELP_POLICY };
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"help-policy", required_argument, NULL, OPTION_HELP_POLICY},
		{"module-dir", required_argument, NULL, OPTION_MODULE_DIR},
		{NULL, 0, NULL, 0},
	};
	struct arguments arguments = {.mode = MODE_RUN};
	int option;

	log_open();
	while ((option = getopt_long(argc, argv, "f:tTVhvq", longs, NULL)) != -1) {
		switch (option) {
		case 'f':
			arguments.file = optarg;
			break;
		case 't':
			arguments.mode = MODE_CHECK;
			break;
		case 'T':
			arguments.mode = MODE_PRINT;
			break;
		case 'v':
			arguments.louder++;
			break;
		case 'q':
			arguments.louder--;
			break;
		case OPTION_MODULE_DIR:
			arguments.module_dir = optarg;
			break;
		case OPTION_HELP_POLICY:
			arguments.policy = optarg;
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
	if (optind != argc)
		return usage_error();
	if (arguments.policy != NULL)
		return help_policy(&arguments);
	return arguments.file != NULL ? with_config(&arguments) : usage_error();
}
