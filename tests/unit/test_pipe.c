/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's pipes: how many there are, which go to the next flow, and how old what they hold is.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fake.h"
#include "pipe.h"
#include "unit.h"

static struct pipes pipes;

static struct pipe *take(uint64_t now)
{
	struct pipe *pipe = pipes_take(&pipes, now);

	ck_assert_ptr_nonnull(pipe);
	ck_assert_uint_ge(pipe->capacity, PIPE_CAPACITY_MIN);
	ck_assert_uint_eq(pipe->held, 0);
	return pipe;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(no_more_than_allowed)
{
	struct pipe *first;
	struct pipe *second;

	pipes_init(&pipes, 2);
	first = take(1);
	second = take(1);
	ck_assert_ptr_null(pipes_take(&pipes, 1));
	pipes_put(&pipes, first);
	ck_assert_ptr_eq(pipes_take(&pipes, 1), first);
	pipes_put(&pipes, second);
	pipes_put(&pipes, first);
	pipes_destroy(&pipes);
	pipes_init(&pipes, 0);
	ck_assert_ptr_null(pipes_take(&pipes, 1));
	pipes_destroy(&pipes);
}
END_TEST

START_TEST(an_empty_one_is_kept_open_for_the_next)
{
	struct pipe *pipe;
	int fd;

	pipes_init(&pipes, 1);
	pipe = take(1);
	fd = pipe->to;
	pipes_put(&pipes, pipe);
	ck_assert(is_open(fd));
	ck_assert_int_eq(take(1)->to, fd);
	pipes_put(&pipes, pipe);
	pipes_destroy(&pipes);
	ck_assert(!is_open(fd));
}
END_TEST

/* Nobody may read what another flow left behind. */
START_TEST(one_that_holds_bytes_is_closed)
{
	struct pipe *pipe;
	int fd;

	pipes_init(&pipes, 1);
	pipe = take(1);
	fd = pipe->from;
	ck_assert_int_eq(write(pipe->to, "x", 1), 1);
	pipe_filled(pipe, 1, 1);
	pipes_put(&pipes, pipe);
	ck_assert(!is_open(fd));
	ck_assert_uint_eq(pipes.count, 0);
	pipes_put(&pipes, take(1));
	pipes_destroy(&pipes);
}
END_TEST

START_TEST(a_crowd_does_not_stay_open)
{
	struct pipe *many[100];

	pipes_init(&pipes, 100);
	for (int i = 0; i < 100; i++)
		many[i] = take(1);
	for (int i = 0; i < 100; i++)
		pipes_put(&pipes, many[i]);
	ck_assert_uint_lt(pipes.count, 50);
	ck_assert_uint_eq(pipes.count, pipes.spare_count);
	pipes_destroy(&pipes);
}
END_TEST

START_TEST(after_a_refusal_none_is_made_for_a_second)
{
	struct rlimit limit;
	struct rlimit none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){0, limit.rlim_max};
	pipes_init(&pipes, 2);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(pipes_take(&pipes, 5 * SECOND));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_ptr_null(pipes_take(&pipes, 6 * SECOND - 1));
	pipes_put(&pipes, take(6 * SECOND));
	pipes_destroy(&pipes);
}
END_TEST

/* Never younger than the oldest byte, and not for ever as old as the first. */
START_TEST(how_old_the_oldest_is)
{
	struct pipe pipe = {.held = 0};

	pipe_filled(&pipe, 100, 10);
	ck_assert_uint_eq(pipe.born, 10);
	pipe_filled(&pipe, 100, 20);
	pipe_filled(&pipe, 100, 30);
	pipe_drained(&pipe, 99);
	ck_assert_uint_eq(pipe.born, 10);
	pipe_drained(&pipe, 1);
	ck_assert_uint_eq(pipe.born, 20);
	pipe_filled(&pipe, 100, 40);
	pipe_drained(&pipe, 150);
	ck_assert_uint_le(pipe.born, 30);
	pipe_drained(&pipe, 50);
	ck_assert_uint_eq(pipe.born, 40);
	pipe_drained(&pipe, 100);
	pipe_filled(&pipe, 1, 50);
	ck_assert_uint_eq(pipe.born, 50);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipe");
	TCase *tcase = tcase_create("pipe");

	tcase_add_test(tcase, no_more_than_allowed);
	tcase_add_test(tcase, an_empty_one_is_kept_open_for_the_next);
	tcase_add_test(tcase, one_that_holds_bytes_is_closed);
	tcase_add_test(tcase, a_crowd_does_not_stay_open);
	tcase_add_test(tcase, after_a_refusal_none_is_made_for_a_second);
	tcase_add_test(tcase, how_old_the_oldest_is);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
