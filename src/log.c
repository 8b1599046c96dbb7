/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - one line an event on stderr, by level.
 */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned lost; /* lines, since one was written */

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

/* Whether a line can be written without waiting: a pipe says so when it has room for more than a line. */
static bool takes_more(void)
{
	struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&stream, 1, 0) > 0 && (stream.revents & (POLLOUT | POLLERR)) != 0;
}

static bool write_now(const char *line, size_t length)
{
	ssize_t written = send(STDERR_FILENO, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (written >= 0 || errno != ENOTSOCK)
		return written >= 0;
	do
		written = takes_more() ? write(STDERR_FILENO, line, length) : 0;
	while (written < 0 && errno == EINTR);
	return written > 0;
}

/*
 * A stderr that nobody reads is not worth a wait: weir's work goes on without its log, which counts what it lost and says
 * so when there is room again.
 */
static void put_line(const char *line, size_t length)
{
	char note[128];
	size_t start;

	pthread_mutex_lock(&lock); /* or two threads might count on the same room */
	if (lost > 0) {
		start = put_prefix(note, sizeof(note), LOG_LEVEL_WARNING);
		start += (size_t)snprintf(note + start, sizeof(note) - start,
			"%u log lines were lost: nobody read them\n", lost);
		if (write_now(note, start))
			lost = 0;
	}
	if (lost > 0 || !write_now(line, length))
		lost++;
	pthread_mutex_unlock(&lock);
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
