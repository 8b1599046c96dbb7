/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A threshold that moves with what is free, between real sockets: hogs stop at it, and a newcomer finds room at once. The
 * scenarios of doc/scenarios come to the same.
 */
#include <stdio.h>

#include "simulated.h"

enum { KIB = 1024, MIB = 1024 * 1024, HOGS = 8, POOL = 4 * MIB, FLOOR = 4 * KIB, BURST = 256 * KIB };

static struct server server;
static struct weir *weir;
static unsigned port;
static struct pair hogs[HOGS];

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

static uint64_t held_by(const struct pair *pair)
{
	return field_number(weir_status(weir, pair->client.port), "down_held_now");
}

static uint64_t held_by_hogs(int count)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += held_by(&hogs[i]);
	return sum;
}

/* Downloads that nobody reads, until they have all they can get. */
static void open_hogs(int from, int to)
{
	for (int i = from; i < to; i++) {
		hogs[i] = pair_open_small(port, &server, 4 * KIB);
		hogs[i].client.in_goal = 0;
		hogs[i].server.out_goal = ALL / 2;
	}
	pairs_settle(hogs, (size_t)to, 0.3);
}

static void close_hogs(int count)
{
	for (int i = 0; i < count; i++)
		pair_close(&hogs[i]);
}

static const struct {
	const char *alpha;
	double alone; /* of the pool */
} alphas[] = {{"alpha = 1/8", 1.0 / 9}, {"alpha = 1", 1.0 / 2}, {"alpha = 8", 8.0 / 9}};

/* The second comes when the first holds what it may, and gets as much of the rest. */
START_TEST(hogs_stop_at_their_thresholds)
{
	double left = POOL;
	char options[64];

	snprintf(options, sizeof(options), "module = fair\n%s", alphas[_i].alpha);
	begin("fair", "module =", options);
	for (int i = 0; i < 2; i++) {
		double may = left * alphas[_i].alone;
		double held;

		open_hogs(i, i + 1);
		held = (double)held_by(&hogs[i]) - FLOOR;
		ck_assert_msg(held <= may && held >= may - 16 * KIB, "hog %d holds %.0f, and may hold %.0f", i, held,
			may);
		left -= held;
	}
	close_hogs(2);
}
END_TEST

/* All at once; their order is nobody's, but what they leave follows from it, and is never nothing. */
START_TEST(a_newcomer_finds_room_at_once)
{
	struct pair pair;
	uint64_t expected = 0;
	uint64_t held;
	uint64_t may;

	begin("fair-newcomer", NULL, NULL);
	open_hogs(0, HOGS);
	held = held_by_hogs(HOGS);
	for (unsigned flow = 1; flow <= HOGS; flow++)
		expected += simulated_last("fair-newcomer", flow, "held_bytes");
	ck_assert_msg(held <= expected + expected / 10 && held + expected / 10 >= expected,
		"%llu bytes are held, simulated %llu", (unsigned long long)held, (unsigned long long)expected);
	pair = pair_open_small(port, &server, 4 * KIB);
	pair.client.in_goal = 0;
	pair.server.out_goal = BURST;
	may = (POOL + HOGS * FLOOR - held) / 2;
	ck_assert_uint_gt(may, 48 * KIB);
	PAIR_UNTIL(&pair, held_by(&pair) > (may < BURST * 3 / 4 ? may - 16 * KIB : BURST / 2));
	ck_assert_uint_eq(held_by_hogs(HOGS), held);
	pair.client.in_goal = ALL;
	PAIR_UNTIL(&pair, pair.client.got == BURST);
	pair_close(&pair);
	close_hogs(HOGS);
}
END_TEST

/* Where marks are shared there is none, but for what nobody can take. */
START_TEST(with_marks_it_does_not)
{
	struct pair pair;

	begin("fair-newcomer", "policy = shared", "policy = marks");
	open_hogs(0, HOGS);
	pair = pair_open_small(port, &server, 4 * KIB);
	pair.client.in_goal = 0;
	pair.server.out_goal = BURST;
	pairs_settle(&pair, 1, 0.3);
	ck_assert_uint_eq(held_by(&pair), FLOOR);
	pair.client.in_goal = ALL;
	PAIR_UNTIL(&pair, pair.client.got == BURST);
	pair_close(&pair);
	close_hogs(HOGS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fair");
	TCase *tcase = harness_case(suite, "fair");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_loop_test(tcase, hogs_stop_at_their_thresholds, 0, (int)(sizeof(alphas) / sizeof(alphas[0])));
	tcase_add_test(tcase, a_newcomer_finds_room_at_once);
	tcase_add_test(tcase, with_marks_it_does_not);
	return harness_main(suite);
}
