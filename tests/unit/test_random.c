/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of random lives of a few sessions that share a small memory: whatever the peers do, in whatever order it is
 * noticed, what arrives is what was sent, ends come after the last byte and only if the source sent one, nobody holds more than
 * he may, and in the end everything is given back. Each loop is a batch of seeds; a failure names its seed.
 */
#include <stdio.h>
#include <string.h>

#include "fake.h"
#include "rule.h"
#include "unit.h"

#define BATCHES 20
#ifdef __SANITIZE_THREAD__
#define SCENARIOS 30 /* of a batch: there is but one thread to look at */
#else
#define SCENARIOS 400
#endif
#define PAIRS_MAX 4
#define STEPS_MAX 60

struct scenario {
	bool resets;   /* peers may reset */
	bool deaf;     /* events may be late */
	bool slow;     /* windows may close, acknowledgements be late */
	uint64_t most; /* bytes sent at once */
};

static struct world world;
static struct rule rule;
static struct stack stack;
static struct marks marks;
static struct pair pairs[PAIRS_MAX];
static unsigned pair_count;
static bool marked; /* the marks are in force */
static struct scenario scenario;
static unsigned current; /* seed */

static bool chance(unsigned percent)
{
	return draw(100) < percent;
}

/* ---- what holds at any time ----------------------------------------------------------------------------------------- */

static void check_flow(struct pair *pair, int direction)
{
	const struct flow *flow = pair_flow(pair, direction);
	const struct fake *sink = pair_sink(pair, direction);
	const struct fake *source = pair_source(pair, direction);

	if (flow->end != FLOW_DROPPED && pair->closed == 0)
		MUST(flow->read - flow->written == flow->store.held, "seed %u: bytes are lost inside", current);
	MUST(flow->read <= source->sent && flow->read == source->read, "seed %u: reads are miscounted", current);
	MUST(flow->written == sink->accepted, "seed %u: writes are miscounted", current);
	MUST(!marked || flow->held_max <= marks.high, "seed %u: %llu held, high is %llu", current,
		(unsigned long long)flow->held_max, (unsigned long long)marks.high);
	if (sink->fin_sent)
		MUST(source->fin && sink->accepted == source->sent, "seed %u: an end comes too early", current);
}

static void check_all(struct world *of)
{
	uint64_t leased = of->context.reserve;

	for (unsigned i = 0; i < pair_count; i++) {
		check_flow(&pairs[i], WEIR_UP);
		check_flow(&pairs[i], WEIR_DOWN);
		leased += pair_pages(&pairs[i]);
	}
	MUST(pool_free(&of->memory) >= 0 && (uint64_t)pool_free(&of->memory) + leased == of->memory.size,
		"seed %u: %d pages are free, %llu leased", current, pool_free(&of->memory), (unsigned long long)leased);
}

/* ---- what peers do -------------------------------------------------------------------------------------------------- */

static void act(struct fake *fake)
{
	uint64_t what = draw(100);

	if (what < 40 && !fake->fin && !fake->reset)
		fake_send(fake, draw(scenario.most));
	else if (what < 44 && !fake->reset)
		fake_end(fake);
	else if (what < 47 && scenario.resets && !fake->reset && !fake->closed)
		fake_reset(fake);
	else if (what < 57 && scenario.slow)
		fake_shut(fake);
	else if (what < 75)
		fake_open(fake, draw(scenario.most));
	else if (what < 85 && fake->queued > 0)
		fake_ack(fake, draw(fake->queued + 1));
	else if (what < 90 && scenario.deaf)
		fake->deaf = !fake->deaf;
}

static void happen(struct pair *pair)
{
	act(&pair->client);
	if (pair->session.server != NULL)
		act(&pair->server);
	else if (chance(30) && pair->session.state == SESSION_CONNECTING)
		pair_connect(pair);
	if (chance(30))
		session_wake(&pair->session);
	if (chance(50))
		(void)world_step(&world);
	if (chance(20))
		world_pass(&world, draw(chance(10) ? 2 * SECOND : 20 * MS));
}

static void fake_vary(struct fake *fake)
{
	fake->tells_left = chance(50);
	fake->read_most = fake->tells_left && chance(40) ? 1 + scenario.most / 64 + draw(scenario.most) : 0;
	fake->write_most = chance(20) ? 1 + scenario.most / 64 + draw(scenario.most) : 0;
	fake->urgent = chance(10);
	fake->hoards = scenario.slow && chance(30);
}

