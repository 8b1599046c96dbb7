/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In-flight caps between real sockets, two workers, as the servers see them: what they have in hand, or what their kernels have
 * not taken, comes up to each cap and never beyond; who waits too long, or cannot be counted, fares as the options say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "simulated.h"

enum { KIB = 1024, MIB = 1024 * 1024, SESSIONS = 20, UPSTREAMS = 2 };

static struct server servers[UPSTREAMS];
static struct weir *weir;
static unsigned ports[UPSTREAMS];

/* Two listeners, each with an upstream of its own, under one policy `few`. */
static void begin(const char *options)
{
	for (int i = 0; i < UPSTREAMS; i++)
		servers[i] = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_start("[weir]\nworkers = 2\n"
			  "[policy few]\nmodule = inflight-cap\n%s\n"
			  "[upstream one]\nserver = %s\n"
			  "[upstream two]\nserver = %s\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = one\npolicy = few\n"
			  "[listener b]\nlisten = 127.0.0.1:0\nupstream = two\npolicy = few\n",
		options, servers[0].address, servers[1].address);
	ports[0] = weir_port(weir, "a");
	ports[1] = weir_port(weir, "b");
}

static void end(void)
{
	weir_stop(weir);
}

/* Whose turns are on which worker follows from their ports: among so many both have some. */
static void assert_both_workers_served(void)
{
	ck_assert_uint_gt(weir_count(weir, " session 0\\.[0-9.]+ .*close="), 0);
	ck_assert_uint_gt(weir_count(weir, " session 1\\.[0-9.]+ .*close="), 0);
}

/* Whether the status says so of the policy. */
static bool was_counted(const char *counters)
{
	char regex[128];

	snprintf(regex, sizeof(regex), "policy few \\(inflight-cap\\): %s$", counters);
	weir_sessions(weir);
	return weir_find(weir, regex) != NULL;
}

/* ---- a server that answers late ------------------------------------------------------------------------------------- */

enum { REQUESTS = 40, LINE = 32, TEXT = REQUESTS * LINE };

/* A client that asks everything at once and then ends its stream, and the server's end of it. */
struct dialog {
	struct pair pair;
	char asks[TEXT];
	char answers[TEXT];
	size_t asked; /* bytes that the client has sent; so are the next two */
	size_t heard; /* that the server has got */
	size_t got;   /* that the client has got */
	unsigned answered;
	bool ended; /* the server has seen the end */
};

static struct dialog dialogs[SESSIONS];
static unsigned most_in_hand[3]; /* of one session, one upstream, in all */

static struct dialog *dialog_open(int i)
{
	struct dialog *dialog = &dialogs[i];

	memset(dialog, 0, sizeof(*dialog));
	dialog->pair = pair_open(ports[i % UPSTREAMS], &servers[i % UPSTREAMS]);
	for (int n = 0; n < REQUESTS; n++) {
		snprintf(dialog->asks + n * LINE, LINE + 1, "session %5hu asks for %8hu\n", (unsigned short)i,
			(unsigned short)n);
		snprintf(dialog->answers + n * LINE, LINE + 1, "session %5hu may have %8hu\n", (unsigned short)i,
			(unsigned short)n);
	}
	return dialog;
}

/* Requests of which the server has a byte at least, and no answer given. */
static unsigned in_hand(const struct dialog *dialog)
{
	return (unsigned)((dialog->heard + LINE - 1) / LINE) - dialog->answered;
}

static void look_at_hands(void)
{
	unsigned upstream[UPSTREAMS] = {0};
	unsigned all = 0;

	for (int i = 0; i < SESSIONS; i++) {
		unsigned hand = in_hand(&dialogs[i]);

		upstream[i % UPSTREAMS] += hand;
		all += hand;
		if (hand > most_in_hand[0])
			most_in_hand[0] = hand;
	}
	for (int i = 0; i < UPSTREAMS; i++)
		if (upstream[i] > most_in_hand[1])
			most_in_hand[1] = upstream[i];
	if (all > most_in_hand[2])
		most_in_hand[2] = all;
}

