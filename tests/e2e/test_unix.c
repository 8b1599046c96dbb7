/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unix sockets have ways of their own: descriptors and urgent bytes cut reads short, a full backlog refuses at once, and
 * one listening socket serves all workers, also while weir stops.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"
#include "wire.h"

static struct weir *weir;
static struct server server;
static char path[128];

static void begin(const char *weir_lines)
{
	server = server_listen_unix(harness_path("upstream.sock"));
	snprintf(path, sizeof(path), "%s", harness_path("listen.sock"));
	weir = weir_start("[weir]\n%s\n[upstream u]\nserver = %s\n[listener a]\nlisten = unix:%s\nupstream = u\n",
		weir_lines, server.address, path);
}

/* Sends one byte, and a descriptor beside it. */
static void send_descriptor(int fd, char byte)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	ck_assert_int_eq(sendmsg(fd, &message, 0), 1);
}

/* Takes `count` bytes, as they come. */
static void expect_text(int fd, const char *text)
{
	size_t length = strlen(text);
	size_t got = 0;
	double until = harness_now() + PATIENCE;
	char bytes[256] = {0};

	ck_assert_uint_lt(length, sizeof(bytes));
	while (got < length) {
		ssize_t n = recv(fd, bytes + got, length - got, MSG_DONTWAIT);

		ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN && harness_now() < until),
			"%zu of %zu bytes came: %.*s", got, length, (int)got, bytes);
		if (n > 0)
			got += (size_t)n;
		else
			harness_tick();
	}
	ck_assert_msg(memcmp(bytes, text, length) == 0, "came: %.*s", (int)length, bytes);
}

/* They cut reads short, and weir has no use for them: the bytes arrive, the descriptors do not, and none stays. */
START_TEST(passed_descriptors_are_dropped)
{
	unsigned before;
	struct pair pair;

	begin("workers = 1");
	pair.client = client_connect_unix(path);
	pair.server = server_accept(&server);
	ck_assert_int_eq(send(pair.client.fd, "x", 1, 0), 1);
	expect_text(pair.server.fd, "x");
	before = weir_descriptors(weir);
	for (int i = 0; i < 20; i++) {
		send_descriptor(pair.client.fd, 'A');
		ck_assert_int_eq(send(pair.client.fd, "BBBB", 4, 0), 4);
		expect_text(pair.server.fd, "ABBBB");
	}
	ck_assert_uint_eq(weir_descriptors(weir), before);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

START_TEST(bytes_behind_an_urgent_one_arrive)
{
	struct pair pair;

	begin("workers = 1");
	pair.client = client_connect_unix(path);
	pair.server = server_accept(&server);
	ck_assert_int_eq(send(pair.client.fd, "AA", 2, 0), 2);
	if (send(pair.client.fd, "!", 1, MSG_OOB) != 1)
		harness_skip("unix sockets have no urgent bytes here");
	ck_assert_int_eq(send(pair.client.fd, "CC", 2, 0), 2);
	expect_text(pair.server.fd, "AA");
	end_shutdown(&pair.client);
	/* the urgent byte itself travels beside the stream on a unix socket */
	expect_text(pair.server.fd, "CC");
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

/* A direct client waits for room in the backlog, and so does weir. */
START_TEST(a_full_backlog_is_waited_for)
{
	enum { CLIENTS = 8 };
	struct end clients[CLIENTS];

	begin("workers = 1");
	ck_assert_int_eq(listen(server.fd, 1), 0);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_connect_unix(path);
	EVENTUALLY(weir_sessions(weir) == CLIENTS);
	for (int i = 0; i < CLIENTS; i++) {
		struct end end = server_accept(&server);

		ck_assert_int_eq(send(end.fd, "hello", 5, 0), 5);
		end_close(&end);
	}
	for (int i = 0; i < CLIENTS; i++)
		expect_text(clients[i].fd, "hello");
	ck_assert_uint_eq(weir_count(weir, "cannot connect"), 0);
	for (int i = 0; i < CLIENTS; i++)
		end_close(&clients[i]);
	weir_stop(weir);
}
END_TEST

static bool is_over(const struct end *end)
{
	char byte;

	return recv(end->fd, &byte, 1, MSG_DONTWAIT) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* Clients on their way to another worker when weir is told to stop are served, or told; none is forgotten. */
START_TEST(nobody_is_forgotten_between_workers)
{
	enum { CLIENTS = 14 };
	struct end clients[CLIENTS];
	unsigned over = 0;

	begin("workers = 2\ndrain_timeout = never");
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_connect_unix(path);
	weir_signal(weir, SIGTERM);
	while (over < CLIENTS) {
		EVENTUALLY(server_pending(&server) || is_over(&clients[over]));
		while (server_pending(&server)) {
			struct end end = server_accept(&server);

			end_close(&end);
		}
		while (over < CLIENTS && is_over(&clients[over]))
			end_close(&clients[over++]);
	}
	weir_wait_end(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unix");
	TCase *tcase = harness_case(suite, "unix");

	tcase_add_test(tcase, passed_descriptors_are_dropped);
	tcase_add_test(tcase, bytes_behind_an_urgent_one_arrive);
	tcase_add_test(tcase, a_full_backlog_is_waited_for);
	tcase_add_loop_test(tcase, nobody_is_forgotten_between_workers, 0, SCALED(8));
	return harness_main(suite);
}
