/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules that misbehave at run time, and modules that use what the others do not: no fault of a module hangs a session,
 * mixes up its bytes or costs another one anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin_before(struct server upstream, const char *module, const char *options)
{
	struct weir_setup setup = {.module_dir = getenv("WEIR_TEST_MODULES")};

	ck_assert_ptr_nonnull(setup.module_dir);
	server = upstream;
	weir = weir_start_as(&setup,
		"[weir]\nworkers = 2\n[policy odd]\nmodule = %s\n%s\n"
		"[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = odd\n",
		module, options, server.address);
	port = weir_port(weir, "a");
}

static void begin(const char *module, const char *options)
{
	begin_before(server_listen(), module, options);
}

/* Bytes both ways, and their ends. */
static void expect_whole(struct pair *pair, uint64_t up, uint64_t down)
{
	pair->client.out_goal = up;
	pair->server.out_goal = down;
	pair->client.fin_goal = pair->server.fin_goal = true;
	PAIR_UNTIL(pair, pair->server.eof && pair->client.eof);
	ck_assert_uint_eq(pair->server.got, up);
	ck_assert_uint_eq(pair->client.got, down);
	assert_closed(weir_access(weir, pair->client.port), "done");
	pair_close(pair);
}

/* However often it happens, in however many sessions: one line, with the policy's name. */
static void expect_one_complaint(const char *what)
{
	char regex[128];

	snprintf(regex, sizeof(regex), "(warning|error) .*odd.*%s", what);
	weir_wait(weir, regex);
	ck_assert_uint_eq(weir_count(weir, regex), 1);
}

START_TEST(broken_promise)
{
	static const char *const modules[] = {"broken_promise", "lying_drain"};

	begin(modules[_i], "");
	for (int i = 0; i < 2; i++) {
		struct pair pair = pair_open(port, &server);

		expect_whole(&pair, 700 * KIB, 300 * KIB);
	}
	expect_one_complaint("promise");
	weir_stop(weir);
}
END_TEST

START_TEST(backwards)
{
	struct pair pair;

	begin("backwards", "");
	for (int i = 0; i < 2; i++) {
		pair = pair_open(port, &server);
		expect_whole(&pair, 3 * MIB, 2 * MIB);
	}
	ck_assert_uint_eq(weir_count(weir, "promise"), 0);
	weir_stop(weir);
}
END_TEST

/* A want beyond the pool is cut to the pool: one flow at a time has it all, the others wait for it. */
START_TEST(greedy)
{
	struct pair pairs[3];

	begin("greedy", "units = 3");
	for (int i = 0; i < 3; i++) {
		pairs[i] = pair_open(port, &server);
		pairs[i].client.out_goal = pairs[i].server.out_goal = MIB;
		pairs[i].client.fin_goal = pairs[i].server.fin_goal = true;
	}
	for (int i = 0; i < 3; i++)
		PAIR_UNTIL(pairs, (pairs_step(pairs, 3, 0), pairs[i].client.eof && pairs[i].server.eof));
	for (int i = 0; i < 3; i++)
		expect_whole(&pairs[i], MIB, MIB);
	expect_one_complaint("");
	weir_stop(weir);
}
END_TEST

START_TEST(refuser)
{
	struct end clients[3];

	begin("refuser", _i ? "direction = down" : "direction = up");
	for (int i = 0; i < 3; i++) {
		clients[i] = client_connect(port);
		end_expect_reset(&clients[i]);
		assert_closed(weir_access(weir, clients[i].port), "refused-by-policy");
	}
	/* what had been opened was closed again, and no more than that */
	ck_assert_uint_eq(weir_count(weir, "opened, open="), _i ? 3 : 0);
	ck_assert_uint_eq(weir_count(weir, "closed, open=0"), _i ? 3 : 0);
	ck_assert_uint_eq(weir_sessions(weir), 0);
	weir_stop(weir);
}
END_TEST

/* Every flow that was opened is closed once, whatever its session's end. */
START_TEST(open_and_close_match)
{
	struct pair pair;
	struct end client;

	begin("refuser", "");
	pair = pair_open(port, &server);
	expect_whole(&pair, 100, 100);
	for (int i = 0; i < 2; i++) {
		pair = pair_open(port, &server);
		end_write(&pair.client, 10);
		end_reset(i ? &pair.client : &pair.server);
		weir_access(weir, pair.client.port);
	}
	server_close(&server);
	client = client_connect(port);
	end_expect_reset(&client);
	weir_access(weir, client.port);
	ck_assert_uint_eq(weir_count(weir, "opened, open="), weir_count(weir, "closed, open="));
	weir_wait(weir, "closed, open=0");
	weir_stop(weir);
}
END_TEST