static size_t get(int fd, const char *text, size_t at, bool *ended)
{
	char bytes[TEXT];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0) {
		*ended = n == 0;
		return 0;
	}
	ck_assert_uint_le(at + (size_t)n, TEXT);
	ck_assert_msg(memcmp(bytes, text + at, (size_t)n) == 0, "at %zu came '%.*s'", at, (int)n, bytes);
	return (size_t)n;
}

/* What can move does; the client's pieces end anywhere. */
static void dialog_step(struct dialog *dialog, unsigned *dice)
{
	size_t piece = 1 + (size_t)rand_r(dice) % (5 * LINE);
	bool over = false;
	ssize_t n;

	if (piece > TEXT - dialog->asked)
		piece = TEXT - dialog->asked;
	n = piece > 0 ? send(dialog->pair.client.fd, dialog->asks + dialog->asked, piece, MSG_DONTWAIT) : 0;
	dialog->asked += n > 0 ? (size_t)n : 0;
	if (dialog->asked == TEXT && !dialog->pair.client.fin)
		end_shutdown(&dialog->pair.client);
	dialog->heard += get(dialog->pair.server.fd, dialog->asks, dialog->heard, &dialog->ended);
	dialog->got += get(dialog->pair.client.fd, dialog->answers, dialog->got, &over);
}

static void dialog_answer(struct dialog *dialog)
{
	const char *answer = dialog->answers + dialog->answered * LINE;

	if (dialog->heard / LINE == dialog->answered)
		return;
	ck_assert_int_eq(send(dialog->pair.server.fd, answer, LINE, 0), LINE);
	dialog->answered++;
}

/* Of so many upstreams. */
static void dialogs_step(int upstreams, unsigned *dice)
{
	for (int i = 0; i < SESSIONS; i++)
		if (i % UPSTREAMS < upstreams)
			dialog_step(&dialogs[i], dice);
	look_at_hands();
	harness_tick();
}

static unsigned unfinished(void)
{
	unsigned count = 0;

	for (int i = 0; i < SESSIONS; i++)
		count += dialogs[i].got < TEXT || !dialogs[i].ended;
	return count;
}

static void dialogs_close(void)
{
	for (int i = 0; i < SESSIONS; i++) {
		end_close(&dialogs[i].pair.server);
		end_close(&dialogs[i].pair.client);
		assert_closed(weir_access(weir, dialogs[i].pair.client.port), "done");
	}
}

START_TEST(a_server_has_as_many_requests_in_hand_as_may)
{
	double until = harness_now() + PATIENCE;
	unsigned dice = 1;

	begin("unit = requests\nframing = line\nper_session = 3\nper_upstream = 7\ntotal = 11");
	for (int i = 0; i < SESSIONS; i++)
		dialog_open(i);
	while (most_in_hand[2] < 11) { /* nobody answers */
		ck_assert_msg(harness_now() < until, "only %u requests came through", most_in_hand[2]);
		dialogs_step(most_in_hand[1] < 7 ? 1 : UPSTREAMS, &dice);
	}
	for (int i = 0; i < 20; i++)
		dialogs_step(UPSTREAMS, &dice);
	while (unfinished() > 0) {
		ck_assert_msg(harness_now() < until, "%u sessions never got all their answers", unfinished());
		for (int i = 0; i < SESSIONS; i++)
			if (rand_r(&dice) % 2 == 0)
				dialog_answer(&dialogs[i]);
		dialogs_step(UPSTREAMS, &dice);
	}
	ck_assert_uint_eq(most_in_hand[0], 3);
	ck_assert_uint_eq(most_in_hand[1], 7);
	ck_assert_uint_eq(most_in_hand[2], 11);
	EVENTUALLY(was_counted("timeouts=0 uncounted=0 congested=0"));
	dialogs_close();
	assert_both_workers_served();
}
END_TEST

/* ---- a server that does not read ------------------------------------------------------------------------------------- */

