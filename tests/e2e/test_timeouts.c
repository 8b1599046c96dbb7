/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each timeout ends what it is for, with both ends reset and its own reason, while the flow is paused too; and none ends
 * a transfer that moves. Only "not earlier" is asserted of time.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void before(const char *more)
{
	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_before(&server, "16K", "8K", more);
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

static void expect_timeout(struct pair *pair, const char *reason, double seconds)
{
	const char *access = weir_access(weir, pair->client.port);

	assert_closed(access, reason);
	ck_assert_msg(field_seconds(access, "duration") >= seconds, "%s", access);
}

/* A pair whose flow in this direction is full from end to end. */
static struct pair stalled_pair(int down)
{
	struct pair pair = pair_open_small(port, &server, 4 * KIB);

	pair.client.in_goal = pair.server.in_goal = 0;
	(down ? &pair.server : &pair.client)->out_goal = ALL / 2;
	pairs_settle(&pair, 1, 0.2);
	return pair;
}

START_TEST(idle)
{
	struct pair pair;

	before("idle_timeout = 400ms");
	pair = pair_open(port, &server);
	end_write(&pair.client, 10);
	end_expect(&pair.server, 10);
	end_expect_reset(&pair.client);
	end_expect_reset(&pair.server);
	expect_timeout(&pair, "idle-timeout", 0.4);
}
END_TEST

START_TEST(idle_while_paused)
{
	struct pair pair;

	before("idle_timeout = 1s\nstall_timeout = never");
	pair = stalled_pair(_i);
	end_expect_reset(_i ? &pair.server : &pair.client);
	expect_timeout(&pair, "idle-timeout", 1);
}
END_TEST

START_TEST(stall)
{
	struct pair pair;

	before("stall_timeout = 1s");
	pair = stalled_pair(_i);
	end_expect_reset(_i ? &pair.server : &pair.client);
	end_expect_reset(_i ? &pair.client : &pair.server);
	expect_timeout(&pair, "stall-timeout", 1);
}
END_TEST

/* Bytes that move one way do not excuse the sink that takes nothing the other way. */
START_TEST(stall_beside_traffic)
{
	struct pair pair;
	struct end *source;

	before("stall_timeout = 1s");
	pair = stalled_pair(_i);
	source = _i ? &pair.client : &pair.server; /* of the other direction */
	(_i ? &pair.server : &pair.client)->in_goal = ALL;
	source->out_goal = ALL / 2;
	PAIR_UNTIL(&pair, end_is_reset(source));
	expect_timeout(&pair, "stall-timeout", 1);
}
END_TEST

START_TEST(half_close)
{
	struct pair pair;

	before("half_close_timeout = 400ms");
	pair = pair_open(port, &server);
	end_shutdown(_i ? &pair.server : &pair.client);
	end_expect_eof(_i ? &pair.client : &pair.server);
	end_expect_reset(_i ? &pair.server : &pair.client);
	end_expect_gone(_i ? &pair.client : &pair.server);
	expect_timeout(&pair, "half-close-timeout", 0.4);
}
END_TEST

/* One direction has ended, the other is full and stands still. */
START_TEST(half_close_while_paused)
{
	struct pair pair;

	before("half_close_timeout = 1s\nstall_timeout = never");
	pair = stalled_pair(_i);
	end_shutdown(_i ? &pair.client : &pair.server);
	PAIR_UNTIL(&pair,
		end_is_reset(_i ? &pair.server : &pair.client) ||
			(_i ? &pair.server : &pair.client)->out_error == EPIPE);
	expect_timeout(&pair, "half-close-timeout", 1);
}
END_TEST

/* Two seconds of little steps, each far below the timeouts. The reader of the second is slow: its flow is full all the
   time, but its sink takes bytes. */
START_TEST(moving_is_not_cut)
{
	struct pair trickle;
	struct pair slow;
	double until = harness_now() + 2.5;

	before("idle_timeout = 1s\nstall_timeout = 1s");
	trickle = pair_open(port, &server);
	slow = pair_open_small(port, &server, 4 * KIB);
	slow.server.out_goal = ALL / 2;
	slow.client.in_goal = 0;
	while (harness_now() < until) {
		trickle.client.out_goal++;
		slow.client.in_goal += 16 * KIB;
		for (double next = harness_now() + 0.05; harness_now() < next;) {
			pairs_step(&trickle, 1, 5);
			pairs_step(&slow, 1, 5);
		}
	}
	PAIR_UNTIL(&trickle, trickle.server.got == trickle.client.out_goal);
	ck_assert_uint_eq(weir_sessions(weir), 2);
	ck_assert_int_eq(slow.client.in_error, 0);
	ck_assert_int_eq(slow.server.out_error, 0);
	pair_close(&trickle); /* nothing more to say: it would idle while the other one drains */
	slow.server.out_goal = slow.server.sent;
	slow.server.fin_goal = true;
	slow.client.in_goal = ALL;
	PAIR_UNTIL(&slow, slow.client.eof);
	ck_assert_uint_eq(slow.client.got, slow.server.sent);
	pair_close(&slow);
}
END_TEST

static int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	ck_assert_msg(getsockopt(fd, level, name, &value, &length) == 0, "getsockopt: %s", strerror(errno));
	return value;
}

START_TEST(socket_options)
{
	struct pair pair;
	int sides[2];

	before("user_timeout = 90s\nkeepalive = 45s\nnodelay = yes\nnotsent_lowat = 64K");
	pair = pair_open(port, &server);
	end_write(&pair.client, 1);
	end_expect(&pair.server, 1);
	sides[0] = weir_borrow(weir, port, pair.client.port);
	sides[1] = weir_borrow(weir, 0, server.port);
	for (int i = 0; i < 2; i++) {
		if (sides[i] == -1) {
			harness_skip("the kernel does not lend us weir's sockets");
			return;
		}
		ck_assert_int_eq(option_of(sides[i], IPPROTO_TCP, TCP_NODELAY), 1);
		ck_assert_int_eq(option_of(sides[i], IPPROTO_TCP, TCP_USER_TIMEOUT), 90000);
		ck_assert_int_eq(option_of(sides[i], IPPROTO_TCP, TCP_NOTSENT_LOWAT), 64 * KIB);
		ck_assert_int_eq(option_of(sides[i], IPPROTO_TCP, TCP_KEEPIDLE), 45);
		ck_assert_int_eq(option_of(sides[i], SOL_SOCKET, SO_KEEPALIVE), 1);
		close(sides[i]);
	}
	pair_close(&pair);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeouts");
	TCase *tcase = harness_case(suite, "timeouts");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_test(tcase, idle);
	tcase_add_loop_test(tcase, idle_while_paused, 0, 2);
	tcase_add_loop_test(tcase, stall, 0, 2);
	tcase_add_loop_test(tcase, stall_beside_traffic, 0, 2);
	tcase_add_loop_test(tcase, half_close, 0, 2);
	tcase_add_loop_test(tcase, half_close_while_paused, 0, 2);
	tcase_add_test(tcase, moving_is_not_cut);
	tcase_add_test(tcase, socket_options);
	return harness_main(suite);
}
