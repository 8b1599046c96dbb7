/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load - makes load for a proxy and measures it: `load serve` is the server behind, `load MEASURE` the client before it.
 * Exit status: 0, 1 if something failed, 2 for a usage error.
 */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define EXIT_USAGE 2

typedef int measure_run(const struct load *load);

struct measure {
	const char *name;
	measure_run *run;
	const char *help;
};

static const struct measure measures[] = {
	{"serve", serve, "the server side of all others: prints its port"},
	{"bulk", bulk, "as many bytes as go, --direction up, down or both"},
	{"rounds", rounds, "ping-pong of --size bytes"},
	{"mice", mice, "ping-pong of --size bytes on --mice connections beside --elephants that bring bulk down"},
	{"churn", churn, "connect, exchange --size bytes, close; --at-once of them"},
	{"idle", idle, "sessions that say nothing more, having echoed --used bytes, until stdin ends"},
	{"stalled", stalled, "sessions that read --warm-up bytes and then no more, until stdin ends"},
};

#define MEASURES (sizeof(measures) / sizeof(measures[0]))

enum {
	OPTION_FIRST = 256,
	SERVER,
	PORT,
	CONNECTIONS,
	SETTLE,
	SECONDS,
	CPU_OF,
	DIRECTION,
	SIZE,
	AT_ONCE,
	MICE,
	ELEPHANTS,
	USED,
	WARM_UP
};

static const struct option options[] = {
	{"server", required_argument, NULL, SERVER},
	{"port", required_argument, NULL, PORT},
	{"connections", required_argument, NULL, CONNECTIONS},
	{"settle", required_argument, NULL, SETTLE},
	{"seconds", required_argument, NULL, SECONDS},
	{"cpu-of", required_argument, NULL, CPU_OF},
	{"direction", required_argument, NULL, DIRECTION},
	{"size", required_argument, NULL, SIZE},
	{"at-once", required_argument, NULL, AT_ONCE},
	{"mice", required_argument, NULL, MICE},
	{"elephants", required_argument, NULL, ELEPHANTS},
	{"used", required_argument, NULL, USED},
	{"warm-up", required_argument, NULL, WARM_UP},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void print_help(FILE *file)
{
	fputs("usage: load MEASURE --port PORT [option...]\n\n", file);
	for (size_t i = 0; i < MEASURES; i++)
		fprintf(file, "  %-10s %s\n", measures[i].name, measures[i].help);
	fputs("\n"
	      "  --server ADDRESS   IPv4; whom to call, or where to serve [127.0.0.1]\n"
	      "  --port PORT        of it: a proxy's, or that of `load serve`\n"
	      "  --connections N    [1]\n"
	      "  --settle S         seconds that are not measured yet [0.3]\n"
	      "  --seconds S        that are measured [2]\n"
	      "  --cpu-of PID,...   whose CPU time is counted meanwhile\n"
	      "  --direction D      bulk: up, down or both [up]\n"
	      "  --size BYTES       of a request and of its answer [1024]\n"
	      "  --at-once N        churn [32]\n"
	      "  --mice N           [32]\n"
	      "  --elephants N      [1]\n"
	      "  --used BYTES       [0]\n"
	      "  --warm-up BYTES    [0]\n",
		file);
}

static int parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *number >= least && *number <= most ? 0
														  : -1;
}

static int parse_count(const char *text, uint64_t least, unsigned *count)
{
	uint64_t number;

	if (parse_number(text, least, 1000000, &number) == -1)
		return -1;
	*count = (unsigned)number;
	return 0;
}

static int parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds >= 0 && *seconds <= 3600 ? 0 : -1;
}

static int parse_direction(const char *text, struct load *load)
{
	load->up = strcmp(text, "up") == 0 || strcmp(text, "both") == 0;
	load->down = strcmp(text, "down") == 0 || strcmp(text, "both") == 0;
	return load->up || load->down ? 0 : -1;
}

static int parse_option(int option, const char *text, struct load *load)
{
	uint64_t number;

	switch (option) {
	case SERVER:
		return wire_set_server(text);
	case PORT:
		if (parse_number(text, 1, UINT16_MAX, &number) == -1)
			return -1;
		load->port = (uint16_t)number;
		return 0;
	case SIZE:
		if (parse_number(text, 1, 1U << 30, &number) == -1)
			return -1;
		load->size = (uint32_t)number;
		return 0;
	case CONNECTIONS:
		return parse_count(text, 1, &load->connections);
	case SETTLE:
		return parse_seconds(text, &load->settle);
	case SECONDS:
		return parse_seconds(text, &load->seconds) == 0 && load->seconds > 0 ? 0 : -1;
	case CPU_OF:
		return cpu_parse(&load->cpu, text);
	case DIRECTION:
		return parse_direction(text, load);
	case AT_ONCE:
		return parse_count(text, 1, &load->at_once);
	case MICE:
		return parse_count(text, 1, &load->mice);
	case ELEPHANTS:
		return parse_count(text, 0, &load->elephants);
	case USED:
		return parse_number(text, 0, UINT64_MAX, &load->used);
	case WARM_UP:
		return parse_number(text, 0, UINT64_MAX, &load->warm_up);
	default:
		return -1;
	}
}

static int parse_options(int argc, char **argv, struct load *load)
{
	int option;
	int index = 0;

	while ((option = getopt_long(argc, argv, "h", options, &index)) != -1) {
		if (option == 'h') {
			print_help(stdout);
			exit(0);
		}
		if (option == '?')
			return -1;
		if (parse_option(option, optarg, load) == -1) {
			fprintf(stderr, "load: --%s %s: not what is expected\n", options[index].name, optarg);
			return -1;
		}
	}
	return optind == argc ? 0 : -1;
}

static const struct measure *find_measure(const char *name)
{
	for (size_t i = 0; i < MEASURES; i++)
		if (strcmp(measures[i].name, name) == 0)
			return &measures[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct load load = {.connections = 1,
		.settle = 0.3,
		.seconds = 2,
		.up = true,
		.size = 1024,
		.at_once = 32,
		.mice = 32,
		.elephants = 1};
	const struct measure *measure = argc > 1 ? find_measure(argv[1]) : NULL;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (measure == NULL || parse_options(argc - 1, argv + 1, &load) == -1 ||
		(load.port == 0 && measure->run != serve)) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	wire_raise_limit();
	return measure->run(&load);
}
