/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy demand: Reactor's numbers come out of it, and no flow under it can wait for ever. First asked directly, then
 * over simulated ends.
 */
#include "rig.h"
#include "trial.h"
#include "unit.h"

#define DEFAULTS "prefetch=128" /* and so are the others */

static void load_module(void)
{
	trial_load("demand");
}

static uint64_t chunks_left(void)
{
	uint64_t to = trial_ask().chunks_to;

	return to > trial.view.chunks ? to - trial.view.chunks : 0;
}

/* Each read is a turn, and brings a byte; nothing is written. Returns how many it took until reading stopped. */
static uint64_t read_until_paused(void)
{
	uint64_t count;

	for (count = 0; chunks_left() > 0; count++) {
		ck_assert_uint_lt(count, 10000);
		trial_turn(1, 1, 0);
	}
	return count;
}

/* So many chunks, of a byte each, have been written. */
static void write_chunks(uint64_t count)
{
	while (count-- > 0)
		trial_turn(0, 0, 1);
}

START_TEST(a_fresh_flow_may_read)
{
	trial_begin(DEFAULTS);
	ck_assert_uint_eq(chunks_left(), 128 + 32);
	ck_assert_uint_eq(trial_room(), 1048576);
	ck_assert_uint_eq(trial_ask().write_to, WEIR_UNLIMITED);
	ck_assert_uint_eq(trial_ask().promises, 0);
}
END_TEST

/* FluxReceive: the drain that finds nothing requested any more stops the reading. */
START_TEST(stops_behind_the_first_read_that_nobody_asked_for)
{
	trial_begin(DEFAULTS);
	ck_assert_uint_eq(read_until_paused(), 128 + 1);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
}
END_TEST

/* FluxReceive: something was emitted, and fewer than 32 lie queued. */
START_TEST(a_turn_may_bring_more_than_was_asked_for)
{
	trial_begin(DEFAULTS);
	trial_turn(100, 100, 0);
	ck_assert_uint_eq(chunks_left(), 28 + 32);
	trial_turn(28 + (uint64_t)_i, 28 + (uint64_t)_i, 0);
	ck_assert_uint_eq(chunks_left(), _i < 32 ? 32 - (uint64_t)_i : 0);
	if (_i >= 32)
		return;
	trial_turn(1, 1, 0);
	ck_assert_uint_eq(chunks_left(), 0);
}
END_TEST

/* MonoSendMany: 128 are requested again as soon as no more than 64 are left. */
START_TEST(asks_for_more_in_steps_of_64)
{
	trial_begin(DEFAULTS);
	for (uint64_t step = 0; step < 20; step++) {
		ck_assert_uint_eq(read_until_paused(), step == 0 ? 129 : 64);
		write_chunks(63);
		ck_assert_uint_eq(chunks_left(), 0);
		write_chunks(1);
		ck_assert_uint_eq(trial_ask().chunks_to, 128 + 64 * (step + 1) + 32);
	}
}
END_TEST

/* All at once, or one by one: what is asked for is the same. */
START_TEST(one_large_write_completes_many_chunks)
{
	trial_begin(DEFAULTS);
	read_until_paused();
	trial_turn(0, 0, 100);
	ck_assert_uint_eq(trial_ask().chunks_to, 128 + 64 + 32);
	trial_turn(0, 0, 29);
	ck_assert_uint_eq(trial_ask().chunks_to, 128 + 128 + 32);
}
END_TEST

/* Batch sizes differ, and so do chunks: one is complete when its last byte is gone, and not before. */
START_TEST(a_chunk_is_complete_with_its_last_byte)
{
	trial_begin("prefetch=3 refill=2 queue=1");
	trial_turn(1, 1000, 0);
	trial_turn(1, 10, 0);
	trial_turn(1, 500, 0);
	trial_turn(1, 7, 0);
	ck_assert_uint_eq(trial_ask().chunks_to, 4);
	trial_turn(0, 0, 999);
	ck_assert_uint_eq(trial_ask().chunks_to, 4);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_ask().chunks_to, 5);
	trial_turn(0, 0, 9);
	ck_assert_uint_eq(trial_ask().chunks_to, 5);
	trial_turn(0, 0, 501);
	ck_assert_uint_eq(trial_ask().chunks_to, 7);
}
END_TEST

