/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document - an ini file in pieces.
 */
#include "document.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What came of an snprintf(). */
static void must_fit(int length, size_t size)
{
	if (length < 0 || (size_t)length >= size) {
		fprintf(stderr, "document: a text of %d bytes; at most %zu fit\n", length, size - 1);
		abort();
	}
}

static void must_be_below(unsigned count, unsigned most)
{
	if (count >= most) {
		fprintf(stderr, "document: more than %u sections or keys\n", most);
		abort();
	}
}

void document_init(struct document *document)
{
	memset(document, 0, sizeof(*document));
}

void document_begin(struct document *document, const char *kind, const char *name)
{
	struct document_section *section;

	must_be_below(document->count, DOCUMENT_SECTIONS_MAX);
	section = &document->sections[document->count++];
	section->count = 0;
	must_fit(snprintf(section->title, sizeof(section->title), "%s%s%s", kind, name[0] != '\0' ? " " : "", name),
		sizeof(section->title));
}

void document_add(struct document *document, const char *key, const char *format, ...)
{
	struct document_section *section = &document->sections[document->count - 1];
	struct document_key *added;
	va_list arguments;

	must_be_below(section->count, DOCUMENT_KEYS_MAX);
	added = &section->keys[section->count++];
	must_fit(snprintf(added->key, sizeof(added->key), "%s", key), sizeof(added->key));
	va_start(arguments, format);
	must_fit(vsnprintf(added->value, sizeof(added->value), format, arguments), sizeof(added->value));
	va_end(arguments);
}

void document_drop_section(struct document *document, unsigned section)
{
	document->count--;
	memmove(&document->sections[section], &document->sections[section + 1],
		(document->count - section) * sizeof(document->sections[0]));
}

void document_drop_key(struct document_section *section, unsigned key)
{
	section->count--;
	memmove(&section->keys[key], &section->keys[key + 1], (section->count - key) * sizeof(section->keys[0]));
}

void document_print(const struct document *document, const char *indent, FILE *out)
{
	for (unsigned s = 0; s < document->count; s++) {
		const struct document_section *section = &document->sections[s];

		fprintf(out, "%s[%s]\n", indent, section->title);
		for (unsigned k = 0; k < section->count; k++)
			fprintf(out, "%s%s = %s\n", indent, section->keys[k].key, section->keys[k].value);
	}
}
