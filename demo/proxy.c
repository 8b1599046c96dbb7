/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy - see proxy.h.
 */
#include "proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

void proxy_init(struct proxy *proxy)
{
	memset(proxy, 0, sizeof(*proxy));
	proxy->log = -1;
	snprintf(proxy->flow.state, sizeof(proxy->flow.state), "idle");
}

/* ---- the ini: the sample's lines, but for the two addresses */

static bool is_key(const char *line, const char *key)
{
	line += strspn(line, " \t");
	return strncmp(line, key, strlen(key)) == 0 && strchr(" \t=", line[strlen(key)]) != NULL;
}

static int copy_ini(FILE *from, FILE *to, in_port_t consumer)
{
	int listens = 0, servers = 0;
	char line[4096];

	while (fgets(line, sizeof(line), from) != NULL) {
		if (is_key(line, "listen")) {
			listens++;
			fprintf(to, "listen = 127.0.0.1:0\n");
		} else if (is_key(line, "server")) {
			servers++;
			fprintf(to, "server = 127.0.0.1:%u\n", (unsigned)consumer);
		} else {
			fputs(line, to);
		}
	}
	return listens == 1 && servers == 1 ? 0 : -1;
}

static int ini_path(const struct proxy *proxy, char *path, size_t size)
{
	return snprintf(path, size, "%s/weir.ini", proxy->directory) < (int)size ? 0 : -1;
}

static int make_directory(struct proxy *proxy)
{
	const char *top = getenv("TMPDIR");
	size_t size = sizeof(proxy->directory);

	if (top == NULL || *top == '\0')
		top = "/tmp";
	if (snprintf(proxy->directory, size, "%s/weir-demo-XXXXXX", top) < (int)size &&
		mkdtemp(proxy->directory) != NULL)
		return 0;
	snprintf(proxy->trouble, sizeof(proxy->trouble), "cannot make a directory in %.80s: %m", top);
	proxy->directory[0] = '\0';
	return -1;
}

static int make_ini(struct proxy *proxy, const char *sample, in_port_t consumer)
{
	char path[sizeof(proxy->directory) + 16];
	FILE *from, *to = NULL;
	int status = -1;

	if (make_directory(proxy) == -1)
		return -1;
	from = fopen(sample, "re");
	if (from == NULL || ini_path(proxy, path, sizeof(path)) == -1 || (to = fopen(path, "we")) == NULL) {
		snprintf(proxy->trouble, sizeof(proxy->trouble), "%.100s: %m", from == NULL ? sample : path);
	} else if (copy_ini(from, to, consumer) == -1) {
		snprintf(proxy->trouble, sizeof(proxy->trouble), "%.100s: expected one listen and one server", sample);
	} else {
		status = 0;
	}
	if (from != NULL)
		fclose(from);
	if (to != NULL && fclose(to) != 0)
		status = -1;
	return status;
}

static void remove_ini(struct proxy *proxy)
{
	char path[sizeof(proxy->directory) + 16];

	if (proxy->directory[0] == '\0')
		return;
	if (ini_path(proxy, path, sizeof(path)) == 0)
		unlink(path);
	rmdir(proxy->directory);
	proxy->directory[0] = '\0';
}

/* ---- the process */

static void become_weir(const struct proxy *proxy, const struct proxy_files *files, int log)
{
	char path[sizeof(proxy->directory) + 16];
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Not to be taken for a service of whoever started the demo. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("JOURNAL_STREAM");
	if (ini_path(proxy, path, sizeof(path)) == 0 && dup2(log, STDERR_FILENO) != -1 &&
		dup2(nothing, STDIN_FILENO) != -1 && dup2(nothing, STDOUT_FILENO) != -1)
		execl(files->weir, files->weir, "-f", path, "--module-dir", files->policies, (char *)NULL);
	dprintf(log, "%s: %s\n", files->weir, strerror(errno));
	_exit(1);
}

int proxy_start(struct proxy *proxy, const struct proxy_files *files, in_port_t consumer)
{
	int ends[2];

	if (make_ini(proxy, files->ini, consumer) == -1)
		return -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) {
		snprintf(proxy->trouble, sizeof(proxy->trouble), "pipe: %s", strerror(errno));
		return -1;
	}
	proxy->pid = child_fork();
	if (proxy->pid == 0)
		become_weir(proxy, files, ends[1]);
	close(ends[1]);
	proxy->log = ends[0];
	if (proxy->pid == -1)
		snprintf(proxy->trouble, sizeof(proxy->trouble), "fork: %s", strerror(errno));
	return proxy->pid > 0 ? 0 : -1;
}