/* Only the sum is known of what one turn's reads brought. */
START_TEST(reads_of_one_turn_count_as_equally_large)
{
	trial_begin("prefetch=10 refill=9 queue=1");
	trial_turn(3, 1000, 332);
	ck_assert_uint_eq(trial_ask().chunks_to, 11);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_ask().chunks_to, 12);
	trial_turn(0, 0, 333);
	ck_assert_uint_eq(trial_ask().chunks_to, 13);
	trial_turn(0, 0, 333);
	ck_assert_uint_eq(trial_ask().chunks_to, 13);
	trial_turn(0, 0, 1);
	ck_assert_uint_eq(trial_ask().chunks_to, 14);
}
END_TEST

START_TEST(bytes_are_bounded_too)
{
	trial_begin("bytes=64K");
	trial_turn(1, 65536, 0);
	ck_assert_uint_eq(trial_room(), 0);
	ck_assert_uint_eq(trial_ask().promises, WEIR_PROMISE_DRAIN);
	trial_turn(0, 0, 10000);
	ck_assert_uint_eq(trial_room(), 10000);
}
END_TEST

START_TEST(asking_changes_nothing)
{
	trial_begin(DEFAULTS);
	ck_assert(trial_is_pure());
	trial_turn(150, 1000, 500);
	ck_assert(trial_is_pure());
}
END_TEST

/* Asked before it has heard of the last bytes leaving, it must not forbid what nothing would allow again. */
START_TEST(nothing_held_is_never_a_pause)
{
	trial_begin(DEFAULTS);
	read_until_paused();
	trial.view.written = trial.view.read;
	trial.view.held = 0;
	ck_assert_uint_gt(chunks_left(), 0);
}
END_TEST

/* weir would never let it come so far; but then, too, all goes on. */
START_TEST(more_reads_in_a_turn_than_there_is_room_for)
{
	trial_begin(DEFAULTS);
	trial_turn(400, 400, 0);
	trial_turn(400, 400000, 0);
	ck_assert_uint_eq(chunks_left(), 0);
	trial_turn(0, 0, 400400);
	ck_assert_uint_gt(chunks_left(), 64);
	ck_assert_uint_le(chunks_left(), 128 + 32);
}
END_TEST

static const struct {
	const char *prefetch, *refill, *queue;
	uint64_t most;
} corners[] = {
	{"1", "0", "1", 2},
	{"1", "0", "256", 257},
	{"256", "255", "256", 512},
	{"256", "0", "1", 257},
	{"128", "64", "32", 160},
	{"2", "1", "1", 3},
};

/*
 * A source that always has bytes, a sink that takes what chance gives: no more chunks are under way than prefetch and
 * queue, every limit of nothing carries a promise that the bytes held keep, and all of it gets through.
 */
START_TEST(never_beyond_the_bound_and_never_stuck)
{
	unsigned idle = 0;
	uint64_t most = 0;
	uint64_t written_chunks = 0;

	draw_seed((uint64_t)_i);
	trial_begin("prefetch=%s refill=%s queue=%s", corners[_i].prefetch, corners[_i].refill, corners[_i].queue);
	for (int i = 0; i < 50000; i++) {
		uint64_t left = chunks_left();
		uint64_t read = draw(3) == 0 ? left : draw((left < 64 ? left : 64) + 1);
		uint64_t written = draw(3) == 0 ? draw(trial.view.held + read + 1) : 0;

		if (left == 0) {
			MUST(trial.view.held > 0, "paused, and nothing is held");
			MUST(trial_ask().promises == WEIR_PROMISE_DRAIN, "no promise");
		}
		trial_turn(read, read, written); /* a byte is a chunk */
		written_chunks += written;
		most = trial.view.held > most ? trial.view.held : most;
		MUST(trial.view.held <= corners[_i].most, "%llu chunks are held", (unsigned long long)trial.view.held);
		idle = read + written == 0 ? idle + 1 : 0;
		MUST(idle < 1000, "stuck");
	}
	ck_assert_uint_gt(written_chunks, 10000);
	ck_assert_uint_eq(most, corners[_i].most);
}
END_TEST

static const struct {
	const char *prefetch, *refill, *error;
} checks[] = {
	{"128", "64", ""},
	{"1", "0", ""},
	{"64", "64", "refill = 64 is not below prefetch = 64; expected refill < prefetch"},
	{"1", "255", "refill = 255 is not below prefetch = 1; expected refill < prefetch"},
};

START_TEST(refill_is_below_prefetch)
{
	trial_begin("prefetch=%s refill=%s", checks[_i].prefetch, checks[_i].refill);
	ck_assert_str_eq(trial_refusal(), checks[_i].error);
}
END_TEST

/* ---- over simulated ends --------------------------------------------------------------------------------------------- */

static struct pair *const pair = &rig.pairs[0];