START_TEST(woken_by_a_thread)
{
	struct pair pair;

	begin("waker", "by = thread");
	for (int i = 0; i < 3; i++) {
		pair = pair_open(port, &server);
		expect_whole(&pair, 2 * MIB, 1 * MIB);
	}
	pair = pair_open(port, &server);
	end_write(&pair.client, 1000);
	end_reset(&pair.client);
	assert_closed(weir_access(weir, pair.client.port), "client-reset");
	ck_assert_uint_eq(weir_count(weir, "promise"), 0);
	weir_stop(weir);
}
END_TEST

/* The server may say only as much as the client has said, and the other way round. */
START_TEST(woken_by_the_other_flow)
{
	struct pair pair;

	begin("waker", "by = other");
	pair = pair_open(port, &server);
	end_write(&pair.server, 500);
	for (int i = 0; i < 200; i++) {
		end_write(&pair.client, 1000);
		end_expect(&pair.server, 1000);
		end_write(&pair.server, 1000);
		end_expect(&pair.client, 1000);
	}
	end_shutdown(&pair.client);
	end_expect_eof(&pair.server);
	end_expect(&pair.client, 500);
	end_shutdown(&pair.server);
	end_expect_eof(&pair.client);
	assert_closed(weir_access(weir, pair.client.port), "done");
	ck_assert_uint_eq(weir_count(weir, "promise"), 0);
	weir_stop(weir);
}
END_TEST

/* ---- a pool -------------------------------------------------------------------------------------------------------- */

static void expect_bytes(struct pair *pair)
{
	end_expect(&pair->server, 100);
	end_write(&pair->server, 10);
	end_expect(&pair->client, 10);
}

static bool is_held(const struct pair *pair)
{
	return strcmp(field(weir_status(weir, pair->client.port), "up_state"), "held") == 0;
}

static bool has_bytes(const struct pair *pair)
{
	return poll(&(struct pollfd){.fd = pair->server.fd, .events = POLLIN}, 1, 0) == 1;
}

static void end_either_way(struct pair *pair, int how)
{
	switch (how % 3) {
	case 0:
		end_reset(&pair->client);
		break;
	case 1:
		end_reset(&pair->server);
		break;
	default:
		end_shutdown(&pair->client); /* the flow that has the lease is over: the session need not be */
		break;
	}
}

