/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view - see view.h. MB and GB are powers of ten, as the pace is.
 */
#include "view.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"

#define MB 1e6
#define BAR 16       /* cells */
#define BAR_FULL 8e6 /* bytes */
#define LABEL "%-21s"
#define CELL 29

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define GREEN "\033[32m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

static const char *const queue_names[PATH_QUEUE_COUNT] = {
	[PATH_PRODUCER_SENDS] = " its send queue",
	[PATH_RELAY_RECEIVES] = " relay receive queue",
	[PATH_RELAY_SENDS] = " relay send queue",
	[PATH_CONSUMER_RECEIVES] = " its receive queue",
};

/* Nothing, eighths of a cell, a whole one; and what every terminal has. */
static const char *const fine_cells[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const plain_cells[] = {"", "", "", "", "#", "#", "#", "#", "#"};

/* A terminal that can be drawn on, and that the picture fits into. */
static bool fits(void)
{
	const char *terminal = getenv("TERM");
	struct winsize size = {0};

	if (!isatty(STDOUT_FILENO) || terminal == NULL || strcmp(terminal, "dumb") == 0)
		return false;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0 || size.ws_row == 0)
		return true;
	return size.ws_col >= 80 && size.ws_row >= 24;
}

void view_open(struct view *view, bool plain)
{
	const char *no_color = getenv("NO_COLOR");

	setlocale(LC_CTYPE, "");
	*view = (struct view){
		.live = !plain && fits(),
		.cells = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? fine_cells : plain_cells,
	};
	view->color = view->live && (no_color == NULL || *no_color == '\0');
	if (view->live)
		fputs("\033[?25l", stdout); /* no cursor */
}

void view_close(struct view *view)
{
	if (view->live)
		fputs(PLAIN "\033[?7h\033[?25h", stdout);
	view->live = false;
	fflush(stdout);
}

static const char *style(const struct view *view, const char *code)
{
	return view->color ? code : "";
}

/* ---- figures in words */

struct text {
	char is[80];
};

static struct text text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct text text(const char *format, ...)
{
	struct text made;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(made.is, sizeof(made.is), format, arguments);
	va_end(arguments);
	return made;
}

static struct text size_text(double bytes)
{
	if (bytes >= 1e10)
		return text("%.1f GB", bytes / 1e9);
	return text(bytes < 9.995e6 ? "%.2f MB" : bytes < 999.95e6 ? "%.1f MB" : "%.0f MB", bytes / MB);
}

static struct text time_text(double seconds)
{
	if (seconds >= 120)
		return text("%.0f minutes", seconds / 60);
	return text(seconds < 10 ? "%.1f s" : "%.0f s", seconds);
}

/* By how much the last of so many bytes comes late, as the consumer takes them. */
static struct text late_text(const struct view_scene *scene, double bytes)
{
	return text("%s late", time_text(bytes / (double)scene->pace).is);
}

static struct text flow_text(const struct proxy_flow *flow)
{
	return text("%s; %" PRIu64 " pause%s, %s", flow->state, flow->pauses, flow->pauses == 1 ? "" : "s",
		time_text(flow->paused).is);
}

static struct text end_text(const struct view_scene *scene)
{
	if (scene->act == VIEW_FINISH)
		return text("The flood is over; the consumers take the rest at full speed.");
	return text("The flood is over, and every byte of it has arrived: %s and %s.",
		size_text((double)scene->weir->consumer.bytes).is, size_text((double)scene->naive->consumer.bytes).is);
}

/* ---- the picture: lines of a label and two cells */

static void end_line(struct view *view)
{
	fputs("\033[K\n", stdout);
	view->drawn++;
}

static void put_row(struct view *view, const char *code, const char *label, struct text left, struct text right)
{
	printf("%s" LABEL "%-*s%-*s%s", style(view, code), label, CELL, left.is, CELL, right.is, style(view, PLAIN));
	end_line(view);
}

static struct text rate_text(uint64_t total, double rate)
{
	return text("%10s  %6.1f MB/s", size_text((double)total).is, rate / MB);
}

/* A bar of at most BAR cells, and a mark if that is not enough. */
static void put_bar(const struct view *view, const char *code, uint64_t bytes)
{
	double eighths = (double)bytes * BAR * 8 / BAR_FULL;
	bool beyond = eighths > BAR * 8;
	int whole = beyond ? BAR : (int)eighths / 8;
	const char *last = beyond ? ">" : view->cells[(int)eighths % 8];

	printf("%10s  %s", size_text((double)bytes).is, style(view, code));
	for (int i = 0; i < whole; i++)
		fputs(view->cells[8], stdout);
	printf("%s%s%*s", last, style(view, PLAIN), CELL - 12 - whole - (*last != '\0'), "");
}

static void put_bars(struct view *view, const char *label, uint64_t left, uint64_t right, bool held)
{
	printf("%s" LABEL "%s", style(view, held ? BOLD : ""), label, style(view, PLAIN));
	put_bar(view, held ? GREEN : DIM, left);
	put_bar(view, held ? RED : DIM, right);
	end_line(view);
}

static void put_queue(struct view *view, const struct view_scene *scene, enum path_queue queue)
{
	put_bars(view, queue_names[queue], scene->weir->now.queues[queue], scene->naive->now.queues[queue], false);
}

static struct text way_text(const struct view_scene *scene, const struct path *path)
{
	double bytes = (double)path_on_its_way(path);

	return text("%10s  %s", size_text(bytes).is, late_text(scene, bytes).is);
}

