/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json - see json.h.
 */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

void json_begin(const char *measure)
{
	printf("{\"measure\": \"%s\"", measure);
}

void json_count(const char *name, uint64_t count)
{
	printf(", \"%s\": %" PRIu64, name, count);
}

void json_number(const char *name, double number)
{
	printf(", \"%s\": %.9g", name, number);
}

void json_end(void)
{
	printf("}\n");
	fflush(stdout);
}
