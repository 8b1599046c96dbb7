/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build - what the parts of config_load() share while they make a struct config of sections. Not for others.
 */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

#include "config.h"
#include "config_error.h"
#include "config_reader.h"

struct config_build {
	struct config *config;
	struct config_sections sections;
	const struct config_section *weir; /* the [weir] section, or NULL */
	struct config_errors errors;
	bool default_policy_failed; /* and was reported */
};

void config_no_memory(struct config_build *build);

/* Where a section's values go, and by which table. */
struct config_target {
	const struct config_section *section;
	const struct weir_option *table;
	size_t stride;
	void *options;
	const char *also; /* a key beside the table's, which is read elsewhere; or NULL */
};

/* Rejects a section of an unknown kind or with a bad name. */
void config_check_section(struct config_build *build, struct config_section *section);

/* The section of this kind and name, also a rejected one: whoever names it has not named it wrong. Or NULL. */
const struct config_section *config_build_section(const struct config_build *build, const char *kind, const char *name);

/* Sets our own tables' defaults. They parse, a test says so: only memory can be short. */
void config_set_defaults(struct config_build *build, const struct weir_option *table, void *options);

/* Applies every key of the section, and looks for the required ones that are missing. */
void config_set_keys(struct config_build *build, const struct config_target *target);

/* What inih makes of comments is a surprise to many: said behind a value that may be refused because of it, or "". */
const char *config_comment_hint(const char *value);

/* The key names a section of this kind that there is not; extra (ends with NULL) may be named, too. */
void config_unknown_name(struct config_build *build, const struct config_key *key, const struct config_section *section,
	const char *kind, const char *name, const char *const *extra);

/* Finds the listener's addresses, upstream and policies. */
void config_link_listener(struct config_build *build, struct config_listener *listener,
	const struct config_section *section);

/* Puts numbers in place of `auto`, and checks that what was promised fits into memory and descriptors. */
void config_resolve(struct config_build *build);

#endif
