/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo - what weir is for, in some ten seconds: a flood that a slow consumer meets, through weir and through a naive relay,
 * side by side. Everything runs here, on ports that the kernel gives; nothing stays.
 *
 * Exit status: 0 if every byte arrived, 1 if not or if something failed, 2 for a usage error, 128 + signal (130 for
 * Ctrl-C) if it was stopped.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "clock.h"
#include "kernel.h"
#include "path.h"
#include "proxy.h"
#include "relay.h"
#include "view.h"

#define PACE 2000000
#define SECONDS 10
#define SECONDS_MAX 60
#define BOUND_MB 1000
#define BOUND_MB_MAX 4000
#define FRAME (250 * CLOCK_MS)
#define ANSWER_PATIENCE (100 * CLOCK_MS)
#define START_PATIENCE (10 * CLOCK_SECOND)
#define FINISH_PATIENCE (20 * CLOCK_SECOND)
#define EXIT_USAGE 2

struct demo {
	struct proxy_files files;
	unsigned seconds;
	uint64_t bound;
	bool plain;
	struct proxy proxy;
	struct relay relay;
	struct path weir;
	struct path naive;
	struct view view;
	struct view_scene scene;
	uint64_t began;
	char error[256];
};

static volatile sig_atomic_t stopped_by;

static void on_signal(int signal_number)
{
	stopped_by = signal_number;
}

/* They arrive only in ppoll, in the main thread. SIGPIPE: a reader of our stdout that leaves is an error like others. */
static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &action, NULL);
		sigaddset(&set, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

__attribute__((format(printf, 2, 3))) static int failure(struct demo *demo, const char *format, ...)
{
	va_list arguments;

	if (demo->error[0] != '\0')
		return -1;
	va_start(arguments, format);
	vsnprintf(demo->error, sizeof(demo->error), format, arguments);
	va_end(arguments);
	return -1;
}

/* ---- waiting, for weir's log and for time */

/* Until weir says something or it is time. -1 if that was the end: a signal, or weir's death. */
static int wait_some(struct demo *demo, uint64_t until)
{
	struct pollfd log = {.fd = demo->proxy.log, .events = POLLIN};
	struct timespec left = clock_until(until);
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(&log, 1, &left, &none) == -1 && errno != EINTR)
		return failure(demo, "poll: %m");
	if (stopped_by != 0)
		return -1;
	if (log.revents != 0 && proxy_read(&demo->proxy) == -1)
		return failure(demo, "weir ended: %s",
			demo->proxy.trouble[0] != '\0' ? demo->proxy.trouble : "and did not say why");
	if (ferror(stdout))
		return failure(demo, "cannot write to standard output");
	return 0;
}

static int wait_until(struct demo *demo, uint64_t until)
{
	do {
		if (wait_some(demo, until) == -1)
			return -1;
	} while (clock_now() < until);
	return 0;
}

static int wait_ready(struct demo *demo)
{
	uint64_t deadline = clock_now() + START_PATIENCE;

	while (!demo->proxy.ready || demo->proxy.port == 0) {
		if (wait_some(demo, deadline) == -1)
			return -1;
		if (clock_now() >= deadline)
			return failure(demo, "weir does not get ready: %s", demo->proxy.trouble);
	}
	return 0;
}

/* ---- the acts */

static int set_up(struct demo *demo)
{
	if (path_listen(&demo->weir) == -1 || path_listen(&demo->naive) == -1)
		return failure(demo, "cannot listen on 127.0.0.1: %m");
	if (relay_start(&demo->relay, demo->naive.consumer_port, demo->bound) == -1)
		return failure(demo, "cannot start the naive relay: %m");
	demo->scene.relay = demo->relay.figures;
	if (proxy_start(&demo->proxy, &demo->files, demo->weir.consumer_port) == -1)
		return failure(demo, "%s", demo->proxy.trouble);
	if (wait_ready(demo) == -1)
		return -1;
	if (path_connect(&demo->weir, demo->proxy.port) == -1)
		return failure(demo, "cannot connect through weir: %m");
	if (path_connect(&demo->naive, demo->relay.port) == -1)
		return failure(demo, "cannot connect through the naive relay: %m");
	if (path_start(&demo->weir, PACE) == -1 || path_start(&demo->naive, PACE) == -1)
		return failure(demo, "cannot start a thread: %m");
	return 0;
}

/* weir's figures come from weir: it is asked, and has a moment to answer. */
static int look(struct demo *demo)
{
	struct path *paths[] = {&demo->weir, &demo->naive};
	uint64_t deadline = clock_now() + ANSWER_PATIENCE;
	unsigned answers = demo->proxy.answers;

	proxy_ask(&demo->proxy);
	while (demo->proxy.answers == answers && clock_now() < deadline) {
		if (wait_some(demo, deadline) == -1)
			return -1;
	}
	path_look(paths, 2);
	path_note(&demo->weir, demo->proxy.flow.held, kernel_rss(demo->proxy.pid));
	path_note(&demo->naive, demo->relay.figures->held, kernel_rss(demo->relay.pid));
	demo->scene.elapsed = (double)(clock_now() - demo->began) / (double)CLOCK_SECOND;
	return 0;
}

