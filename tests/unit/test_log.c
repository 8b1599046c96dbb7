/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines as they arrive at the other end of stderr.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

static int reading; /* what is written to stderr arrives here, a write a message */

static void capture(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	ck_assert_int_eq(dup2(pair[0], STDERR_FILENO), STDERR_FILENO);
	close(pair[0]);
	reading = pair[1];
	unsetenv("JOURNAL_STREAM");
	log_open();
	log_set_level(LOG_LEVEL_INFO);
}

static void release(void)
{
	close(reading);
}

/* The next write, which must be one line; "" if there was none. */
static const char *line(void)
{
	static char text[3 * LOG_LINE_MAX];
	ssize_t length = recv(reading, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "'%s' does not match %s", text, pattern);
	regfree(&regex);
}

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

/* A pipe that nobody reads; its size is the smallest there is. */
static int full_pipe(void)
{
	static const char zeroes[8192]; /* two slots: a line takes one */
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[1], F_SETPIPE_SZ, (int)sizeof(zeroes)), (int)sizeof(zeroes));
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	ck_assert_int_eq(write(STDERR_FILENO, zeroes, sizeof(zeroes)), (int)sizeof(zeroes));
	return ends[0];
}

/* Were it waited for, the test would not end. */
START_TEST(lines_that_nobody_reads_are_lost_and_counted)
{
	char text[8192 + 1];
	ssize_t length;
	int end = full_pipe();

	for (int i = 0; i < 3; i++)
		log_info("lost");
	ck_assert_int_eq(read(end, text, 8192), 8192);
	log_info("kept");
	length = read(end, text, sizeof(text) - 1);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	assert_matches(text, "warning 3 log lines were lost: nobody read them\n");
	assert_matches(text, "info kept\n$");
	ck_assert_ptr_null(strstr(text, "info lost"));
	log_info("on");
	length = read(end, text, sizeof(text) - 1);
	ck_assert_int_gt(length, 0);
	text[length] = '\0';
	assert_matches(text, STAMP "info on\n$");
	close(end);
}
END_TEST

START_TEST(time_and_level_come_first)
{
	log_error("a %d", 1);
	assert_matches(line(), STAMP "error a 1\n$");
	log_warning("b %s", "x");
	assert_matches(line(), STAMP "warning b x\n$");
	log_info("c");
	assert_matches(line(), STAMP "info c\n$");
	log_line(LOG_LEVEL_ERROR, "d");
	assert_matches(line(), STAMP "error d\n$");
}
END_TEST

START_TEST(levels_below_are_silent)
{
	log_debug("a");
	ck_assert_str_eq(line(), "");
	ck_assert(!log_enabled(LOG_LEVEL_DEBUG));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("b");
	assert_matches(line(), STAMP "debug b\n$");
	log_set_level(LOG_LEVEL_ERROR);
	ck_assert(log_enabled(LOG_LEVEL_ERROR) && !log_enabled(LOG_LEVEL_WARNING));
	log_warning("c");
	ck_assert_str_eq(line(), "");
}
END_TEST

static void set_journal(long offset)
{
	struct stat status;
	char text[64];

	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino + (uintmax_t)offset);
	setenv("JOURNAL_STREAM", text, 1);
	log_open();
}

START_TEST(the_journal_gets_priorities)
{
	set_journal(0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("a");
	ck_assert_str_eq(line(), "<3>a\n");
	log_warning("b");
	ck_assert_str_eq(line(), "<4>b\n");
	log_info("c");
	ck_assert_str_eq(line(), "<6>c\n");
	log_debug("d");
	ck_assert_str_eq(line(), "<7>d\n");
}
END_TEST

START_TEST(a_journal_inherited_but_not_ours)
{
	set_journal(1);
	log_info("a");
	assert_matches(line(), STAMP "info a\n$");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_open();
	log_info("b");
	assert_matches(line(), STAMP "info b\n$");
}
END_TEST

START_TEST(control_bytes_are_replaced)
{
	set_journal(0);
	log_info("a\nb\r\033[31mc\td\x7f \xc3\xa9");
	ck_assert_str_eq(line(), "<6>a?b??[31mc?d? \xc3\xa9\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char text[3 * LOG_LINE_MAX];
	const char *got;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	got = line();
	ck_assert_uint_eq(strlen(got), LOG_LINE_MAX);
	assert_matches(got, STAMP "info x+\\.\\.\\.\n$");
	ck_assert_str_eq(line(), "");
}
END_TEST

/* The longest that fits is whole; one more is cut. */
START_TEST(the_last_byte_that_fits)
{
	char text[LOG_LINE_MAX];
	size_t fits = LOG_LINE_MAX - strlen("<6>") - strlen("\n");

	set_journal(0);
	memset(text, 'x', sizeof(text));
	log_info("%.*s", (int)fits, text);
	assert_matches(line(), "^<6>x+\n$");
	log_info("%.*s", (int)fits + 1, text);
	assert_matches(line(), "^<6>x+\\.\\.\\.\n$");
}
END_TEST

START_TEST(errno_survives)
{
	set_journal(0);
	errno = ENOENT;
	log_info("%m");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(line(), "<6>No such file or directory\n");
	errno = EPERM;
	log_debug("%m");
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_add_checked_fixture(tcase, capture, release);
	tcase_add_test(tcase, lines_that_nobody_reads_are_lost_and_counted);
	tcase_add_test(tcase, time_and_level_come_first);
	tcase_add_test(tcase, levels_below_are_silent);
	tcase_add_test(tcase, the_journal_gets_priorities);
	tcase_add_test(tcase, a_journal_inherited_but_not_ours);
	tcase_add_test(tcase, control_bytes_are_replaced);
	tcase_add_test(tcase, long_lines_are_cut);
	tcase_add_test(tcase, the_last_byte_that_fits);
	tcase_add_test(tcase, errno_survives);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
