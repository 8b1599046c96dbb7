/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slow sink holds its source back and nobody else: what weir keeps of a stalled session is bounded, in its own memory
 * and in its kernel queues, and the others run on.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin_small(void)
{
	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_before(&server, "64K", "32K", "");
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

/* The source writes as much as anybody takes; nobody reads at the other end. */
static void stall(struct pair *pair, int down)
{
	pair_sink(pair, down)->in_goal = pair_sink(pair, down)->got;
	pair_source(pair, down)->out_goal = ALL / 2;
	pairs_settle(pair, 1, 0.3);
}

/* What the source has sent and does not keep itself any more. */
static uint64_t given_away(const struct end *source)
{
	int queued = 0;

	ck_assert_int_eq(ioctl(source->fd, SIOCOUTQ, &queued), 0);
	return source->sent - (uint64_t)queued;
}

static void release(struct pair *pair, int down)
{
	struct end *source = pair_source(pair, down);
	struct end *sink = pair_sink(pair, down);

	source->out_goal = source->sent;
	source->fin_goal = true;
	sink->in_goal = ALL;
	PAIR_UNTIL(pair, sink->eof || sink->in_error != 0);
	ck_assert_uint_eq(sink->got, source->sent);
}

START_TEST(slow_reader_blocks_origin)
{
	struct pair pair = pair_open_small(port, &server, 4 * KIB);
	struct end *source = pair_source(&pair, _i);
	const char *status;
	const char *access;

	stall(&pair, _i);
	status = weir_status(weir, pair.client.port);
	ck_assert_msg(field_number(status, _i ? "down_held_now" : "up_held_now") <= 64 * KIB, "%s", status);
	ck_assert_str_eq(field(status, _i ? "down_state" : "up_state"), "blocked");
	ck_assert_uint_le(given_away(source), 64 * KIB + 512 * KIB + 16 * KIB);
	for (int step = 0; step < 40; step++) { /* now it reads a little, now and then */
		pair_sink(&pair, _i)->in_goal += 8 * KIB;
		pairs_step(&pair, 1, 2);
	}
	release(&pair, _i);
	end_shutdown(pair_sink(&pair, _i));
	end_expect_eof(source);
	access = weir_access(weir, pair.client.port);
	ck_assert_msg(field_number(access, _i ? "down_held_max" : "up_held_max") <= 64 * KIB, "%s", access);
	ck_assert_msg(field_number(access, _i ? "down_held_max" : "up_held_max") >= 32 * KIB, "%s", access);
	ck_assert_msg(field_seconds(access, _i ? "down_blocked" : "up_blocked") >= 0.2, "%s", access);
	ck_assert_msg(strstr(field(access, _i ? "down_paused" : "up_paused"), "marks:") != NULL, "%s", access);
	ck_assert_str_eq(field(access, _i ? "up_paused" : "down_paused"), "-");
	ck_assert_uint_eq(field_number(access, _i ? "down" : "up"), pair_sink(&pair, _i)->got);
	pair_close(&pair);
}
END_TEST

/* The four states are all there is: they add up to the session's duration. */
START_TEST(states_add_up)
{
	struct pair pair = pair_open_small(port, &server, 4 * KIB);
	const char *access;

	stall(&pair, 1);
	end_write(&pair.client, 100);
	end_expect(&pair.server, 100);
	release(&pair, 1);
	end_shutdown(&pair.client);
	end_expect_eof(&pair.server);
	access = weir_access(weir, pair.client.port);
	for (int down = 0; down < 2; down++) {
		double sum = field_seconds(access, down ? "down_idle" : "up_idle") +
			field_seconds(access, down ? "down_moving" : "up_moving") +
			field_seconds(access, down ? "down_blocked" : "up_blocked") +
			field_seconds(access, down ? "down_held" : "up_held");

		ck_assert_msg(sum > field_seconds(access, "duration") - 0.001 &&
				sum < field_seconds(access, "duration") + 0.001,
			"%s", access);
	}
	pair_close(&pair);
}
END_TEST

START_TEST(directions_are_independent)
{
	struct pair pair = pair_open_small(port, &server, 4 * KIB);
	struct end *source = pair_source(&pair, !_i);
	struct end *sink = pair_sink(&pair, !_i);

	stall(&pair, _i);
	source->out_goal = SCALED(4) * MIB;
	sink->in_goal = ALL;
	PAIR_UNTIL(&pair, sink->got == source->out_goal);
	release(&pair, _i);
	pair_close(&pair);
}
END_TEST

/* Of several policies the smallest limit counts, whatever their order, and the pause has its name. */
START_TEST(smallest_limit_counts)
{
	static const char *const orders[] = {"wide, narrow", "narrow, wide"};
	struct pair pair;
	const char *access;

	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_start("[policy wide]\nmodule = watermark\n"
			  "[policy narrow]\nmodule = watermark\nhigh = 32K\nlow = 16K\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = %s\n",
		server.address, orders[_i]);
	port = weir_port(weir, "a");
	pair = pair_open(port, &server);
	stall(&pair, 0);
	release(&pair, 0);
	end_shutdown(&pair.server);
	end_expect_eof(&pair.client);
	access = weir_access(weir, pair.client.port);
	ck_assert_msg(field_number(access, "up_held_max") <= 32 * KIB, "%s", access);
	ck_assert_msg(strstr(field(access, "up_paused"), "narrow:") != NULL, "%s", access);
	ck_assert_msg(strstr(field(access, "up_paused"), "wide:") == NULL, "%s", access);
	pair_close(&pair);
}
END_TEST

/* ---- the bound of what is hidden ----------------------------------------------------------------------------------- */

static uint64_t size_of(const char *text)
{
	char *unit;
	uint64_t size = strtoull(text, &unit, 10);

	return *unit == 'K' ? size * KIB : *unit == 'M' ? size * MIB : size;
}

static uint64_t default_high(void)
{
	const char *text = weir_print("-T", "[listener a]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\n");
	const char *high = strstr(text, "\nhigh = ");

	ck_assert_msg(high != NULL, "no high mark in:\n%s", text);
	return size_of(high + strlen("\nhigh = "));
}

/* Bytes in weir, in the receive queue of the flow's source and in the send queue of its sink. */
static uint64_t kept(const struct pair *pair, int down)
{
	const char *status = weir_status(weir, pair->client.port);
	struct queues client = {0};
	struct queues upstream = {0};

	ck_assert(weir_queues(weir, port, pair->client.port, &client));
	ck_assert(weir_queues(weir, 0, server.port, &upstream));
	return field_number(status, down ? "down_held_now" : "up_held_now") +
		(down ? upstream.unread + client.unsent : client.unread + upstream.unsent);
}

static void begin_defaults(void)
{
	server = server_listen();
	weir = weir_start("[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n", server.address);
	port = weir_port(weir, "a");
}

static void expect_bounded(struct pair *pair, int down, const char *when)
{
	uint64_t bound = default_high() + 512 * KIB;
	uint64_t now;

	stall(pair, down);
	now = kept(pair, down);
	ck_assert_msg(now <= bound, "%s, %s: weir keeps %llu bytes, more than %llu: %s", down ? "down" : "up", when,
		(unsigned long long)now, (unsigned long long)bound, weir_status(weir, pair->client.port));
	ck_assert_uint_le(field_number(weir_status(weir, pair->client.port), down ? "down_held_max" : "up_held_max"),
		bound - 512 * KIB);
}

START_TEST(kept_is_bounded)
{
	struct pair pair = pair_open(port, &server);
	uint64_t bulk = SANITIZED ? 128 * MIB : 1024 * (uint64_t)MIB;

	expect_bounded(&pair, _i, "fresh");
	pair_source(&pair, _i)->out_goal = bulk;
	pair_sink(&pair, _i)->in_goal = bulk;
	while (pair_sink(&pair, _i)->got < bulk) {
		uint64_t before = pair_sink(&pair, _i)->got;

		PAIR_UNTIL(&pair, pair_sink(&pair, _i)->got > before);
	}
	expect_bounded(&pair, _i, "after bulk");
	release(&pair, _i);
	pair_close(&pair);
}
END_TEST

/* ---- others run on ------------------------------------------------------------------------------------------------- */

static void begin_one_worker(void)
{
	server = server_listen();
	weir = weir_start("[weir]\nworkers = 1\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n", server.address);
	port = weir_port(weir, "a");
}

START_TEST(one_stalled_ten_busy)
{
	enum { BUSY = 10 };
	struct pair pairs[BUSY + 1];
	struct pair *stalled = &pairs[BUSY];
	uint64_t each = SCALED(16) * MIB;
	double until = harness_now() + PATIENCE;
	unsigned done = 0;

	for (int i = 0; i <= BUSY; i++)
		pairs[i] = pair_open(port, &server);
	stall(stalled, _i);
	for (int i = 0; i < BUSY; i++)
		pairs[i].client.out_goal = pairs[i].server.out_goal = each;
	while (done < BUSY) {
		ck_assert_msg(harness_now() < until, "%u of %d sessions are through; %s", done, BUSY,
			pair_text(&pairs[0]));
		pairs_step(pairs, BUSY + 1, 5);
		done = 0;
		for (int i = 0; i < BUSY; i++)
			done += pairs[i].client.got == each && pairs[i].server.got == each;
	}
	ck_assert_uint_eq(pair_sink(stalled, _i)->got, 0);
	release(stalled, _i);
	for (int i = 0; i <= BUSY; i++)
		pair_close(&pairs[i]);
}
END_TEST

/* Mice ask and are answered, while an elephant takes all it can get on the same worker. */
START_TEST(elephant_beside_mice)
{
	enum { MICE = 4, TRIPS = 300, LENGTH = 1024 };
	struct pair pairs[MICE + 1];
	struct pair *elephant = &pairs[MICE];
	double longest = 0;
	double asked[MICE];
	int trips[MICE] = {0};
	int done = 0;
	double until = harness_now() + PATIENCE;

	for (int i = 0; i <= MICE; i++)
		pairs[i] = pair_open(port, &server);
	elephant->client.out_goal = elephant->server.out_goal = ALL / 2;
	PAIR_UNTIL(elephant, elephant->client.got > 8 * MIB && elephant->server.got > 8 * MIB);
	for (int i = 0; i < MICE; i++) {
		pairs[i].client.out_goal = LENGTH;
		asked[i] = harness_now();
	}
	while (done < MICE) {
		ck_assert_msg(harness_now() < until, "mouse 0 made %d of %d round trips", trips[0], TRIPS);
		pairs_step(pairs, MICE + 1, 5);
		for (int i = 0; i < MICE; i++) {
			pairs[i].server.out_goal = pairs[i].server.got; /* as many as were asked for */
			if (trips[i] == TRIPS || pairs[i].client.got < pairs[i].client.out_goal)
				continue;
			longest = harness_now() - asked[i] > longest ? harness_now() - asked[i] : longest;
			asked[i] = harness_now();
			done += ++trips[i] == TRIPS;
			pairs[i].client.out_goal += trips[i] < TRIPS ? LENGTH : 0;
		}
	}
	ck_assert_msg(longest < PATIENCE / 10, "a mouse waited for %g s beside the elephant", longest);
	ck_assert_int_eq(elephant->client.in_error, 0);
	for (int i = 0; i <= MICE; i++)
		pair_close(&pairs[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("marks");
	TCase *tcase = harness_case(suite, "small marks");

	tcase_add_checked_fixture(tcase, begin_small, end);
	tcase_add_loop_test(tcase, slow_reader_blocks_origin, 0, 2);
	tcase_add_test(tcase, states_add_up);
	tcase_add_loop_test(tcase, directions_are_independent, 0, 2);
	tcase = harness_case(suite, "stack");
	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_loop_test(tcase, smallest_limit_counts, 0, 2);
	tcase = harness_case(suite, "defaults");
	tcase_add_checked_fixture(tcase, begin_defaults, end);
	tcase_add_loop_test(tcase, kept_is_bounded, 0, 2);
	tcase = harness_case(suite, "one worker");
	tcase_add_checked_fixture(tcase, begin_one_worker, end);
	tcase_add_loop_test(tcase, one_stalled_ten_busy, 0, 2);
	tcase_add_test(tcase, elephant_beside_mice);
	return harness_main(suite);
}
