/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document - the text of an ini file in pieces that can be taken out: sections, and keys with their values.
 *
 * Plain data: a copy is an assignment. What is longer than the limits below is a fault of the generator and aborts.
 */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include <stdbool.h>
#include <stdio.h>

#define DOCUMENT_SECTIONS_MAX 32
#define DOCUMENT_KEYS_MAX 24

struct document_key {
	char key[24];
	char value[160];
};

struct document_section {
	char title[32]; /* "traffic a" */
	struct document_key keys[DOCUMENT_KEYS_MAX];
	unsigned count;
};

struct document {
	struct document_section sections[DOCUMENT_SECTIONS_MAX];
	unsigned count;
};

void document_init(struct document *document);

/* Begins a section; the keys that are added next are its. */
void document_begin(struct document *document, const char *kind, const char *name) __attribute__((nonnull));
void document_add(struct document *document, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void document_drop_section(struct document *document, unsigned section);
void document_drop_key(struct document_section *section, unsigned key);

/* Every line begins with `indent`. */
void document_print(const struct document *document, const char *indent, FILE *out);

#endif
