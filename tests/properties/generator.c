/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generator - what is drawn for a scenario, by what its family says.
 */
#include "generator.h"

#include <inttypes.h>
#include <stdlib.h>

#include "config.h"
#include "drawing.h"

#define PAGE (4 * DRAWING_KIB)
#define RESERVE CONFIG_SESSION_RESERVE
#define WORK 2500      /* units that all flows of one direction move together, about */
#define PARTS_MAX 3    /* sections of a kind */
#define POLICIES_MAX 6 /* likewise */

/* ---- ends ------------------------------------------------------------------------------------------------------------ */

static void draw_way(struct drawing *drawing)
{
	if (drawing_hits(drawing, drawing->family->far))
		drawing_add_ms(drawing, "rtt", drawing_scale(drawing, 1, 200));
	if (drawing_hits(drawing, drawing->family->far / 2))
		drawing_add(drawing, "bandwidth", drawing_rate(drawing));
}

static void draw_onoff(struct drawing *drawing)
{
	drawing_add_ms(drawing, "on", drawing_scale(drawing, 5, 500));
	drawing_add_ms(drawing, "off", drawing_scale(drawing, 5, 1000));
	if (drawing_hits(drawing, 50))
		document_add(drawing->document, "random", "yes");
}

static void draw_bursts(struct drawing *drawing)
{
	drawing_add(drawing, "burst", drawing_size(drawing, 1, 200, 1, DRAWING_GIB));
	drawing_add_ms(drawing, "period", drawing_scale(drawing, 5, 1000));
	if (drawing_hits(drawing, 50))
		document_add(drawing->document, "random", "yes");
}

/* All but echoes, which are drawn for themselves. */
static void draw_source(struct drawing *drawing, unsigned number)
{
	static const char *const kinds[] = {"bulk", "bulk", "constant", "bursts", "onoff", "poisson", "trace"};
	unsigned kind = (unsigned)drawing_between(drawing, 0, sizeof(kinds) / sizeof(kinds[0]) - 1);
	const char *sources = getenv("WEIR_SRCDIR");

	drawing_begin(drawing, "source", 's', number);
	document_add(drawing->document, "kind", "%s", kinds[kind]);
	if (kind == 2 || kind == 4 || kind == 5)
		drawing_add(drawing, "rate", drawing_rate(drawing));
	if (kind == 3)
		draw_bursts(drawing);
	else
		drawing_add(drawing, "write", drawing_size(drawing, 1, 16, 1, DRAWING_WRITE_MAX));
	if (kind == 4)
		draw_onoff(drawing);
	if (kind == 6)
		document_add(drawing->document, "trace", "%s/tests/properties/trace", sources != NULL ? sources : ".");
	drawing_add(drawing, "bytes", drawing_size(drawing, 1, WORK / drawing->sessions, 1, UINT64_MAX));
	draw_way(drawing);
}

/* Few and small ones in a row, many and large ones together: the time it takes is that of the services. */
static void draw_dialog(struct drawing *drawing, unsigned number)
{
	uint64_t requests = drawing_scale(drawing, 1, 64);

	drawing_begin(drawing, "source", 'q', number);
	document_add(drawing->document, "kind", "requests");
	drawing_add(drawing, "write",
		drawing_size(drawing, 1, WORK / 4 / drawing->sessions / requests + 1, 1, DRAWING_WRITE_MAX));
	drawing_add(drawing, "requests", requests);
	drawing_add(drawing, "pipeline", drawing_scale(drawing, 1, 64));
	if (drawing_hits(drawing, 40))
		drawing_add_ms(drawing, "period", drawing_scale(drawing, 1, 20));
	draw_way(drawing);
	drawing_begin(drawing, "source", 'a', number);
	document_add(drawing->document, "kind", "answers");
	drawing_add(drawing, "write",
		drawing_size(drawing, 1, WORK / 4 / drawing->sessions / requests + 1, 1, DRAWING_WRITE_MAX));
	if (drawing_hits(drawing, 70))
		drawing_add_ms(drawing, "service", drawing_scale(drawing, 1, 20));
	if (drawing_hits(drawing, 50))
		document_add(drawing->document, "random", "yes");
	drawing_add(drawing, "concurrency", drawing_scale(drawing, 1, 8));
	if (drawing_hits(drawing, 15))
		drawing_add(drawing, "requests",
			drawing_scale(drawing, 1, requests)); /* and the rest is never answered */
	draw_way(drawing);
}

static void draw_echo(struct drawing *drawing)
{
	document_begin(drawing->document, "source", "echo");
	document_add(drawing->document, "kind", "echo");
	drawing_add(drawing, "gain", drawing_scale(drawing, 1, 300));
	drawing_add(drawing, "busy", drawing_size(drawing, 1, 64, 1, DRAWING_GIB));
	draw_way(drawing);
}

