/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Urgent data passes in its place in the stream, and strands no byte behind it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin(void)
{
	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_before(&server, "16K", "8K", "");
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

/* The next byte of the stream, sent urgently. */
static void send_urgent(struct end *end_of)
{
	uint8_t byte;

	pattern_fill(&byte, end_of->out_seed, end_of->sent, 1);
	ck_assert_msg(send(end_of->fd, &byte, 1, MSG_OOB | MSG_NOSIGNAL) == 1, "sending urgently: %s", strerror(errno));
	end_of->sent++;
}

START_TEST(in_its_place)
{
	struct pair pair = pair_open(port, &server);
	struct end *source = pair_source(&pair, _i);
	struct end *sink = pair_sink(&pair, _i);

	for (int run = 0; run < 20; run++) {
		end_write(source, 100);
		send_urgent(source);
		if (run % 2 == 0)
			end_write(source, 100);
		end_expect(sink, run % 2 == 0 ? 201 : 101);
	}
	send_urgent(source);
	end_expect(sink, 1);
	end_write(source, 10);
	send_urgent(source);
	end_shutdown(source);
	end_expect(sink, 11);
	end_expect_eof(sink);
	pair_close(&pair);
}
END_TEST

/* Several marks in a stream that is read in big pieces, or not at all for a while. */
START_TEST(in_a_full_flow)
{
	struct pair pair = pair_open_small(port, &server, 4 * KIB);
	struct end *source = pair_source(&pair, _i);
	struct end *sink = pair_sink(&pair, _i);

	sink->in_goal = 0;
	for (int run = 0; run < 30; run++) {
		source->out_goal = source->sent + 5000;
		if (run == 20)
			pairs_settle(&pair, 1, 0.2); /* urgent bytes wait in a paused flow */
		if (run == 22)
			sink->in_goal = ALL;
		PAIR_UNTIL(&pair, source->sent == source->out_goal || (run >= 20 && run < 22));
		if (source->sent == source->out_goal)
			send_urgent(source);
	}
	source->out_goal = source->sent;
	source->fin_goal = true;
	PAIR_UNTIL(&pair, sink->eof || sink->in_error != 0);
	ck_assert_uint_eq(sink->got, source->sent);
	pair_close(&pair);
}
END_TEST

/* A splice stops at the mark, and with the end there already it says that it has met the end. */
START_TEST(in_front_of_an_end_of_bulk)
{
	struct pair pair;
	struct end *source;
	struct end *sink;

	weir_stop(weir);
	weir = weir_before(&server, "16K", "8K", "splice = on");
	pair = pair_open_small(weir_port(weir, "a"), &server, 4 * KIB);
	source = pair_source(&pair, _i);
	sink = pair_sink(&pair, _i);
	source->out_goal = 3;
	PAIR_UNTIL(&pair, source->sent == source->out_goal);
	send_urgent(source);
	source->out_goal = 4004;
	source->fin_goal = true;
	PAIR_UNTIL(&pair, sink->eof || sink->in_error != 0);
	ck_assert_uint_eq(sink->got, 4004);
	pair_close(&pair);
}
END_TEST

START_TEST(before_the_upstream_is_there)
{
	int fillers[2];
	struct pair pair = {0};

	server_close(&server);
	weir_stop(weir);
	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_before(&server, "16K", "8K", "");
	pair.client = client_connect(weir_port(weir, "a"));
	pair_join(&pair);
	end_write(&pair.client, 10);
	send_urgent(&pair.client);
	end_write(&pair.client, 10);
	EVENTUALLY(weir_sessions(weir) == 1);
	close(fillers[1]);
	server_open_up(&server);
	pair_accept(&pair, 1, &server);
	end_expect(&pair.server, 21);
	pair_close(&pair);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("urgent");
	TCase *tcase = harness_case(suite, "urgent");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, in_its_place, 0, 2);
	tcase_add_loop_test(tcase, in_a_full_flow, 0, 2);
	tcase_add_loop_test(tcase, in_front_of_an_end_of_bulk, 0, 2);
	tcase_add_test(tcase, before_the_upstream_is_there);
	return harness_main(suite);
}