static void begin_flow(void *options)
{
	rig_begin(options, 1);
	pair->client.tells_left = true;
	rig_open();
}

/* Sends so many messages, each of which weir gets to read for itself. */
static void send_messages(unsigned count, uint64_t length)
{
	while (count-- > 0) {
		fake_send(&pair->client, length);
		world_run(&rig.world);
	}
}

START_TEST(a_stalled_sink_stops_its_source)
{
	begin_flow(trial_options(DEFAULTS));
	send_messages(1000, 100);
	ck_assert_uint_eq(pair->session.up.chunks, 128 + 1);
	ck_assert_uint_eq(rig_held(0, WEIR_UP), 12900);
	world_pass(&rig.world, SECOND);
	ck_assert_uint_eq(meter_paused(&pair->session.up.meter, rig.world.now, 0), SECOND);
	fake_open(&pair->server, FAKE_WIDE);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 100000);
	rig_finish();
}
END_TEST

/* The picture of the manual: each time that half of it is done with, as much is asked for again. */
START_TEST(refills_come_in_steps)
{
	begin_flow(trial_options(DEFAULTS));
	send_messages(150, 100);
	fake_send(&pair->client, 100000);
	pair->client.read_most = 100;
	for (uint64_t step = 0; step < 10; step++) {
		for (unsigned i = 0; i < 64; i++) {
			ck_assert_uint_eq(pair->session.up.chunks, step == 0 ? 129 : 128 + 64 * step + 32);
			fake_open(&pair->server, 100);
			world_run(&rig.world);
		}
	}
	rig_finish();
}
END_TEST

START_TEST(a_flood_is_bounded_in_chunks)
{
	begin_flow(trial_options(DEFAULTS));
	pair->client.read_most = 100;
	rig_flood(0, WEIR_UP);
	world_run(&rig.world);
	ck_assert_uint_eq(pair->session.up.chunks, 128 + 32);
	fake_open(&pair->server, 10 * MIB);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 10 * MIB);
	ck_assert_uint_le(pair->session.up.held_max, 160 * 100);
	rig_finish();
}
END_TEST

START_TEST(a_flood_is_bounded_in_bytes)
{
	begin_flow(trial_options(DEFAULTS));
	rig_flood(0, WEIR_UP);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_held(0, WEIR_UP), MIB);
	fake_open(&pair->server, 10 * MIB);
	world_run(&rig.world);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 10 * MIB);
	rig_finish();
}
END_TEST

/* Whose sink keeps up is never paused, by however many messages. */
START_TEST(a_sink_that_keeps_up_feels_nothing)
{
	begin_flow(trial_options(DEFAULTS));
	fake_open(&pair->server, FAKE_WIDE);
	pair->client.read_most = 10;
	fake_send(&pair->client, 100000);
	world_run(&rig.world);
	send_messages(1000, 10);
	ck_assert_uint_eq(rig_taken(0, WEIR_UP), 110000);
	ck_assert_uint_eq(pair->session.up.meter.pauses[0].count, 0);
	rig_finish();
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("demand");
	TCase *tcase = tcase_create("asked");

	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, a_fresh_flow_may_read);
	tcase_add_test(tcase, stops_behind_the_first_read_that_nobody_asked_for);
	tcase_add_loop_test(tcase, a_turn_may_bring_more_than_was_asked_for, 0, 33);
	tcase_add_test(tcase, asks_for_more_in_steps_of_64);
	tcase_add_test(tcase, one_large_write_completes_many_chunks);
	tcase_add_test(tcase, a_chunk_is_complete_with_its_last_byte);
	tcase_add_test(tcase, reads_of_one_turn_count_as_equally_large);
	tcase_add_test(tcase, bytes_are_bounded_too);
	tcase_add_test(tcase, asking_changes_nothing);
	tcase_add_test(tcase, nothing_held_is_never_a_pause);
	tcase_add_test(tcase, more_reads_in_a_turn_than_there_is_room_for);
	tcase_add_loop_test(tcase, never_beyond_the_bound_and_never_stuck, 0, COUNT(corners));
	tcase_add_loop_test(tcase, refill_is_below_prefetch, 0, COUNT(checks));
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("flows");
	tcase_add_checked_fixture(tcase, load_module, NULL);
	tcase_add_test(tcase, a_stalled_sink_stops_its_source);
	tcase_add_test(tcase, refills_come_in_steps);
	tcase_add_test(tcase, a_flood_is_bounded_in_chunks);
	tcase_add_test(tcase, a_flood_is_bounded_in_bytes);
	tcase_add_test(tcase, a_sink_that_keeps_up_feels_nothing);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
