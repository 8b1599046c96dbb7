/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals: a stop lets open sessions finish, for a while; a second one does not wait; a hang-up does nothing yet; a
 * question for the status is answered.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin(const char *drain_timeout)
{
	server = server_listen();
	weir = weir_start(
		"[weir]\nworkers = 2\ndrain_timeout = %s\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n",
		drain_timeout, server.address);
	port = weir_port(weir, "a");
}

static void exchange(struct pair *pair)
{
	end_write(&pair->client, 100);
	end_expect(&pair->server, 100);
	end_write(&pair->server, 100);
	end_expect(&pair->client, 100);
}

/* A try that still comes in ends with a reset: it must not be what weir waits for. */
static bool is_refused(void)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	refused = connect(fd, (struct sockaddr *)&in, sizeof(in)) == -1 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

START_TEST(nothing_open)
{
	begin("30s");
	weir_signal(weir, _i ? SIGINT : SIGTERM);
	weir_wait(weir, " stopped$");
	weir_wait_end(weir);
}
END_TEST

START_TEST(open_session_finishes)
{
	struct pair pairs[3];

	begin("1h");
	for (int i = 0; i < 3; i++) {
		pairs[i] = pair_open(port, &server);
		exchange(&pairs[i]);
	}
	weir_signal(weir, _i ? SIGINT : SIGTERM);
	weir_wait(weir, " draining 3 sessions for at most ");
	EVENTUALLY(is_refused());
	for (int i = 0; i < 3; i++) {
		ck_assert(!weir_ended(weir));
		exchange(&pairs[i]);
		pairs[i].client.out_goal = pairs[i].client.sent + 3000000;
		pairs[i].client.fin_goal = true;
		PAIR_UNTIL(&pairs[i], pairs[i].server.eof);
		ck_assert_uint_eq(pairs[i].server.got, pairs[i].client.sent);
		end_write(&pairs[i].server, 10);
		end_shutdown(&pairs[i].server);
		end_expect(&pairs[i].client, 10);
		end_expect_eof(&pairs[i].client);
		assert_closed(weir_access(weir, pairs[i].client.port), "done");
	}
	weir_wait(weir, " stopped$");
	weir_wait_end(weir);
}
END_TEST

/* The rest is reset when the time is over, and not before. */
START_TEST(time_runs_out)
{
	struct pair pair;
	double since;

	begin("500ms");
	pair = pair_open(port, &server);
	exchange(&pair);
	since = harness_now();
	weir_signal(weir, SIGTERM);
	end_expect_reset(&pair.client);
	end_expect_reset(&pair.server);
	ck_assert(harness_now() - since >= 0.5);
	assert_closed(weir_access(weir, pair.client.port), "shutdown");
	weir_wait_end(weir);
}
END_TEST

START_TEST(second_signal_ends_at_once)
{
	struct pair idle;
	struct pair stalled;

	begin("1h");
	idle = pair_open(port, &server);
	exchange(&idle);
	stalled = pair_open(port, &server);
	stalled.server.out_goal = ALL / 2;
	stalled.client.in_goal = 0;
	pairs_settle(&stalled, 1, 0.2);
	weir_signal(weir, SIGTERM);
	weir_wait(weir, " draining 2 sessions");
	weir_signal(weir, _i ? SIGINT : SIGTERM);
	assert_closed(weir_access(weir, idle.client.port), "shutdown");
	assert_closed(weir_access(weir, stalled.client.port), "shutdown");
	weir_wait_end(weir);
	end_expect_reset(&idle.client);
	end_expect_reset(&idle.server);
	end_expect_reset(&stalled.client);
	end_expect_reset(&stalled.server);
}
END_TEST

START_TEST(stop_while_connecting)
{
	int fillers[2];
	struct end client;

	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_start("[weir]\ndrain_timeout = 300ms\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n"
			  "connect_timeout = 1h\n",
		server.address);
	port = weir_port(weir, "a");
	client = client_connect(port);
	EVENTUALLY(weir_sessions(weir) == 1);
	weir_signal(weir, SIGTERM);
	end_expect_reset(&client);
	assert_closed(weir_access(weir, client.port), "shutdown");
	weir_wait_end(weir);
}
END_TEST

