/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep - the values that one key takes in turn: "KEY=A..B:xF", "KEY=A..B:+S" or "KEY=A,B,C".
 */
#ifndef SWEEP_H
#define SWEEP_H

#include <stddef.h>

#define SWEEP_MAX 1000 /* values */

struct sweep {
	char *key;
	char **values; /* as they could stand in the ini */
	size_t count;
};

/* 0, or -1 with what is wrong in error; sweep is to be freed either way. */
int sweep_parse(struct sweep *sweep, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void sweep_free(struct sweep *sweep);

#endif
