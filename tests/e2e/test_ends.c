/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a session's bytes end, seen from its two ends: the end of stream comes behind the last byte and only then, and a
 * reset is never a clean end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin(void)
{
	server = server_listen();
	weir = weir_before(&server, "256K", "128K", "");
	port = weir_port(weir, "a");
}

static void begin_small(void)
{
	server = server_listen_at("127.0.0.1", 0, 1024, 4 * KIB);
	weir = weir_before(&server, "16K", "8K", "notsent_lowat = 16K");
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

/* The end that sends and the one that receives, by direction. */
START_TEST(end_follows_last_byte)
{
	struct pair pair = pair_open(port, &server);
	struct end *source = pair_source(&pair, _i);
	struct end *sink = pair_sink(&pair, _i);
	const char *access;

	source->out_goal = 5 * MIB + 1;
	source->fin_goal = true;
	PAIR_UNTIL(&pair, sink->eof || sink->in_error != 0);
	ck_assert_uint_eq(sink->got, 5 * MIB + 1);
	end_write(sink, 3);
	end_shutdown(sink);
	end_expect(source, 3);
	end_expect_eof(source);
	access = weir_access(weir, pair.client.port);
	assert_closed(access, "done");
	ck_assert_uint_eq(field_number(access, "up"), _i == 0 ? 5 * MIB + 1 : 3);
	ck_assert_uint_eq(field_number(access, "down"), _i == 0 ? 3 : 5 * MIB + 1);
	pair_close(&pair);
}
END_TEST

START_TEST(empty_session_ends)
{
	struct pair pair = pair_open(port, &server);

	end_shutdown(pair_source(&pair, _i));
	end_expect_eof(pair_sink(&pair, _i));
	end_shutdown(pair_sink(&pair, _i));
	end_expect_eof(pair_source(&pair, _i));
	assert_closed(weir_access(weir, pair.client.port), "done");
	pair_close(&pair);
}
END_TEST

START_TEST(half_closed_then_answer)
{
	struct pair pair = pair_open(port, &server);
	struct end *asker = pair_source(&pair, _i);
	struct end *answerer = pair_sink(&pair, _i);

	end_write(asker, 10 * KIB);
	end_shutdown(asker);
	end_expect(answerer, 10 * KIB);
	end_expect_eof(answerer);
	answerer->out_goal = 4 * MIB;
	answerer->fin_goal = true;
	PAIR_UNTIL(&pair, asker->eof || asker->in_error != 0);
	ck_assert_uint_eq(asker->got, 4 * MIB);
	assert_closed(weir_access(weir, pair.client.port), "done");
	pair_close(&pair);
}
END_TEST

/* Sent and shut down while weir is still trying to connect. */
START_TEST(half_close_before_connect)
{
	int fillers[2];
	struct pair pair = {0};

	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_before(&server, "256K", "128K", "");
	pair.client = client_connect(weir_port(weir, "a"));
	pair_join(&pair);
	end_write(&pair.client, 1000);
	end_shutdown(&pair.client);
	end_flush(&pair.client);
	ck_assert_uint_eq(weir_sessions(weir), 1);
	close(fillers[1]);
	server_open_up(&server);
	pair_accept(&pair, 1, &server);
	end_expect(&pair.server, 1000);
	end_expect_eof(&pair.server);
	end_write(&pair.server, 2000);
	end_shutdown(&pair.server);
	end_expect(&pair.client, 2000);
	end_expect_eof(&pair.client);
	assert_closed(weir_access(weir, pair.client.port), "done");
}
END_TEST

/* Bytes and the end wait in the receive queue of a flow that may not read; all of it must come when it may again. */
START_TEST(paused_data_and_end_arrive)
{
	struct pair pair = pair_open_small(port, &server, 4 * KIB);
	struct end *source = pair_source(&pair, _i);
	struct end *sink = pair_sink(&pair, _i);
	struct queues queues = {0};
	uint64_t total;

	sink->in_goal = 0;
	source->out_goal = ALL / 2;
	EVENTUALLY((pairs_step(&pair, 1, 5),
		field_number(weir_status(weir, pair.client.port), _i ? "down_held_now" : "up_held_now") > 8 * KIB));
	source->out_goal = total = source->sent + 5 * KIB;
	source->fin_goal = true;
	EVENTUALLY((pairs_step(&pair, 1, 5),
		source->sent == total || weir_ended(weir) ||
			(weir_queues(weir, _i ? 0 : port, _i ? server.port : pair.client.port, &queues) &&
				queues.unread > 0)));
	sink->in_goal = ALL;
	PAIR_UNTIL(&pair, sink->eof || sink->in_error != 0);
	ck_assert_uint_eq(sink->got, total);
	end_write(sink, 1);
	end_shutdown(sink);
	end_expect(source, 1);
	end_expect_eof(source);
	assert_closed(weir_access(weir, pair.client.port), "done");
	pair_close(&pair);
}
END_TEST

/* ---- resets -------------------------------------------------------------------------------------------------------- */

enum moment { IDLE, IN_FLIGHT, HALF_CLOSED, MOMENTS };

/* The victim never gets a clean end, whatever it still gets of the bytes. */
START_TEST(reset_stays_reset)
{
	int down = _i % 2;
	enum moment moment = (enum moment)(_i / 2);

	for (int run = 0; run < 20; run++) {
		struct pair pair = pair_open(port, &server);
		struct end *resetter = pair_source(&pair, down);
		struct end *victim = pair_sink(&pair, down);

		switch (moment) {
		case IDLE:
			end_write(resetter, 10);
			end_expect(victim, 10);
			break;
		case IN_FLIGHT:
			resetter->out_goal = victim->out_goal = ALL / 2;
			PAIR_UNTIL(&pair, victim->got > 300000 && resetter->got > 300000);
			break;
		default:
			end_write(victim, 100);
			end_shutdown(victim);
			end_expect(resetter, 100);
			end_expect_eof(resetter);
			end_write(resetter, 10);
			break;
		}
		end_reset(resetter);
		end_expect_reset(victim);
		assert_closed(weir_access(weir, pair.client.port), down ? "server-reset" : "client-reset");
		end_close(victim);
	}
}
END_TEST

/* The source, or the sink, of a flow that stands still: what the other one still gets is no whole stream to it. */
START_TEST(reset_while_paused_stays_reset)
{
	int down = _i % 2;
	bool by_source = _i / 2 == 0;

	for (int run = 0; run < 5; run++) {
		struct pair pair = pair_open_small(port, &server, 4 * KIB);
		struct end *source = pair_source(&pair, down);
		struct end *sink = pair_sink(&pair, down);

		sink->in_goal = 0;
		source->out_goal = ALL / 2;
		EVENTUALLY((pairs_step(&pair, 1, 5),
			field_number(weir_status(weir, pair.client.port), down ? "down_held_now" : "up_held_now") >
				8 * KIB));
		end_reset(by_source ? source : sink);
		if (run % 2 == 0) /* the other one looks only when it is all over */
			weir_access(weir, pair.client.port);
		end_expect_reset(by_source ? sink : source);
		end_close(by_source ? sink : source);
	}
}
END_TEST

START_TEST(reset_at_once)
{
	for (int run = 0; run < 20; run++) {
		struct pair pair = pair_open(port, &server);

		end_reset(&pair.server);
		end_expect_reset(&pair.client);
		ck_assert_uint_eq(pair.client.got, 0);
		ck_assert_str_ne(field(weir_access(weir, pair.client.port), "close"), "done");
		end_close(&pair.client);
	}
}
END_TEST

/* The kernel of a server that closes with unread input sends a reset right behind its answer. */
START_TEST(answer_before_reset_arrives)
{
	for (int run = 0; run < 20; run++) {
		struct pair pair = pair_open(port, &server);

		end_write(&pair.client, 5000);
		end_expect(&pair.server, 10);
		end_write(&pair.server, 32 * KIB);
		end_flush(&pair.server);
		end_close(&pair.server);
		if (run % 2 == 0) /* the client comes late */
			weir_access(weir, pair.client.port);
		end_expect(&pair.client, 32 * KIB);
		end_expect_reset(&pair.client);
		end_close(&pair.client);
	}
}
END_TEST

/* What was ended cleanly is whole; that its sender resets the rest later takes nothing from it. */
START_TEST(clean_end_survives_reset)
{
	for (int run = 0; run < 20; run++) {
		struct pair pair = pair_open(port, &server);
		struct end *source = pair_source(&pair, _i);
		struct end *sink = pair_sink(&pair, _i);

		end_write(source, 40 * KIB);
		end_shutdown(source);
		end_flush(source);
		end_reset(source);
		if (run % 2 == 0)
			send(sink->fd, "x", 1, MSG_NOSIGNAL); /* may meet the reset, or not */
		end_expect(sink, 40 * KIB);
		end_expect_eof(sink);
		end_expect_gone(sink);
		end_close(sink);
	}
}
END_TEST

START_TEST(killed_weir_is_no_end)
{
	struct pair idle = pair_open(port, &server);
	struct pair busy = pair_open(port, &server);
	struct pair half = pair_open(port, &server);

	end_write(&idle.client, 10);
	end_expect(&idle.server, 10);
	end_write(&idle.server, 10);
	end_expect(&idle.client, 10);
	end_write(&half.client, 10);
	end_shutdown(&half.client);
	end_expect(&half.server, 10);
	end_expect_eof(&half.server);
	busy.client.out_goal = busy.server.out_goal = ALL / 2;
	PAIR_UNTIL(&busy, busy.client.got > MIB && busy.server.got > MIB);
	weir_kill(weir);
	end_expect_reset(&idle.client);
	end_expect_reset(&idle.server);
	end_expect_reset(&busy.client);
	end_expect_reset(&busy.server);
	end_expect_reset(&half.client);
}
END_TEST

/* ---- other addresses ----------------------------------------------------------------------------------------------- */

static void exchange(struct pair *pair)
{
	pair_join(pair);
	pair->client.out_goal = 3 * MIB;
	pair->server.out_goal = 2 * MIB;
	pair->client.fin_goal = true;
	PAIR_UNTIL(pair, pair->server.eof && pair->client.got == 2 * MIB);
	ck_assert_uint_eq(pair->server.got, 3 * MIB);
	end_shutdown(&pair->server);
	end_expect_eof(&pair->client);
}

/* The server has accepted, answered and reset before anybody looks: it is no failure to connect. */
START_TEST(an_answer_and_a_reset_at_once)
{
	server = server_listen();
	weir = weir_before(&server, "256K", "128K", "");
	for (int run = 0; run < 40; run++) {
		struct end client = client_connect(weir_port(weir, "a"));
		struct pair pair = {.client = client, .server = server_accept(&server)};

		pair_join(&pair);
		end_write(&pair.server, 5);
		end_reset(&pair.server);
		end_expect(&pair.client, 5);
		end_expect_reset(&pair.client);
		end_close(&pair.client);
	}
	EVENTUALLY(weir_count(weir, "close=server-reset") == 40);
}
END_TEST

START_TEST(unix_sockets)
{
	char path[128];
	struct pair pair;

	server = server_listen_unix(harness_path("upstream.sock"));
	snprintf(path, sizeof(path), "%s", harness_path("listen.sock"));
	weir = weir_start("[upstream u]\nserver = %s\n[listener a]\nlisten = unix:%s\nupstream = u\n", server.address,
		path);
	weir_wait(weir, "listener a: listening on unix:/");
	for (int run = 0; run < 3; run++) {
		pair.client = client_connect_unix(path);
		pair.server = server_accept(&server);
		exchange(&pair);
		pair_close(&pair);
	}
	EVENTUALLY(weir_count(weir, "session .* up=3145728 down=2097152 .*close=done") == 3);
}
END_TEST

START_TEST(several_listening_addresses)
{
	struct pair pair;

	if (access("/proc/net/if_inet6", R_OK) != 0) {
		harness_skip("no IPv6 here");
		server = server_listen();
		weir = weir_before(&server, "256K", "128K", "");
		return;
	}
	server = server_listen();
	weir = weir_start("[listener a]\nlisten = 127.0.0.1:0, [::1]:0\nupstream = %s\n"
			  "[listener b]\nlisten = 127.0.0.1:0\nupstream = %s\n",
		server.address, server.address);
	pair = pair_open(weir_port(weir, "a"), &server);
	exchange(&pair);
	pair_close(&pair);
	pair = pair_open(weir_port(weir, "b"), &server);
	exchange(&pair);
	pair_close(&pair);
	pair.client = client_connect6(weir_port6(weir, "a"));
	pair.server = server_accept(&server);
	exchange(&pair);
	weir_wait(weir, "session .* listener=a client=\\[::1\\]:[0-9]+ server=127.0.0.1:");
	pair_close(&pair);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ends");
	TCase *tcase = harness_case(suite, "ends");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, end_follows_last_byte, 0, 2);
	tcase_add_loop_test(tcase, empty_session_ends, 0, 2);
	tcase_add_loop_test(tcase, half_closed_then_answer, 0, 2);
	tcase_add_loop_test(tcase, reset_stays_reset, 0, 2 * MOMENTS);
	tcase_add_test(tcase, reset_at_once);
	tcase_add_test(tcase, answer_before_reset_arrives);
	tcase_add_loop_test(tcase, clean_end_survives_reset, 0, 2);
	tcase = harness_case(suite, "paused ends");
	tcase_add_checked_fixture(tcase, begin_small, end);
	tcase_add_loop_test(tcase, paused_data_and_end_arrive, 0, 2);
	tcase_add_loop_test(tcase, reset_while_paused_stays_reset, 0, 4);
	tcase = harness_case(suite, "killed");
	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, killed_weir_is_no_end);
	tcase = harness_case(suite, "other addresses");
	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_test(tcase, half_close_before_connect);
	tcase_add_test(tcase, an_answer_and_a_reset_at_once);
	tcase_add_test(tcase, unix_sockets);
	tcase_add_test(tcase, several_listening_addresses);
	return harness_main(suite);
}
