/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credit between real sockets: a slow channel stops only itself, a session without its share waits in the backlog, and ten
 * thousand flows live on one pool.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "simulated.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void end(void)
{
	weir_stop(weir);
}

static uint64_t held_by(const struct pair *pairs, int count)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += field_number(weir_status(weir, pairs[i].client.port), "down_held_now");
	return sum;
}

static void assert_ended_well(struct pair *pair)
{
	end_shutdown(&pair->client);
	end_shutdown(&pair->server);
	PAIR_UNTIL(pair, pair->client.eof && pair->server.eof);
	ck_assert_uint_eq(pair->client.got, pair->server.sent);
	pair_close(pair);
}

/* ---- a slow channel ------------------------------------------------------------------------------------------------- */

/* As in doc/scenarios/credit-stalled.ini: downloads that nobody reads, some at a rate, and some as fast as it goes. */
enum { STALLED = 4, LIMITED = 4, FAST = 4, ALL_PAIRS = STALLED + LIMITED + FAST, RATE = 2 * MIB, POOL = 2 * MIB };

static struct pair channels[ALL_PAIRS];

static void open_channels(const char *policy)
{
	char line[64];

	snprintf(line, sizeof(line), "policy = %s", policy);
	server = server_listen();
	weir = simulated_start("credit-stalled", &server, "policy =", line);
	port = weir_port(weir, "a");
	for (int i = 0; i < ALL_PAIRS; i++)
		channels[i] = pair_open_small(port, &server, i < STALLED ? 4 * KIB : 0);
	for (int i = 0; i < STALLED; i++) {
		channels[i].client.in_goal = 0;
		channels[i].server.out_goal = ALL / 2;
	}
	pairs_settle(channels, STALLED, 0.3);
}

/* Runs the others until each fast one has got so much, or the time is over. */
static void run_others(uint64_t goal, double seconds)
{
	double from = harness_now();
	uint64_t least = 0;

	for (int i = STALLED; i < ALL_PAIRS; i++)
		channels[i].server.out_goal = i < STALLED + LIMITED ? ALL / 2 : goal;
	while (least < goal && harness_now() < from + seconds) {
		for (int i = STALLED; i < STALLED + LIMITED; i++)
			channels[i].client.in_goal = (uint64_t)((harness_now() - from) * RATE);
		pairs_step(channels, ALL_PAIRS, 5);
		least = goal;
		for (int i = STALLED + LIMITED; i < ALL_PAIRS; i++)
			if (channels[i].client.got < least)
				least = channels[i].client.got;
	}
}

static void assert_got(int from, int to, uint64_t least)
{
	for (int i = from; i < to; i++)
		ck_assert_msg(channels[i].client.got >= least, "%d got less than %llu bytes: %s", i,
			(unsigned long long)least, pair_text(&channels[i]));
}

static void close_channels(void)
{
	for (int i = 0; i < ALL_PAIRS; i++)
		pair_close(&channels[i]);
}

/* With marks for all of the listener, too, but there by what nobody can take: 4K at a time, which costs five times the CPU. */
START_TEST(a_slow_channel_stops_only_itself)
{
	uint64_t goal = SCALED(_i == 0 ? 64 : 8) * MIB;
	double from;

	open_channels(_i == 0 ? "shares" : "marks");
	ck_assert_uint_ge(held_by(channels, STALLED), STALLED * 64 * KIB);
	from = harness_now();
	run_others(goal, PATIENCE);
	assert_got(STALLED + LIMITED, ALL_PAIRS, goal);
	assert_got(STALLED, STALLED + LIMITED, (uint64_t)((harness_now() - from) * RATE / 8));
	ck_assert_uint_le(held_by(channels, ALL_PAIRS), POOL + (_i == 0 ? 0 : ALL_PAIRS * 4 * KIB));
	close_channels();
}
END_TEST

/* One cap on what is in flight, and nothing that anybody owns: who stalls holds it for good, and stops all. */
START_TEST(it_stops_all_where_nobody_owns_anything)
{
	open_channels("cap");
	run_others(8 * MIB, 0.5);
	for (int i = STALLED; i < ALL_PAIRS; i++) {
		const char *paused = field(weir_status(weir, channels[i].client.port), "down_paused");

		ck_assert_msg(channels[i].client.got < MIB, "%s", pair_text(&channels[i]));
		ck_assert_msg(strncmp(paused, "cap:", 4) == 0, "paused by %s", paused);
	}
	for (int i = 0; i < STALLED; i++)
		channels[i].client.in_goal = ALL;
	run_others(SCALED(8) * MIB, PATIENCE);
	assert_got(STALLED + LIMITED, ALL_PAIRS, SCALED(8) * MIB);
	close_channels();
}
END_TEST

