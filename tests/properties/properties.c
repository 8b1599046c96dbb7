/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property tests: random scenarios of several families, each run in virtual time with every invariant looked at after
 * every step.
 *
 *     properties                   fixed seeds, a TAP result for each family
 *     properties --seed N          one scenario; --print: only its text
 *     properties --soak SECONDS    random seeds, until the time is over
 *     properties --first           fixed seeds, but stops at the first failure, and does not shrink it
 *
 * A seed is all it takes: its remainder says which family the scenario is of. What fails is shrunk, and printed and kept as a file
 * that `weir-sim --check FILE` runs.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "document.h"
#include "generator.h"
#include "shrink.h"
#include "trial.h"

#ifdef __SANITIZE_THREAD__
#define SCENARIOS 10 /* of a family: there is but one thread to look at */
#elif defined(__SANITIZE_ADDRESS__)
#define SCENARIOS 70
#else
#define SCENARIOS 400
#endif

struct options {
	uint64_t seed;
	uint64_t soak; /* s */
	bool one;      /* seed is given */
	bool print;
	bool first;
};

static struct document document;

/* Where a failing scenario is kept: the build tree's, or here. */
static void keep(uint64_t seed)
{
	const char *directory = getenv("WEIR_BUILDDIR");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s%sproperties-%" PRIu64 ".ini", directory != NULL ? directory : "",
		directory != NULL ? "/tests/properties/" : "", seed);
	file = fopen(path, "w");
	if (file == NULL)
		return;
	document_print(&document, "", file);
	if (fclose(file) == 0)
		printf("# kept as %s: weir-sim --check runs it again\n", path);
}

static void tell(uint64_t seed, struct trial *trial, bool shrunk)
{
	printf("# seed %" PRIu64 " (%s): %s\n", seed, generator_families[seed % GENERATOR_FAMILY_COUNT].name,
		trial->name);
	trial_print(trial, "# ", stdout);
	if (!shrunk || trial->end == TRIAL_REFUSED || trial->end == TRIAL_UNTRIED)
		return;
	shrink(&document, trial);
	printf("# shrunk to:\n");
	document_print(&document, "#     ", stdout);
	printf("# which says:\n");
	trial_print(trial, "# ", stdout);
	keep(seed);
}

/* Whether all was well with it. */
static bool try_seed(uint64_t seed, bool shrunk)
{
	struct trial trial;

	generator_draw(&document, seed);
	trial = trial_run(&document, TRIAL_SECONDS);
	if (trial.end == TRIAL_PASSED)
		return true;
	tell(seed, &trial, shrunk);
	return false;
}

/* The first failure of a family is enough. */
static bool try_family(unsigned family, bool shrunk)
{
	bool passed = true;

	for (uint64_t i = 0; passed && i < SCENARIOS; i++)
		passed = try_seed(i * GENERATOR_FAMILY_COUNT + family, shrunk);
	printf("%s %u - %s: %s\n", passed ? "ok" : "not ok", family + 1, generator_families[family].name,
		generator_families[family].what);
	fflush(stdout);
	return passed;
}

static bool try_families(bool first)
{
	bool passed = true;

	printf("1..%d\n", GENERATOR_FAMILY_COUNT);
	for (unsigned family = 0; family < GENERATOR_FAMILY_COUNT && (passed || !first); family++)
		passed = try_family(family, !first) && passed;
	return passed;
}

static uint64_t seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec;
}

static bool soak(uint64_t length)
{
	uint64_t end = seconds(CLOCK_MONOTONIC) + length;
	uint64_t seed = seconds(CLOCK_REALTIME) * 1000000;
	uint64_t count = 0;
	uint64_t failures = 0;

	printf("# from seed %" PRIu64 " on\n", seed);
	for (; seconds(CLOCK_MONOTONIC) < end; count++) {
		failures += try_seed(seed + count, true) ? 0 : 1;
		fflush(stdout);
	}
	printf("# %" PRIu64 " scenarios, %" PRIu64 " failed\n", count, failures);
	return failures == 0;
}

static bool number(const char *text, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool parse(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{"seed", required_argument, NULL, 's'},
		{"soak", required_argument, NULL, 't'},
		{"print", no_argument, NULL, 'p'},
		{"first", no_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	bool good = true;
	int c;

	while (good && (c = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (c) {
		case 's':
			options->one = true;
			good = number(optarg, &options->seed);
			break;
		case 't':
			good = number(optarg, &options->soak) && options->soak > 0;
			break;
		case 'p':
			options->print = true;
			break;
		case 'f':
			options->first = true;
			break;
		default:
			good = false;
		}
	return good && optind == argc && (!options->print || options->one);
}

int main(int argc, char **argv)
{
	struct options options = {0};
	bool passed;

	if (!parse(argc, argv, &options)) {
		fprintf(stderr, "usage: properties [--seed N [--print] | --soak SECONDS | --first]\n");
		return 2;
	}
	if (options.print) {
		generator_draw(&document, options.seed);
		document_print(&document, "", stdout);
		return 0;
	}
	if (options.one)
		passed = try_seed(options.seed, !options.first);
	else if (options.soak > 0)
		passed = soak(options.soak);
	else
		passed = try_families(options.first);
	return passed ? 0 : 1;
}