/* First come, first served, across workers; however a session ends its units go to the one who waits longest. */
START_TEST(first_come_first_served)
{
	enum { IN = 2, ALL_OF_THEM = 9 };
	struct pair pairs[ALL_OF_THEM];

	begin("sharer", "units = 6\nneed = 3");
	for (int i = 0; i < ALL_OF_THEM; i++) {
		pairs[i] = pair_open(port, &server);
		end_write(&pairs[i].client, 100);
		if (i < IN)
			expect_bytes(&pairs[i]);
		else
			EVENTUALLY(is_held(&pairs[i]));
	}
	for (int i = 0; i < ALL_OF_THEM - IN; i++) {
		for (int waiting = i + IN; waiting < ALL_OF_THEM; waiting++)
			ck_assert(!has_bytes(&pairs[waiting]));
		end_either_way(&pairs[i], i);
		expect_bytes(&pairs[i + IN]);
	}
	for (int i = 0; i < ALL_OF_THEM; i++)
		pair_close(&pairs[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_wait(weir, "session .*up_paused=[^ ]*odd:1/");
	weir_stop(weir);
}
END_TEST

/* Those who leave while they wait get nothing, and take nothing with them. */
START_TEST(waiters_that_leave)
{
	struct pair in;
	struct pair waiting[20];

	begin("sharer", "units = 1");
	for (int run = 0; run < 5; run++) {
		in = pair_open(port, &server);
		end_write(&in.client, 100);
		expect_bytes(&in);
		for (int i = 0; i < 20; i++) {
			waiting[i] = pair_open(port, &server);
			end_write(&waiting[i].client, 100);
		}
		EVENTUALLY(is_held(&waiting[19]));
		for (int i = 0; i < 19; i++)
			end_reset(i % 2 ? &waiting[i].client : &waiting[i].server);
		end_reset(&in.client); /* at the same time as the last of them */
		expect_bytes(&waiting[19]);
		for (int i = 0; i < 20; i++)
			pair_close(&waiting[i]);
		pair_close(&in);
		EVENTUALLY(weir_sessions(weir) == 0);
	}
	weir_stop(weir);
}
END_TEST

/* ---- scan, acknowledgements ---------------------------------------------------------------------------------------- */

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void hear(int fd, const char *text)
{
	char heard[64] = "";
	size_t length = 0;
	double until = harness_now() + PATIENCE;

	while (length < strlen(text)) {
		ssize_t n;

		ck_assert_msg(harness_now() < until, "heard only '%s' of '%s'", heard, text);
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 100);
		n = recv(fd, heard + length, sizeof(heard) - 1 - length, 0);
		length += n > 0 ? (size_t)n : 0;
		ck_assert_msg(n != 0, "the end after '%s'", heard);
	}
	ck_assert_str_eq(heard, text);
}

START_TEST(whole_lines)
{
	struct pair pair;

	begin("scanner", "");
	pair = pair_open(port, &server);
	say(pair.client.fd, "one\ntwo");
	hear(pair.server.fd, "one\n");
	EVENTUALLY(field_number(weir_status(weir, pair.client.port), "up_held_now") == 3);
	ck_assert(is_held(&pair));
	ck_assert(!has_bytes(&pair));
	say(pair.client.fd, " and");
	EVENTUALLY(field_number(weir_status(weir, pair.client.port), "up_held_now") == 7);
	ck_assert(!has_bytes(&pair));
	say(pair.client.fd, " a half\nthree");
	hear(pair.server.fd, "two and a half\n");
	say(pair.server.fd, "yes\n");
	hear(pair.client.fd, "yes\n");
	shutdown(pair.client.fd, SHUT_WR);
	hear(pair.server.fd, "three");
	end_expect_eof(&pair.server);
	pair_close(&pair);
	pair = pair_open(port, &server);
	expect_whole(&pair, 2 * MIB, 2 * MIB); /* whatever is a line in it */
	ck_assert_uint_eq(weir_count(weir, "promise"), 0);
	weir_stop(weir);
}
END_TEST

START_TEST(outstanding_is_capped)
{
	struct pair pair;
	struct end *source;
	struct end *sink;
	struct queues queues = {0};
	uint64_t held;

	begin("acker", "cap = 64K");
	pair = pair_open(port, &server);
	expect_whole(&pair, 4 * MIB, 4 * MIB);
	server_close(&server);
	weir_stop(weir);

	begin_before(server_listen_at("127.0.0.1", 0, 16, 4 * KIB), "acker", "cap = 64K");
	pair = pair_open_small(port, &server, 4 * KIB);
	source = _i ? &pair.server : &pair.client;
	sink = _i ? &pair.client : &pair.server;
	sink->in_goal = 0;
	source->out_goal = ALL / 2;
	pairs_settle(&pair, 1, 0.3);
	held = field_number(weir_status(weir, pair.client.port), _i ? "down_held_now" : "up_held_now");
	ck_assert(weir_queues(weir, _i ? port : 0, _i ? pair.client.port : server.port, &queues));
	ck_assert_msg(held + queues.unsent <= 64 * KIB, "held %llu + unacknowledged %llu", (unsigned long long)held,
		(unsigned long long)queues.unsent);
	ck_assert_uint_gt(held + queues.unsent, 0);
	source->out_goal = source->sent;
	source->fin_goal = true;
	sink->in_goal = ALL;
	PAIR_UNTIL(&pair, sink->eof);
	ck_assert_uint_eq(sink->got, source->sent);
	ck_assert_uint_eq(weir_count(weir, "promise"), 0);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policies");
	TCase *tcase = harness_case(suite, "policies");

	tcase_add_loop_test(tcase, broken_promise, 0, 2);
	tcase_add_test(tcase, backwards);
	tcase_add_test(tcase, greedy);
	tcase_add_loop_test(tcase, refuser, 0, 2);
	tcase_add_test(tcase, open_and_close_match);
	tcase_add_test(tcase, woken_by_a_thread);
	tcase_add_test(tcase, woken_by_the_other_flow);
	tcase_add_test(tcase, first_come_first_served);
	tcase_add_test(tcase, waiters_that_leave);
	tcase_add_test(tcase, whole_lines);
	tcase_add_loop_test(tcase, outstanding_is_capped, 0, 2);
	return harness_main(suite);
}
