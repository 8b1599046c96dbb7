/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_error - everything that is wrong with a file, told in the order of its lines.
 */
#include "config_error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct config_fault {
	unsigned line;
	size_t order; /* in which it was found */
	char *text;
};

static char *compose_place(const struct config_errors *errors, unsigned line, const char *what)
{
	char *text;

	if (asprintf(&text, "%s: %s", errors->places[line - CONFIG_PLACES], what) < 0)
		return NULL;
	text_clean(text);
	return text;
}

static char *compose(const char *file, unsigned line, const char *section, const char *key, const char *what)
{
	char place[16] = "", in[TEXT_QUOTE_MAX + 8] = "", at[TEXT_QUOTE_MAX + 8] = "";
	char *text;

	if (line != 0)
		snprintf(place, sizeof(place), "%u:", line);
	if (section != NULL && section[0] != '\0')
		snprintf(in, sizeof(in), "[%.*s]%s", TEXT_QUOTE_MAX, section, key != NULL ? " " : ": ");
	if (key != NULL)
		snprintf(at, sizeof(at), "%.*s: ", TEXT_QUOTE_MAX, key);
	if (asprintf(&text, "%s:%s %s%s%s", file, place, in, at, what) < 0)
		return NULL;
	text_clean(text);
	return text;
}

void config_error(struct config_errors *errors, unsigned line, const char *section, const char *key, const char *format,
	...)
{
	char what[TEXT_ERROR_MAX * 2];
	va_list arguments;

	if (errors->count == 0)
		errors->faults = calloc(CONFIG_ERRORS_MAX, sizeof(*errors->faults));
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (errors->faults != NULL && errors->count < CONFIG_ERRORS_MAX)
		errors->faults[errors->count] = (struct config_fault){.line = line,
			.order = errors->count,
			.text = line >= CONFIG_PLACES ? compose_place(errors, line, what)
						      : compose(errors->file, line, section, key, what)};
	errors->count++;
}

/* By line; what has a place instead comes behind, what has neither comes last. */
static int compare(const void *left, const void *right)
{
	const struct config_fault *a = left, *b = right;

	if (a->line != b->line)
		return a->line - 1U < b->line - 1U ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void config_errors_flush(struct config_errors *errors, FILE *out)
{
	size_t kept = errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX;

	if (errors->count > 0 && errors->faults == NULL)
		fprintf(out, "%s: %zu errors, and no memory to name them\n", errors->file, errors->count);
	else if (kept > 0)
		qsort(errors->faults, kept, sizeof(*errors->faults), compare);
	for (size_t i = 0; errors->faults != NULL && i < kept; i++) {
		const char *text = errors->faults[i].text;

		fprintf(out, "%s\n", text != NULL ? text : "(no memory for this error)");
		free(errors->faults[i].text);
	}
	if (errors->count > kept)
		fprintf(out, "%s: %zu more errors\n", errors->file, errors->count - kept);
	free(errors->faults);
	errors->faults = NULL;
	errors->count = 0;
}
