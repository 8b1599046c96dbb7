/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generator - what is drawn for a scenario, by what its family says.
 */
#include "generator.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chance.h"
#include "config.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define PAGE (4 * KIB)
#define RESERVE CONFIG_SESSION_RESERVE
#define WRITE_MAX (256 * KIB)
#define WORK 2500      /* units that all flows of one direction move together, about */
#define PARTS_MAX 3    /* sections of a kind */
#define POLICIES_MAX 4 /* likewise */

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

struct drawing {
	const struct generator_family *family;
	struct document *document;
	struct chance chance;
	uint64_t unit;     /* bytes */
	uint64_t sessions; /* that begin at once */
	unsigned sources;  /* sections; so are the next */
	unsigned sinks;
	unsigned policies;
	unsigned listeners;
};

static bool hits(struct drawing *drawing, unsigned percent)
{
	return chance_below(&drawing->chance, 100) < percent;
}

static uint64_t between(struct drawing *drawing, uint64_t least, uint64_t most)
{
	return least + chance_below(&drawing->chance, most - least + 1);
}

/* The same, but every doubling is as likely as the next: small numbers come as often as large ones. least >= 1. */
static uint64_t scale(struct drawing *drawing, uint64_t least, uint64_t most)
{
	unsigned doublings = 0;
	uint64_t from;

	while (least << doublings <= most / 2)
		doublings++;
	from = least << between(drawing, 0, doublings);
	return between(drawing, from, from > most / 2 ? most : 2 * from - 1);
}

/* Bytes: so many units, give or take, and within bounds. */
static uint64_t size(struct drawing *drawing, uint64_t least_units, uint64_t most_units, uint64_t least, uint64_t most)
{
	uint64_t bytes = scale(drawing, least_units, most_units) * drawing->unit;

	if (hits(drawing, 50))
		bytes += between(drawing, 0, drawing->unit); /* not all in step */
	return bytes < least ? least : bytes > most ? most : bytes;
}

static uint64_t rate(struct drawing *drawing)
{
	return size(drawing, 20, 2000, KIB, UINT64_C(1) << 36);
}

static void add(struct drawing *drawing, const char *key, uint64_t value)
{
	document_add(drawing->document, key, "%" PRIu64, value);
}

static void add_ms(struct drawing *drawing, const char *key, uint64_t value)
{
	document_add(drawing->document, key, "%" PRIu64 "ms", value);
}

