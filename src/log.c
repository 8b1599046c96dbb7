/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - one line an event on stderr, by level.
 */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

/* One row a level: its word, and its priority for the journal (syslog's numbers). */
static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARNING] = {"warning", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

static enum log_level threshold = LOG_LEVEL_INFO;
static bool to_journal;

/* $JOURNAL_STREAM is inherited by children with another stderr too, so it counts only if it names ours. */
void log_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat status;

	to_journal = stream != NULL && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

enum log_level log_get_level(void)
{
	return threshold;
}

bool log_enabled(enum log_level level)
{
	return level <= threshold;
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm utc;
	size_t length;

	if (to_journal)
		return (size_t)snprintf(line, size, "<%d>", levels[level].priority);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
	length += (size_t)snprintf(line + length, size - length, ".%03ldZ %s ", now.tv_nsec / 1000000,
		levels[level].word);
	return length;
}

static void put_line(const char *line, size_t length)
{
	ssize_t written;

	/* A stderr that takes no more, or only half a line, is not worth a wait: weir's work goes on without its log. */
	do
		written = write(STDERR_FILENO, line, length);
	while (written < 0 && errno == EINTR);
}

__attribute__((format(printf, 2, 0))) static void put(enum log_level level, const char *format, va_list arguments)
{
	char line[LOG_LINE_MAX + 1]; /* the NUL comes beside what is written */
	int kept_errno = errno;
	size_t start, length;
	int wanted;

	if (!log_enabled(level))
		return;
	start = put_prefix(line, sizeof(line), level);
	errno = kept_errno; /* for %m */
	wanted = vsnprintf(line + start, LOG_LINE_MAX - start, format, arguments);
	if (wanted < 0)
		line[start] = '\0';
	text_clean(line + start);
	length = start + strlen(line + start);
	if (wanted >= 0 && (size_t)wanted > length - start)
		memcpy(line + length - 3, "...", 3);
	line[length++] = '\n';
	put_line(line, length);
	errno = kept_errno;
}

#define PUT(level, format)                                                                                             \
	do {                                                                                                           \
		va_list arguments;                                                                                     \
                                                                                                                       \
		va_start(arguments, format);                                                                           \
		put(level, format, arguments);                                                                         \
		va_end(arguments);                                                                                     \
	} while (0)

void log_error(const char *format, ...)
{
	PUT(LOG_LEVEL_ERROR, format);
}

void log_warning(const char *format, ...)
{
	PUT(LOG_LEVEL_WARNING, format);
}

void log_info(const char *format, ...)
{
	PUT(LOG_LEVEL_INFO, format);
}

void log_debug(const char *format, ...)
{
	PUT(LOG_LEVEL_DEBUG, format);
}

void log_line(enum log_level level, const char *format, ...)
{
	PUT(level, format);
}
