/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view - what the demo shows: on a terminal of 80x24 a picture that is redrawn in place, elsewhere a line a second.
 */
#ifndef DEMO_VIEW_H
#define DEMO_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "path.h"
#include "proxy.h"
#include "relay.h"

enum view_act {
	VIEW_FLOOD,
	VIEW_FINISH, /* the picture of the flood stands still */
	VIEW_COMPLETE,
};

/* What there is to see. */
struct view_scene {
	const struct path *weir;
	const struct path *naive;
	const struct proxy_flow *flow;
	const struct relay_figures *relay;
	uint64_t pace;  /* of the consumers, bytes a second */
	uint64_t bound; /* of the naive relay */
	double elapsed; /* seconds */
	double seconds; /* of the flood */
	enum view_act act;
};

struct view {
	bool live;
	bool color;
	const char *const *cells; /* of a bar: nothing, eighths, a whole one */
	int drawn;                /* lines of the picture that stand on the screen */
	double due;               /* the next plain line */
};

void view_open(struct view *view, bool plain);

/* Once, before all: what will be seen, and the addresses that weir was given. */
void view_begin(struct view *view, const struct view_scene *scene, in_port_t listen, in_port_t server);

void view_draw(struct view *view, const struct view_scene *scene);

/* Three lines for who sees nothing else. */
void view_summary(const struct view_scene *scene);

/* Leaves the terminal as it was. */
void view_close(struct view *view);

#endif
