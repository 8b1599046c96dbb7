/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_reader - the line-aware half of reading an ini file.
 */
#include "config_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define BLANKS " \t"

struct reader {
	FILE *stream;
	size_t bytes; /* read so far */
	unsigned line;
	char text[CONFIG_LINE_MAX + 1]; /* the line, without its end */
	bool pending;                   /* inih has been given a line and has not called the handler yet */
	struct config_sections *sections;
	struct config_section *section; /* the current one, NULL before the first */
	struct config_errors *errors;
};

__attribute__((format(printf, 2, 3))) static void complain(struct reader *reader, const char *format, ...)
{
	char what[TEXT_ERROR_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	config_error(reader->errors, reader->line, reader->section != NULL ? reader->section->title : NULL, NULL, "%s",
		what);
}

static void no_memory(struct reader *reader)
{
	complain(reader, "no memory; expected enough for the file");
}

/* ---- lines --------------------------------------------------------------------------------------------------------- */

enum line_kind {
	LINE_END, /* of the file */
	LINE_GOOD,
	LINE_BAD, /* and reported */
};

/* A byte that no text has: control bytes but for tabs, and for the carriage return of a line from elsewhere. */
static bool is_foreign(const char *text, size_t length, size_t i)
{
	unsigned char byte = (unsigned char)text[i];

	if (byte == '\t' || (byte == '\r' && i + 1 == length))
		return false;
	return byte < 0x20 || byte == 0x7f;
}

static enum line_kind check_line(struct reader *reader, size_t length, size_t kept)
{
	if (length > CONFIG_LINE_MAX) {
		complain(reader, "a line of %zu bytes; expected at most %d", length, CONFIG_LINE_MAX);
		return LINE_BAD;
	}
	for (size_t i = 0; i < kept; i++)
		if (is_foreign(reader->text, kept, i)) {
			complain(reader, "byte 0x%02x in column %zu; expected text", (unsigned char)reader->text[i],
				i + 1);
			return LINE_BAD;
		}
	return LINE_GOOD;
}

/* getc and not fgets, because of embedded NULs. The rest of a line too long is swallowed. */
static enum line_kind read_line(struct reader *reader)
{
	size_t length = 0, kept = 0;
	int c;

	while ((c = getc_unlocked(reader->stream)) != EOF && c != '\n' && reader->bytes < CONFIG_FILE_MAX) {
		if (kept < CONFIG_LINE_MAX)
			reader->text[kept++] = (char)c;
		length++;
		reader->bytes++;
	}
	reader->text[kept] = '\0';
	if (c == EOF && length == 0)
		return LINE_END;
	reader->line++;
	reader->bytes++;
	if (reader->bytes > CONFIG_FILE_MAX) {
		complain(reader, "the file goes on behind its first %d bytes; expected a smaller one", CONFIG_FILE_MAX);
		return LINE_END;
	}
	return check_line(reader, length, kept);
}

/* ---- sections ------------------------------------------------------------------------------------------------------ */

static char *strip(char *text)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strlen(text);
	while (length > 0 && strchr(BLANKS "\r", text[length - 1]) != NULL)
		text[--length] = '\0';
	return text;
}

static const struct config_section *find_section(const struct reader *reader, const char *title)
{
	const struct config_section *section;

	STAILQ_FOREACH (section, reader->sections, link)
		if (strcmp(section->title, title) == 0)
			return section;
	return NULL;
}

/* inside: what stands between the brackets. */
static void begin_section(struct reader *reader, char *inside)
{
	const struct config_section *first;
	struct config_section *section;
	char *kind = strip(inside);
	char *name = kind + strcspn(kind, BLANKS);

	if (*name != '\0')
		*name++ = '\0';
	section = config_sections_add(reader->sections, reader->line, kind, strip(name));
	if (section == NULL) {
		no_memory(reader);
		return;
	}
	reader->section = section;
	first = find_section(reader, section->title); /* itself, at the latest */
	section->rejected = first != section;
	if (section->rejected)
		complain(reader, "the section stands in line %u already; expected it once", first->line);
}

/* text begins behind the '['. A line that is no good section is still taken for what it says, so that its keys are looked
   at. */
static void read_section(struct reader *reader, char *text)
{
	char *end = strchr(text, ']');
	char quote[TEXT_QUOTE_MAX];
	char *behind;

	if (end == NULL) {
		reader->section = NULL;
		complain(reader, "no ']' behind %s; expected [SECTION]", text_quote(quote, text - 1));
		text[strcspn(text, ";#")] = '\0';
		begin_section(reader, text);
		return;
	}
	*end = '\0';
	behind = strip(end + 1);
	begin_section(reader, text);
	if (*behind == '#')
		complain(reader, "%s behind ']'; expected nothing, or a comment that begins with ';'",
			text_quote(quote, behind));
	else if (*behind != '\0' && *behind != ';')
		complain(reader, "%s behind ']'; expected nothing", text_quote(quote, behind));
}