void proxy_ask(struct proxy *proxy)
{
	if (proxy->pid > 0)
		kill(proxy->pid, SIGUSR1);
}

void proxy_stop(struct proxy *proxy)
{
	child_end(&proxy->pid);
	if (proxy->log != -1)
		close(proxy->log);
	proxy->log = -1;
	remove_ini(proxy);
}

/* ---- what it says */

/* What follows " key=" in a line of key=value pairs, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = strchr(line, ' '); at != NULL; at = strchr(at + 1, ' ')) {
		if (strncmp(at + 1, key, length) == 0 && at[1 + length] == '=')
			return at + 1 + length + 1;
	}
	return NULL;
}

static void read_number(const char *line, const char *key, uint64_t *number)
{
	const char *value = value_of(line, key);

	if (value != NULL)
		*number = strtoull(value, NULL, 10);
}

/* policy:count/seconds, a comma between several, or a dash */
static void read_pauses(const char *line, struct proxy_flow *flow)
{
	const char *value = value_of(line, "up_paused");
	uint64_t count;
	double seconds;

	if (value == NULL)
		return;
	flow->pauses = 0;
	flow->paused = 0;
	while (value != NULL && sscanf(value, "%*[^:, ]:%" SCNu64 "/%lf", &count, &seconds) == 2) {
		flow->pauses += count;
		flow->paused += seconds;
		value = strpbrk(value, ", ");
		value = value != NULL && *value == ',' ? value + 1 : NULL;
	}
}

static void read_flow(const char *line, struct proxy_flow *flow)
{
	const char *state = value_of(line, "up_state");

	read_number(line, "up_held_now", &flow->held);
	read_number(line, "up_held_max", &flow->held_max);
	read_pauses(line, flow);
	if (state != NULL)
		snprintf(flow->state, sizeof(flow->state), "%.*s", (int)strcspn(state, " "), state);
}

static void read_port(const char *line, in_port_t *port)
{
	const char *colon = strrchr(line, ':');

	if (colon != NULL)
		*port = (in_port_t)strtoul(colon + 1, NULL, 10);
}

/* A line is: time, level, text. What does not look like that comes before the log does, and is an error. */
static void read_line(struct proxy *proxy, const char *line)
{
	const char *text = strstr(line, "Z info ");

	if (text == NULL) {
		if (proxy->trouble[0] == '\0')
			snprintf(proxy->trouble, sizeof(proxy->trouble), "%.150s", line);
		return;
	}
	text += strlen("Z info ");
	if (strncmp(text, "listener ", 9) == 0 && strstr(text, "listening on") != NULL) {
		read_port(text, &proxy->port);
	} else if (strncmp(text, "weir ", 5) == 0 && strstr(text, " ready:") != NULL) {
		proxy->ready = true;
		remove_ini(proxy); /* it is read once */
	} else if (strncmp(text, "status end", 10) == 0) {
		proxy->answers++;
	} else if (strncmp(text, "status ", 7) == 0) {
		read_flow(text, &proxy->flow);
	} else if (strncmp(text, "session ", 8) == 0) {
		read_flow(text, &proxy->flow);
		proxy->flow.held = 0;
		proxy->flow.over = true;
	}
}

static void read_lines(struct proxy *proxy)
{
	char *start = proxy->text, *newline;

	while ((newline = memchr(start, '\n', (size_t)(proxy->text + proxy->length - start))) != NULL) {
		*newline = '\0';
		read_line(proxy, start);
		start = newline + 1;
	}
	proxy->length -= (size_t)(start - proxy->text);
	memmove(proxy->text, start, proxy->length);
	if (proxy->length == sizeof(proxy->text)) /* no line of weir's is that long */
		proxy->length = 0;
}

int proxy_read(struct proxy *proxy)
{
	while (proxy->log != -1) {
		ssize_t n = read(proxy->log, proxy->text + proxy->length, sizeof(proxy->text) - proxy->length);

		if (n == 0)
			return -1;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		proxy->length += (size_t)n;
		read_lines(proxy);
	}
	return -1;
}
