/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy shape between real sockets: never more than burst + rate x time, at last all of it, and shares as the scope
 * says. Each case has its scenario in doc/scenarios, and must come to the same figures as the simulation.
 *
 * What a bucket lets pass is exact, so the upper bounds are. A machine that has other things to do can be late: the lower
 * ones leave room for that.
 */
#include <stdio.h>
#include <string.h>

#include "simulated.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin(const char *scenario, const char *change, const char *by)
{
	server = server_listen();
	weir = simulated_start(scenario, &server, change, by);
	port = weir_port(weir, "a");
}

static void end(void)
{
	weir_stop(weir);
}

/* A bucket from whose first tokens on so much may have passed. */
struct bucket {
	double rate;
	double burst;
	double since;
};

static void assert_below(const struct bucket *bucket, uint64_t bytes)
{
	double most = bucket->burst + bucket->rate * (harness_now() - bucket->since);

	ck_assert_msg((double)bytes <= most, "%llu bytes passed, %.0f could have", (unsigned long long)bytes, most);
}

/* Moves what can be moved until this end has got so much; returns how long that took. */
static double until_got(struct pair *pair, const struct end *sink, uint64_t goal, const struct bucket *bucket,
	uint64_t base)
{
	double from = harness_now();

	while (sink->got < goal) {
		ck_assert_msg(harness_now() < from + PATIENCE, "never got %llu bytes: %s", (unsigned long long)goal,
			pair_text(pair));
		pairs_step(pair, 1, 5);
		assert_below(bucket, sink->got - base);
	}
	return harness_now() - from;
}

/* Whether they came as fast as they may. On a late machine a source can be slower than its bucket, and need not wait. */
static bool at_full_rate(const struct bucket *bucket, uint64_t bytes, double took)
{
	return took <= ((double)bytes - bucket->burst) / bucket->rate * 1.05;
}

static void assert_nearly(double value, double expected, double slack, const char *what)
{
	ck_assert_msg(value >= expected * (1 - slack) && value <= expected * (1 + slack), "%s: %g, expected %g", what,
		value, expected);
}

START_TEST(takes_bytes_over_rate)
{
	struct bucket bucket = {.rate = 4 * MIB, .burst = 512 * KIB};
	double expected = simulated("shape", "spent_ns held") / 1e9;
	struct pair pair;
	struct end *source;
	struct end *sink;
	double took;

	begin("shape", NULL, NULL);
	bucket.since = harness_now();
	pair = pair_open(port, &server);
	source = _i ? &pair.server : &pair.client;
	sink = _i ? &pair.client : &pair.server;
	source->out_goal = 8 * MIB;
	source->fin_goal = true;
	took = until_got(&pair, sink, 8 * MIB, &bucket, 0);
	assert_nearly(expected, (8.0 * MIB - bucket.burst) / bucket.rate, 0.01, "simulated seconds");
	ck_assert_msg(took <= expected * 4 + 2, "took %g s, expected %g", took, expected);
	end_shutdown(sink);
	PAIR_UNTIL(&pair, pair.client.eof && pair.server.eof);
	ck_assert_msg(!at_full_rate(&bucket, 8 * MIB, took) ||
			strstr(field(weir_access(weir, pair.client.port), _i ? "down_paused" : "up_paused"), "slow:") !=
				NULL,
		"%s", weir_access(weir, pair.client.port));
	pair_close(&pair);
}
END_TEST

/* Held bytes wait for tokens on the write side: no more than the queue of them, and the end comes behind the last. */
START_TEST(the_write_side_is_as_slow)
{
	struct bucket bucket = {.rate = 4 * MIB, .burst = 512 * KIB};
	struct pair pair;
	const char *access;
	double took;

	begin("shape", "burst =", "burst = 512K\nside = write\nqueue = 300K");
	bucket.since = harness_now();
	pair = pair_open(port, &server);
	pair.client.out_goal = 4 * MIB;
	pair.client.fin_goal = true;
	took = until_got(&pair, &pair.server, 4 * MIB, &bucket, 0);
	end_shutdown(&pair.server);
	PAIR_UNTIL(&pair, pair.client.eof && pair.server.eof);
	access = weir_access(weir, pair.client.port);
	ck_assert_msg(field_number(access, "up_held_max") <= 300 * KIB, "%s", access);
	if (at_full_rate(&bucket, 4 * MIB, took)) {
		ck_assert_msg(field_number(access, "up_held_max") >= 200 * KIB, "%s", access);
		ck_assert_msg(strstr(field(access, "up_paused"), "slow:") != NULL, "%s", access);
	}
	pair_close(&pair);
}
END_TEST

static const char *paused_now(const struct pair *pair)
{
	const char *status = weir_status(weir, pair->client.port);

	ck_assert_ptr_nonnull(status);
	return field(status, "up_paused");
}

