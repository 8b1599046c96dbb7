/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial - one scenario, one process.
 */
#include "trial.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"
#include "sim.h"

enum code {
	CODE_PASSED,
	CODE_FAULT,
	CODE_REFUSED,
	CODE_UNTRIED,
};

/* ---- in the child -------------------------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t most)
{
	struct rlimit limit = {most, most + 1};

	(void)setrlimit(resource, &limit);
}

/* The scenario as a file that has no name elsewhere. */
static bool write_file(const struct document *document, char *path, size_t size)
{
	int fd = memfd_create("scenario.ini", 0);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (file == NULL)
		return false;
	document_print(document, "", file);
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fflush(file) == 0; /* and left open: its name is its descriptor */
}

static enum code run(const struct document *document)
{
	struct sim_options options = {.check = true, .faults = stderr};
	struct sim_result *result = malloc(sizeof(*result));
	struct scenario *scenario = NULL;
	enum code code = CODE_UNTRIED;
	char path[64];

	if (result != NULL && write_file(document, path, sizeof(path))) {
		scenario = scenario_load(path, getenv("WEIR_POLICIES"), NULL, 0, stderr);
		code = CODE_REFUSED;
	}
	if (scenario != NULL) {
		int status = sim_run(scenario, &options, result);

		code = status == 0 ? CODE_PASSED : status > 0 ? CODE_FAULT : CODE_UNTRIED;
	}
	scenario_free(scenario);
	free(result);
	return code;
}

static _Noreturn void child(const struct document *document, unsigned seconds, int out)
{
	enum code code;

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(CODE_UNTRIED);
	limit(RLIMIT_CPU, seconds);
	limit(RLIMIT_CORE, 0);
	code = run(document);
	fflush(NULL);
	exit(code);
}

/* ---- in the parent ------------------------------------------------------------------------------------------------- */

/* All that comes; what is too much is thrown away. */
static void listen_to(int in, char *said, size_t size)
{
	size_t length = 0;
	char rest[4096] = "";
	ssize_t n;

	do {
		bool room = length + 1 < size;

		n = read(in, room ? said + length : rest, room ? size - 1 - length : sizeof(rest));
		if (n > 0 && room)
			length += (size_t)n;
	} while (n > 0);
	said[length] = '\0';
}

/* Of "fault NAME: ..." at the begin of a line. */
static void find_name(struct trial *trial)
{
	static const char mark[] = "fault ";
	const char *found = strncmp(trial->said, mark, strlen(mark)) == 0 ? trial->said
									  : strstr(trial->said, "\nfault ");
	size_t length;

	if (found == NULL)
		return;
	found += *found == '\n' ? 1 : 0;
	found += strlen(mark);
	length = strcspn(found, ":\n");
	snprintf(trial->name, sizeof(trial->name), "%.*s", (int)length, found);
}

static void judge(struct trial *trial, int status, unsigned seconds)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (signal == SIGXCPU || signal == SIGKILL) {
		trial->end = TRIAL_HUNG;
		snprintf(trial->name, sizeof(trial->name), "more than %u s", seconds);
	} else if (signal != 0 || code > CODE_UNTRIED || code < 0) {
		trial->end = TRIAL_CRASHED;
		snprintf(trial->name, sizeof(trial->name), "%s %d", signal != 0 ? "signal" : "exit status",
			signal != 0 ? signal : code);
	} else {
		static const enum trial_end ends[] = {TRIAL_PASSED, TRIAL_FAULT, TRIAL_REFUSED, TRIAL_UNTRIED};
		static const char *const names[] = {"passed", "world", "refused",
			"untried"}; /* what has no name of its own is the world's */

		trial->end = ends[code];
		snprintf(trial->name, sizeof(trial->name), "%s", names[code]);
		if (code == CODE_FAULT)
			find_name(trial);
	}
}

struct trial trial_run(const struct document *document, unsigned seconds)
{
	struct trial trial = {.end = TRIAL_UNTRIED, .name = "untried"};
	int ends[2];
	int status;
	pid_t pid;

	if (pipe(ends) != 0)
		return trial;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		child(document, seconds, ends[1]);
	}
	close(ends[1]);
	if (pid > 0)
		listen_to(ends[0], trial.said, sizeof(trial.said));
	close(ends[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		judge(&trial, status, seconds);
	return trial;
}

bool trial_same(const struct trial *one, const struct trial *other)
{
	return one->end == other->end && strcmp(one->name, other->name) == 0;
}

void trial_print(const struct trial *trial, const char *indent, FILE *out)
{
	const char *line = trial->said;

	while (*line != '\0') {
		int length = (int)strcspn(line, "\n");

		fprintf(out, "%s%.*s\n", indent, length, line);
		line += length + (line[length] == '\n' ? 1 : 0);
	}
}
