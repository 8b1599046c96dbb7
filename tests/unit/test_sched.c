/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: turns in order, deadlines in time, mail from any thread.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sched.h"
#include "unit.h"

#define MS UINT64_C(1000000)
#define NEVER UINT64_MAX

static struct sched sched;
static char trace[64]; /* who ran, in order */
static unsigned wakes;

struct player {
	struct task task;
	struct timer timer;
	char name;
	struct player *starts; /* queued in its turn */
	struct player *stops;  /* taken from the queue in its turn */
	uint64_t again;        /* its timer is set again so much later */
	uint64_t fired_at;
};

static struct player a, b, c;

static void play(struct task *task, uint64_t now)
{
	struct player *player = (struct player *)task;
	size_t length = strlen(trace);

	(void)now;
	ck_assert_msg(length + 1 < sizeof(trace), "too many turns: %s", trace);
	trace[length] = player->name;
	if (player->stops != NULL)
		sched_dequeue(&sched, &player->stops->task);
	if (player->starts != NULL)
		sched_enqueue(&sched, &player->starts->task);
}

static void fire(struct timer *timer, uint64_t now)
{
	struct player *player = (struct player *)((char *)timer - offsetof(struct player, timer));

	ck_assert_uint_eq(timer->at, NEVER);
	player->fired_at = now;
	trace[strlen(trace)] = player->name;
	if (player->again > 0)
		sched_timer_set(&sched, timer, now + player->again);
}

static void wake(void *argument)
{
	ck_assert_ptr_eq(argument, &wakes);
	wakes++;
}

static void player_init(struct player *player, char name)
{
	memset(player, 0, sizeof(*player));
	player->name = name;
	player->task.run = play;
	timer_init(&player->timer, fire);
}

static void set_up(void)
{
	sched_init(&sched, 5 * MS + 123, wake, &wakes);
	player_init(&a, 'a');
	player_init(&b, 'b');
	player_init(&c, 'c');
}

static void run(uint64_t now)
{
	memset(trace, 0, sizeof(trace));
	sched_run(&sched, now);
}

/* ---- turns --------------------------------------------------------------------------------------------------------- */

START_TEST(turns_are_given_in_order)
{
	ck_assert(!sched_busy(&sched));
	sched_enqueue(&sched, &b.task);
	sched_enqueue(&sched, &a.task);
	sched_enqueue(&sched, &c.task);
	ck_assert(sched_busy(&sched));
	run(5 * MS);
	ck_assert_str_eq(trace, "bac");
	ck_assert(!sched_busy(&sched));
}
END_TEST

START_TEST(queueing_twice_gives_one_turn)
{
	sched_enqueue(&sched, &a.task);
	sched_enqueue(&sched, &b.task);
	sched_enqueue(&sched, &a.task);
	run(5 * MS);
	ck_assert_str_eq(trace, "ab");
}
END_TEST

START_TEST(who_queues_again_waits_for_the_next_round)
{
	a.starts = &a;
	b.starts = &c;
	sched_enqueue(&sched, &a.task);
	sched_enqueue(&sched, &b.task);
	run(5 * MS);
	ck_assert_str_eq(trace, "ab");
	run(5 * MS);
	ck_assert_str_eq(trace, "ac");
}
END_TEST

START_TEST(who_is_taken_from_the_queue_has_no_turn)
{
	sched_enqueue(&sched, &a.task);
	sched_enqueue(&sched, &b.task);
	sched_dequeue(&sched, &a.task);
	sched_dequeue(&sched, &a.task);
	sched_dequeue(&sched, &c.task);
	run(5 * MS);
	ck_assert_str_eq(trace, "b");
}
END_TEST

/* The round ends all the same when the one that was to be its last leaves the queue. */
START_TEST(a_round_without_its_last_task_ends)
{
	a.starts = &a;
	a.stops = &c;
	sched_enqueue(&sched, &a.task);
	sched_enqueue(&sched, &b.task);
	sched_enqueue(&sched, &c.task);
	run(5 * MS);
	ck_assert_str_eq(trace, "ab");
}
END_TEST

START_TEST(a_last_task_that_is_queued_anew_waits_for_the_next_round)
{
	a.stops = &b;
	a.starts = &b;
	b.starts = &b;
	sched_enqueue(&sched, &a.task);
	sched_enqueue(&sched, &b.task);
	run(5 * MS);
	ck_assert_str_eq(trace, "a");
	run(5 * MS);
	ck_assert_str_eq(trace, "b");
}
END_TEST

/* ---- timers -------------------------------------------------------------------------------------------------------- */

START_TEST(a_timer_fires_once_and_not_early)
{
	sched_timer_set(&sched, &a.timer, 10 * MS + 1);
	ck_assert_uint_gt(sched_deadline(&sched), 5 * MS);
	ck_assert_uint_le(sched_deadline(&sched), 11 * MS);
	run(10 * MS);
	run(10 * MS + 1);
	run(11 * MS - 1);
	ck_assert_str_eq(trace, "");
	run(11 * MS);
	ck_assert_str_eq(trace, "a");
	run(100 * MS);
	ck_assert_str_eq(trace, "");
	ck_assert_uint_eq(sched_deadline(&sched), NEVER);
}
END_TEST

START_TEST(timers_fire_in_order_also_when_late)
{
	sched_timer_set(&sched, &a.timer, 3000 * MS);
	sched_timer_set(&sched, &b.timer, 10 * MS);
	sched_timer_set(&sched, &c.timer, 200 * MS);
	run(10000 * MS);
	ck_assert_str_eq(trace, "bca");
}
END_TEST

