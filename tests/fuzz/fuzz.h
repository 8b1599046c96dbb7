/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz - what is done with an input, whoever made it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>

#include "framing.h"

/*
 * An input is a conversation: a byte that says who speaks (the highest bit: the server) and how long (the rest, plus one),
 * then what is said, and so on. Returns what is wrong with how it was parsed, or NULL.
 */
const char *fuzz_framing(enum framing_kind kind, const unsigned char *input, size_t length);

#endif
