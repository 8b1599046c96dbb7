/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy that lets so many messages pass as it has units for: what scan() holds back, when it is shown again, what stays
 * leased behind the end of the stream; and policies that end sessions, count, and see how long they keep somebody waiting.
 *
 * A message is MESSAGE bytes of the flow upwards. The test says when one is done with.
 */
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "host.h"
#include "rule.h"
#include "unit.h"

#define MESSAGE 10
#define PAIRS 2

/* What the test says, and sees. */
static struct turnstile {
	uint64_t size;
	uint32_t options_need; /* of WEIR_NEED_SCAN */
	uint64_t waited;       /* longest, as seen */
	unsigned scans;
	unsigned ends_told;     /* of flows downwards */
	bool ended_before_time; /* such a flow had ended, as the view had it, and was not told of */
} first, second;

struct passed {
	uint64_t begun; /* messages that may pass, ever; so is the next */
	uint64_t done;
	uint64_t offset; /* bytes consumed */
	uint32_t waits;
	uint32_t ends; /* enum weir_end, plus 1, at the next event */
};

static struct weir_pool pool = {
	.name = "slots",
	.scope = WEIR_SCOPE_INSTANCE,
	.size_offset = offsetof(struct turnstile, size),
	.flags = WEIR_POOL_BRIEF,
};

static const struct weir_counter counters[] = {{"messages", "how many began"}};

static void turnstile_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	struct turnstile *turnstile = (struct turnstile *)call->options;
	const struct passed *passed = call->flow;

	if (call->ref.direction != WEIR_UP || turnstile->options_need == 0)
		return;
	if (view->waited > turnstile->waited)
		turnstile->waited = view->waited;
	limits->used[0] = passed->begun - passed->done;
	limits->want[0] = limits->used[0] + (passed->waits ? 2 : 0);
	limits->grain[0] = 1;
	limits->for_writing = 1;
	if (!passed->waits)
		return;
	limits->read_to = view->read;
	limits->write_to = view->scanned;
	limits->promises = WEIR_PROMISE_LEASE | WEIR_PROMISE_WAKE;
}

static size_t turnstile_scan(const struct weir_call *call, const void *bytes, size_t length)
{
	struct turnstile *turnstile = (struct turnstile *)call->options;
	struct passed *passed = call->flow;
	size_t done = 0;

	(void)bytes;
	turnstile->scans++;
	MUST(call->view != NULL, "scan() is not shown the view");
	passed->waits = 0;
	if (call->ref.direction != WEIR_UP) {
		passed->offset += length;
		return length;
	}
	while (done < length) {
		size_t rest = MESSAGE - passed->offset % MESSAGE;

		if (rest == MESSAGE) {
			passed->waits = call->view->pools[0].units <= passed->begun - passed->done;
			if (passed->waits)
				return done;
			passed->begun++;
			call->host->count(call, 0, 1);
			call->host->count(call, 1, 1); /* there is none */
		}
		rest = rest < length - done ? rest : length - done;
		passed->offset += rest;
		done += rest;
	}
	return done;
}

static void turnstile_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	struct turnstile *turnstile = (struct turnstile *)call->options;
	struct passed *passed = call->flow;

	if (call->ref.direction == WEIR_DOWN) {
		turnstile->ends_told += (event->what & WEIR_EVENT_ENDED) != 0;
		turnstile->ended_before_time |= view->ended && turnstile->ends_told == 0;
	}
	if (passed->ends > 0) {
		call->host->end(call, (enum weir_end)(passed->ends - 1), "the test says so");
		call->host->end(call, WEIR_END_RESET, "and again");
	}
}

static uint32_t turnstile_needs(const void *options)
{
	return ((const struct turnstile *)options)->options_need;
}

static const struct weir_policy turnstile_policy = {
	.name = "turnstile",
	.pools = &pool,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.flow_size = sizeof(struct passed),
	.needs = WEIR_NEED_SCAN | WEIR_NEED_ACKED,
	.ask = turnstile_ask,
	.event = turnstile_event,
	.scan = turnstile_scan,
	.needs_of = turnstile_needs,
	.counters = counters,
	.counter_stride = sizeof(counters[0]),
	.counter_count = 1,
};

static struct world world;
static struct rule rules[2];
static struct stack stack;
static struct pair pairs[PAIRS];

