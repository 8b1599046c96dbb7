/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The endpoint's memory: what a kernel tells once is kept, and an end is clean only if it was. A scripted kernel says
 * what each call returns.
 */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "unit.h"

static struct kernel {
	struct endpoint endpoint; /* first */
	ssize_t reads;            /* what read returns; -errno */
	ssize_t writes;
	int finishes;
	int error; /* SO_ERROR, told once */
	int left;
	unsigned calls;
	unsigned errors;
	unsigned interrupts; /* so many calls fail with EINTR first */
	unsigned closed;
} kernel;

static char buffer[100];

static ssize_t answer(ssize_t result)
{
	kernel.calls++;
	if (kernel.interrupts > 0) {
		kernel.interrupts--;
		result = -EINTR;
	}
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

static ssize_t raw_read(struct endpoint *endpoint, void *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	endpoint->left = kernel.left;
	return answer(kernel.reads);
}

static ssize_t raw_write(struct endpoint *endpoint, const struct iovec *iov, int count)
{
	(void)endpoint;
	(void)iov;
	(void)count;
	return answer(kernel.writes);
}

static ssize_t raw_to_pipe(struct endpoint *any, int pipe, size_t length)
{
	(void)any;
	(void)pipe;
	(void)length;
	return answer(kernel.reads);
}

static int raw_finish(struct endpoint *endpoint)
{
	(void)endpoint;
	return (int)answer(kernel.finishes);
}

static int raw_error(struct endpoint *endpoint)
{
	int error = kernel.error;

	(void)endpoint;
	kernel.errors++;
	kernel.error = 0;
	return error;
}

static void raw_sample(struct endpoint *endpoint, uint32_t what, struct endpoint_sample *sample)
{
	(void)endpoint;
	sample->queued = (what & ENDPOINT_QUEUED) != 0 ? 7 : 0;
}

static void raw_close(struct endpoint *endpoint, bool abort)
{
	(void)endpoint;
	(void)abort;
	kernel.closed++;
}

static const struct endpoint_ops ops = {
	.read = raw_read,
	.write = raw_write,
	.to_pipe = raw_to_pipe,
	.finish = raw_finish,
	.error = raw_error,
	.sample = raw_sample,
	.close = raw_close,
};
static struct endpoint *const endpoint = &kernel.endpoint;

static void set_up(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.left = ENDPOINT_UNKNOWN;
	endpoint_init(endpoint, &ops);
	endpoint_ready(endpoint, true, false, false);
	endpoint_ready(endpoint, false, true, false);
}

static ssize_t read_one(ssize_t result)
{
	kernel.reads = result;
	errno = 0;
	return endpoint_read(endpoint, buffer, sizeof(buffer));
}

static ssize_t write_one(ssize_t result)
{
	struct iovec iov[2] = {{buffer, 40}, {buffer, 60}};

	kernel.writes = result;
	errno = 0;
	return endpoint_write(endpoint, iov, 2);
}

/* ---- ends and errors ------------------------------------------------------------------------------------------------ */

START_TEST(an_end_without_error_is_clean)
{
	ck_assert_int_eq(read_one(0), 0);
	ck_assert(endpoint_ended_cleanly(endpoint));
	ck_assert_uint_eq(kernel.errors, 1);
	ck_assert_int_eq(read_one(50), 0); /* and stays, without another call */
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

START_TEST(an_end_that_is_a_reset_is_not_clean)
{
	kernel.error = ECONNRESET;
	ck_assert_int_eq(read_one(0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert(!endpoint_ended_cleanly(endpoint));
	ck_assert_int_eq(read_one(0), -1); /* the kernel has forgotten it, the endpoint has not */
	ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(an_error_that_a_write_met_makes_the_end_unclean)
{
	ck_assert_int_eq(write_one(-ECONNRESET), -1);
	ck_assert_int_eq(read_one(30), 30);
	ck_assert(endpoint->readable); /* to its end */
	ck_assert_int_eq(read_one(0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

START_TEST(an_error_that_a_read_met_is_told_to_writers_without_a_call)
{
	ck_assert_int_eq(read_one(-ETIMEDOUT), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(write_one(100), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

START_TEST(the_first_error_stays)
{
	ck_assert_int_eq(write_one(-ECONNRESET), -1);
	ck_assert_int_eq(read_one(-EPIPE), -1);
	ck_assert_int_eq(endpoint->error, ECONNRESET);
}
END_TEST

START_TEST(a_broken_pipe_is_a_reset_behind_a_clean_end)
{
	kernel.error = EPIPE;
	ck_assert_int_eq(read_one(0), 0);
	ck_assert(endpoint_ended_cleanly(endpoint));
	ck_assert_int_eq(endpoint->error, EPIPE);
	ck_assert_int_eq(write_one(1), -1);
}
END_TEST

START_TEST(an_end_that_was_announced_is_clean_whatever_comes_behind_it)
{
	endpoint_ready(endpoint, true, false, true);
	ck_assert(endpoint_ended_cleanly(endpoint));
	kernel.error = ECONNRESET;
	ck_assert_int_eq(read_one(0), 0);
	ck_assert_int_eq(endpoint->error, 0); /* nothing said so yet, and the end's event said that there was none */
	endpoint_ready(endpoint, true, true, false);
	endpoint_probe(endpoint);
	ck_assert_int_eq(endpoint->error, ECONNRESET);
}
END_TEST

START_TEST(an_end_announced_behind_an_error_is_none)
{
	ck_assert_int_eq(write_one(-ECONNRESET), -1);
	endpoint_ready(endpoint, true, true, true); /* a reset shuts both ways, too */
	ck_assert(!endpoint_ended_cleanly(endpoint));
	ck_assert_int_eq(read_one(0), -1);
}
END_TEST

START_TEST(a_failed_finish_is_an_error)
{
	kernel.error = _i == 0 ? ECONNRESET : 0;
	kernel.finishes = -ENOTCONN;
	endpoint_finish(endpoint);
	ck_assert_int_eq(endpoint->error, _i == 0 ? ECONNRESET : ENOTCONN);
	endpoint_finish(endpoint);
	ck_assert_uint_eq(kernel.calls, 1);
}
END_TEST

/* ---- readiness ----------------------------------------------------------------------------------------------------- */

START_TEST(a_full_read_leaves_more_to_expect)
{
	ck_assert_int_eq(read_one(100), 100);
	ck_assert(endpoint->readable);
	ck_assert_int_eq(read_one(99), 99);
	ck_assert(!endpoint->readable);
}
END_TEST

START_TEST(the_kernels_word_on_what_is_left_counts)
{
	kernel.left = 0;
	ck_assert_int_eq(read_one(100), 100);
	ck_assert(!endpoint->readable);
	endpoint_ready(endpoint, true, false, false);
	kernel.left = 5;
	ck_assert_int_eq(read_one(50), 50);
	ck_assert(endpoint->readable);
}
END_TEST

START_TEST(what_has_hung_up_is_read_to_its_end)
{
	endpoint_ready(endpoint, true, false, true);
	kernel.left = 0;
	ck_assert_int_eq(read_one(10), 10);
	ck_assert(endpoint->readable);
}
END_TEST

START_TEST(nothing_to_read_is_no_error)
{
	ck_assert_int_eq(read_one(-EWOULDBLOCK), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!endpoint->readable);
	ck_assert_int_eq(endpoint->error, 0);
}
END_TEST

START_TEST(a_write_that_came_up_short_waits_for_an_event)
{
	ck_assert_int_eq(write_one(100), 100);
	ck_assert(endpoint->writable);
	ck_assert_int_eq(write_one(99), 99);
	ck_assert(!endpoint->writable);
	endpoint_ready(endpoint, false, true, false);
	ck_assert_int_eq(write_one(-EAGAIN), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!endpoint->writable);
	ck_assert_int_eq(endpoint->error, 0);
}
END_TEST

START_TEST(interrupted_calls_are_repeated)
{
	kernel.interrupts = 3;
	ck_assert_int_eq(read_one(10), 10);
	kernel.interrupts = 3;
	ck_assert_int_eq(write_one(100), 100);
}
END_TEST

/* ---- suspicion ----------------------------------------------------------------------------------------------------- */

START_TEST(a_probe_asks_only_behind_a_suspicious_event)
{
	endpoint_probe(endpoint);
	endpoint_ready(endpoint, true, true, true);
	endpoint_probe(endpoint);
	ck_assert_uint_eq(kernel.errors, 0);
	endpoint_ready(endpoint, true, true, false);
	kernel.error = ECONNRESET;
	endpoint_probe(endpoint);
	endpoint_probe(endpoint);
	ck_assert_uint_eq(kernel.errors, 1);
	ck_assert_int_eq(endpoint->error, ECONNRESET);
}
END_TEST

START_TEST(a_reset_behind_bytes_is_found_later)
{
	endpoint_ready(endpoint, true, true, false);
	ck_assert_int_eq(read_one(10), 10);
	kernel.error = ECONNRESET;
	ck_assert(endpoint->doubtful);
	endpoint_settle_doubt(endpoint);
	ck_assert_int_eq(endpoint->error, ECONNRESET);
	ck_assert(!endpoint->doubtful);
	endpoint_settle_doubt(endpoint);
	ck_assert_uint_eq(kernel.errors, 1);
}
END_TEST

START_TEST(a_read_that_would_have_met_the_reset_leaves_no_doubt)
{
	endpoint_ready(endpoint, true, true, false);
	ck_assert_int_eq(read_one(100), 100);
	ck_assert_int_eq(read_one(-EAGAIN), -1);
	ck_assert(!endpoint->doubtful && !endpoint->suspect);
}
END_TEST

/* ---- closing ------------------------------------------------------------------------------------------------------- */

/* A filter, an old kernel, no memory; and 0, which is no end: all of it is for read() to find out. */
START_TEST(a_splice_that_is_not_to_be_had_says_nothing)
{
	static const ssize_t answers[] = {-EPERM, -ENOSYS, -EINVAL, -ENOMEM, 0};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		kernel.reads = answers[i];
		ck_assert_int_eq(endpoint_to_pipe(endpoint, 0, 1), -1);
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_eq(endpoint->error, 0);
		ck_assert(endpoint->readable);
		ck_assert(!endpoint->ended);
	}
	kernel.reads = -ECONNRESET;
	ck_assert_int_eq(endpoint_to_pipe(endpoint, 0, 1), -1);
	ck_assert_int_eq(endpoint->error, ECONNRESET);
}
END_TEST

START_TEST(closing_happens_once_and_nothing_is_asked_afterwards)
{
	struct endpoint_sample sample;

	endpoint_sample(endpoint, ENDPOINT_UNREAD | ENDPOINT_QUEUED | ENDPOINT_RTT, &sample);
	ck_assert_uint_eq(sample.queued, 7);
	endpoint_ready(endpoint, true, true, false);
	endpoint_close(endpoint, true);
	endpoint_close(endpoint, false);
	ck_assert_uint_eq(kernel.closed, 1);
	endpoint_probe(endpoint);
	ck_assert_uint_eq(kernel.errors, 0);
	endpoint_sample(endpoint, ENDPOINT_UNREAD | ENDPOINT_QUEUED | ENDPOINT_RTT, &sample);
	ck_assert_uint_eq(sample.queued, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *tcase = tcase_create("endpoint");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, an_end_without_error_is_clean);
	tcase_add_test(tcase, an_end_that_is_a_reset_is_not_clean);
	tcase_add_test(tcase, an_error_that_a_write_met_makes_the_end_unclean);
	tcase_add_test(tcase, an_error_that_a_read_met_is_told_to_writers_without_a_call);
	tcase_add_test(tcase, the_first_error_stays);
	tcase_add_test(tcase, a_broken_pipe_is_a_reset_behind_a_clean_end);
	tcase_add_test(tcase, an_end_that_was_announced_is_clean_whatever_comes_behind_it);
	tcase_add_test(tcase, an_end_announced_behind_an_error_is_none);
	tcase_add_loop_test(tcase, a_failed_finish_is_an_error, 0, 2);
	tcase_add_test(tcase, a_full_read_leaves_more_to_expect);
	tcase_add_test(tcase, the_kernels_word_on_what_is_left_counts);
	tcase_add_test(tcase, what_has_hung_up_is_read_to_its_end);
	tcase_add_test(tcase, nothing_to_read_is_no_error);
	tcase_add_test(tcase, a_write_that_came_up_short_waits_for_an_event);
	tcase_add_test(tcase, interrupted_calls_are_repeated);
	tcase_add_test(tcase, a_probe_asks_only_behind_a_suspicious_event);
	tcase_add_test(tcase, a_reset_behind_bytes_is_found_later);
	tcase_add_test(tcase, a_read_that_would_have_met_the_reset_leaves_no_doubt);
	tcase_add_test(tcase, a_splice_that_is_not_to_be_had_says_nothing);
	tcase_add_test(tcase, closing_happens_once_and_nothing_is_asked_afterwards);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
