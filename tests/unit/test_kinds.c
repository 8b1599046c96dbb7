/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leases of pools that are consumed, brief, or have a low mark; limits that follow from what is leased; limits in chunks.
 * Only flows upwards are asked about.
 */
#include <stddef.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define PAIRS 3

static struct script {
	uint64_t size;
	uint64_t rate;
	uint64_t low;
	uint64_t grain;
	uint64_t want;   /* units beyond what is held; those are used */
	bool held;       /* units stand for bytes held, not for bytes passed */
	bool writing;    /* they are spent by writing */
	uint64_t chunks; /* reads that are allowed, ever */
	bool forbids;    /* nothing may be read, and not for want of units */
	unsigned asked;
} script;

static struct weir_pool pool = {
	.name = "units",
	.scope = WEIR_SCOPE_INSTANCE,
	.size_offset = offsetof(struct script, size),
	.rate_offset = offsetof(struct script, rate),
	.low_offset = offsetof(struct script, low),
};

static void script_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	uint64_t units = view->pools[0].units;

	if (call->ref.direction != WEIR_UP)
		return;
	script.asked++;
	limits->chunks_to = script.chunks;
	limits->used[0] = script.held ? view->held : 0;
	limits->want[0] = limits->used[0] + script.want;
	limits->grain[0] = script.grain;
	limits->promises = WEIR_PROMISE_LEASE | (view->held > 0 ? WEIR_PROMISE_DRAIN : 0) |
		(script.chunks != WEIR_UNLIMITED ? WEIR_PROMISE_WAKE : 0);
	if (script.held) /* not held_max: what drains in this turn may be for others */
		limits->read_to = view->read + (units > view->held ? units - view->held : 0);
	else if (script.writing)
		limits->write_to = view->written + units;
	else
		limits->read_to = view->read + units;
	limits->for_writing = script.writing;
	if (script.forbids) {
		limits->read_to = view->read;
		limits->promises = WEIR_PROMISE_TIME;
		limits->ask_at = view->now + SECOND;
	}
}

static void script_event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event)
{
	(void)view;
	if (call->ref.direction == WEIR_UP && !script.held)
		call->host->lease_spend(call, 0, script.writing ? event->written : event->read);
}

static const struct weir_policy script_policy = {
	.name = "script",
	.pools = &pool,
	.pool_stride = sizeof(struct weir_pool),
	.pool_count = 1,
	.ask = script_ask,
	.event = script_event,
};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct pair pairs[PAIRS];
static unsigned pair_count;

static void begin(uint32_t flags, struct script as, unsigned count)
{
	script = as;
	if (script.chunks == 0)
		script.chunks = WEIR_UNLIMITED;
	pool.flags = flags;
	capture_begin();
	world_init(&world, 1024);
	world.host.lease_spend = standing_lease_spend;
	rule_init(&rule, "kinds", &script_policy, &script);
	rule_stack(&stack, &rule, NULL, NULL);
	for (pair_count = 0; pair_count < count; pair_count++) {
		pair_init(&pairs[pair_count], &world, &stack);
		pair_open(&pairs[pair_count]);
	}
}