START_TEST(a_timer_moves_and_is_cleared)
{
	sched_timer_set(&sched, &a.timer, 10 * MS);
	sched_timer_set(&sched, &a.timer, 20 * MS);
	sched_timer_set(&sched, &b.timer, 20 * MS);
	sched_timer_set(&sched, &b.timer, NEVER);
	sched_timer_set(&sched, &c.timer, 20 * MS);
	sched_timer_clear(&sched, &c.timer);
	sched_timer_clear(&sched, &c.timer);
	run(15 * MS);
	ck_assert_str_eq(trace, "");
	run(20 * MS);
	ck_assert_str_eq(trace, "a");
	ck_assert_uint_eq(b.timer.at, NEVER);
}
END_TEST

START_TEST(a_timer_may_set_itself_again)
{
	a.again = 10 * MS;
	sched_timer_set(&sched, &a.timer, 10 * MS);
	for (uint64_t now = 5; now <= 50; now++)
		sched_run(&sched, now * MS);
	ck_assert_str_eq(trace, "aaaaa");
}
END_TEST

START_TEST(a_time_that_has_passed_fires_in_the_next_tick)
{
	sched_timer_set(&sched, &a.timer, 1);
	ck_assert_uint_le(sched_deadline(&sched), 6 * MS);
	run(6 * MS);
	ck_assert_str_eq(trace, "a");
}
END_TEST

/* ---- mail ---------------------------------------------------------------------------------------------------------- */

struct letter {
	struct mail mail;
	unsigned sender;
	unsigned number;
	struct letter *reply;
};

#define SENDERS 4
#define LETTERS 20000

static struct letter letters[SENDERS][LETTERS];
static unsigned received[SENDERS];
static unsigned disorder;

static void deliver(struct mail *mail, uint64_t now)
{
	struct letter *letter = (struct letter *)mail;

	(void)now;
	if (received[letter->sender]++ != letter->number)
		disorder++;
	if (letter->reply != NULL)
		sched_post(&sched, &letter->reply->mail);
}

static struct letter *letter_init(unsigned sender, unsigned number)
{
	struct letter *letter = &letters[sender][number];

	letter->mail.deliver = deliver;
	letter->sender = sender;
	letter->number = number;
	return letter;
}

START_TEST(mail_comes_in_the_order_of_posting)
{
	for (unsigned i = 0; i < 10; i++)
		sched_post(&sched, &letter_init(0, i)->mail);
	ck_assert_uint_eq(wakes, 1);
	ck_assert(sched_busy(&sched));
	run(5 * MS);
	ck_assert_uint_eq(received[0], 10);
	ck_assert_uint_eq(disorder, 0);
	ck_assert(!sched_busy(&sched));
	sched_post(&sched, &letter_init(0, 10)->mail);
	ck_assert_uint_eq(wakes, 2);
}
END_TEST

START_TEST(mail_posted_by_mail_comes_in_the_next_round)
{
	letter_init(0, 0)->reply = letter_init(0, 1);
	sched_post(&sched, &letters[0][0].mail);
	run(5 * MS);
	ck_assert_uint_eq(received[0], 1);
	ck_assert_uint_eq(wakes, 1); /* who is awake, and looks again before he rests, is not woken */
	ck_assert(sched_busy(&sched));
	run(5 * MS);
	ck_assert_uint_eq(received[0], 2);
}
END_TEST

static void *send_letters(void *argument)
{
	struct letter *own = argument;

	for (unsigned i = 0; i < LETTERS; i++)
		sched_post(&sched, &own[i].mail);
	return NULL;
}

START_TEST(mail_from_many_threads_is_neither_lost_nor_disordered)
{
	pthread_t threads[SENDERS];
	unsigned sum = 0;

	sched_init(&sched, 0, NULL, NULL);
	for (unsigned i = 0; i < SENDERS; i++)
		for (unsigned j = 0; j < LETTERS; j++)
			letter_init(i, j);
	for (unsigned i = 0; i < SENDERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_letters, letters[i]), 0);
	while (sum < SENDERS * LETTERS) {
		sched_run(&sched, 0);
		sum = 0;
		for (unsigned i = 0; i < SENDERS; i++)
			sum += received[i];
	}
	for (unsigned i = 0; i < SENDERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(disorder, 0);
	ck_assert(!sched_busy(&sched));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sched");
	TCase *tcase = tcase_create("sched");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, turns_are_given_in_order);
	tcase_add_test(tcase, queueing_twice_gives_one_turn);
	tcase_add_test(tcase, who_queues_again_waits_for_the_next_round);
	tcase_add_test(tcase, who_is_taken_from_the_queue_has_no_turn);
	tcase_add_test(tcase, a_round_without_its_last_task_ends);
	tcase_add_test(tcase, a_last_task_that_is_queued_anew_waits_for_the_next_round);
	tcase_add_test(tcase, a_timer_fires_once_and_not_early);
	tcase_add_test(tcase, timers_fire_in_order_also_when_late);
	tcase_add_test(tcase, a_timer_moves_and_is_cleared);
	tcase_add_test(tcase, a_timer_may_set_itself_again);
	tcase_add_test(tcase, a_time_that_has_passed_fires_in_the_next_tick);
	tcase_add_test(tcase, mail_comes_in_the_order_of_posting);
	tcase_add_test(tcase, mail_posted_by_mail_comes_in_the_next_round);
	tcase_add_test(tcase, mail_from_many_threads_is_neither_lost_nor_disordered);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
