/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handoff - units go from thread to thread: real workers, real policies, fake peers that come, stall, reset and go. Built for
 * ThreadSanitizer. Each case is a configuration; $HANDOFF_SECONDS says for how long all of them together play, 3 by default.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crew.h"
#include "game.h"
#include "order.h"
#include "unit.h"

#define WEIR "[weir]\nworkers = 4\nlog_level = error\n"
#define LIMITS WEIR "max_sessions = 24\nmemory = 64M\n"
#define QUIET "idle_timeout = never\nhalf_close_timeout = never\nstall_timeout = never\nsplice = off\n"
#define UNDER(policies)                                                                                                \
	"[upstream db]\nserver = 127.0.0.1:9\n"                                                                        \
	"[listener a]\nlisten = 127.0.0.1:1\nupstream = db\nmax_sessions = 18\npolicy = " policies "\n" QUIET          \
	"[listener b]\nlisten = 127.0.0.1:2\nupstream = db\npolicy = " policies "\n" QUIET

#define MARKS(scope) "[policy marks]\nmodule = watermark\nscope = " scope "\nhigh = 64K\nlow = 32K\n"
#define SHAPE(scope, side)                                                                                             \
	"[policy slow]\nmodule = shape\nscope = " scope "\nside = " side "\nrate = 12M\nburst = 64K\n"
#define CREDIT "[policy credit]\nmodule = credit\npool = 224K\nsegment = 4K\nexclusive = 1\nfloating = 3\nmax = 4\n"
#define FAIR "[policy fair]\nmodule = fair\npool = 64K\nalpha = 1\nweight = drain\n"
#define BYTES                                                                                                          \
	"[policy cap]\nmodule = inflight-cap\nper_session = 16K\nper_upstream = 64K\ntotal = 64K\ntimeout = never\n"
#define REQUESTS                                                                                                       \
	"[policy asks]\nmodule = inflight-cap\nunit = requests\nframing = line\nper_session = 8\nper_upstream = 20\n"  \
	"total = 24\nqueue = 64K\ntimeout = never\n"

struct named_game {
	const char *name;
	const char *text;
	uint64_t cap; /* see game.h */
};

static const struct named_game games[] = {
	{"memory alone", WEIR "max_sessions = 120\nmemory = 1M\n" UNDER("none"), 0},
	{"marks for each listener", LIMITS MARKS("listener") UNDER("marks"), 0},
	{"marks for each client", LIMITS MARKS("client") UNDER("marks"), 0},
	{"a bucket for all", LIMITS SHAPE("instance", "read") UNDER("slow"), 0},
	{"a bucket for each client, written", LIMITS SHAPE("client", "write") UNDER("slow"), 0},
	{"segments that go round", LIMITS CREDIT UNDER("credit"), 0},
	{"a moving threshold", LIMITS FAIR UNDER("fair"), 0},
	{"bytes in flight", LIMITS BYTES UNDER("cap"), 64 * KIB},
	{"requests in flight", LIMITS REQUESTS UNDER("asks"), 0},
	{"segments under a bucket, a cap and marks",
		LIMITS SHAPE("listener", "read") CREDIT BYTES MARKS("client") UNDER("slow, credit, cap, marks"),
		64 * KIB},
	{"requests in a stack",
		LIMITS REQUESTS CREDIT FAIR SHAPE("instance", "write") UNDER("credit, asks, fair, slow"), 0},
};

#define GAMES ((int)(sizeof(games) / sizeof(games[0])))

static double seconds_of_each(void)
{
	const char *all = getenv("HANDOFF_SECONDS");

	return strtod(all != NULL ? all : "3", NULL) / GAMES;
}

START_TEST(nothing_is_lost)
{
	struct order_counts counts;
	static struct game game;
	unsigned rounds;

	(void)fake_pattern(0, 0); /* made now, not by two threads at once */
	order_begin(seat_granted);
	game_begin(&game, games[_i].text, CREW_WORKERS);
	game.cap = games[_i].cap;
	rounds = crew_play(&game, seconds_of_each());
	game_end(&game);
	counts = order_counts();
	fprintf(stderr, "handoff: %s: %u rounds, %llu waited, %llu were granted, %llu of them by another worker\n",
		games[_i].name, rounds, (unsigned long long)counts.queued, (unsigned long long)counts.granted,
		(unsigned long long)counts.across);
	ck_assert_msg(counts.across > 0, "no unit went from one worker to another");
}
END_TEST

/* With any argument, all there is to see is that it starts. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("handoff");
	TCase *tcase = tcase_create("games");

	(void)argv;
	if (argc > 1)
		return 0;
	tcase_set_timeout(tcase, seconds_of_each() + 60);
	tcase_add_loop_test(tcase, nothing_is_lost, 0, GAMES);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