static void begin_with(struct turnstile as, const struct turnstile *other)
{
	first = as;
	capture_begin();
	world_init(&world, 1024);
	rule_init(&rules[0], "turnstile", &turnstile_policy, &first);
	if (other != NULL) {
		second = *other;
		rule_init(&rules[1], "gate", &turnstile_policy, &second);
	}
	/* the order in the stack is the other way round: it is that of the sections which counts */
	rule_stack(&stack, other != NULL ? &rules[1] : &rules[0], other != NULL ? &rules[0] : NULL, NULL);
	for (unsigned i = 0; i < PAIRS; i++) {
		pair_init(&pairs[i], &world, &stack);
		world.host.end = host.end;
		world.host.count = host.count;
		pair_open(&pairs[i]);
	}
}

static void begin(uint64_t size)
{
	begin_with((struct turnstile){.size = size, .options_need = WEIR_NEED_SCAN}, NULL);
}

static void finish(unsigned rule_count)
{
	for (unsigned i = 0; i < PAIRS; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	stack_destroy(&stack);
	for (unsigned i = 0; i < rule_count; i++)
		rule_destroy(&rules[i]);
	world_destroy(&world);
}

static unsigned member_of(unsigned rule)
{
	return stack.members[0].policy == &rules[rule].policy ? 0 : 1;
}

static struct passed *passed_by(unsigned rule, unsigned i)
{
	return (struct passed *)(pairs[i].session.owner.states + stack.members[member_of(rule)].flow_state[WEIR_UP]);
}

static uint32_t slots(unsigned i)
{
	return standing_member(&pairs[i].session.up.standing, member_of(0))->leased[0];
}

static void answer(unsigned i, uint64_t messages)
{
	passed_by(0, i)->done += messages;
	session_wake(&pairs[i].session);
	world_run(&world);
}

static void send_up(unsigned i, uint64_t bytes)
{
	fake_send(&pairs[i].client, bytes);
	world_run(&world);
}

START_TEST(a_read_passes_as_far_as_there_are_units)
{
	begin(3);
	send_up(0, 10 * MESSAGE);
	ck_assert_uint_eq(pairs[0].server.accepted, 3 * MESSAGE);
	for (unsigned i = 1; i <= 7; i++) {
		answer(0, 1);
		ck_assert_uint_eq(pairs[0].server.accepted, (3 + i) * MESSAGE);
		ck_assert_uint_le(slots(0), 3);
	}
	answer(0, 3);
	ck_assert_uint_eq(slots(0), 0);
	finish(1);
}
END_TEST

/* Two at a time are wanted: all that are there are had in one turn. */
START_TEST(what_is_held_back_is_shown_again_when_a_lease_has_come)
{
	begin(100);
	fake_send(&pairs[0].client, 50 * MESSAGE);
	world_step(&world);
	ck_assert_uint_eq(pairs[0].server.accepted, 50 * MESSAGE);
	ck_assert_uint_eq(slots(0), 50);
	finish(1);
}
END_TEST

START_TEST(who_came_first_passes_first)
{
	begin(1);
	send_up(0, 2 * MESSAGE);
	send_up(1, 2 * MESSAGE);
	ck_assert_uint_eq(pairs[0].server.accepted, MESSAGE);
	ck_assert_uint_eq(pairs[1].server.accepted, 0);
	answer(0, 1);
	/* the first waited for its second message before the other came */
	ck_assert_uint_eq(pairs[0].server.accepted, 2 * MESSAGE);
	answer(0, 1);
	ck_assert_uint_eq(pairs[1].server.accepted, MESSAGE);
	answer(1, 1);
	ck_assert_uint_eq(pairs[1].server.accepted, 2 * MESSAGE);
	finish(1);
}
END_TEST

/* The end of the stream sets nothing free: neither what waits, nor what is under way. */
START_TEST(an_end_neither_opens_the_gate_nor_frees_what_is_used)
{
	begin(2);
	fake_send(&pairs[0].client, 5 * MESSAGE);
	fake_end(&pairs[0].client);
	world_run(&world);
	ck_assert_uint_eq(pairs[0].server.accepted, 2 * MESSAGE);
	ck_assert(!fake_saw_end(&pairs[0].server));
	answer(0, 1);
	answer(0, 1);
	ck_assert_uint_eq(pairs[0].server.accepted, 4 * MESSAGE);
	answer(0, 1);
	ck_assert_uint_eq(pairs[0].server.accepted, 5 * MESSAGE);
	ck_assert(fake_saw_end(&pairs[0].server));
	ck_assert_uint_eq(slots(0), 2);
	send_up(1, MESSAGE);
	ck_assert_uint_eq(pairs[1].server.accepted, 0);
	answer(0, 1);
	ck_assert_uint_eq(pairs[1].server.accepted, MESSAGE);
	answer(0, 1);
	ck_assert_uint_eq(slots(0), 0);
	finish(1);
}
END_TEST

/* However a session ends, what it used is free for others. */
START_TEST(a_session_that_breaks_frees_what_it_used)
{
	begin(2);
	send_up(0, 2 * MESSAGE);
	send_up(1, MESSAGE);
	ck_assert_uint_eq(pairs[1].server.accepted, 0);
	fake_reset(&pairs[0].server);
	world_run(&world);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(pairs[1].server.accepted, MESSAGE);
	finish(1);
}
END_TEST

/* Answers free what waits for them, although nobody will get them. */
START_TEST(what_nobody_will_get_is_shown_all_the_same)
{
	const struct passed *down;

	begin(2);
	send_up(0, 5 * MESSAGE);
	fake_reset(&pairs[0].client);
	world_run(&world);
	world_pass(&world, 5 * SECOND);
	ck_assert_uint_eq(pairs[0].closed, 0); /* three are still to be delivered */
	fake_send(&pairs[0].server, 300000);
	world_run(&world);
	down = (const struct passed *)(pairs[0].session.owner.states + stack.members[0].flow_state[WEIR_DOWN]);
	ck_assert_uint_eq(down->offset, 300000);
	ck_assert_uint_eq(first.ends_told, 0);
	fake_end(&pairs[0].server);
	world_run(&world);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(first.ends_told, 1);
	ck_assert(!first.ended_before_time);
	answer(0, 1);
	ck_assert_uint_eq(pairs[0].server.accepted, 3 * MESSAGE);
	answer(0, 2);
	ck_assert_uint_eq(fake_delivered(&pairs[0].server), 5 * MESSAGE);
	world_pass(&world, SECOND);
	ck_assert_uint_eq(pairs[0].closed, 1);
	ck_assert(!fake_saw_end(&pairs[0].server) && fake_saw_reset(&pairs[0].server));
	finish(1);
}
END_TEST

/* The second in the file sees what the first let pass, although it stands before it in the stack. */
START_TEST(a_later_section_sees_what_an_earlier_one_let_pass)
{
	begin_with((struct turnstile){.size = 2, .options_need = WEIR_NEED_SCAN},
		&(struct turnstile){.size = 5, .options_need = WEIR_NEED_SCAN});
	send_up(0, 10 * MESSAGE);
	ck_assert_uint_eq(passed_by(0, 0)->begun, 2);
	ck_assert_uint_eq(passed_by(1, 0)->begun, 2);
	ck_assert_uint_eq(pairs[0].server.accepted, 2 * MESSAGE);
	answer(0, 2);
	answer(0, 2);
	ck_assert_uint_eq(passed_by(1, 0)->begun, 5); /* and here it ends, as none is done with there */
	ck_assert_uint_eq(pairs[0].server.accepted, 5 * MESSAGE);
	finish(2);
}
END_TEST

START_TEST(options_say_what_is_needed)
{
	begin_with((struct turnstile){.size = 1}, NULL);
	ck_assert_uint_eq(stack.needs, 0);
	send_up(0, 5 * MESSAGE);
	ck_assert_uint_eq(pairs[0].server.accepted, 5 * MESSAGE);
	ck_assert_uint_eq(first.scans, 0);
	finish(1);
}
END_TEST

START_TEST(what_is_counted_is_summed_up)
{
	begin(100);
	send_up(0, 3 * MESSAGE);
	send_up(1, 4 * MESSAGE);
	ck_assert_uint_eq(atomic_load(&rules[0].policy.counters[0]), 7);
	ck_assert_uint_eq(atomic_load(&rules[0].policy.counters[1]), 0);
	finish(1);
}
END_TEST

START_TEST(a_policy_sees_for_how_long_it_keeps_somebody_waiting)
{
	begin(1);
	send_up(0, 2 * MESSAGE);
	ck_assert_uint_eq(first.waited, 0);
	world_pass(&world, 5 * SECOND);
	session_wake(&pairs[0].session);
	world_run(&world);
	MUST(first.waited > 4900 * MS && first.waited < 5100 * MS, "waited for %llu ns",
		(unsigned long long)first.waited);
	answer(0, 1); /* a break */
	first.waited = 0;
	send_up(0, MESSAGE);
	world_pass(&world, SECOND);
	session_wake(&pairs[0].session);
	world_run(&world);
	MUST(first.waited > 900 * MS && first.waited < 1100 * MS, "waited for %llu ns",
		(unsigned long long)first.waited);
	finish(1);
}
END_TEST

/* Nothing is on its way that could be acknowledged: time alone changes, and the longer it has been so, the rarer that is told. */
START_TEST(who_waits_for_a_lease_alone_is_asked_rarely)
{
	begin_with((struct turnstile){.size = 1, .options_need = WEIR_NEED_SCAN | WEIR_NEED_ACKED}, NULL);
	send_up(0, MESSAGE);
	send_up(1, MESSAGE);
	ck_assert_uint_eq(pairs[1].server.accepted, 0);
	pairs[1].server.samples = 0;
	world_pass(&world, 100 * MS);
	MUST(first.waited > 20 * MS, "waited for %llu ns, as seen", (unsigned long long)first.waited);
	world_pass(&world, 100 * SECOND);
	MUST(first.waited > 98 * SECOND, "waited for %llu ns, as seen", (unsigned long long)first.waited);
	MUST(pairs[1].server.samples < 150, "%u samples in 100 s", pairs[1].server.samples);
	answer(0, 1);
	ck_assert_uint_eq(pairs[1].server.accepted, MESSAGE);
	finish(1);
}
END_TEST

/* ---- a policy that ends a session ------------------------------------------------------------------------------------ */

static void end_by_policy(enum weir_end how)
{
	passed_by(0, 0)->ends = how + 1;
	send_up(0, 1);
}

START_TEST(a_close_delivers_what_may_be_written)
{
	begin(2);
	fake_shut(&pairs[0].server);
	fake_shut(&pairs[0].client);
	send_up(0, 3 * MESSAGE);
	fake_send(&pairs[0].server, 1000);
	world_run(&world);
	end_by_policy(WEIR_END_CLOSE);
	ck_assert_uint_eq(pairs[0].closed, 0);
	world_pass(&world, 300 * MS);
	fake_open(&pairs[0].client, 400);
	world_run(&world);
	world_pass(&world, 300 * MS); /* that was progress */
	ck_assert_uint_eq(pairs[0].closed, 0);
	fake_open(&pairs[0].client, FAKE_WIDE);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	world_pass(&world, 600 * MS);
	ck_assert_uint_eq(pairs[0].closed, 1);
	ck_assert_uint_eq(pairs[0].session.reason, CLOSE_POLICY);
	ck_assert_uint_eq(fake_delivered(&pairs[0].client), 1000);
	ck_assert_uint_eq(fake_delivered(&pairs[0].server), 2 * MESSAGE); /* the third had no unit */
	ck_assert_uint_eq(first.ends_told, 0);                            /* it was stopped; the server has not ended */
	ck_assert(fake_saw_reset(&pairs[0].client) && !fake_saw_end(&pairs[0].client));
	ck_assert(fake_saw_reset(&pairs[0].server) && !fake_saw_end(&pairs[0].server));
	ck_assert_uint_eq(capture_count("policy turnstile (turnstile): ends session"), 1);
	finish(1);
}
END_TEST

START_TEST(a_close_does_not_wait_for_who_takes_nothing)
{
	begin(2);
	fake_shut(&pairs[0].client);
	fake_send(&pairs[0].server, 1000);
	world_run(&world);
	end_by_policy(WEIR_END_CLOSE);
	world_pass(&world, 400 * MS);
	ck_assert_uint_eq(pairs[0].closed, 0);
	world_pass(&world, 200 * MS);
	ck_assert_uint_eq(pairs[0].closed, 1);
	finish(1);
}
END_TEST

START_TEST(a_close_is_over_when_both_ends_break)
{
	begin(2);
	fake_shut(&pairs[0].client);
	fake_send(&pairs[0].server, 1000);
	world_run(&world);
	end_by_policy(WEIR_END_CLOSE);
	fake_reset(&pairs[0].client);
	fake_reset(&pairs[0].server);
	world_run(&world);
	world_pass(&world, 20 * MS);
	ck_assert_uint_eq(pairs[0].closed, 1);
	finish(1);
}
END_TEST

/* Of who broke there is an end that is still being delivered; a policy does not let it last. */
START_TEST(a_close_ends_a_session_that_lingers)
{
	begin(2);
	send_up(0, 5 * MESSAGE);
	fake_reset(&pairs[0].client);
	world_run(&world);
	world_pass(&world, 5 * SECOND);
	ck_assert_uint_eq(pairs[0].closed, 0); /* three wait for units */
	passed_by(0, 0)->ends = WEIR_END_CLOSE + 1;
	answer(0, 1);
	ck_assert_uint_eq(pairs[0].server.accepted, 3 * MESSAGE);
	world_pass(&world, 600 * MS);
	ck_assert_uint_eq(pairs[0].closed, 1);
	ck_assert_uint_eq(pairs[0].session.reason, CLOSE_POLICY);
	ck_assert(!fake_saw_end(&pairs[0].server) && fake_saw_reset(&pairs[0].server));
	finish(1);
}
END_TEST

START_TEST(a_reset_waits_for_nobody)
{
	begin(2);
	fake_shut(&pairs[0].client);
	fake_send(&pairs[0].server, 1000);
	world_run(&world);
	end_by_policy(WEIR_END_RESET);
	ck_assert_uint_eq(pairs[0].closed, 1);
	ck_assert_uint_eq(pairs[0].session.reason, CLOSE_POLICY);
	ck_assert(fake_saw_reset(&pairs[0].client));
	ck_assert(fake_saw_reset(&pairs[0].server));
	finish(1);
}
END_TEST

/* Whichever flow it is of, the session's first end is the one that counts. */
START_TEST(the_first_end_counts)
{
	struct passed *down;

	begin(2);
	down = (struct passed *)(pairs[0].session.owner.states + stack.members[0].flow_state[WEIR_DOWN]);
	fake_shut(&pairs[0].client);
	fake_send(&pairs[0].server, 1000);
	world_run(&world);
	passed_by(0, 0)->ends = WEIR_END_CLOSE + 1;
	down->ends = WEIR_END_RESET + 1;
	fake_send(&pairs[0].server, 1);
	send_up(0, 1);
	ck_assert_uint_eq(pairs[0].closed, 0);
	ck_assert_uint_eq(capture_count("ends session"), 1);
	fake_open(&pairs[0].client, FAKE_WIDE);
	world_run(&world);
	world_pass(&world, 600 * MS);
	ck_assert_uint_eq(fake_delivered(&pairs[0].client), 1001);
	ck_assert_uint_eq(pairs[0].closed, 1);
	finish(1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turnstile");
	TCase *tcase = tcase_create("turnstile");

	tcase_add_test(tcase, a_read_passes_as_far_as_there_are_units);
	tcase_add_test(tcase, what_is_held_back_is_shown_again_when_a_lease_has_come);
	tcase_add_test(tcase, who_came_first_passes_first);
	tcase_add_test(tcase, an_end_neither_opens_the_gate_nor_frees_what_is_used);
	tcase_add_test(tcase, a_session_that_breaks_frees_what_it_used);
	tcase_add_test(tcase, what_nobody_will_get_is_shown_all_the_same);
	tcase_add_test(tcase, a_later_section_sees_what_an_earlier_one_let_pass);
	tcase_add_test(tcase, options_say_what_is_needed);
	tcase_add_test(tcase, what_is_counted_is_summed_up);
	tcase_add_test(tcase, a_policy_sees_for_how_long_it_keeps_somebody_waiting);
	tcase_add_test(tcase, who_waits_for_a_lease_alone_is_asked_rarely);
	tcase_add_test(tcase, a_close_delivers_what_may_be_written);
	tcase_add_test(tcase, a_close_does_not_wait_for_who_takes_nothing);
	tcase_add_test(tcase, a_close_is_over_when_both_ends_break);
	tcase_add_test(tcase, a_close_ends_a_session_that_lingers);
	tcase_add_test(tcase, a_reset_waits_for_nobody);
	tcase_add_test(tcase, the_first_end_counts);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