/* ---- admission ------------------------------------------------------------------------------------------------------- */

static const char two_sessions[] = "[weir]\nworkers = 2\n"
				   "[policy few]\nmodule = credit\nsegment = 32K\npool = 256K\n"
				   "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = few\n";

static void begin_two(void)
{
	server = server_listen();
	weir = weir_start(two_sessions, server.address);
	port = weir_port(weir, "a");
}

static void exchange(struct pair *pair, uint64_t bytes)
{
	pair->client.out_goal += bytes;
	pair->server.out_goal += bytes;
	PAIR_UNTIL(pair, pair->server.got == pair->client.sent && pair->client.got == pair->server.sent);
}

/* It is connected, by the kernel, and has written; nobody has read that. */
static void queue_up(struct pair *pair)
{
	struct end *ends[] = {&pair->client};

	*pair = (struct pair){.client = client_connect(port), .server = {.fd = -1}};
	pair_join(pair);
	pair->client.out_goal = 100;
	ends_step(ends, 1, (int)(PATIENCE * 1000));
	ck_assert_uint_eq(pair->client.sent, 100);
}

START_TEST(a_session_without_its_share_waits)
{
	struct pair pairs[2];
	struct pair late[2];

	begin_two();
	weir_wait(weir, "admits 2 sessions \\(limited by policy few\\)");
	for (int i = 0; i < 2; i++)
		pairs[i] = pair_open(port, &server);
	for (int i = 0; i < 2; i++)
		queue_up(&late[i]);
	for (int round = 0; round < 4; round++) {
		exchange(&pairs[round % 2], MIB);
		ck_assert_uint_eq(weir_sessions(weir), 2);
		ck_assert(!server_pending(&server));
	}
	for (int i = 0; i < 2; i++) {
		struct pair *served;

		if (i == _i)
			assert_ended_well(&pairs[i]);
		else
			end_reset(&pairs[i].client);
		served = pair_accept(late, 2, &server);
		exchange(served, MIB);
		ck_assert_uint_eq(weir_sessions(weir), 2);
	}
	for (int i = 0; i < 2; i++)
		assert_ended_well(&late[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
}
END_TEST

/* What others borrowed comes back for a session that begins, as soon as it is empty. */
START_TEST(what_is_borrowed_comes_back_for_a_session)
{
	struct pair first;
	struct pair late;

	begin_two();
	first = pair_open_small(port, &server, 4 * KIB);
	first.client.in_goal = 0;
	first.server.out_goal = ALL / 2;
	pairs_settle(&first, 1, 0.3);
	ck_assert_uint_gt(held_by(&first, 1), 128 * KIB);
	queue_up(&late);
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(weir_sessions(weir), 1);
		ck_assert(!server_pending(&server));
	}
	first.server.out_goal = first.server.sent;
	first.client.in_goal = ALL;
	PAIR_UNTIL(&first, first.client.got == first.server.sent);
	(void)pair_accept(&late, 1, &server);
	exchange(&late, MIB);
	assert_ended_well(&first);
	assert_ended_well(&late);
}
END_TEST

/* ---- many ------------------------------------------------------------------------------------------------------------ */

enum {
	MANY = SANITIZED ? 500 : 5000,
	SEGMENT = 4 * KIB,
	SHARE = 4 * SEGMENT,                   /* both flows' own */
	EXTRA = 256,                           /* as many more could have theirs, if nobody borrows */
	EACH = 32 * KIB,                       /* bytes that a flow carries */
	BESIDE = 128,                          /* descriptors that are no session's, here and in weir */
	SESSION = (SANITIZED ? 64 : 16) * KIB, /* of memory, beside what it holds */
	WEIR = (SANITIZED ? 512 : 32) * MIB,   /* without any session */
};

static struct pair many[MANY + EXTRA];

/* Two descriptors for each session, here and in weir, which keeps some for pipes. */
static int sessions_that_fit(void)
{
	struct rlimit limit;
	rlim_t fit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	fit = limit.rlim_max > BESIDE ? (limit.rlim_max - BESIDE) / 8 * 7 / 2 : 0;
	return fit > MANY + EXTRA ? MANY : (int)fit - EXTRA;
}

static void begin_many(int count)
{
	if (count < 1)
		ck_abort_msg("the limit of open files leaves no room for sessions");
	if (count < MANY)
		harness_skip("a part of the flows, for want of descriptors");
	server = server_listen_at("127.0.0.1", 0, 1024, 4 * KIB);
	weir = weir_start("[weir]\nworkers = 2\nmemory = 512M\n"
			  "[policy shares]\nmodule = credit\nsegment = %d\npool = %d\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = shares\n"
			  "rcvbuf = 4K\nsndbuf = 4K\nnotsent_lowat = 4K\n",
		SEGMENT, (count + EXTRA) * SHARE, server.address);
	port = weir_port(weir, "a");
}

static void until_all(int count, bool (*done)(const struct pair *pair))
{
	double until = harness_now() + PATIENCE;
	int first = 0;

	while (first < count) {
		ck_assert_msg(harness_now() < until, "session %d never: %s", first, pair_text(&many[first]));
		if (done(&many[first]))
			first++;
		else
			pairs_step(many + first, (size_t)(count - first), 5);
	}
}

static bool has_all(const struct pair *pair)
{
	return pair->client.got == EACH && pair->server.got == EACH;
}

static bool has_ended(const struct pair *pair)
{
	return pair->client.eof && pair->server.eof;
}

/* By all flows, as the status has it; its lines are read once, for there are many. */
static uint64_t held_by_all(int count)
{
	const char *at;
	uint64_t sum = 0;

	weir_mark(weir);
	ck_assert_uint_eq(weir_sessions(weir), count);
	for (at = weir->log + weir->since; (at = strstr(at, "_held_now=")) != NULL; at++)
		sum += strtoull(at + strlen("_held_now="), NULL, 10);
	return sum;
}

static void open_many(int count)
{
	for (int i = 0; i < count; i++)
		many[i] = pair_open_small(port, &server, 4 * KIB);
}

static void close_many(int count)
{
	for (int i = 0; i < count; i++)
		pair_close(&many[i]);
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_mark(weir);
	ck_assert_uint_eq(weir_sessions(weir), 0);
	ck_assert_ptr_nonnull(weir_find(weir, " pool shares\\.segments units=[0-9]+ used=0 waiters=0 "));
}

/*
 * While nobody reads, every flow fills its own share, and some borrow; then all of it arrives, and all credit is back: as many
 * sessions as the pool has shares for can begin, the last of which needs every one.
 */
START_TEST(ten_thousand_flows)
{
	int count = sessions_that_fit();
	uint64_t pool = (uint64_t)(count + EXTRA) * SHARE;
	uint64_t held;

	begin_many(count);
	open_many(count);
	for (int i = 0; i < count; i++) {
		many[i].client.in_goal = many[i].server.in_goal = 0;
		many[i].client.out_goal = many[i].server.out_goal = EACH;
	}
	pairs_settle(many, (size_t)count, 0.1);
	held = held_by_all(count);
	ck_assert_msg(held <= pool && held > pool / 2, "%llu bytes are held, of %llu", (unsigned long long)held,
		(unsigned long long)pool);
	ck_assert_uint_lt(weir_memory(weir), pool + (uint64_t)count * SESSION + WEIR);
	for (int i = 0; i < count; i++)
		many[i].client.in_goal = many[i].server.in_goal = ALL;
	until_all(count, has_all);
	for (int i = 0; i < count; i++)
		many[i].client.fin_goal = many[i].server.fin_goal = true;
	until_all(count, has_ended);
	close_many(count);
	open_many(count + EXTRA);
	ck_assert_uint_eq(weir_sessions(weir), count + EXTRA);
	close_many(count + EXTRA);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credit");
	TCase *tcase = harness_case(suite, "credit");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_loop_test(tcase, a_slow_channel_stops_only_itself, 0, 2);
	tcase_add_test(tcase, it_stops_all_where_nobody_owns_anything);
	tcase_add_loop_test(tcase, a_session_without_its_share_waits, 0, 2);
	tcase_add_test(tcase, what_is_borrowed_comes_back_for_a_session);
	tcase_add_test(tcase, ten_thousand_flows);
	return harness_main(suite);
}
