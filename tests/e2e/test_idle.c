/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands still costs nothing, and what is gone leaves nothing behind.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024, MIB = 1024 * 1024, MANY = SANITIZED ? 200 : 1000 };

static struct server server;
static struct weir *weir;
static unsigned port;
static struct pair pairs[MANY];

static void begin(void)
{
	server = server_listen_at("127.0.0.1", 0, 1024, 4 * KIB);
	weir = weir_before(&server, "16K", "8K",
		"rcvbuf = 16K\nnotsent_lowat = 16K\nconnect_timeout = 1h\nstall_timeout = never\nidle_timeout = never");
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

/* Lets what is under way settle, then measures. A sanitizer's own threads wake up now and then. */
static void expect_no_cpu(const char *what)
{
	double epsilon = SANITIZED ? 0.1 : 0.01;
	double before;
	double used;

	poll(NULL, 0, 300);
	before = weir_cpu(weir);
	poll(NULL, 0, 3000);
	used = weir_cpu(weir) - before;
	ck_assert_msg(used <= epsilon, "%s: %g s of CPU in 3 s", what, used);
}

static void open_all(void)
{
	for (int i = 0; i < MANY; i++) {
		pairs[i] = pair_open_small(port, &server, 4 * KIB);
		end_write(&pairs[i].client, 1);
		end_expect(&pairs[i].server, 1);
	}
}

START_TEST(idle_sessions)
{
	open_all();
	expect_no_cpu("idle sessions");
	ck_assert_uint_eq(weir_sessions(weir), MANY);
	for (int i = 0; i < MANY; i++)
		pair_close(&pairs[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
}
END_TEST

/* Full one way or both, with a source that has ended behind its bytes, has half-closed the other way, or sent urgently. */
START_TEST(stalled_sessions)
{
	open_all();
	for (int i = 0; i < MANY; i++) {
		pairs[i].client.in_goal = pairs[i].server.in_goal = i % 3 == 1 ? 0 : 1;
		if (i % 3 != 0)
			pairs[i].client.out_goal = i % 6 < 3 ? ALL / 2 : 150 * KIB;
		if (i % 3 != 1)
			pairs[i].server.out_goal = i % 6 < 3 ? ALL / 2 : 150 * KIB;
		pairs[i].client.fin_goal = i % 4 == 1;
		pairs[i].server.fin_goal = i % 4 == 2;
	}
	pairs_settle(pairs, MANY, 0.5);
	expect_no_cpu("stalled sessions");
	ck_assert_uint_eq(weir_sessions(weir), MANY);
	for (int i = 0; i < MANY; i++)
		end_reset(&pairs[i].client);
	EVENTUALLY(weir_sessions(weir) == 0);
}
END_TEST

START_TEST(half_closed_sessions)
{
	open_all();
	for (int i = 0; i < MANY; i++)
		end_shutdown(i % 2 ? &pairs[i].client : &pairs[i].server);
	for (int i = 0; i < MANY; i++)
		end_expect_eof(i % 2 ? &pairs[i].server : &pairs[i].client);
	expect_no_cpu("half-closed sessions");
	ck_assert_uint_eq(weir_sessions(weir), MANY);
	for (int i = 0; i < MANY; i++)
		pair_close(&pairs[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
}
END_TEST

/* Sinks that closed altogether while nobody writes to them, sources that did while they may not be read. */
START_TEST(closed_sessions)
{
	enum { FEW = MANY / 4 };

	for (int i = 0; i < FEW; i++) {
		pairs[i] = pair_open_small(port, &server, 4 * KIB);
		pairs[i].client.out_goal = i % 2 ? 60 * KIB : 0;
		pairs[i].server.in_goal = 0;
	}
	pairs_settle(pairs, FEW, 0.3);
	for (int i = 0; i < FEW; i++)
		end_close(&pairs[i].client);
	expect_no_cpu("sessions with a closed client");
	for (int i = 0; i < FEW; i++)
		end_close(&pairs[i].server);
	EVENTUALLY(weir_sessions(weir) == 0);
}
END_TEST

START_TEST(connecting_sessions)
{
	enum { FEW = 60 };
	int fillers[2];

	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_before(&server, "16K", "8K", "connect_timeout = 1h");
	port = weir_port(weir, "a");
	for (int i = 0; i < FEW; i++) {
		pairs[i].client = client_connect(port);
		if (i % 3 != 0)
			end_write(&pairs[i].client, 1000);
		if (i % 3 == 2)
			end_shutdown(&pairs[i].client);
	}
	EVENTUALLY(weir_sessions(weir) == FEW);
	expect_no_cpu("connecting sessions");
	ck_assert_uint_eq(weir_sessions(weir), FEW);
	for (int i = 0; i < FEW; i++)
		end_reset(&pairs[i].client);
	EVENTUALLY(weir_sessions(weir) == 0);
}
END_TEST

/* ---- nothing stays ------------------------------------------------------------------------------------------------- */

enum who { SOURCE, SINK, WHO };

/* A flow that stands still, and one of its ends resets: not noticed by reading, yet everything is given back. */
START_TEST(reset_while_paused_frees)
{
	bool down = _i % 2;
	enum who who = (enum who)(_i / 2);
	unsigned before = weir_descriptors(weir);

	for (int i = 0; i < 10; i++) {
		pairs[i] = pair_open_small(port, &server, 4 * KIB);
		pairs[i].client.in_goal = pairs[i].server.in_goal = 0;
		(down ? &pairs[i].server : &pairs[i].client)->out_goal = ALL / 2;
	}
	pairs_settle(pairs, 10, 0.2);
	ck_assert_uint_eq(weir_sessions(weir), 10);
	for (int i = 0; i < 10; i++)
		end_reset((who == SOURCE) == down ? &pairs[i].server : &pairs[i].client);
	EVENTUALLY_WITHIN(SANITIZED ? 3 : 1, weir_descriptors(weir) <= before);
	for (int i = 0; i < 10; i++)
		assert_closed(weir_access(weir, pairs[i].client.port),
			(who == SOURCE) == down ? "server-reset" : "client-reset");
}
END_TEST

static void come_and_go(int count)
{
	for (int i = 0; i < count; i++) {
		struct pair pair = pair_open(port, &server);

		end_write(&pair.client, 100);
		end_expect(&pair.server, 100);
		end_write(&pair.server, 100);
		end_shutdown(&pair.server);
		end_expect(&pair.client, 100);
		end_expect_eof(&pair.client);
		if (i % 5 == 0)
			end_reset(&pair.client);
		pair_close(&pair);
	}
}

START_TEST(many_connections_leave_nothing)
{
	int count = SANITIZED ? 500 : 5000;
	unsigned descriptors;
	uint64_t memory;

	come_and_go(count / 10); /* what is allocated once */
	EVENTUALLY(weir_sessions(weir) == 0);
	descriptors = weir_descriptors(weir);
	memory = weir_memory(weir);
	come_and_go(count);
	EVENTUALLY(weir_sessions(weir) == 0);
	ck_assert_uint_eq(weir_count(weir, "session .*close="), (unsigned)(count + count / 10));
	ck_assert_uint_le(weir_descriptors(weir), descriptors);
	if (!SANITIZED) /* they keep what is freed */
		ck_assert_msg(weir_memory(weir) <= memory + 512 * KIB, "%llu bytes more after %d connections",
			(unsigned long long)(weir_memory(weir) - memory), count);
}
END_TEST

/* ---- held memory --------------------------------------------------------------------------------------------------- */

enum { STALLED = SCALED(200), FEW = STALLED / 20, HELD = 512 * KIB };

static void begin_holding(void)
{
	server = server_listen();
	weir = weir_before(&server, "512K", "256K",
		"splice = off\nrcvbuf = 16K\nsndbuf = 16K\nstall_timeout = never\nidle_timeout = never");
	port = weir_port(weir, "a");
	for (int i = 0; i < STALLED; i++) {
		pairs[i] = pair_open_small(port, &server, 32 * KIB);
		end_write(&pairs[i].server, 1);
		end_expect(&pairs[i].client, 1);
	}
}

/* All at once, so that what they hold lies mixed. */
static void stall_all(void)
{
	for (int i = 0; i < STALLED; i++) {
		pairs[i].client.in_goal = 1;
		pairs[i].server.out_goal = 2 * HELD;
	}
	pairs_settle(pairs, STALLED, 0.3);
}

static void resume(struct pair *some, int count)
{
	uint64_t all = 0;
	double until = harness_now() + PATIENCE;

	for (int i = 0; i < count; i++)
		some[i].client.in_goal = ALL;
	while (all < (uint64_t)count * 2 * HELD) {
		ck_assert_msg(harness_now() < until, "%llu bytes have come", (unsigned long long)all);
		pairs_step(some, (size_t)count, 5);
		all = 0;
		for (int i = 0; i < count; i++)
			all += some[i].client.got;
	}
}

static void expect_memory(uint64_t most)
{
	EVENTUALLY(SANITIZED || weir_memory(weir) <= most); /* a sanitizer keeps what is freed */
}

/* What stalled sessions hold goes back to the system when they go on or end; some that stay do not keep the others'. */
START_TEST(held_memory_comes_back)
{
	uint64_t before = weir_memory(weir);
	uint64_t slack = 2 * 2 * MIB; /* each of two workers keeps a chunk of small segments and one of large ones */

	stall_all();
	if (!SANITIZED)
		ck_assert_uint_ge(weir_memory(weir), before + (uint64_t)STALLED * HELD * 9 / 10);
	if (_i == 0)
		resume(pairs + FEW, STALLED - FEW);
	else
		for (int i = FEW; i < STALLED; i++)
			end_reset(&pairs[i].client);
	expect_memory(before + 2 * (uint64_t)FEW * HELD + slack);
	resume(pairs, FEW);
	expect_memory(before + slack);
	for (int i = 0; i < STALLED; i++)
		pair_close(&pairs[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
	expect_memory(before + slack);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("idle");
	TCase *tcase = harness_case(suite, "idle");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, idle_sessions);
	tcase_add_test(tcase, stalled_sessions);
	tcase_add_test(tcase, half_closed_sessions);
	tcase_add_test(tcase, closed_sessions);
	tcase_add_loop_test(tcase, reset_while_paused_frees, 0, 2 * WHO);
	tcase_add_test(tcase, many_connections_leave_nothing);
	tcase = harness_case(suite, "held memory");
	tcase_add_checked_fixture(tcase, begin_holding, end);
	tcase_add_loop_test(tcase, held_memory_comes_back, 0, 2);
	tcase = harness_case(suite, "connecting");
	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_test(tcase, connecting_sessions);
	return harness_main(suite);
}
