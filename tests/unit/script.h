/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script - a conversation without its marks, which are beside it.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>

#include "conversation.h"

#define SCRIPT_STREAM_MAX 4096
#define SCRIPT_MARKS_MAX 256

/* Marks in the order in which they were found: at which byte of which direction. */
struct script_marks {
	struct {
		char direction;
		char what; /* as in conversations */
		size_t offset;
	} at[SCRIPT_MARKS_MAX];
	int count;
};

struct script {
	struct {
		int down;
		size_t length;
		unsigned char bytes[SCRIPT_STREAM_MAX];
	} said[CONVERSATION_SAID_MAX];
	int count;
	struct script_marks marks;
};

void script_read(struct script *script, const struct conversation *conversation);

/* Beyond SCRIPT_MARKS_MAX the test fails. */
void script_note(struct script_marks *marks, int down, char what, size_t offset);

/* As text, which the next call overwrites. */
const char *script_text(const struct script_marks *marks);

#endif