static struct pair pairs[SESSIONS];

/* Bytes read from the client that the server's kernel has not taken. The first number is weir's, and older. */
static uint64_t on_the_way(struct pair *pair)
{
	const char *status = weir_status(weir, pair->client.port);
	uint64_t read = field_number(status, "up") + field_number(status, "up_held_now");
	int unread = 0;

	ck_assert_int_eq(ioctl(pair->server.fd, FIONREAD, &unread), 0);
	return read > pair->server.got + (uint64_t)unread ? read - pair->server.got - (uint64_t)unread : 0;
}

/* Returns how much it is in all. */
static uint64_t look_at_the_way(void)
{
	uint64_t upstream[UPSTREAMS] = {0};

	for (int i = 0; i < SESSIONS; i++) {
		uint64_t bytes = on_the_way(&pairs[i]);

		upstream[i % UPSTREAMS] += bytes;
		ck_assert_msg(bytes <= 100 * KIB, "%llu bytes of one session", (unsigned long long)bytes);
	}
	for (int i = 0; i < UPSTREAMS; i++)
		ck_assert_msg(upstream[i] <= 400 * KIB, "%llu bytes to one upstream", (unsigned long long)upstream[i]);
	ck_assert_msg(upstream[0] + upstream[1] <= 640 * KIB, "%llu bytes in all",
		(unsigned long long)(upstream[0] + upstream[1]));
	return upstream[0] + upstream[1];
}

START_TEST(no_more_bytes_are_on_the_way_than_may)
{
	enum { EACH = 300 * KIB };

	begin("per_session = 100K\nper_upstream = 400K\ntotal = 640K");
	for (int i = 0; i < SESSIONS; i++) {
		pairs[i] = pair_open(ports[i % UPSTREAMS], &servers[i % UPSTREAMS]);
		pairs[i].client.out_goal = EACH;
		pairs[i].client.fin_goal = true;
		pairs[i].server.in_goal = 0;
	}
	pairs_settle(pairs, SESSIONS, 0.3);
	ck_assert_uint_gt(look_at_the_way(), 640 * KIB - 32 * KIB); /* but for less than what is worth a read */
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < SESSIONS; i++)
			pairs[i].server.in_goal = pairs[i].server.got + 5 * KIB * (uint64_t)(i % 4);
		pairs_step(pairs, SESSIONS, 5);
		look_at_the_way();
	}
	for (int i = 0; i < SESSIONS; i++)
		pairs[i].server.in_goal = ALL;
	pairs_settle(pairs, SESSIONS, 0.3);
	for (int i = 0; i < SESSIONS; i++) {
		PAIR_UNTIL(&pairs[i], pairs[i].server.eof);
		ck_assert_uint_eq(pairs[i].server.got, EACH);
		pair_close(&pairs[i]);
		weir_access(weir, pairs[i].client.port);
	}
	assert_both_workers_served();
}
END_TEST

/* Uploads through a cap that the slow server alone uses up: what it can take, weir gets through; as simulated. */
START_TEST(a_full_cap_keeps_a_server_busy)
{
	struct pair pair;

	ck_assert_uint_eq((uint64_t)simulated("inflight", "pools used_max_units"), 256 * KIB);
	servers[0] = server_listen();
	weir = simulated_start("inflight", &servers[0], NULL, NULL);
	pair = pair_open(weir_port(weir, "a"), &servers[0]);
	pair.client.out_goal = 64 * MIB;
	pair.client.fin_goal = true;
	PAIR_UNTIL(&pair, pair.server.eof);
	ck_assert_uint_eq(pair.server.got, 64 * MIB);
	pair_close(&pair);
	ck_assert_msg(strstr(field(weir_access(weir, pair.client.port), "up_paused"), "few:") != NULL, "%s",
		weir_access(weir, pair.client.port));
}
END_TEST

/* ---- too long, or not to be counted ---------------------------------------------------------------------------------- */

