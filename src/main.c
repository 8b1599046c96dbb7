/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main - the command line.
 */
#include <stdio.h>
#include <unistd.h>

#include "weir/policy.h"

static void usage(FILE *out)
{
	fprintf(out, "usage: weir -V | -h\n");
}

static void version(void)
{
	printf("weir %s (policy ABI %d.%d)\n", PACKAGE_VERSION, WEIR_POLICY_MAJOR, WEIR_POLICY_MINOR);
}

int main(int argc, char **argv)
{
	switch (getopt(argc, argv, "Vh")) {
	case 'V':
		version();
		return 0;
	case 'h':
		usage(stdout);
		return 0;
	default:
		usage(stderr);
		return 2;
	}
}