static void finish(void)
{
	for (unsigned i = 0; i < pair_count; i++)
		session_close(&pairs[i].session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	if ((pool.flags & WEIR_POOL_CONSUMED) != 0)
		world_pass(&world, HOUR); /* the timer finds that nobody waits any more */
	ck_assert_uint_eq(capture_count("promises nothing"), 0);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

static uint32_t units(unsigned i)
{
	return standing_member(&pairs[i].session.up.standing, 0)->leased[0];
}

static int32_t free_units(void)
{
	return pool_free(stack.claims[0].pool[WEIR_UP]);
}

static void send_up(unsigned i, uint64_t bytes)
{
	fake_send(&pairs[i].client, bytes);
	world_run(&world);
}

START_TEST(what_is_spent_comes_back_with_time)
{
	begin(WEIR_POOL_CONSUMED, (struct script){.size = 1000, .rate = 1000, .grain = 100, .want = 100}, 1);
	ck_assert_uint_eq(units(0), 0);
	send_up(0, 5000);
	ck_assert_uint_eq(pairs[0].server.accepted, 1000);
	for (unsigned i = 1; i <= 40; i++) {
		world_pass(&world, 100 * MS);
		/* a timer fires in the millisecond behind its time */
		MUST(pairs[0].server.accepted <= 1000 + 100 * i && pairs[0].server.accepted >= 900 + 100 * i,
			"%llu bytes after %u00 ms", (unsigned long long)pairs[0].server.accepted, i);
	}
	world_pass(&world, 200 * MS);
	ck_assert_uint_eq(pairs[0].server.accepted, 5000);
	ck_assert_uint_eq(units(0), 0); /* and nobody waits for units without use for them */
	ck_assert_uint_eq(pool_waiters(stack.claims[0].pool[WEIR_UP]), 0);
	finish();
}
END_TEST

START_TEST(what_is_left_over_goes_back)
{
	begin(_i == 0 ? WEIR_POOL_CONSUMED : WEIR_POOL_BRIEF,
		(struct script){.size = 1000, .rate = 1, .grain = 400, .want = 400, .held = _i == 1}, 2);
	send_up(0, 10);
	ck_assert_uint_eq(pairs[0].server.accepted, 10);
	ck_assert_uint_eq(units(0), 0);
	ck_assert_int_eq(free_units(), _i == 0 ? 990 : 1000);
	finish();
}
END_TEST

/* Of a brief pool a flow keeps what it uses: here, what it holds. */
START_TEST(what_is_used_stays)
{
	begin(WEIR_POOL_BRIEF, (struct script){.size = 1000, .grain = 100, .want = 300, .held = true}, 2);
	fake_shut(&pairs[0].server);
	send_up(0, 250);
	ck_assert_uint_eq(pairs[0].session.up.store.held, 250);
	ck_assert_uint_eq(units(0), 250);
	send_up(0, 2000);
	ck_assert_uint_eq(units(0), 1000);
	ck_assert_uint_eq(pairs[0].session.up.store.held, 1000);
	send_up(1, 10);
	ck_assert_uint_eq(pairs[1].server.accepted, 0);
	fake_open(&pairs[0].server, 200);
	world_run(&world);
	ck_assert_uint_eq(pairs[1].server.accepted, 10);
	fake_open(&pairs[0].server, FAKE_WIDE);
	world_run(&world);
	ck_assert_uint_eq(pairs[0].server.accepted, 2250);
	ck_assert_int_eq(free_units(), 1000);
	finish();
}
END_TEST

START_TEST(nobody_takes_what_another_policy_keeps_him_from_using)
{
	begin(WEIR_POOL_BRIEF, (struct script){.size = 1000, .grain = 100, .want = 300, .held = true, .forbids = true},
		1);
	send_up(0, 10);
	ck_assert_uint_eq(units(0), 0);
	ck_assert_int_eq(free_units(), 1000);
	script.forbids = false;
	world_pass(&world, 2 * SECOND);
	ck_assert_uint_eq(pairs[0].server.accepted, 10);
	finish();
}
END_TEST

START_TEST(a_grain_is_waited_for)
{
	begin(WEIR_POOL_CONSUMED, (struct script){.size = 900, .rate = 1000, .grain = 200, .want = 200}, 1);
	send_up(0, 850); /* 100 are left: too few to be worth a read */
	ck_assert_uint_eq(pairs[0].server.accepted, 800);
	ck_assert_uint_eq(units(0), 0);
	world_pass(&world, 99 * MS);
	ck_assert_uint_eq(pairs[0].server.accepted, 800);
	world_pass(&world, 3 * MS);
	ck_assert_uint_eq(pairs[0].server.accepted, 850);
	finish();
}
END_TEST

START_TEST(those_who_wait_share)
{
	begin(WEIR_POOL_CONSUMED, (struct script){.size = 1000, .rate = 10000, .grain = 100, .want = 100}, 3);
	for (unsigned i = 0; i < 3; i++)
		send_up(i, MIB);
	world_pass(&world, 30 * SECOND);
	for (unsigned i = 0; i < 3; i++)
		MUST(pairs[i].server.accepted >= 99000 && pairs[i].server.accepted <= 101000, "flow %u: %llu bytes", i,
			(unsigned long long)pairs[i].server.accepted);
	for (unsigned i = 0; i < 3; i++)
		fake_end(&pairs[i].client);
	finish();
}
END_TEST

/* Once it is short, the queue is served when little is out, and not before. */
START_TEST(a_pool_with_a_low_mark_swings)
{
	begin(WEIR_POOL_BRIEF | WEIR_POOL_LOW,
		(struct script){.size = 1000, .low = 300, .grain = 50, .want = 100, .held = true}, 2);
	fake_shut(&pairs[0].server);
	fake_shut(&pairs[1].server);
	send_up(0, 500);
	send_up(1, 2000);
	ck_assert_uint_eq(units(0) + units(1), 1000);
	fake_open(&pairs[0].server, 500);
	world_run(&world);
	ck_assert_uint_eq(units(1), 500); /* half is free, but 500 are out */
	ck_assert_uint_eq(pool_waiters(stack.claims[0].pool[WEIR_UP]), 1);
	fake_open(&pairs[1].server, 200);
	world_run(&world);
	ck_assert_uint_eq(units(1), 300);
	fake_open(&pairs[1].server, 1);
	world_run(&world);
	ck_assert_uint_gt(units(1), 900);
	fake_open(&pairs[1].server, FAKE_WIDE);
	world_run(&world);
	finish();
}
END_TEST

/* Reading goes on while units for writing are waited for. */
START_TEST(writing_waits_apart)
{
	begin(WEIR_POOL_CONSUMED,
		(struct script){.size = 1000, .rate = 1000, .grain = 100, .want = 100, .writing = true}, 1);
	send_up(0, 3000);
	ck_assert_uint_eq(pairs[0].server.accepted, 1000);
	ck_assert_uint_eq(pairs[0].session.up.store.held, 2000);
	ck_assert_uint_eq(meter_spent(&pairs[0].session.up.meter, world.now, METER_HELD), 0);
	fake_end(&pairs[0].client); /* the end does not end the waiting */
	world_pass(&world, SECOND);
	MUST(pairs[0].server.accepted >= 1900 && pairs[0].server.accepted <= 2000, "%llu bytes",
		(unsigned long long)pairs[0].server.accepted);
	ck_assert_uint_ge(meter_spent(&pairs[0].session.up.meter, world.now, METER_HELD), 950 * MS);
	world_pass(&world, 1200 * MS);
	ck_assert_uint_eq(pairs[0].server.accepted, 3000);
	ck_assert(fake_saw_end(&pairs[0].server));
	finish();
}
END_TEST

/* A sink that takes nothing has no use for units. */
START_TEST(a_blocked_flow_has_no_units_for_writing)
{
	begin(WEIR_POOL_CONSUMED, (struct script){.size = 1000, .rate = 1, .grain = 100, .want = 100, .writing = true},
		2);
	fake_shut(&pairs[0].server);
	send_up(0, 3000);
	ck_assert_uint_eq(units(0), 0);
	ck_assert_int_eq(free_units(), 1000);
	send_up(1, 900);
	ck_assert_uint_eq(pairs[1].server.accepted, 900);
	finish();
}
END_TEST

/* What came before a reset is delivered, however long a bucket makes it wait: to be written, or to be read. */
START_TEST(a_reset_waits_for_what_is_held_back)
{
	begin(WEIR_POOL_CONSUMED,
		(struct script){.size = 1000, .rate = 50, .grain = 100, .want = 100, .writing = _i == 0}, 1);
	send_up(0, 2000);
	ck_assert_uint_eq(pairs[0].server.accepted, 1000);
	fake_reset(&pairs[0].client);
	world_pass(&world, 25 * SECOND);
	ck_assert_uint_eq(pairs[0].server.accepted, 2000);
	ck_assert(fake_saw_reset(&pairs[0].server));
	ck_assert(!fake_saw_end(&pairs[0].server));
	finish();
}
END_TEST

START_TEST(reads_are_counted)
{
	begin(WEIR_POOL_BRIEF, (struct script){.size = 1000, .grain = 100, .want = 1000, .held = true, .chunks = 3}, 1);
	pairs[0].client.tells_left = true;
	pairs[0].client.read_most = 10;
	send_up(0, 100);
	ck_assert_uint_eq(pairs[0].server.accepted, 30);
	ck_assert_uint_eq(pairs[0].session.up.chunks, 3);
	script.chunks = 5;
	session_wake(&pairs[0].session);
	world_run(&world);
	ck_assert_uint_eq(pairs[0].server.accepted, 50);
	finish();
}
END_TEST

/* Nothing is asked about a flow that leases nothing and has nothing to do. */
START_TEST(a_silent_direction_is_left_alone)
{
	begin(WEIR_POOL_CONSUMED, (struct script){.size = 1000, .rate = 1000, .grain = 100, .want = 100}, 1);
	world_run(&world);
	script.asked = 0;
	for (unsigned i = 0; i < 10; i++) {
		fake_send(&pairs[0].server, 100);
		world_run(&world);
	}
	ck_assert_uint_eq(pairs[0].client.accepted, 1000);
	ck_assert_uint_eq(script.asked, 0);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kinds");
	TCase *tcase = tcase_create("kinds");

	tcase_add_test(tcase, what_is_spent_comes_back_with_time);
	tcase_add_loop_test(tcase, what_is_left_over_goes_back, 0, 2);
	tcase_add_test(tcase, what_is_used_stays);
	tcase_add_test(tcase, nobody_takes_what_another_policy_keeps_him_from_using);
	tcase_add_test(tcase, a_grain_is_waited_for);
	tcase_add_test(tcase, those_who_wait_share);
	tcase_add_test(tcase, a_pool_with_a_low_mark_swings);
	tcase_add_test(tcase, writing_waits_apart);
	tcase_add_test(tcase, a_blocked_flow_has_no_units_for_writing);
	tcase_add_loop_test(tcase, a_reset_waits_for_what_is_held_back, 0, 2);
	tcase_add_test(tcase, reads_are_counted);
	tcase_add_test(tcase, a_silent_direction_is_left_alone);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
