/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz - what is done with an input, whoever made it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>

#include "framing.h"

enum fuzz_kind { FUZZ_LINE, FUZZ_RESP, FUZZ_U32BE, FUZZ_PGSQL, FUZZ_PROXY, FUZZ_KINDS };

extern const char *const fuzz_kinds[FUZZ_KINDS]; /* their names */

/* Returns what is wrong with how an input of this kind was parsed, or NULL. */
const char *fuzz_input(enum fuzz_kind kind, const unsigned char *input, size_t length);

/*
 * An input is a conversation: a byte that says who speaks (the highest bit: the server) and how long (the rest, plus one),
 * then what is said, and so on.
 */
const char *fuzz_framing(enum framing_kind kind, const unsigned char *input, size_t length);

/* An input is what a client sends first: a PROXY header, and perhaps more. */
const char *fuzz_proxy(const unsigned char *input, size_t length);

#endif
