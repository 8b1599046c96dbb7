/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script - see script.h.
 */
#include "script.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char directions[] = "><";

static int is_mark(char byte)
{
	return byte != '\0' && strchr("{}^@", byte) != NULL;
}

void script_note(struct script_marks *marks, int down, char what, size_t offset)
{
	if (marks->count == SCRIPT_MARKS_MAX)
		ck_abort_msg("more than %d marks", SCRIPT_MARKS_MAX);
	marks->at[marks->count].direction = directions[down];
	marks->at[marks->count].what = what;
	marks->at[marks->count++].offset = offset;
}

const char *script_text(const struct script_marks *marks)
{
	static char text[SCRIPT_MARKS_MAX * 32];
	size_t length = 0;

	text[0] = '\0';
	for (int i = 0; i < marks->count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %c%zu%c", marks->at[i].direction,
			marks->at[i].offset, marks->at[i].what);
	return text;
}

void script_read(struct script *script, const struct conversation *conversation)
{
	size_t offsets[2] = {0, 0};

	memset(script, 0, sizeof(*script));
	for (int i = 0; i < CONVERSATION_SAID_MAX && conversation->said[i].text; i++) {
		const char *text = conversation->said[i].text;
		int down = text[0] == directions[1];

		script->said[script->count++].down = down;
		for (size_t k = 1; k < conversation->said[i].length; k++) {
			if (is_mark(text[k])) {
				script_note(&script->marks, down, text[k], offsets[down]);
				continue;
			}
			script->said[i].bytes[script->said[i].length++] = (unsigned char)text[k];
			offsets[down]++;
		}
	}
}
