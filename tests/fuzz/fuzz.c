/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz - the kinds of inputs, and who parses each.
 */
#include "fuzz.h"

const char *const fuzz_kinds[FUZZ_KINDS] = {
	[FUZZ_LINE] = "line",
	[FUZZ_RESP] = "resp",
	[FUZZ_U32BE] = "u32be",
	[FUZZ_PGSQL] = "pgsql",
	[FUZZ_PROXY] = "proxy",
};

const char *fuzz_input(enum fuzz_kind kind, const unsigned char *input, size_t length)
{
	switch (kind) {
	case FUZZ_LINE:
		return fuzz_framing(FRAMING_LINE, input, length);
	case FUZZ_RESP:
		return fuzz_framing(FRAMING_RESP, input, length);
	case FUZZ_U32BE:
		return fuzz_framing(FRAMING_U32BE, input, length);
	case FUZZ_PGSQL:
		return fuzz_framing(FRAMING_PGSQL, input, length);
	case FUZZ_PROXY:
		return fuzz_proxy(input, length);
	default:
		return "an unknown kind";
	}
}
