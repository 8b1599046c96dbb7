/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watermarks that flows share, between real sockets: a group that is not read holds no more than its mark and its floors, and
 * nobody else feels it. The scenarios of doc/scenarios come to the same.
 */
#include <stdio.h>
#include <string.h>

#include "simulated.h"

enum { KIB = 1024, MIB = 1024 * 1024, STALLED = 3, HIGH = 256 * KIB, LOW = 128 * KIB, FLOOR = 4 * KIB };

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

static void open_stalled(struct pair *pairs, int count, int down)
{
	for (int i = 0; i < count; i++) {
		pairs[i] = pair_open_small(port, &server, 4 * KIB);
		pair_sink(&pairs[i], down)->in_goal = 0;
		pair_source(&pairs[i], down)->out_goal = ALL / 2;
	}
	pairs_settle(pairs, (size_t)count, 0.3);
}

static uint64_t held_by(const struct pair *pairs, int count)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++) {
		const char *status = weir_status(weir, pairs[i].client.port);

		sum += field_number(status, "up_held_now") + field_number(status, "down_held_now");
	}
	return sum;
}

static void release(struct pair *pairs, int count, int down)
{
	for (int i = 0; i < count; i++) {
		pair_source(&pairs[i], down)->out_goal = pair_source(&pairs[i], down)->sent;
		pair_source(&pairs[i], down)->fin_goal = true;
		pair_sink(&pairs[i], down)->in_goal = ALL;
	}
	for (int i = 0; i < count; i++) {
		PAIR_UNTIL(&pairs[i], pair_sink(&pairs[i], down)->eof);
		ck_assert_uint_eq(pair_sink(&pairs[i], down)->got, pair_source(&pairs[i], down)->sent);
		pair_close(&pairs[i]);
	}
}

/*
 * As many marks as there are groups; with scope = flow, which has no floors beside, three flows have three. A flow that leased
 * more than its source had just then gives it back, and nobody else gets it above the low mark: so a group may stop short
 * of high. Simulated sources always have more.
 */
static const struct {
	const char *scope;
	uint64_t marks;
} scopes[] = {{"client", 1}, {"listener", 1}, {"session", STALLED}, {"flow", STALLED}};

START_TEST(a_stalled_group_holds_its_mark)
{
	int down = _i % 2;
	uint64_t marks = scopes[_i / 2].marks;
	struct pair pairs[STALLED];
	struct pair other;
	char scope[32];
	uint64_t held;

	snprintf(scope, sizeof(scope), "scope = %s", scopes[_i / 2].scope);
	begin("scopes", "scope =", scope);
	open_stalled(pairs, STALLED, down);
	held = held_by(pairs, STALLED);
	ck_assert_msg(held <= marks * HIGH + (uint64_t)STALLED * FLOOR, "%s: %llu bytes are held", scope,
		(unsigned long long)held);
	ck_assert_msg(held >= marks * LOW, "%s: only %llu bytes are held", scope, (unsigned long long)held);
	if (_i == 1) {
		uint64_t expected = 0;

		for (unsigned flow = 1; flow <= STALLED; flow++)
			expected += simulated_last("scopes", flow, "held_bytes");
		ck_assert_msg(held <= expected + (uint64_t)STALLED * FLOOR, "%llu are held, simulated %llu",
			(unsigned long long)held, (unsigned long long)expected);
	}
	/* the other client runs on, and with scope = listener it moves, although nothing is left for it but its floor */
	other = pair_open_from("127.0.0.2", port, &server);
	pair_source(&other, down)->out_goal = 2 * MIB;
	PAIR_UNTIL(&other, pair_sink(&other, down)->got == 2 * MIB);
	ck_assert_uint_le(held_by(pairs, STALLED), marks * HIGH + (uint64_t)STALLED * FLOOR);
	pair_close(&other);
	release(pairs, STALLED, down);
}
END_TEST

/* What is named in the log is the policy, and who has a mark of his own is not paused for the others. */
START_TEST(other_clients_are_not_paused)
{
	struct pair pairs[STALLED];
	struct pair other;
	const char *access;

	begin("scopes", NULL, NULL);
	open_stalled(pairs, STALLED, 1);
	other = pair_open_from("127.0.0.2", port, &server);
	for (int i = 0; i < 200; i++) {
		end_write(&other.server, 8 * KIB);
		end_expect(&other.client, 8 * KIB);
	}
	end_shutdown(&other.server);
	end_expect_eof(&other.client);
	end_shutdown(&other.client);
	end_expect_eof(&other.server);
	access = weir_access(weir, other.client.port);
	ck_assert_str_eq(field(access, "down_paused"), "-");
	ck_assert_msg(strstr(field(weir_status(weir, pairs[0].client.port), "down_paused"), "group:") != NULL, "%s",
		weir_status(weir, pairs[0].client.port));
	pair_close(&other);
	release(pairs, STALLED, 1);
}
END_TEST

/* Peers that write on only when they have been read, as echo servers do. */
START_TEST(directions_do_not_lock_each_other)
{
	struct pair pair;
	struct end *answers;

	begin("scopes", "scope =", "scope = session");
	open_stalled(&pair, 1, _i);
	answers = pair_sink(&pair, _i);
	answers->out_goal = SCALED(4) * MIB;
	PAIR_UNTIL(&pair, pair_source(&pair, _i)->got == answers->out_goal);
	release(&pair, 1, _i);
}
END_TEST

/* A slow client's three downloads: together they stay between the marks, and each gets on. */
START_TEST(a_slow_group_gets_on)
{
	struct pair pairs[STALLED];
	uint64_t most = 0;
	uint64_t bound = (uint64_t)simulated("scopes-teeth", "held_all_bytes max");
	double from;

	begin("scopes-teeth", NULL, NULL);
	open_stalled(pairs, STALLED, 1);
	from = harness_now();
	while (harness_now() < from + 2) {
		uint64_t held;

		for (int i = 0; i < STALLED; i++)
			pairs[i].client.in_goal = (uint64_t)((harness_now() - from) * 384 * KIB);
		pairs_step(pairs, STALLED, 5);
		held = held_by(pairs, STALLED);
		most = held > most ? held : most;
	}
	ck_assert_msg(most <= 1024 * KIB + STALLED * FLOOR, "%llu bytes are held", (unsigned long long)most);
	/* the tips of the teeth are short, and looked at now and then */
	ck_assert_msg(most > bound - bound / 5, "at most %llu bytes are held, simulated %llu", (unsigned long long)most,
		(unsigned long long)bound);
	for (int i = 0; i < STALLED; i++)
		ck_assert_msg(pairs[i].client.got > 256 * KIB, "%s", pair_text(&pairs[i]));
	release(pairs, STALLED, 1);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("scopes");
	TCase *tcase = harness_case(suite, "scopes");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_loop_test(tcase, a_stalled_group_holds_its_mark, 0, 2 * COUNT(scopes));
	tcase_add_test(tcase, other_clients_are_not_paused);
	tcase_add_loop_test(tcase, directions_do_not_lock_each_other, 0, 2);
	tcase_add_test(tcase, a_slow_group_gets_on);
	return harness_main(suite);
}