static void begin(struct drawing *drawing, const char *kind, char letter, unsigned number)
{
	char name[16];

	snprintf(name, sizeof(name), "%c%u", letter, number);
	document_begin(drawing->document, kind, name);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------ */

static void draw_way(struct drawing *drawing)
{
	if (hits(drawing, drawing->family->far))
		add_ms(drawing, "rtt", scale(drawing, 1, 200));
	if (hits(drawing, drawing->family->far / 2))
		add(drawing, "bandwidth", rate(drawing));
}

static void draw_onoff(struct drawing *drawing)
{
	add_ms(drawing, "on", scale(drawing, 5, 500));
	add_ms(drawing, "off", scale(drawing, 5, 1000));
	if (hits(drawing, 50))
		document_add(drawing->document, "random", "yes");
}

static void draw_bursts(struct drawing *drawing)
{
	add(drawing, "burst", size(drawing, 1, 200, 1, UINT64_C(1) << 30));
	add_ms(drawing, "period", scale(drawing, 5, 1000));
	if (hits(drawing, 50))
		document_add(drawing->document, "random", "yes");
}

/* All but echoes, which are drawn for themselves. */
static void draw_source(struct drawing *drawing, unsigned number)
{
	static const char *const kinds[] = {"bulk", "bulk", "constant", "bursts", "onoff", "poisson", "trace"};
	unsigned kind = (unsigned)between(drawing, 0, sizeof(kinds) / sizeof(kinds[0]) - 1);
	const char *sources = getenv("WEIR_SRCDIR");

	begin(drawing, "source", 's', number);
	document_add(drawing->document, "kind", "%s", kinds[kind]);
	if (kind == 2 || kind == 4 || kind == 5)
		add(drawing, "rate", rate(drawing));
	if (kind == 3)
		draw_bursts(drawing);
	else
		add(drawing, "write", size(drawing, 1, 16, 1, WRITE_MAX));
	if (kind == 4)
		draw_onoff(drawing);
	if (kind == 6)
		document_add(drawing->document, "trace", "%s/tests/properties/trace", sources != NULL ? sources : ".");
	add(drawing, "bytes", size(drawing, 1, WORK / drawing->sessions, 1, UINT64_MAX));
	draw_way(drawing);
}

static void draw_echo(struct drawing *drawing)
{
	document_begin(drawing->document, "source", "echo");
	document_add(drawing->document, "kind", "echo");
	add(drawing, "gain", scale(drawing, 1, 300));
	add(drawing, "busy", size(drawing, 1, 64, 1, UINT64_C(1) << 30));
	draw_way(drawing);
}

/* However it begins, it takes something in the end: a session with a sink that never does cannot end. */
static void draw_schedule(struct drawing *drawing)
{
	document_add(drawing->document, "schedule",
		"0s %" PRIu64 ", %" PRIu64 "ms 0, %" PRIu64 "ms %" PRIu64 ", %" PRIu64 "ms unlimited", rate(drawing),
		between(drawing, 1, 500), between(drawing, 501, 1500), rate(drawing), between(drawing, 1501, 4000));
}

static void draw_sink(struct drawing *drawing, unsigned number)
{
	bool slow = hits(drawing, drawing->family->slow);

	begin(drawing, "sink", 't', number);
	add(drawing, "read", size(drawing, 1, 16, 1, WRITE_MAX));
	if (hits(drawing, 70))
		add(drawing, "window", size(drawing, 1, 256, KIB, UINT64_C(1) << 30));
	if (slow && hits(drawing, 20))
		draw_schedule(drawing);
	else if (slow && hits(drawing, 80))
		add(drawing, "rate", rate(drawing));
	if (slow && hits(drawing, 40)) {
		add_ms(drawing, "stall_every", scale(drawing, 10, 2000));
		add_ms(drawing, "stall_for", scale(drawing, 1, 2000));
		if (hits(drawing, 50))
			document_add(drawing->document, "random", "yes");
	}
	draw_way(drawing);
}

/* ---- policies -------------------------------------------------------------------------------------------------------- */

static void draw_watermark(struct drawing *drawing)
{
	static const char *const scopes[] = {"session", "client", "listener"};
	uint64_t high = size(drawing, 1, 64, 1, UINT64_C(1) << 30);

	if (hits(drawing, 20))
		high = between(drawing, 1, high);
	add(drawing, "high", high);
	add(drawing, "low", hits(drawing, 20) ? between(drawing, 1, high) : (high + 1) / 2);
	if (hits(drawing, drawing->family->grouped))
		document_add(drawing->document, "scope", "%s", scopes[between(drawing, 0, 2)]);
}

static void draw_shape(struct drawing *drawing)
{
	static const char *const scopes[] = {"client", "listener", "instance"};
	uint64_t tokens = rate(drawing);

	add(drawing, "rate", tokens);
	if (hits(drawing, 60))
		add(drawing, "burst", size(drawing, 1, 64, tokens / 200 + KIB, UINT64_C(1) << 30));
	if (hits(drawing, 40))
		document_add(drawing->document, "side", "write");
	if (hits(drawing, 30))
		document_add(drawing->document, "direction", "%s", hits(drawing, 50) ? "up" : "down");
	if (hits(drawing, 50))
		add(drawing, "queue", size(drawing, 1, 64, 4 * KIB, UINT64_C(1) << 30));
	if (hits(drawing, drawing->family->grouped))
		document_add(drawing->document, "scope", "%s", scopes[between(drawing, 0, 2)]);
}

static void draw_demand(struct drawing *drawing)
{
	uint64_t prefetch = scale(drawing, 1, 256);

	add(drawing, "prefetch", prefetch);
	add(drawing, "refill", hits(drawing, 30) ? between(drawing, 0, prefetch - 1) : prefetch / 2);
	add(drawing, "queue", scale(drawing, 1, 256));
	add(drawing, "bytes", size(drawing, 1, 256, 4 * KIB, UINT64_C(1) << 30));
}

static void draw_policy(struct drawing *drawing, unsigned number)
{
	static const struct {
		const char *module;
		void (*draw)(struct drawing *drawing);
	} modules[] = {{"watermark", draw_watermark}, {"shape", draw_shape}, {"demand", draw_demand}};
	unsigned module;

	do
		module = (unsigned)between(drawing, 0, 2);
	while ((drawing->family->policies >> module & 1) == 0);
	begin(drawing, "policy", 'p', number);
	document_add(drawing->document, "module", "%s", modules[module].module);
	modules[module].draw(drawing);
}

/* Several sections may be of the same module, and listeners may share them; in a stack each comes once. */
static void draw_listener(struct drawing *drawing, unsigned number)
{
	unsigned most = drawing->family->most < drawing->policies ? drawing->family->most : drawing->policies;
	unsigned count = (unsigned)between(drawing, drawing->family->least, most);
	unsigned first = (unsigned)between(drawing, 0, drawing->policies - 1);
	char names[64];
	int length = 0;

	begin(drawing, "listener", 'l', number);
	for (unsigned i = 0; i < count; i++)
		length += snprintf(names + length, sizeof(names) - (size_t)length, "%sp%u", i > 0 ? ", " : "",
			(first + i) % drawing->policies);
	document_add(drawing->document, "policy", "%s", count > 0 ? names : "none");
	document_add(drawing->document, "idle_timeout", "never");
	/* a broken session whose server is too busy with answers to read ends by this alone */
	document_add(drawing->document, "half_close_timeout", "60s");
	document_add(drawing->document, "stall_timeout", "never");
	if (hits(drawing, 30))
		document_add(drawing->document, "notsent_lowat", "off");
	else
		add(drawing, "notsent_lowat", size(drawing, 1, 64, KIB, UINT64_C(1) << 30));
	add(drawing, "rcvbuf", size(drawing, 1, 64, 4 * KIB, UINT64_C(1) << 30));
	if (hits(drawing, 50))
		add(drawing, "sndbuf", size(drawing, 1, 64, 8 * KIB, UINT64_C(1) << 30));
}

/* ---- traffic --------------------------------------------------------------------------------------------------------- */

static void draw_name(struct drawing *drawing, const char *key, char letter, unsigned count)
{
	document_add(drawing->document, key, "%c%u", letter, (unsigned)between(drawing, 0, count - 1));
}

static void draw_passing(struct drawing *drawing)
{
	if (hits(drawing, 80))
		add_ms(drawing, "lifetime", scale(drawing, 1, 4000));
	if (hits(drawing, 70))
		document_add(drawing->document, "random", "yes");
	if (hits(drawing, drawing->family->resets))
		document_add(drawing->document, "leave", "reset");
	if (hits(drawing, 50))
		add(drawing, "arrivals", scale(drawing, 10, 600));
}

static void draw_traffic(struct drawing *drawing, unsigned number, uint64_t sessions)
{
	begin(drawing, "traffic", 't', number);
	if (drawing->listeners > 1)
		draw_name(drawing, "listener", 'l', drawing->listeners);
	if (hits(drawing, 90))
		draw_name(drawing, "up_source", 's', drawing->sources);
	draw_name(drawing, "up_sink", 't', drawing->sinks);
	if (hits(drawing, drawing->family->echo))
		document_add(drawing->document, "down_source", "echo");
	else if (hits(drawing, 70))
		draw_name(drawing, "down_source", 's', drawing->sources);
	draw_name(drawing, "down_sink", 't', drawing->sinks);
	add(drawing, "sessions", sessions);
	if (hits(drawing, 40))
		add_ms(drawing, "start", scale(drawing, 1, 1000));
	if (hits(drawing, 60))
		add(drawing, "clients", scale(drawing, 1, 4));
	if (hits(drawing, drawing->family->passing))
		draw_passing(drawing);
}

static void draw_traffics(struct drawing *drawing)
{
	unsigned count = (unsigned)between(drawing, 1, drawing->sessions < PARTS_MAX ? drawing->sessions : PARTS_MAX);

	for (unsigned i = 0; i < count; i++)
		draw_traffic(drawing, i, drawing->sessions / count + (i < drawing->sessions % count ? 1 : 0));
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

/* Memory cannot be less than a megabyte; but if all of that is promised to sessions that never come, little is left. */
static void draw_weir(struct drawing *drawing)
{
	bool tight = hits(drawing, drawing->family->tight);
	uint64_t sessions = hits(drawing, 80) ? drawing->sessions + 50 : drawing->sessions; /* others wait outside */
	uint64_t spare = tight ? PAGE * scale(drawing, 1, 64) : 64 * MIB;

	if (tight && sessions < MIB / RESERVE)
		sessions = MIB / RESERVE;
	document_begin(drawing->document, "weir", "");
	add(drawing, "workers", between(drawing, 1, drawing->family->workers));
	add(drawing, "max_sessions", sessions);
	add(drawing, "memory", sessions * RESERVE + spare);
}

static void draw_scenario(struct drawing *drawing)
{
	document_begin(drawing->document, "scenario", "");
	add(drawing, "seed", between(drawing, 0, UINT32_MAX));
	add_ms(drawing, "duration", scale(drawing, 100, 6000));
	document_add(drawing->document, "drain", "yes");
	if (hits(drawing, drawing->family->content))
		document_add(drawing->document, "content", "yes");
}

void generator_draw(struct document *document, uint64_t seed)
{
	struct drawing drawing = {
		.family = &generator_families[seed % GENERATOR_FAMILY_COUNT],
		.document = document,
	};

	document_init(document);
	chance_init(&drawing.chance, seed, 0, 0);
	drawing.unit = scale(&drawing, 32, 16 * KIB);
	drawing.sessions = scale(&drawing, 1, drawing.family->sessions);
	drawing.sources = (unsigned)between(&drawing, 1, PARTS_MAX);
	drawing.sinks = (unsigned)between(&drawing, 1, PARTS_MAX);
	drawing.policies = (unsigned)between(&drawing, drawing.family->least > 0 ? drawing.family->least : 1,
		POLICIES_MAX);
	drawing.listeners = (unsigned)between(&drawing, 1, 2);
	draw_scenario(&drawing);
	for (unsigned i = 0; i < drawing.sources; i++)
		draw_source(&drawing, i);
	draw_echo(&drawing);
	for (unsigned i = 0; i < drawing.sinks; i++)
		draw_sink(&drawing, i);
	for (unsigned i = 0; i < drawing.policies; i++)
		draw_policy(&drawing, i);
	for (unsigned i = 0; i < drawing.listeners; i++)
		draw_listener(&drawing, i);
	draw_traffics(&drawing);
	draw_weir(&drawing);
}
