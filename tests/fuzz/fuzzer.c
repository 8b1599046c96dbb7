/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzzer - what libFuzzer calls, for inputs of FUZZ_KIND.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#ifndef FUZZ_KIND
#define FUZZ_KIND FUZZ_LINE
#endif

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	const char *wrong = fuzz_input(FUZZ_KIND, input, length);

	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