/* What has gathered in the bucket passes without a pause, the rest of the burst does not; a silence fills the bucket. How
   long the first half takes says nothing of that on a machine that is late: who paused the flow does. */
START_TEST(burst_then_slope)
{
	struct bucket bucket = {.rate = MIB, .burst = 512 * KIB};
	struct pair pair;
	char before[64] = "-";

	begin("shape-burst", NULL, NULL);
	bucket.since = harness_now();
	pair = pair_open(port, &server);
	for (uint64_t burst = 0; burst < 2; burst++) {
		uint64_t base = pair.server.got;
		double took;

		if (burst > 0)
			bucket.since = harness_now();
		pair.client.out_goal += 500 * KIB;
		until_got(&pair, &pair.server, pair.client.out_goal, &bucket, base);
		ck_assert_msg(strcmp(paused_now(&pair), before) == 0, "burst %d: paused %s, before it %s", (int)burst,
			paused_now(&pair), before);
		pair.client.out_goal = base + MIB + 512 * KIB;
		took = until_got(&pair, &pair.server, pair.client.out_goal, &bucket, base);
		ck_assert_msg(took > 1.1 || /* it was slower than the bucket: a megabyte in a second */
				(strncmp(paused_now(&pair), "slow:", 5) == 0 && strcmp(paused_now(&pair), before) != 0),
			"burst %d: paused %s, before it %s", (int)burst, paused_now(&pair), before);
		pairs_settle(&pair, 1, 0.7); /* the bucket fills in half a second */
		snprintf(before, sizeof(before), "%s", paused_now(&pair));
	}
	pair_close(&pair);
}
END_TEST

static uint64_t got_by_all(const struct pair *pairs, int count)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += pairs[i].server.got;
	return sum;
}

/* Everybody sends on until all together have got so much. */
static void flood(struct pair *pairs, int count, uint64_t goal)
{
	double from = harness_now();

	for (int i = 0; i < count; i++)
		pairs[i].client.out_goal = ALL / 2;
	while (got_by_all(pairs, count) < goal) {
		ck_assert_msg(harness_now() < from + PATIENCE, "never got %llu bytes: %s", (unsigned long long)goal,
			pair_text(&pairs[0]));
		pairs_step(pairs, (size_t)count, 5);
	}
}

START_TEST(five_share_one_bucket)
{
	struct bucket bucket = {.rate = 4 * MIB, .burst = 256 * KIB};
	struct pair pairs[5];
	uint64_t before[5];

	begin("shape-fair", NULL, NULL);
	bucket.since = harness_now();
	for (int i = 0; i < 3; i++)
		pairs[i] = pair_open(port, &server);
	flood(pairs, 3, 2 * MIB);
	for (int i = 3; i < 5; i++)
		pairs[i] = pair_open(port, &server);
	flood(pairs, 5, 3 * MIB);
	for (int i = 0; i < 5; i++)
		before[i] = pairs[i].server.got;
	flood(pairs, 5, 9 * MIB);
	assert_below(&bucket, got_by_all(pairs, 5));
	for (int i = 0; i < 5; i++)
		assert_nearly((double)(pairs[i].server.got - before[i]), 6.0 * MIB / 5, 0.1, "one of five shares");
	for (int i = 0; i < 5; i++)
		pair_close(&pairs[i]);
}
END_TEST

/* Four connections of one client, and one of another: by client the one is as fast as the four, by instance as any. */
START_TEST(clients_share_or_do_not)
{
	static const char *const scopes[] = {"scope = client", "scope = instance"};
	double expected = _i == 0 ? (double)simulated_last("shape-clients", 5, "taken_bytes") /
			(double)simulated_last("shape-clients", 1, "taken_bytes")
				  : 1;
	struct pair pairs[5];
	uint64_t goal = _i == 0 ? 8 * MIB : 5 * MIB;
	uint64_t greedy;

	begin("shape-clients", "scope =", scopes[_i]);
	for (int i = 0; i < 4; i++)
		pairs[i] = pair_open(port, &server);
	pairs[4] = pair_open_from("127.0.0.2", port, &server);
	flood(pairs, 5, goal);
	greedy = got_by_all(pairs, 4) / 4;
	assert_nearly((double)pairs[4].server.got / (double)greedy, expected, 0.15, "the modest one's part");
	if (_i == 0)
		assert_nearly(expected, 4, 0.05, "simulated");
	for (int i = 0; i < 5; i++)
		pair_close(&pairs[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shape");
	TCase *tcase = harness_case(suite, "shape");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_loop_test(tcase, takes_bytes_over_rate, 0, 2);
	tcase_add_test(tcase, the_write_side_is_as_slow);
	tcase_add_test(tcase, burst_then_slope);
	tcase_add_test(tcase, five_share_one_bucket);
	tcase_add_loop_test(tcase, clients_share_or_do_not, 0, 2);
	return harness_main(suite);
}