static void hear(struct end *to, const char *text)
{
	size_t got = 0;

	EVENTUALLY((got += get(to->fd, text, got, &to->eof)) == strlen(text));
}

static void say(struct end *from, struct end *to, const char *text)
{
	ck_assert_int_eq(send(from->fd, text, strlen(text), 0), (ssize_t)strlen(text));
	hear(to, text);
}

static const struct {
	const char *action;
	const char *log;
} timeouts[] = {
	{"log",
		"warning policy few \\(inflight-cap\\): session [0-9.]+: a request waited for [0-9.]+s, with 0 in "
		"flight"},
	{"close", "warning policy few \\(inflight-cap\\): ends session [0-9.]+: "},
	{"reset", "warning policy few \\(inflight-cap\\): ends session [0-9.]+: "},
};

/* One has a request in hand, the other's waits: in vain, or until the first is answered. */
START_TEST(who_waits_too_long)
{
	char options[256];
	struct pair busy;
	struct pair late;

	snprintf(options, sizeof(options),
		"unit = requests\nframing = line\ntotal = 1\ntimeout = 300ms\non_timeout = %s", timeouts[_i].action);
	begin(options);
	busy = pair_open(ports[0], &servers[0]);
	late = pair_open(ports[1], &servers[1]);
	say(&busy.client, &busy.server, "one\n");
	ck_assert_int_eq(send(late.client.fd, "two\n", 4, 0), 4);
	weir_wait(weir, timeouts[_i].log);
	EVENTUALLY(was_counted("timeouts=1 uncounted=0 congested=0"));
	if (_i > 0) {
		end_expect_reset(&late.client);
		end_expect_reset(&late.server);
		assert_closed(weir_access(weir, late.client.port), "policy");
	}
	say(&busy.server, &busy.client, "done\n");
	if (_i == 0) {
		hear(&late.server, "two\n");
		say(&late.server, &late.client, "done\n");
	}
	pair_close(&late);
	pair_close(&busy);
}
END_TEST

/* The place of the request in hand is the other's then. */
START_TEST(who_cannot_be_counted)
{
	struct pair odd;
	struct pair even;

	begin(_i ? "unit = requests\nframing = resp\ntotal = 1\non_error = close"
		 : "unit = requests\nframing = resp\ntotal = 1");
	odd = pair_open(ports[0], &servers[0]);
	even = pair_open(ports[1], &servers[1]);
	say(&odd.client, &odd.server, "PING\r\n");
	ck_assert_int_eq(send(even.client.fd, "GET a\r\n", 7, 0), 7);
	ck_assert_int_eq(send(odd.client.fd, "MONITOR\r\n", 9, 0), 9); /* which waits behind the other */
	say(&odd.server, &odd.client, "+PONG\r\n");
	hear(&even.server, "GET a\r\n");
	say(&even.server, &even.client, "$-1\r\n");
	EVENTUALLY(was_counted("timeouts=0 uncounted=1 congested=0"));
	if (_i) {
		end_expect_reset(&odd.client);
		assert_closed(weir_access(weir, odd.client.port), "policy");
	} else {
		weir_wait(weir, "policy few \\(inflight-cap\\): MONITOR: requests cannot be matched");
		hear(&odd.server, "MONITOR\r\n");
		say(&odd.server, &odd.client, "+OK\r\n");
		say(&odd.server, &odd.client, "+anything\r\n+goes\r\n");
		say(&odd.client, &odd.server, "GET a\r\nGET b\r\n");
	}
	pair_close(&odd);
	pair_close(&even);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("inflight");
	TCase *tcase = harness_case(suite, "flows");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_test(tcase, a_server_has_as_many_requests_in_hand_as_may);
	tcase_add_test(tcase, no_more_bytes_are_on_the_way_than_may);
	tcase_add_test(tcase, a_full_cap_keeps_a_server_busy);
	tcase_add_loop_test(tcase, who_waits_too_long, 0, COUNT(timeouts));
	tcase_add_loop_test(tcase, who_cannot_be_counted, 0, 2);
	return harness_main(suite);
}