static void put_relays(struct view *view, const struct view_scene *scene)
{
	bool full = scene->relay->bound_met_at != 0;

	put_row(view, "", "relay's memory", text("%10s", size_text((double)scene->weir->now.rss).is),
		text("%10s", size_text((double)scene->naive->now.rss).is));
	put_row(view, "", "relay's state", text("   %s", flow_text(scene->flow).is),
		text("   %s", full ? "full: the demo's bound" : "reads on and on"));
}

static void put_footer(struct view *view, const struct view_scene *scene)
{
	end_line(view);
	fputs(style(view, DIM), stdout);
	if (scene->act == VIEW_FLOOD)
		printf("%.0f of %.0f s. Queues are the kernel's. A full bar is %.0f MB. Ctrl-C ends the demo.",
			scene->elapsed, scene->seconds, BAR_FULL / MB);
	else
		fputs(end_text(scene).is, stdout);
	fputs(style(view, PLAIN), stdout);
	end_line(view);
}

/* Without wrapping, so that a terminal made narrower meanwhile keeps its lines. */
static void draw_picture(struct view *view, const struct view_scene *scene)
{
	const struct path *weir = scene->weir, *naive = scene->naive;

	fputs("\033[?7l", stdout);
	if (view->drawn > 0)
		printf("\033[%dA", view->drawn);
	view->drawn = 0;
	put_row(view, BOLD, "", text("   through weir"), text("   through a naive relay"));
	put_row(view, BOLD, "producer sent", rate_text(weir->now.sent, path_rate_sent(weir)),
		rate_text(naive->now.sent, path_rate_sent(naive)));
	put_queue(view, scene, PATH_PRODUCER_SENDS);
	put_queue(view, scene, PATH_RELAY_RECEIVES);
	put_bars(view, "held by the relay", weir->now.held, naive->now.held, true);
	put_queue(view, scene, PATH_RELAY_SENDS);
	put_queue(view, scene, PATH_CONSUMER_RECEIVES);
	put_row(view, BOLD, "consumer got", rate_text(weir->now.got, path_rate_got(weir)),
		rate_text(naive->now.got, path_rate_got(naive)));
	end_line(view);
	put_row(view, "", "on its way", way_text(scene, weir), way_text(scene, naive));
	put_relays(view, scene);
	put_footer(view, scene);
	fputs("\033[?7h", stdout);
}

/* ---- the lines: MB in columns */

static void print_path(const struct path *path)
{
	uint64_t queued = 0;

	for (int i = 0; i < PATH_QUEUE_COUNT; i++)
		queued += path->now.queues[i];
	printf(" %7.1f%7.1f%7.1f%7.1f%7.1f", (double)path->now.sent / MB, (double)queued / MB,
		(double)path->now.held / MB, (double)path->now.rss / MB, (double)path->now.got / MB);
}

static void print_line(struct view *view, const struct view_scene *scene)
{
	if (scene->act == VIEW_COMPLETE)
		printf("%s\n", end_text(scene).is);
	if (scene->act != VIEW_FLOOD || scene->elapsed < view->due)
		return;
	view->due += 1;
	printf("%3.0fs", scene->elapsed);
	print_path(scene->weir);
	print_path(scene->naive);
	printf("  %s\n", flow_text(scene->flow).is);
}

static void print_header(void)
{
	printf("In MB. kernel: all socket queues on the way. RSS: the relay's memory.\n\n");
	printf("     %-35s %s\n    ", "  through weir", "  through a naive relay");
	for (int i = 0; i < 2; i++)
		printf(" %7s%7s%7s%7s%7s", "sent", "kernel", "held", "RSS", "got");
	printf("  weir says\n");
}

/* ---- all of it */

void view_begin(struct view *view, const struct view_scene *scene, in_port_t listen, in_port_t server)
{
	printf("%sweir's demo: producers write as fast as they can, consumers read %.0f MB/s.%s\n", style(view, BOLD),
		(double)scene->pace / MB, style(view, PLAIN));
	printf("weir runs its sample, etc/weir.ini, with two addresses replaced (free ports):\n"
	       "  listen = 127.0.0.1:%u, server = 127.0.0.1:%u\n"
	       "The naive relay queues whatever comes; at %.0f MB the demo makes it stop.\n\n",
		(unsigned)listen, (unsigned)server, (double)scene->bound / MB);
	if (!view->live)
		print_header();
	fflush(stdout);
}

void view_draw(struct view *view, const struct view_scene *scene)
{
	if (view->live)
		draw_picture(view, scene);
	else
		print_line(view, scene);
	fflush(stdout);
}

static void print_naive_summary(const struct view_scene *scene)
{
	const struct relay_figures *relay = scene->relay;
	double piled = (double)relay->held_max;

	printf("The naive relay piled up %s", size_text(piled).is);
	if (relay->bound_met_at != 0)
		printf(" in %.1f s, %s: the demo stopped it.\n",
			(double)(relay->bound_met_at - relay->first_byte_at) / (double)CLOCK_SECOND,
			late_text(scene, piled).is);
	else
		printf(", %s, and would have gone on.\n", late_text(scene, piled).is);
}

void view_summary(const struct view_scene *scene)
{
	double got = (double)(scene->weir->now.got + scene->naive->now.got) / 2;

	printf("\nThe producers could send %.0f MB/s; for %.0f s the consumers took %.1f MB/s.\n",
		scene->naive->sent_rate_max / MB, scene->elapsed, got / scene->elapsed / MB);
	printf("weir held %s at most in %.1f MB of memory; %" PRIu64 " pauses slowed its producer.\n",
		size_text((double)scene->flow->held_max).is, (double)scene->weir->rss_max / MB, scene->flow->pauses);
	print_naive_summary(scene);
	fflush(stdout);
}
