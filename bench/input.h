/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input - the end of stdin, by which whoever started us says that it is enough, also by dying.
 */
#ifndef INPUT_H
#define INPUT_H

#include "poller.h"

struct input {
	struct watch watch;
	struct poller *poller;
};

/* Stops the poller then. -1 if stdin is a file or /dev/null, of which an end says nothing. */
__attribute__((warn_unused_result)) int input_watch(struct input *input, struct poller *poller);

#endif