/* However it begins, it takes something in the end: a session with a sink that never does cannot end. */
static void draw_schedule(struct drawing *drawing)
{
	document_add(drawing->document, "schedule",
		"0s %" PRIu64 ", %" PRIu64 "ms 0, %" PRIu64 "ms %" PRIu64 ", %" PRIu64 "ms unlimited",
		drawing_rate(drawing), drawing_between(drawing, 1, 500), drawing_between(drawing, 501, 1500),
		drawing_rate(drawing), drawing_between(drawing, 1501, 4000));
}

static void draw_sink(struct drawing *drawing, unsigned number)
{
	bool slow = drawing_hits(drawing, drawing->family->slow);

	drawing_begin(drawing, "sink", 't', number);
	drawing_add(drawing, "read", drawing_size(drawing, 1, 16, 1, DRAWING_WRITE_MAX));
	if (drawing_hits(drawing, 70))
		drawing_add(drawing, "window", drawing_size(drawing, 1, 256, DRAWING_KIB, DRAWING_GIB));
	if (slow && drawing_hits(drawing, 20))
		draw_schedule(drawing);
	else if (slow && drawing_hits(drawing, 80))
		drawing_add(drawing, "rate", drawing_rate(drawing));
	if (slow && drawing_hits(drawing, 40)) {
		drawing_add_ms(drawing, "stall_every", drawing_scale(drawing, 10, 2000));
		drawing_add_ms(drawing, "stall_for", drawing_scale(drawing, 1, 2000));
		if (drawing_hits(drawing, 50))
			document_add(drawing->document, "random", "yes");
	}
	draw_way(drawing);
}

/* ---- listeners ------------------------------------------------------------------------------------------------------- */

/* Several sections may be of the same module, and listeners may share them; in a stack each comes once. */
static void draw_listener(struct drawing *drawing, unsigned number)
{
	unsigned most = drawing->family->most < drawing->policies ? drawing->family->most : drawing->policies;
	unsigned count = (unsigned)drawing_between(drawing, drawing->family->least, most);
	unsigned first = (unsigned)drawing_between(drawing, 0, drawing->policies - 1);
	char names[64];
	int length = 0;

	drawing_begin(drawing, "listener", 'l', number);
	for (unsigned i = 0; i < count; i++)
		length += snprintf(names + length, sizeof(names) - (size_t)length, "%sp%u", i > 0 ? ", " : "",
			(first + i) % drawing->policies);
	document_add(drawing->document, "policy", "%s", count > 0 ? names : "none");
	if (drawing_hits(drawing, 50))
		document_add(drawing->document, "upstream", "u");
	document_add(drawing->document, "idle_timeout", "never");
	/* a broken session whose server is too busy with answers to read ends by this alone */
	document_add(drawing->document, "half_close_timeout", "60s");
	document_add(drawing->document, "stall_timeout", "never");
	if (drawing_hits(drawing, 30))
		document_add(drawing->document, "notsent_lowat", "off");
	else
		drawing_add(drawing, "notsent_lowat", drawing_size(drawing, 1, 64, DRAWING_KIB, DRAWING_GIB));
	drawing_add(drawing, "rcvbuf", drawing_size(drawing, 1, 64, 4 * DRAWING_KIB, DRAWING_GIB));
	if (drawing_hits(drawing, 50))
		drawing_add(drawing, "sndbuf", drawing_size(drawing, 1, 64, 8 * DRAWING_KIB, DRAWING_GIB));
}

/* ---- traffic --------------------------------------------------------------------------------------------------------- */

static void draw_name(struct drawing *drawing, const char *key, char letter, unsigned count)
{
	document_add(drawing->document, key, "%c%u", letter, (unsigned)drawing_between(drawing, 0, count - 1));
}

static void draw_passing(struct drawing *drawing)
{
	if (drawing_hits(drawing, 80))
		drawing_add_ms(drawing, "lifetime", drawing_scale(drawing, 1, 4000));
	if (drawing_hits(drawing, 70))
		document_add(drawing->document, "random", "yes");
	if (drawing_hits(drawing, drawing->family->resets))
		document_add(drawing->document, "leave", "reset");
	if (drawing_hits(drawing, 50))
		drawing_add(drawing, "arrivals", drawing_scale(drawing, 10, 600));
}

static void draw_sources(struct drawing *drawing)
{
	if (drawing->dialog) {
		draw_name(drawing, "up_source", 'q', drawing->sources);
		draw_name(drawing, "down_source", 'a', drawing->sources);
		return;
	}
	if (drawing_hits(drawing, 90))
		draw_name(drawing, "up_source", 's', drawing->sources);
	if (drawing_hits(drawing, drawing->family->echo))
		document_add(drawing->document, "down_source", "echo");
	else if (drawing_hits(drawing, 70))
		draw_name(drawing, "down_source", 's', drawing->sources);
}

