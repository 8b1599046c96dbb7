/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conversation - what clients and servers say to each other, with what a parser must find in it.
 *
 * What is said begins with '>' (up) or '<' (down). In it, '{' stands where a begin is told, '}' where an answer has ended, '^'
 * where a begin is taken back, '@' where the parser is lost; they are not said.
 */
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include <stddef.h>

#include "framing.h"

#define CONVERSATION_SAID_MAX 16

struct conversation {
	const char *name;
	enum framing_kind kind;
	const char *why; /* it is lost in the end; NULL: it is not */
	struct {
		const char *text;
		size_t length;
	} said[CONVERSATION_SAID_MAX];
};

extern const struct conversation conversations[];
extern const int conversation_count;

#endif
