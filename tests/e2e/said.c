/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * said - what a weir process has logged: lines found by regular expression, the fields of access and status lines; see
 * harness.h.
 */
#include "harness.h"

#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void weir_read(struct weir *weir)
{
	struct stat status;
	ssize_t n;

	ck_assert_int_eq(fstat(weir->log_fd, &status), 0);
	if (weir->log != NULL && (size_t)status.st_size == weir->log_length)
		return;
	weir->log = realloc(weir->log, (size_t)status.st_size + 1);
	ck_assert_ptr_nonnull(weir->log);
	while (weir->log_length < (size_t)status.st_size) {
		n = pread(weir->log_fd, weir->log + weir->log_length, (size_t)status.st_size - weir->log_length,
			(off_t)weir->log_length);
		ck_assert_int_gt(n, 0);
		weir->log_length += (size_t)n;
	}
	weir->log[weir->log_length] = '\0';
}

/*
 * The first whole line from *at on that matches; *at moves behind it, or behind the last whole line if there is none. It says
 * where lines end with a length: under AddressSanitizer, strchr() reads to the end of the log each time.
 */
static const char *next_match(const struct weir *weir, const regex_t *wanted, size_t *at)
{
	static char found[8][4096];
	static unsigned next;
	const char *end;

	while ((end = memchr(weir->log + *at, '\n', weir->log_length - *at)) != NULL) {
		const char *line = weir->log + *at;
		char *copy = found[next % 8];
		size_t length = (size_t)(end - line) < sizeof(found[0]) ? (size_t)(end - line) : sizeof(found[0]) - 1;

		*at = (size_t)(end - weir->log) + 1;
		memcpy(copy, line, length);
		copy[length] = '\0';
		if (regexec(wanted, copy, 0, NULL, 0) == 0) {
			next++;
			return copy;
		}
	}
	return NULL;
}

static void compile(regex_t *wanted, const char *regex)
{
	ck_assert_int_eq(regcomp(wanted, regex, REG_EXTENDED | REG_NOSUB), 0);
}

const char *weir_find(struct weir *weir, const char *regex)
{
	size_t at = weir->since;
	regex_t wanted;
	const char *line;

	compile(&wanted, regex);
	weir_read(weir);
	line = next_match(weir, &wanted, &at);
	regfree(&wanted);
	return line;
}

unsigned weir_count(struct weir *weir, const char *regex)
{
	size_t at = weir->since;
	unsigned count = 0;
	regex_t wanted;

	compile(&wanted, regex);
	weir_read(weir);
	while (next_match(weir, &wanted, &at) != NULL)
		count++;
	regfree(&wanted);
	return count;
}

/* Looks at each line once. Whether weir has ended is asked before its last words are looked for. */
const char *weir_wait(struct weir *weir, const char *regex)
{
	double until = harness_now() + PATIENCE;
	size_t at = weir->since;
	regex_t wanted;
	const char *line = NULL;

	compile(&wanted, regex);
	while (line == NULL) {
		bool ended = weir_ended(weir);

		weir_read(weir);
		line = next_match(weir, &wanted, &at);
		ck_assert_msg(line != NULL || !ended, "weir ended without saying '%s'", regex);
		ck_assert_msg(line != NULL || harness_now() < until, "weir never said '%s'", regex);
		if (line == NULL)
			harness_tick();
	}
	regfree(&wanted);
	return line;
}

void weir_mark(struct weir *weir)
{
	weir_read(weir);
	weir->since = weir->log_length;
}

static unsigned listener_port(struct weir *weir, const char *listener, const char *address)
{
	char regex[128];
	size_t since = weir->since;
	const char *line;

	snprintf(regex, sizeof(regex), "listener %s: listening on %s:[0-9]+$", listener, address);
	weir->since = 0;
	line = weir_wait(weir, regex);
	weir->since = since;
	return (unsigned)strtoul(strrchr(line, ':') + 1, NULL, 10);
}

unsigned weir_port(struct weir *weir, const char *listener)
{
	return listener_port(weir, listener, "[0-9.]+");
}

unsigned weir_port6(struct weir *weir, const char *listener)
{
	return listener_port(weir, listener, "\\[[0-9a-f:]+\\]");
}

const char *weir_access(struct weir *weir, unsigned client_port)
{
	char regex[128];

	snprintf(regex, sizeof(regex), " session [0-9.]+ listener=.* client=[^ ]*:%u .*close=", client_port);
	return weir_wait(weir, regex);
}

/* Searches from the answer to this question on; the caller puts `since` back. */
static const char *status_ask(struct weir *weir)
{
	weir_mark(weir);
	weir_signal(weir, SIGUSR1);
	return weir_wait(weir, " status end sessions=");
}

unsigned weir_sessions(struct weir *weir)
{
	size_t since = weir->since;
	const char *line = status_ask(weir);

	weir->since = since;
	return (unsigned)field_number(line, "sessions");
}

const char *weir_status(struct weir *weir, unsigned client_port)
{
	char regex[128];
	size_t since = weir->since;
	const char *line;

	status_ask(weir);
	snprintf(regex, sizeof(regex), " status [0-9.]+ .* client=[^ ]*:%u ", client_port);
	line = weir_find(weir, regex);
	weir->since = since;
	return line;
}

const char *field(const char *line, const char *key)
{
	static char values[8][512];
	static unsigned next;
	char wanted[64];
	char *value = values[next++ % 8];
	const char *at;

	ck_assert_msg(line != NULL, "no line to find %s in", key);
	snprintf(wanted, sizeof(wanted), " %s=", key);
	at = strstr(line, wanted);
	ck_assert_msg(at != NULL, "no %s= in: %s", key, line);
	at += strlen(wanted);
	snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(at, " "), at);
	return value;
}

uint64_t field_number(const char *line, const char *key)
{
	const char *value = field(line, key);
	char *end;
	uint64_t number = strtoull(value, &end, 10);

	ck_assert_msg(end != value && *end == '\0', "%s=%s is no number", key, value);
	return number;
}

double field_seconds(const char *line, const char *key)
{
	const char *value = field(line, key);
	char *end;
	double seconds = strtod(value, &end);

	ck_assert_msg(end != value && strcmp(end, "s") == 0, "%s=%s is no time", key, value);
	return seconds;
}

void assert_closed(const char *access, const char *reason)
{
	ck_assert_msg(strcmp(field(access, "close"), reason) == 0, "expected close=%s: %s", reason, access);
}