START_TEST(hang_up_is_ignored)
{
	struct pair pair;

	begin("30s");
	pair = pair_open(port, &server);
	weir_mark(weir);
	weir_signal(weir, SIGHUP);
	weir_wait(weir, "SIGHUP|reload");
	exchange(&pair);
	pair_close(&pair);
	pair = pair_open(port, &server);
	exchange(&pair);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

START_TEST(status_is_told)
{
	struct pair pairs[5];
	const char *status;

	begin("30s");
	ck_assert_uint_eq(weir_sessions(weir), 0);
	for (int i = 0; i < 5; i++) {
		pairs[i] = pair_open(port, &server);
		for (int run = 0; run <= i; run++)
			exchange(&pairs[i]);
	}
	ck_assert_uint_eq(weir_sessions(weir), 5);
	for (int i = 0; i < 5; i++) {
		status = weir_status(weir, pairs[i].client.port);
		ck_assert_msg(status != NULL, "no status of client %u", pairs[i].client.port);
		ck_assert_str_eq(field(status, "listener"), "a");
		ck_assert_str_eq(field(status, "server"), server.address);
		ck_assert_uint_eq(field_number(status, "up"), 100u * (unsigned)(i + 1));
		ck_assert_uint_eq(field_number(status, "down"), 100u * (unsigned)(i + 1));
		ck_assert_uint_eq(field_number(status, "up_held_now"), 0);
		ck_assert_str_eq(field(status, "up_state"), "idle");
		ck_assert_str_eq(field(status, "down_state"), "idle");
	}
	end_shutdown(&pairs[0].client);
	end_expect_eof(&pairs[0].server);
	EVENTUALLY(strcmp(field(weir_status(weir, pairs[0].client.port), "up_state"), "ended") == 0);
	for (int i = 0; i < 5; i++)
		pair_close(&pairs[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_stop(weir);
}
END_TEST

/* The worker that a client's session lives on. */
static unsigned worker_of(const struct pair *pair)
{
	const char *status = weir_status(weir, pair->client.port);
	unsigned worker;

	ck_assert_msg(status != NULL, "no status of client %u", pair->client.port);
	status = strstr(status, " status ");
	ck_assert_msg(status != NULL && sscanf(status, " status %u.", &worker) == 1, "no worker in %s", status);
	return worker;
}

/* A session on that worker. */
static struct pair open_on(unsigned worker)
{
	for (int i = 0; i < 200; i++) {
		struct pair pair = pair_open(port, &server);

		exchange(&pair);
		if (worker_of(&pair) == worker)
			return pair;
		pair_close(&pair);
	}
	ck_abort_msg("no session on worker %u", worker);
}

static bool is_held_back(const struct pair *pair)
{
	return strcmp(field(weir_status(weir, pair->client.port), "up_state"), "held") == 0;
}

/* All of it is read at once, so that later no event gives the session a turn. */
static void send_and_end(struct pair *pair, uint64_t bytes)
{
	pair->client.out_goal = pair->client.sent + bytes;
	pair->client.fin_goal = true;
	pair->server.in_goal = pair->server.got;
	PAIR_UNTIL(pair, pair->client.fin);
}

static void finish_session(struct pair *pair)
{
	pair->server.in_goal = ALL;
	PAIR_UNTIL(pair, pair->server.eof);
	ck_assert_uint_eq(pair->server.got, pair->client.sent);
	end_shutdown(&pair->server);
	end_expect_eof(&pair->client);
}

/* A bucket's timer runs on the worker of the first who waited. He goes, and the worker has no session left; but those who
   still wait on another one depend on it. */
START_TEST(a_worker_ends_when_nobody_waits_for_its_timers)
{
	struct pair first;
	struct pair second;

	server = server_listen();
	weir = weir_start("[weir]\nworkers = 2\ndrain_timeout = 1h\n"
			  "[policy s]\nmodule = shape\nrate = 200K\nburst = 16K\nscope = instance\nside = write\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = s\n",
		server.address);
	port = weir_port(weir, "a");
	first = open_on(0);
	second = open_on(1);
	send_and_end(&first, 40000);
	EVENTUALLY(is_held_back(&first));
	send_and_end(&second, 150000);
	EVENTUALLY(is_held_back(&second));
	finish_session(&first);
	assert_closed(weir_access(weir, first.client.port), "done");
	ck_assert(is_held_back(&second));
	weir_signal(weir, SIGTERM);
	finish_session(&second);
	weir_wait_end(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stop");
	TCase *tcase = harness_case(suite, "stop");

	tcase_add_loop_test(tcase, nothing_open, 0, 2);
	tcase_add_loop_test(tcase, open_session_finishes, 0, 2);
	tcase_add_test(tcase, time_runs_out);
	tcase_add_loop_test(tcase, second_signal_ends_at_once, 0, 2);
	tcase_add_test(tcase, stop_while_connecting);
	tcase_add_test(tcase, hang_up_is_ignored);
	tcase_add_test(tcase, status_is_told);
	tcase_add_test(tcase, a_worker_ends_when_nobody_waits_for_its_timers);
	return harness_main(suite);
}