/* ---- keys ---------------------------------------------------------------------------------------------------------- */

static void add_key(struct reader *reader, const char *name, const char *value)
{
	const struct config_key *first = config_section_key(reader->section, name);

	if (first != NULL)
		config_error(reader->errors, reader->line, reader->section->title, name,
			"the key stands in line %u already; expected it once", first->line);
	else if (config_section_set(reader->section, reader->line, name, value) < 0)
		no_memory(reader);
}

/* inih's handler. The section that it believes in is ignored: ours is neither cut nor out of date. */
static int handle_key(void *user, const char *inih_section, const char *key, const char *value)
{
	struct reader *reader = user;
	char quote[TEXT_QUOTE_MAX];

	(void)inih_section;
	reader->pending = false;
	if (value == NULL)
		complain(reader, "no '=' in %s; expected key = value", text_quote(quote, key));
	else if (key[0] == '\0')
		complain(reader, "no key before '='; expected key = value");
	else if (reader->section == NULL)
		config_error(reader->errors, reader->line, NULL, key,
			"the key is outside of any section; expected a line [SECTION] before it");
	else
		add_key(reader, key, value);
	return 1;
}

/* Where the comment begins that inih will cut off: at a ';' behind a blank. */
static size_t comment_at(const char *text)
{
	size_t i = 1;

	while (text[i - 1] != '\0' && text[i] != '\0' && (text[i] != ';' || strchr(BLANKS, text[i - 1]) == NULL))
		i++;
	return i;
}

/* inih takes ':' for '='; weir does not, because addresses are full of it. */
static bool is_colon_line(const char *text)
{
	size_t mark = strcspn(text, "=:");

	return mark < comment_at(text) && text[mark] == ':';
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

/* The next line for inih: "\n" in place of everything that is none of its business. NULL at the end. */
static char *next_line(char *buffer, int size, void *user)
{
	struct reader *reader = user;
	enum line_kind kind;
	char *text;

	if (reader->pending)
		complain(reader, "the line is not understood; expected key = value");
	reader->pending = false;
	kind = read_line(reader);
	if (kind == LINE_END)
		return NULL;
	snprintf(buffer, (size_t)size, "\n");
	if (kind == LINE_BAD)
		return buffer;
	text = reader->text;
	if (reader->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3; /* a byte order mark */
	text = strip(text);
	if (*text == '[') {
		read_section(reader, text + 1);
	} else if (*text != '\0' && *text != ';' && *text != '#') {
		if (is_colon_line(text)) {
			complain(reader, "':' comes before any '='; expected key = value");
		} else {
			reader->pending = true;
			snprintf(buffer, (size_t)size, "%s\n", text);
		}
	}
	return buffer;
}

static FILE *open_file(const char *file, struct config_errors *errors)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	FILE *stream;

	if (fd < 0 || fstat(fd, &status) < 0) {
		config_error(errors, 0, NULL, NULL, "cannot open: %s; expected a readable ini file", strerror(errno));
	} else if (S_ISDIR(status.st_mode)) {
		config_error(errors, 0, NULL, NULL, "is a directory; expected an ini file");
	} else {
		stream = fdopen(fd, "r");
		if (stream != NULL)
			return stream;
		config_error(errors, 0, NULL, NULL, "cannot read: %s; expected a readable ini file", strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void parse(struct reader *reader)
{
	ini_allow_multiline = false;
	ini_allow_no_value = true; /* so that a line without '=' gets as far as the handler */
	ini_use_stack = true;
	ini_max_line = CONFIG_LINE_MAX + 4;
	ini_parse_stream(next_line, reader, handle_key, reader);
	if (ferror(reader->stream))
		config_error(reader->errors, 0, NULL, NULL, "cannot read: %s; expected a readable ini file",
			strerror(errno));
}

bool config_read(const char *file, struct config_sections *sections, struct config_errors *errors)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	bool opened;

	STAILQ_INIT(sections);
	if (reader == NULL) {
		config_error(errors, 0, NULL, NULL, "no memory; expected enough to read the file");
		return false;
	}
	reader->sections = sections;
	reader->errors = errors;
	reader->stream = open_file(file, errors);
	opened = reader->stream != NULL;
	if (opened) {
		parse(reader);
		fclose(reader->stream);
	}
	free(reader);
	return opened;
}