static void begin(unsigned seed)
{
	static const uint64_t most[] = {100, 3000, 30000, 600000};
	uint32_t pages;

	current = seed;
	draw_seed(seed);
	scenario = (struct scenario){chance(50), chance(30), chance(70), most[draw(4)]};
	marked = chance(80);
	marks.high = 1 + scenario.most / 100 + draw(chance(20) ? 100 : 300000);
	marks.low = 1 + draw(marks.high);
	pages = (uint32_t)(chance(20) ? 0 : draw(chance(50) ? 20 : 500));
	world_init(&world, pages);
	world.check = check_all;
	world.context.reserve_max = chance(50) ? (uint32_t)draw(CONTEXT_SCRATCH / STORE_PAGE + 1) : 0;
	rule_init(&rule, "smooth", &marks_policy, &marks);
	rule_stack(&stack, &rule, NULL, NULL);
	pair_count = 1 + (unsigned)draw(PAIRS_MAX);
	for (unsigned i = 0; i < pair_count; i++) {
		pair_init(&pairs[i], &world, marked ? &stack : NULL);
		pairs[i].profile.splice = (enum pipe_use)draw(3);
		fake_vary(&pairs[i].client);
		fake_vary(&pairs[i].server);
		pair_begin(&pairs[i]);
	}
}

/* ---- how it ends ---------------------------------------------------------------------------------------------------- */

static void come_to_an_end(struct fake *fake)
{
	fake->deaf = false;
	fake->hoards = false;
	fake_ack(fake, fake->queued);
	fake_open(fake, FAKE_WIDE);
	if (!fake->fin && !fake->reset)
		fake_end(fake);
}

static void end(void)
{
	for (unsigned i = 0; i < pair_count; i++) {
		if (pairs[i].session.state == SESSION_CONNECTING)
			pair_connect(&pairs[i]);
		come_to_an_end(&pairs[i].client);
		come_to_an_end(&pairs[i].server);
	}
	world_pass(&world, 2 * SECOND);
}

/* From one end to the other. */
static void check_delivery(struct pair *pair, int direction)
{
	const struct fake *source = pair_source(pair, direction);
	const struct fake *sink = pair_sink(pair, direction);
	bool calm = !scenario.slow && !scenario.deaf;

	MUST(!fake_saw_end(sink) || source->fin, "seed %u: a reset became a clean end", current);
	if (pair->session.server == NULL || sink->reset)
		return;
	if (source->fin)
		MUST(fake_delivered(sink) == source->sent && fake_saw_end(sink),
			"seed %u: %llu of %llu bytes, end seen: %d", current, (unsigned long long)fake_delivered(sink),
			(unsigned long long)source->sent, fake_saw_end(sink));
	else
		MUST(fake_saw_reset(sink), "seed %u: a reset is not passed on", current);
	if (calm)
		MUST(fake_delivered(sink) == source->sent, "seed %u: %llu of %llu bytes before a reset", current,
			(unsigned long long)fake_delivered(sink), (unsigned long long)source->sent);
}

static void check_end(struct pair *pair)
{
	bool reset = pair->client.reset || pair->server.reset;
	uint64_t age = pair->session.closed_at - pair->session.opened_at;

	MUST(pair->released == 1, "seed %u: the session is still there, in state %d", current, pair->session.state);
	for (int direction = 0; direction < 2; direction++) {
		const struct meter *meter = &pair_flow(pair, direction)->meter;
		uint64_t sum = 0;

		check_delivery(pair, direction);
		for (int i = 0; i < METER_STATE_COUNT; i++)
			sum += meter_spent(meter, pair->session.closed_at, (enum meter_state)i);
		MUST(sum == age, "seed %u: the states' times are %llu, the age is %llu", current,
			(unsigned long long)sum, (unsigned long long)age);
	}
	if (!reset)
		MUST(pair->session.reason == CLOSE_DONE, "seed %u: %s", current,
			close_reason_names[pair->session.reason]);
}

static void live(unsigned seed)
{
	uint64_t steps;

	begin(seed);
	steps = draw(STEPS_MAX);
	for (uint64_t i = 0; i < steps; i++)
		happen(&pairs[draw(pair_count)]);
	end();
	for (unsigned i = 0; i < pair_count; i++)
		check_end(&pairs[i]);
	stack_destroy(&stack);
	rule_destroy(&rule);
	world_destroy(&world);
}

START_TEST(random_lives)
{
	for (unsigned i = 0; i < SCENARIOS; i++)
		live((unsigned)_i * SCENARIOS + i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random");
	TCase *tcase = tcase_create("random");

	tcase_add_loop_test(tcase, random_lives, 0, BATCHES);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
