/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy inflight-cap, with unit = requests, over simulated ends: what servers have in hand comes up to each cap and never
 * beyond, whoever waits longest is next, and everything is answered. What clients and servers send has ends of lines in it.
 */
#include "heard.h"
#include "rig.h"
#include "trial.h"
#include "unit.h"

enum { TIMEOUTS, UNCOUNTED }; /* counters */

static void load_module(void)
{
	trial_load("inflight-cap");
}

static const char *const scopes[] = {"per_session", "per_upstream", "total"};
static uint64_t cap;
static bool shared; /* the cap, by all sessions */

/* Ends of lines within the first bytes that this end sends. */
static uint64_t lines_in(const struct fake *end, uint64_t bytes)
{
	uint64_t lines = 0;

	for (uint64_t at = 0; at < bytes; at++)
		lines += *fake_pattern(end->pattern, at) == '\n';
	return lines;
}

/* Where the line ends that begins here. */
static uint64_t line_end(const struct fake *end, uint64_t at)
{
	while (*fake_pattern(end->pattern, at) != '\n')
		at++;
	return at + 1;
}

static void send_lines(struct fake *end, unsigned lines)
{
	uint64_t to = end->sent;

	while (lines-- > 0)
		to = line_end(end, to);
	fake_send(end, to - end->sent);
}

/* Requests of which the server has seen at least a byte, and not answered, as far as weir can know. */
static uint64_t in_hand(unsigned i)
{
	const struct pair *pair = &rig.pairs[i];
	uint64_t taken = pair->server.accepted;
	uint64_t begun = lines_in(&pair->client, taken);

	if (taken > 0 && *fake_pattern(pair->client.pattern, taken - 1) != '\n')
		begun++;
	return begun - lines_in(&pair->server, pair->session.down.read);
}

static void stays_within(struct world *world)
{
	uint64_t sum = 0;

	(void)world;
	for (unsigned i = 0; i < rig.count; i++) {
		uint64_t hand = rig.pairs[i].closed ? 0 : in_hand(i);

		MUST(hand <= cap, "the server has %llu requests of session %u in hand", (unsigned long long)hand, i);
		sum += hand;
	}
	MUST(!shared || sum <= cap, "servers have %llu requests in hand", (unsigned long long)sum);
}

static void open_asking(unsigned count, const char *scope, unsigned size, const char *more)
{
	cap = size;
	shared = scope != scopes[0];
	rig_begin(trial_options("unit=requests framing=line %s=%u %s", scope, size, more), count);
	heard_rig();
	rig.world.check = stays_within;
	rig_open();
	for (unsigned i = 0; i < count; i++) {
		fake_open(&rig.pairs[i].server, FAKE_WIDE);
		fake_open(&rig.pairs[i].client, FAKE_WIDE);
	}
}

/* If the server has a whole request in hand. */
static bool answer(unsigned i)
{
	struct pair *pair = &rig.pairs[i];

	if (pair->closed ||
		lines_in(&pair->client, pair->server.accepted) == lines_in(&pair->server, pair->server.sent))
		return false;
	send_lines(&pair->server, 1);
	return true;
}

START_TEST(as_many_requests_pass_as_may)
{
	open_asking(5, scopes[_i], 3, "queue=1M");
	for (unsigned i = 0; i < rig.count; i++)
		send_lines(&rig.pairs[i].client, 10);
	world_run(&rig.world);
	for (unsigned i = 0; i < rig.count; i++)
		ck_assert_uint_eq(in_hand(i), !shared || i == 0 ? 3 : 0);
	rig_finish();
}
END_TEST

/* Also those of a client that has said its last word: each is answered before the stream to the server ends. */
START_TEST(a_cap_holds_whatever_happens_and_all_are_answered)
{
	enum { EACH = 30 };

	draw_seed((uint64_t)_i);
	open_asking(6, scopes[_i % 3], 1 + (unsigned)draw(5), _i % 2 ? "slow_start=yes" : "slow_start=no");
	for (int round = 0; round < 2000; round++) {
		unsigned i = (unsigned)draw(rig.count);
		struct fake *client = &rig.pairs[i].client;

		if (draw(4) == 0 && lines_in(client, client->sent) < EACH)
			send_lines(client, 1 + (unsigned)draw(EACH - lines_in(client, client->sent)));
		else if (lines_in(client, client->sent) == EACH && !client->fin)
			fake_end(client);
		(void)answer((unsigned)draw(rig.count));
		world_pass(&rig.world, draw(3) * MS);
		if (round == 300)
			fake_reset(&rig.pairs[0].client);
	}
	for (unsigned i = 1; i < rig.count; i++) {
		ck_assert_uint_eq(lines_in(&rig.pairs[i].client, rig.pairs[i].server.accepted), EACH);
		ck_assert_uint_eq(lines_in(&rig.pairs[i].server, rig.pairs[i].client.accepted), EACH);
		ck_assert(rig.pairs[i].server.fin_sent);
	}
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 0);
	rig_finish();
}
END_TEST