static void draw_traffic(struct drawing *drawing, unsigned number, uint64_t sessions)
{
	drawing_begin(drawing, "traffic", 't', number);
	if (drawing->listeners > 1)
		draw_name(drawing, "listener", 'l', drawing->listeners);
	draw_sources(drawing);
	draw_name(drawing, "up_sink", 't', drawing->sinks);
	draw_name(drawing, "down_sink", 't', drawing->sinks);
	drawing_add(drawing, "sessions", sessions);
	if (drawing_hits(drawing, 40))
		drawing_add_ms(drawing, "start", drawing_scale(drawing, 1, 1000));
	if (drawing_hits(drawing, 60))
		drawing_add(drawing, "clients", drawing_scale(drawing, 1, 4));
	if (drawing_hits(drawing, drawing->family->passing))
		draw_passing(drawing);
}

static void draw_traffics(struct drawing *drawing)
{
	unsigned count = (unsigned)drawing_between(drawing, 1,
		drawing->sessions < PARTS_MAX ? drawing->sessions : PARTS_MAX);

	for (unsigned i = 0; i < count; i++)
		draw_traffic(drawing, i, drawing->sessions / count + (i < drawing->sessions % count ? 1 : 0));
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

/* Memory cannot be less than a megabyte; but if all of that is promised to sessions that never come, little is left. */
static void draw_weir(struct drawing *drawing)
{
	bool tight = drawing_hits(drawing, drawing->family->tight);
	uint64_t sessions = drawing_hits(drawing, 80) ? drawing->sessions + 50
						      : drawing->sessions; /* others wait outside */
	uint64_t spare = tight ? PAGE * drawing_scale(drawing, 1, 64) : 64 * DRAWING_MIB;

	if (tight && sessions < DRAWING_MIB / RESERVE)
		sessions = DRAWING_MIB / RESERVE;
	document_begin(drawing->document, "weir", "");
	drawing_add(drawing, "workers", drawing_between(drawing, 1, drawing->family->workers));
	drawing_add(drawing, "max_sessions", sessions);
	drawing_add(drawing, "memory", sessions * RESERVE + spare + drawing->promised);
}

static void draw_scenario(struct drawing *drawing)
{
	document_begin(drawing->document, "scenario", "");
	drawing_add(drawing, "seed", drawing_between(drawing, 0, UINT32_MAX));
	drawing_add_ms(drawing, "duration", drawing_scale(drawing, 100, 6000));
	document_add(drawing->document, "drain", "yes");
	if (drawing->dialog || drawing_hits(drawing, drawing->family->content))
		document_add(drawing->document, "content", "yes");
}

static void draw_all_sources(struct drawing *drawing)
{
	for (unsigned i = 0; i < drawing->sources; i++)
		if (drawing->dialog)
			draw_dialog(drawing, i);
		else
			draw_source(drawing, i);
	if (!drawing->dialog)
		draw_echo(drawing);
}

void generator_draw(struct document *document, uint64_t seed)
{
	struct drawing drawing = {
		.family = &generator_families[seed % GENERATOR_FAMILY_COUNT],
		.document = document,
	};

	document_init(document);
	chance_init(&drawing.chance, seed, 0, 0);
	drawing.unit = drawing_scale(&drawing, 32, 16 * DRAWING_KIB);
	drawing.sessions = drawing_scale(&drawing, 1, drawing.family->sessions);
	drawing.sources = (unsigned)drawing_between(&drawing, 1, PARTS_MAX);
	drawing.sinks = (unsigned)drawing_between(&drawing, 1, PARTS_MAX);
	drawing.policies = (unsigned)drawing_between(&drawing, drawing.family->least > 0 ? drawing.family->least : 1,
		POLICIES_MAX);
	drawing.listeners = (unsigned)drawing_between(&drawing, 1, 2);
	drawing.dialog = drawing_hits(&drawing, drawing.family->dialog);
	if ((~drawing.family->policies & (GENERATOR_BYTES | GENERATOR_REQUESTS)) ==
		0) /* both are not shared in one stack */
		drawing.alone = drawing_hits(&drawing, 50) ? GENERATOR_BYTES : GENERATOR_REQUESTS;
	draw_scenario(&drawing);
	draw_all_sources(&drawing);
	for (unsigned i = 0; i < drawing.sinks; i++)
		draw_sink(&drawing, i);
	for (unsigned i = 0; i < drawing.policies; i++)
		drawing_policy(&drawing, i);
	for (unsigned i = 0; i < drawing.listeners; i++)
		draw_listener(&drawing, i);
	document_begin(document, "upstream", "u");
	document_add(document, "server", "127.0.0.1:1");
	draw_traffics(&drawing);
	draw_weir(&drawing);
}
