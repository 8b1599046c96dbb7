/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drawing_policy - one of the policies that a family draws, with its options.
 */
#include "drawing.h"

static void draw_watermark(struct drawing *drawing)
{
	static const char *const scopes[] = {"session", "client", "listener"};
	uint64_t high = drawing_size(drawing, 1, 64, 1, DRAWING_GIB);

	if (drawing_hits(drawing, 20))
		high = drawing_between(drawing, 1, high);
	drawing_add(drawing, "high", high);
	drawing_add(drawing, "low", drawing_hits(drawing, 20) ? drawing_between(drawing, 1, high) : (high + 1) / 2);
	if (drawing_hits(drawing, drawing->family->grouped))
		document_add(drawing->document, "scope", "%s", scopes[drawing_between(drawing, 0, 2)]);
}

static void draw_shape(struct drawing *drawing)
{
	static const char *const scopes[] = {"client", "listener", "instance"};
	uint64_t tokens = drawing_rate(drawing);

	drawing_add(drawing, "rate", tokens);
	if (drawing_hits(drawing, 60))
		drawing_add(drawing, "burst", drawing_size(drawing, 1, 64, tokens / 200 + DRAWING_KIB, DRAWING_GIB));
	if (drawing_hits(drawing, 40))
		document_add(drawing->document, "side", "write");
	if (drawing_hits(drawing, 30))
		document_add(drawing->document, "direction", "%s", drawing_hits(drawing, 50) ? "up" : "down");
	if (drawing_hits(drawing, 50))
		drawing_add(drawing, "queue", drawing_size(drawing, 1, 64, 4 * DRAWING_KIB, DRAWING_GIB));
	if (drawing_hits(drawing, drawing->family->grouped))
		document_add(drawing->document, "scope", "%s", scopes[drawing_between(drawing, 0, 2)]);
}

static void draw_demand(struct drawing *drawing)
{
	uint64_t prefetch = drawing_scale(drawing, 1, 256);

	drawing_add(drawing, "prefetch", prefetch);
	drawing_add(drawing, "refill",
		drawing_hits(drawing, 30) ? drawing_between(drawing, 0, prefetch - 1) : prefetch / 2);
	drawing_add(drawing, "queue", drawing_scale(drawing, 1, 256));
	drawing_add(drawing, "bytes", drawing_size(drawing, 1, 256, 4 * DRAWING_KIB, DRAWING_GIB));
}

/* Not always enough for all at once: who finds none waits at the door. */
static void draw_credit(struct drawing *drawing)
{
	uint64_t segment = drawing_size(drawing, 1, 16, DRAWING_KIB, DRAWING_WRITE_MAX);
	uint64_t exclusive = drawing_scale(drawing, 1, 4);
	uint64_t floating = drawing_between(drawing, 0, 16);
	uint64_t least = 2 * exclusive < 4 ? 4 : 2 * exclusive; /* of the smallest segments, no pool is smaller */
	uint64_t segments = drawing_scale(drawing, least, 2 * (exclusive + floating + 1) * (drawing->sessions + 2));

	drawing_add(drawing, "segment", segment);
	drawing_add(drawing, "exclusive", exclusive);
	drawing_add(drawing, "floating", floating);
	drawing_add(drawing, "max", drawing_between(drawing, exclusive, exclusive + floating + 2));
	drawing_add(drawing, "pool", segments * segment + drawing_between(drawing, 0, segment - 1));
	drawing->promised += (segments + 1) * segment;
}

static void draw_fair(struct drawing *drawing)
{
	static const char *const alphas[] = {"1/8", "1/4", "1/2", "1", "2", "4", "8"};
	uint64_t pool = drawing_size(drawing, 1, 256, 64 * DRAWING_KIB, DRAWING_GIB);

	drawing_add(drawing, "pool", pool);
	document_add(drawing->document, "alpha", "%s", alphas[drawing_between(drawing, 0, 6)]);
	if (drawing_hits(drawing, 40))
		document_add(drawing->document, "weight", "drain");
	drawing->promised += pool;
}

static void draw_timeout(struct drawing *drawing)
{
	static const char *const actions[] = {"log", "close", "reset"};

	if (drawing_hits(drawing, 60))
		return;
	drawing_add_ms(drawing, "timeout", drawing_scale(drawing, 100, 4000));
	document_add(drawing->document, "on_timeout", "%s", actions[drawing_between(drawing, 0, 2)]);
}

static void draw_slow_start(struct drawing *drawing)
{
	if (drawing_hits(drawing, 60))
		return;
	document_add(drawing->document, "slow_start", "yes");
	drawing_add(drawing, "threshold", drawing_scale(drawing, 1, 64));
	drawing_add_ms(drawing, "congested_after", drawing_scale(drawing, 200, 2000));
}

/* At least one of them. */
static void draw_caps(struct drawing *drawing, bool alone, uint64_t least, uint64_t most)
{
	static const char *const caps[] = {"per_session", "per_upstream", "total"};
	unsigned which = alone ? 1 : (unsigned)drawing_between(drawing, 1, 7);

	for (unsigned i = 0; i < 3; i++)
		if ((which >> i & 1) != 0)
			drawing_add(drawing, caps[i], drawing_scale(drawing, least, most));
	if (drawing_hits(drawing, 50))
		drawing_add(drawing, "queue", drawing_size(drawing, 1, 64, 4 * DRAWING_KIB, DRAWING_GIB));
	draw_timeout(drawing);
	draw_slow_start(drawing);
}

static void draw_bytes(struct drawing *drawing)
{
	uint64_t least = 8 * drawing->unit > 4 * DRAWING_KIB ? 8 * drawing->unit : 4 * DRAWING_KIB;

	if (drawing_hits(drawing, 30))
		document_add(drawing->document, "direction", "%s", drawing_hits(drawing, 50) ? "up" : "down");
	draw_caps(drawing, (drawing->alone & GENERATOR_BYTES) != 0, least, 64 * least);
}

static void draw_requests(struct drawing *drawing)
{
	document_add(drawing->document, "unit", "requests");
	document_add(drawing->document, "framing", "line");
	draw_caps(drawing, (drawing->alone & GENERATOR_REQUESTS) != 0, 1, 32);
}

/* In the order of GENERATOR_*. */
static const struct {
	const char *module;
	void (*draw)(struct drawing *drawing);
} modules[] = {{"watermark", draw_watermark}, {"shape", draw_shape}, {"demand", draw_demand}, {"credit", draw_credit},
	{"fair", draw_fair}, {"inflight-cap", draw_bytes}, {"inflight-cap", draw_requests}};

void drawing_policy(struct drawing *drawing, unsigned number)
{
	unsigned module;

	do
		module = (unsigned)drawing_between(drawing, 0, sizeof(modules) / sizeof(modules[0]) - 1);
	while ((drawing->family->policies >> module & 1) == 0);
	drawing_begin(drawing, "policy", 'p', number);
	document_add(drawing->document, "module", "%s", modules[module].module);
	modules[module].draw(drawing);
}
