/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may come in: what is asked first, and the marks that accepted sockets have when net.ipv4.tcp_fwmark_accept hands them on.
 * Where clients come from and go to is for sockets in namespaces: tests/e2e/transparent_*.sh.
 */
#include "unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrival.h"

#define MARK 30565

static struct config_upstream server = {.name = (char *)"server"};
static struct config_upstream original = {.name = (char *)"original", .original = true};

/* A socket with this mark, as root of this machine or, failing that, of a namespace; -1: neither may set one. */
static int marked(uint32_t mark)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0)
		return fd;
	close(fd);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0 ? fd : -1;
}

static enum close_reason judged(const struct config_listener *listener, uint32_t own, int fd)
{
	const struct address peer = {.length = sizeof(peer.in),
		.in = {AF_INET, htons(4711), {htonl(INADDR_LOOPBACK)}, {0}}};
	struct arrival *arrival = arrival_new(listener, fd, &peer);
	enum close_reason refused;
	struct loops loops;

	ck_assert_ptr_nonnull(arrival);
	ck_assert_int_eq(loops_init(&loops, 1, 0), 0);
	loops.mark = own;
	ck_assert_int_eq(arrival_admit(arrival, &loops, fd, NULL), 0);
	refused = arrival->refused;
	ck_assert(arrival_offends(arrival) == (refused != CLOSE_NONE));
	arrival_free(arrival);
	loops_destroy(&loops);
	return refused;
}

static const struct {
	const char *what;
	enum config_mode mode;
	uint32_t own, socket;
	enum close_reason expected;
} marks[] = {
	{"weir's own, redirected", CONFIG_REDIRECT, MARK, MARK, CLOSE_LOOP},
	{"weir's own, by tproxy", CONFIG_TPROXY, MARK, MARK, CLOSE_LOOP},
	{"somebody else's", CONFIG_REDIRECT, MARK, MARK + 1, CLOSE_NONE},
	{"none", CONFIG_REDIRECT, MARK, 0, CLOSE_NONE},
	{"none, and weir sets none", CONFIG_REDIRECT, 0, 0, CLOSE_NONE},
	{"one, and weir sets none", CONFIG_REDIRECT, 0, MARK, CLOSE_NONE},
	{"weir's own, that called a listener itself", CONFIG_FORWARD, MARK, MARK, CLOSE_NONE},
};

START_TEST(connections_that_carry_a_mark)
{
	const struct config_listener listener = {.name = (char *)"a", .mode = marks[_i].mode, .upstream = &server};
	int fd = marked(marks[_i].socket);

	if (fd < 0) {
		fprintf(stderr, "# skipped: no right to set a mark\n");
		return;
	}
	ck_assert_msg(judged(&listener, marks[_i].own, fd) == marks[_i].expected, "%s: expected %s", marks[_i].what,
		close_reason_names[marks[_i].expected]);
	close(fd);
}
END_TEST

/* Nobody redirected this socket; and the list of clients comes first. */
START_TEST(what_is_asked_first)
{
	struct config_listener listener = {.name = (char *)"a", .mode = CONFIG_REDIRECT, .upstream = &original};
	char error[256];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(judged(&listener, 0, fd), CLOSE_NO_DESTINATION);
	ck_assert_int_eq(networks_parse(&listener.deny, "127.0.0.0/8", error, sizeof(error)), 0);
	ck_assert_int_eq(judged(&listener, 0, fd), CLOSE_DENIED);
	networks_free(&listener.deny);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arrival");
	TCase *tcase = tcase_create("arrival");

	tcase_add_loop_test(tcase, connections_that_carry_a_mark, 0, (int)(sizeof(marks) / sizeof(marks[0])));
	tcase_add_test(tcase, what_is_asked_first);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
