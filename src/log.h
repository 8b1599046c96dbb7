/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - one line an event on stderr, by level.
 *
 * When stderr is the journal's stream, each line begins with its <N> priority and has no time of its own; else with
 * a time and a level. A line is one write(2), at most LOG_LINE_MAX bytes; control bytes are replaced by '?'. A
 * stderr that takes no more is not waited for: lines are lost, counted, and the count is logged later. Any
 * thread may log; the level is set before threads start.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdbool.h>

#define LOG_LINE_MAX 2048

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Finds out whether stderr is the journal's ($JOURNAL_STREAM). Without it, log acts as if it were not. */
void log_open(void);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
