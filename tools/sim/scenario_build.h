/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_build - what the parts of scenario_load() share. Not for others.
 */
#ifndef SCENARIO_BUILD_H
#define SCENARIO_BUILD_H

#include "config_build.h"
#include "container.h"
#include "scenario.h"

struct scenario_build {
	struct config_build own;   /* the scenario's file */
	struct config_build other; /* the one that its key config names, if it does */
	struct config_build *weir; /* which of the two has weir's sections */
	struct scenario *scenario;
	const struct scenario_override *overrides;
	size_t override_count;
	char **places;               /* of the overrides, for messages */
	struct config_errors *files; /* of what other files say, traces; their names are ours */
	size_t file_count;
};

/* What a builder of the scenario's own kinds is called with. */
#define SCENARIO_BUILD(build) CONTAINER(build, struct scenario_build, own)

/* Builders: see config_build.h. */
void scenario_build_source(struct config_build *build, const struct config_section *section);
void scenario_build_sink(struct config_build *build, const struct config_section *section);
void scenario_build_traffic(struct config_build *build, const struct config_section *section);

/* "none" and "fast". 0, or -1 when memory is short. */
int scenario_add_source_none(struct scenario *scenario) __attribute__((warn_unused_result));
int scenario_add_sink_fast(struct scenario *scenario) __attribute__((warn_unused_result));

void scenario_source_free(struct scenario_source *source);
void scenario_sink_free(struct scenario_sink *sink);
void scenario_traffic_free(struct scenario_traffic *traffic);

/* The overrides of this file's kinds take the place of what it says. */
void scenario_override_apply(struct scenario_build *build, struct config_build *file);

/* Each that names no kind of section. */
void scenario_override_check(struct scenario_build *build);

/* Are no more sessions opened at once than the limits admit? */
void scenario_check_sessions(struct scenario_build *build);

/* Are there real bytes where a policy looks at them? */
void scenario_check_content(struct scenario_build *build);

/* A file named by the scenario, relative to it: the caller's to free, or NULL when memory is short. */
char *scenario_path(const struct scenario_build *build, const char *name) __attribute__((warn_unused_result));

/* Reads the source's trace. Faults of its lines are kept by the build, and told after the scenario's. */
void scenario_trace_read(struct scenario_build *build, struct scenario_source *source,
	const struct config_section *section);

#endif
