/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input - see input.h.
 */
#include "input.h"

#include <unistd.h>

static void on_input(struct watch *watch, uint32_t events)
{
	struct input *input = (struct input *)watch;
	char ignored[64];

	(void)events;
	if (read(watch->fd, ignored, sizeof(ignored)) <= 0)
		poller_stop(input->poller);
}

/* Not poller_add(): that epoll does not take files is no failure. */
int input_watch(struct input *input, struct poller *poller)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &input->watch};

	*input = (struct input){.watch = {STDIN_FILENO, on_input}, .poller = poller};
	return epoll_ctl(poller->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
}