/* First in, first out, also beside a session that always has more to ask. */
START_TEST(who_waits_longest_is_next)
{
	enum { SESSIONS = 4 };

	open_asking(SESSIONS, "total", 1, "queue=1M");
	for (unsigned i = 0; i < SESSIONS; i++) {
		send_lines(&rig.pairs[i].client, 10);
		world_run(&rig.world);
	}
	for (unsigned turn = 0; turn < 16; turn++) {
		for (unsigned i = 0; i < SESSIONS; i++)
			ck_assert_uint_eq(in_hand(i), i == turn % SESSIONS);
		ck_assert(answer(turn % SESSIONS));
		world_run(&rig.world);
	}
	rig_finish();
}
END_TEST

/* What was in flight is the others' then. */
START_TEST(a_session_that_is_lost_gives_back_its_places)
{
	open_asking(2, "total", 2, _i ? "on_error=close" : "on_error=uncounted");
	rig.world.check = NULL;
	send_lines(&rig.pairs[0].client, 5);
	world_run(&rig.world);
	send_lines(&rig.pairs[1].client, 5);
	world_run(&rig.world);
	ck_assert_uint_eq(in_hand(0), 2);
	ck_assert_uint_eq(in_hand(1), 0);
	send_lines(&rig.pairs[0].server, 3); /* more than it was asked */
	world_run(&rig.world);
	ck_assert_uint_eq(heard.counts[UNCOUNTED], 1);
	ck_assert_uint_eq(in_hand(1), 2);
	ck_assert_uint_eq(lines_in(&rig.pairs[0].client, rig_taken(0, WEIR_UP)), _i ? 2 : 5);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(rig.pairs[0].closed, _i);
	ck_assert_uint_eq(rig.pairs[1].closed, 0);
	rig_finish();
}
END_TEST

START_TEST(a_request_waits_until_the_timeout)
{
	open_asking(2, "total", 1, "timeout=5s on_timeout=close");
	send_lines(&rig.pairs[0].client, 1);
	world_run(&rig.world);
	send_lines(&rig.pairs[1].client, 1);
	world_pass(&rig.world, 4990 * MS);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 0);
	world_pass(&rig.world, 20 * MS);
	ck_assert_uint_eq(heard.counts[TIMEOUTS], 1);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(rig.pairs[0].closed, 0); /* whose answer is late; but it waits for no cap */
	ck_assert_uint_eq(rig.pairs[1].session.reason, CLOSE_POLICY);
	ck_assert_uint_eq(rig_taken(1, WEIR_UP), 0);
	rig_finish();
}
END_TEST

START_TEST(idle_sessions_cost_nothing)
{
	uint64_t rounds;

	open_asking(2, "total", 2, "slow_start=yes");
	send_lines(&rig.pairs[0].client, 2);
	world_run(&rig.world);
	while (answer(0))
		world_run(&rig.world);
	ck_assert_uint_eq(lines_in(&rig.pairs[0].server, rig_taken(0, WEIR_DOWN)), 2);
	world_pass(&rig.world,
		100 * SECOND); /* timers are looked at when they are due, whether they are still needed or not */
	rounds = rig.world.rounds;
	world_pass(&rig.world, 1000 * SECOND);
	ck_assert_uint_eq(rig.world.rounds, rounds);
	rig_finish();
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("inflight_dialogs");
	TCase *tcase = tcase_create("sessions");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_loop_test(tcase, as_many_requests_pass_as_may, 0, COUNT(scopes));
	tcase_add_loop_test(tcase, a_cap_holds_whatever_happens_and_all_are_answered, 0, 12);
	tcase_add_test(tcase, who_waits_longest_is_next);
	tcase_add_loop_test(tcase, a_session_that_is_lost_gives_back_its_places, 0, 2);
	tcase_add_test(tcase, a_request_waits_until_the_timeout);
	tcase_add_test(tcase, idle_sessions_cost_nothing);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
