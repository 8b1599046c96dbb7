/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build - what the parts of config_load() share while they make a struct config of sections; and for those who
 * read files of that kind with more in them than weir's own sections: scenarios.
 *
 *     config_build_begin()     the file is read: sections, faults of form
 *     config_build_check()     which sections are none
 *     config_build_kind()      all sections of a kind are built
 *     config_build_weir()      weir's kinds are built, and what they say fits together
 *     config_build_end()       the errors are told; the configuration, if there were none
 */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

#include "config.h"
#include "config_error.h"
#include "config_reader.h"

struct config_build;

typedef void config_builder(struct config_build *build, const struct config_section *section);

/* A kind of section. A table of them ends with a NULL kind. */
struct config_kind {
	const char *kind;
	bool named;
	config_builder *build;
};

struct config_build {
	const struct config_kind *kinds; /* of the caller, beside weir's own; NULL: none */
	bool simulated;                  /* nothing of this machine counts: addresses, users, descriptors, processors */
	struct config *config;
	struct config_sections sections;
	const struct config_section *weir; /* the [weir] section, or NULL */
	struct config_errors errors;
	bool default_policy_failed; /* and was reported */
};

extern const struct config_kind config_kinds[]; /* weir's own, in the order in which they need each other */

/* Where errors, kinds and simulated are set already. False if there is nothing to go on with but config_build_end(). */
bool config_build_begin(struct config_build *build) __attribute__((warn_unused_result));

/* Rejects a section of an unknown kind or with a bad name; every one of them. */
void config_check_section(struct config_build *build, struct config_section *section);
void config_build_check(struct config_build *build);

void config_build_kind(struct config_build *build, const char *kind);
void config_build_weir(struct config_build *build, const char *module_dir); /* as for config_load() */

/* Prints the errors, and frees all but the configuration: the caller's, or NULL if there was any error. */
struct config *config_build_end(struct config_build *build, FILE *errors) __attribute__((warn_unused_result));

void config_no_memory(struct config_build *build);

/* Where a section's values go, and by which table. */
struct config_target {
	const struct config_section *section;
	const struct weir_option *table;
	size_t stride;
	void *options;
	const char *also; /* a key beside the table's, which is read elsewhere; or NULL */
	bool optional;    /* keys without a default may be missing */
};

/* The kind of this name, weir's own or the caller's; or NULL. */
const struct config_kind *config_build_kind_named(const struct config_build *build, const char *name);

/* The section of this kind and name (NULL: any), also a rejected one: whoever names it has not named it wrong. Or NULL. */
const struct config_section *config_build_section(const struct config_build *build, const char *kind, const char *name);

/* Sets our own tables' defaults. They parse, a test says so: only memory can be short. */
void config_set_defaults(struct config_build *build, const struct weir_option *table, void *options);

/* Applies every key of the section, and looks for the required ones that are missing. */
void config_set_keys(struct config_build *build, const struct config_target *target);

/* The section lacks this key. */
void config_missing_key(struct config_build *build, const struct config_section *section,
	const struct weir_option *row);

/* What inih makes of comments is a surprise to many: said behind a value that may be refused because of it, or "". */
const char *config_comment_hint(const char *value);

/* The key names a section of this kind that there is not; extra (ends with NULL) may be named, too. */
void config_unknown_name(struct config_build *build, const struct config_key *key, const struct config_section *section,
	const char *kind, const char *name, const char *const *extra);

/* Works out what the listener's texts stand for: addresses, upstream, policies, lists, what is intercepted. */
void config_link_listener(struct config_build *build, struct config_listener *listener,
	const struct config_section *section);

/* Frees what that made. */
void config_unlink_listener(struct config_listener *listener);

/* Puts numbers in place of `auto`, and checks that what was promised fits into memory and descriptors. */
void config_resolve(struct config_build *build);

/* The same for marks, which must differ, and the routing table, which must not be the system's. */
void config_check_marks(struct config_build *build);

/* Listeners whose upstream is themselves, perhaps by way of others. */
void config_check_loops(struct config_build *build);

#endif