static int flood(struct demo *demo)
{
	uint64_t end = demo->began + demo->seconds * CLOCK_SECOND;

	for (uint64_t next = demo->began; next <= end; next += FRAME) {
		if (wait_until(demo, next) == -1 || look(demo) == -1)
			return -1;
		if (path_broken(&demo->weir))
			return failure(demo, "the stream through weir broke: %s", demo->proxy.trouble);
		if (path_broken(&demo->naive))
			return failure(demo, "the naive relay broke; with a smaller --bound it needs less memory");
		view_draw(&demo->view, &demo->scene);
	}
	return 0;
}

/* The producers end their streams, and every byte must come out. The last line of weir's log has the final figures. */
static int finish(struct demo *demo)
{
	uint64_t deadline = clock_now() + FINISH_PATIENCE;

	demo->scene.act = VIEW_FINISH;
	view_draw(&demo->view, &demo->scene);
	path_finish(&demo->weir);
	path_finish(&demo->naive);
	while (!path_finished(&demo->weir) || !path_finished(&demo->naive) || !demo->proxy.flow.over) {
		if (wait_until(demo, clock_now() + FRAME / 10) == -1)
			return -1;
		if (clock_now() >= deadline)
			return failure(demo, "the streams do not end");
	}
	if (!path_complete(&demo->weir) || !path_complete(&demo->naive))
		return failure(demo, "not every byte arrived through %s",
			path_complete(&demo->weir) ? "the naive relay" : "weir");
	demo->scene.act = VIEW_COMPLETE;
	view_draw(&demo->view, &demo->scene);
	view_summary(&demo->scene);
	return 0;
}

static int play(struct demo *demo)
{
	if (set_up(demo) == -1)
		return -1;
	demo->began = clock_now();
	view_open(&demo->view, demo->plain);
	view_begin(&demo->view, &demo->scene, demo->proxy.port, demo->weir.consumer_port);
	return flood(demo) == 0 && finish(demo) == 0 ? 0 : -1;
}

static int run(struct demo *demo)
{
	int status;

	demo->scene = (struct view_scene){
		.weir = &demo->weir,
		.naive = &demo->naive,
		.flow = &demo->proxy.flow,
		.pace = PACE,
		.bound = demo->bound,
		.seconds = demo->seconds,
	};
	proxy_init(&demo->proxy);
	path_init(&demo->weir);
	path_init(&demo->naive);
	status = play(demo);
	view_close(&demo->view);
	path_stop(&demo->weir);
	path_stop(&demo->naive);
	proxy_stop(&demo->proxy);
	relay_stop(&demo->relay);
	if (stopped_by != 0) {
		fputs("demo: stopped\n", stderr);
		return 128 + stopped_by;
	}
	if (status == -1)
		fprintf(stderr, "demo: %s\n", demo->error);
	return status == 0 ? 0 : 1;
}

/* ---- the command line */

static const char usage_text[] =
	"usage: demo --weir FILE --policies DIR --ini FILE [--seconds N] [--bound MB] [--plain]\n"
	"\n"
	"  --weir FILE      the weir to show\n"
	"  --policies DIR   where its policy modules are\n"
	"  --ini FILE       the configuration to show; its addresses are replaced\n"
	"  --seconds N      how long the flood lasts (10)\n"
	"  --bound MB       what the naive relay may pile up (1000, or a quarter of the free memory if that is less)\n"
	"  --plain          a line a second, on a terminal too\n";

static bool number(const char *text, unsigned most, unsigned *value)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*value = (unsigned)n;
	return *text >= '0' && *text <= '9' && *end == '\0' && n >= 1 && n <= most;
}

static bool parse(int argc, char **argv, struct demo *demo, unsigned *bound_mb)
{
	static const struct option options[] = {
		{"weir", required_argument, NULL, 'w'},
		{"policies", required_argument, NULL, 'd'},
		{"ini", required_argument, NULL, 'i'},
		{"seconds", required_argument, NULL, 's'},
		{"bound", required_argument, NULL, 'b'},
		{"plain", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	bool fine = true;

	for (int option; fine && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'w')
			demo->files.weir = optarg;
		else if (option == 'd')
			demo->files.policies = optarg;
		else if (option == 'i')
			demo->files.ini = optarg;
		else if (option == 's')
			fine = number(optarg, SECONDS_MAX, &demo->seconds);
		else if (option == 'b')
			fine = number(optarg, BOUND_MB_MAX, bound_mb);
		else if (option == 'p')
			demo->plain = true;
		else
			fine = false;
	}
	return fine && optind == argc && demo->files.weir != NULL && demo->files.policies != NULL &&
		demo->files.ini != NULL;
}

int main(int argc, char **argv)
{
	static struct demo demo = {.seconds = SECONDS};
	unsigned bound_mb = BOUND_MB;
	uint64_t quarter = kernel_memory_available() / 4;

	if (!parse(argc, argv, &demo, &bound_mb)) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	demo.bound = bound_mb * UINT64_C(1000000);
	if (demo.bound > quarter)
		demo.bound = quarter;
	catch_signals();
	return run(&demo);
}
