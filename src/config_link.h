/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_link - what a listener's texts stand for, each part in a file of its own.
 *
 *     config_link.c         addresses, upstream, policies
 *     config_access.c       who may come, and where to; the address to connect from
 *     config_intercept.c    what weir-intercept makes rules of
 */
#ifndef CONFIG_LINK_H
#define CONFIG_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "config_build.h"

/* The listener being linked, and where its errors belong. */
struct linking {
	struct config_build *build;
	struct config_listener *listener;
	const struct config_section *section;
	const struct config_key *key; /* the one being looked at; NULL: it is not in the file, only the section is */
};

/* An error at the key being looked at: "what is wrong; what was expected". */
void config_link_complain(const struct linking *linking, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Looks at this key from now on. Whether the file has it. */
bool config_link_key(struct linking *linking, const char *key);

/* Whether a key has this word, said or by default. A wrong one, reported already, is none: nothing follows from it. */
bool config_link_is(const struct linking *linking, const char *key, uint32_t word);

/* The value of a text that stands in no line, as if it did. */
void config_link_set(const struct linking *linking, const char *key, const char *value);

typedef void config_word_linker(struct linking *linking, const char *word);

/* Calls link_word with each word of a list with commas; NULL and "" have none. */
void config_link_words(struct linking *linking, const char *text, config_word_linker *link_word);

void config_link_access(struct linking *linking); /* behind the upstream */
void config_link_intercept(struct linking *linking);

void config_unlink_access(struct config_listener *listener);
void config_unlink_intercept(struct config_listener *listener);

#endif
