/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy demand between real sockets: a sink that stalls stops its source at what was asked for, in chunks or in bytes,
 * and all of it arrives when it goes on. The scenarios of doc/scenarios come to the same.
 */
#include <string.h>

#include "simulated.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin(const char *scenario, const char *change, const char *by)
{
	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = simulated_start(scenario, &server, change, by);
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

static void stall(struct pair *pair, int down)
{
	pair_sink(pair, down)->in_goal = pair_sink(pair, down)->got;
	pair_source(pair, down)->out_goal = ALL / 2;
	pairs_settle(pair, 1, 0.3);
}

/* All that was sent arrives; returns the access line. */
static const char *release(struct pair *pair, int down)
{
	struct end *source = pair_source(pair, down);
	struct end *sink = pair_sink(pair, down);

	source->out_goal = source->sent;
	source->fin_goal = true;
	sink->in_goal = ALL;
	PAIR_UNTIL(pair, sink->eof);
	ck_assert_uint_eq(sink->got, source->sent);
	end_shutdown(sink);
	PAIR_UNTIL(pair, source->eof);
	return weir_access(weir, pair->client.port);
}

static void assert_paused_by(const char *access, int down, const char *policy)
{
	ck_assert_msg(strstr(field(access, down ? "down_paused" : "up_paused"), policy) != NULL, "%s", access);
}

/* Large chunks meet the bound in bytes, to the byte. */
START_TEST(a_stalled_sink_stops_its_source_at_the_bytes)
{
	struct pair pair;
	const char *status;

	begin("demand-stalled", NULL, NULL);
	pair = pair_open_small(port, &server, 4 * KIB);
	stall(&pair, _i);
	status = weir_status(weir, pair.client.port);
	ck_assert_msg(field_number(status, _i ? "down_held_now" : "up_held_now") ==
			(uint64_t)simulated("demand-stalled", "held_bytes max"),
		"%s", status);
	assert_paused_by(release(&pair, _i), _i, "asked:");
	pair_close(&pair);
}
END_TEST

/* Of few chunks each is no larger than what a receive queue has. */
START_TEST(a_stalled_sink_stops_its_source_at_the_chunks)
{
	struct pair pair;
	const char *status;

	begin("demand-stalled", "bytes =", "prefetch = 3\nrefill = 1\nqueue = 1\nbytes = 1G");
	pair = pair_open_small(port, &server, 4 * KIB);
	stall(&pair, _i);
	status = weir_status(weir, pair.client.port);
	ck_assert_msg(field_number(status, _i ? "down_held_now" : "up_held_now") <= 4 * 256 * KIB, "%s", status);
	ck_assert_msg(field_number(status, _i ? "down_held_now" : "up_held_now") > 0, "%s", status);
	assert_paused_by(release(&pair, _i), _i, "asked:");
	pair_close(&pair);
}
END_TEST

/* A byte is a chunk, when it comes alone: 128 of them are asked for, one more is read, and nobody knows that there are others. */
START_TEST(messages_are_counted_one_by_one)
{
	struct pair pair;
	const char *status;
	uint64_t base;
	uint64_t held = 0;

	begin("demand-stalled", "bytes =", "prefetch = 128");
	pair = pair_open_small(port, &server, 4 * KIB);
	pair.server.in_goal = 0;
	pair.client.out_goal = 0;
	for (base = 0; held == 0; base += 64 * KIB) { /* the queues behind weir fill up, until weir holds some */
		ck_assert_uint_lt(base, 8 * MIB);
		pair.client.out_goal += 64 * KIB;
		PAIR_UNTIL(&pair, pair.client.sent == pair.client.out_goal);
		end_flush(&pair.client);
		status = weir_status(weir, pair.client.port);
		held = field_number(status, "up_held_now");
	}
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t now;

		end_write(&pair.client, 1);
		end_flush(&pair.client);
		now = field_number(weir_status(weir, pair.client.port), "up_held_now");
		ck_assert_uint_le(now, held + i + 1);
		if (now < held + i + 1) {
			ck_assert_uint_le(i, 129);
			ck_assert_uint_gt(i, 64);
			release(&pair, 0);
			pair_close(&pair);
			return;
		}
	}
	ck_abort_msg("200 messages were read, and none written");
}
END_TEST

/* A sink that reads slowly has what it asks for, and its source never far ahead. */
START_TEST(a_slow_sink_is_served)
{
	struct pair pair;
	double from;
	double most = simulated("demand", "held_bytes max");
	const char *access;
	double held;

	begin("demand", NULL, NULL);
	pair = pair_open_small(port, &server, 4 * KIB);
	pair.client.out_goal = ALL / 2;
	from = harness_now();
	while (harness_now() < from + 2) {
		pair.server.in_goal = (uint64_t)((harness_now() - from) * 512 * KIB);
		pairs_step(&pair, 1, 5);
	}
	access = release(&pair, 0);
	assert_paused_by(access, 0, "asked:");
	held = (double)field_number(access, "up_held_max");
	ck_assert_msg(held < most * 2 && held > most / 8, "held %g, simulated %g", held, most);
	pair_close(&pair);
}
END_TEST

/* Whose sink keeps up is not paused for want of demand, whatever the size of the chunks. */
START_TEST(bulk_passes)
{
	struct pair pair;

	begin("demand-stalled", NULL, NULL);
	pair = pair_open(port, &server);
	pair.client.out_goal = pair.server.out_goal = SCALED(64) * MIB;
	PAIR_UNTIL(&pair, pair.client.got == pair.server.out_goal && pair.server.got == pair.client.out_goal);
	pair_close(&pair);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demand");
	TCase *tcase = harness_case(suite, "demand");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_loop_test(tcase, a_stalled_sink_stops_its_source_at_the_bytes, 0, 2);
	tcase_add_loop_test(tcase, a_stalled_sink_stops_its_source_at_the_chunks, 0, 2);
	tcase_add_test(tcase, messages_are_counted_one_by_one);
	tcase_add_test(tcase, a_slow_sink_is_served);
	tcase_add_test(tcase, bulk_passes);
	return harness_main(suite);
}
