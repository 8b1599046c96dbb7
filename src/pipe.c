/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe - a stack of spare pipes.
 */
#include "pipe.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SPARE_MAX 32                           /* pipes kept open while nobody uses them */
#define RETRY_AFTER (UINT64_C(1000) * 1000000) /* ns */

void pipes_init(struct pipes *pipes, uint32_t max)
{
	*pipes = (struct pipes){.max = max};
}

static void pipe_close(struct pipe *pipe)
{
	close(pipe->to);
	close(pipe->from);
	free(pipe);
}

void pipes_destroy(struct pipes *pipes)
{
	assert(pipes->count == pipes->spare_count);
	while (pipes->spare != NULL) {
		struct pipe *pipe = pipes->spare;

		pipes->spare = pipe->next;
		pipe_close(pipe);
	}
	*pipes = (struct pipes){.max = 0};
}

/* What the kernel really gives; 0 if that is too little. */
static uint32_t enlarge(int fd)
{
	int size = fcntl(fd, F_SETPIPE_SZ, PIPE_CAPACITY);

	if (size < 0)
		size = fcntl(fd, F_GETPIPE_SZ);
	if (size > PIPE_CAPACITY) /* the default, where pages are large */
		size = PIPE_CAPACITY;
	return size < PIPE_CAPACITY_MIN ? 0 : (uint32_t)size;
}

static struct pipe *pipe_new(void)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));
	int fds[2];

	if (pipe == NULL)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
		free(pipe);
		return NULL;
	}
	pipe->from = fds[0];
	pipe->to = fds[1];
	pipe->capacity = enlarge(pipe->to);
	if (pipe->capacity > 0)
		return pipe;
	pipe_close(pipe);
	return NULL;
}

struct pipe *pipes_take(struct pipes *pipes, uint64_t now)
{
	struct pipe *pipe = pipes->spare;

	if (pipe != NULL) {
		pipes->spare = pipe->next;
		pipes->spare_count--;
		return pipe;
	}
	if (pipes->count == pipes->max || now < pipes->retry_at)
		return NULL;
	pipe = pipe_new();
	if (pipe == NULL)
		pipes->retry_at = now + RETRY_AFTER;
	else
		pipes->count++;
	return pipe;
}

void pipes_put(struct pipes *pipes, struct pipe *pipe)
{
	if (pipe->held > 0 || pipes->spare_count == SPARE_MAX) {
		pipes->count--;
		pipe_close(pipe);
		return;
	}
	pipe->next = pipes->spare;
	pipes->spare = pipe;
	pipes->spare_count++;
}

uint32_t pipe_room(const struct pipe *pipe)
{
	return pipe->held < pipe->capacity ? pipe->capacity - (uint32_t)pipe->held : 0;
}

void pipe_filled(struct pipe *pipe, uint64_t length, uint64_t now)
{
	if (pipe->held == 0) {
		pipe->born = now;
		pipe->later = now;
		pipe->known = length;
	} else if (pipe->later == pipe->born) {
		pipe->later = now;
		pipe->known = pipe->held;
	}
	pipe->held += length;
}

void pipe_drained(struct pipe *pipe, uint64_t length)
{
	assert(length <= pipe->held);
	pipe->held -= length;
	if (length < pipe->known) {
		pipe->known -= length;
		return;
	}
	pipe->born = pipe->later;
	pipe->known = pipe->held;
}
