/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot - the rows of a simulation as a picture, drawn by gnuplot: a process of its own, without a shell between. It reads the
 * script from a pipe and writes the picture to the file, which is its standard output.
 */
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot_script.h"
#include "text.h"

struct plot {
	char *file;
	bool letters;
	pid_t gnuplot;
	FILE *script; /* its standard input */
	struct sim_row *rows;
	size_t count;
	size_t room;
	bool short_of_memory;
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

bool plot_is_name(const char *file)
{
	return ends_with(file, ".svg") || ends_with(file, ".txt");
}

/* ---- gnuplot ------------------------------------------------------------------------------------------------------- */

/* `in` and `out` become its standard input and output. -d: nothing of the user's own settings. 0, or an errno. */
static int spawn(pid_t *pid, int in, int out)
{
	char name[] = "gnuplot", defaults[] = "-d";
	char *const arguments[] = {name, defaults, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t reset;
	int rc;

	sigemptyset(&reset);
	sigaddset(&reset, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &reset);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	rc = posix_spawnp(pid, name, &actions, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int start_gnuplot(struct plot *plot, int out, char *error, size_t error_size)
{
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return text_error(error, error_size, "no pipe to gnuplot: %s", strerror(errno));
	rc = spawn(&plot->gnuplot, ends[0], out);
	close(ends[0]);
	plot->script = rc == 0 ? fdopen(ends[1], "w") : NULL;
	if (plot->script != NULL)
		return 0;
	close(ends[1]);
	if (rc == ENOENT)
		return text_error(error, error_size,
			"gnuplot is missing; expected it in PATH (Debian: apt install gnuplot-nox)");
	return text_error(error, error_size, "cannot start gnuplot: %s", strerror(rc != 0 ? rc : errno));
}

static void plot_free(struct plot *plot)
{
	free(plot->rows);
	free(plot->file);
	free(plot);
}

struct plot *plot_open(const char *file, char *error, size_t error_size)
{
	struct plot *plot = calloc(1, sizeof(*plot));
	int out, rc;

	if (plot == NULL || (plot->file = strdup(file)) == NULL) {
		free(plot);
		text_reason(error, error_size, "no memory; expected enough for the plot");
		return NULL;
	}
	plot->letters = ends_with(file, ".txt");
	out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0) {
		text_reason(error, error_size, "cannot write %s: %s", file, strerror(errno));
		plot_free(plot);
		return NULL;
	}
	rc = start_gnuplot(plot, out, error, error_size);
	close(out);
	if (rc < 0) {
		unlink(file);
		plot_free(plot);
		return NULL;
	}
	return plot;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

void plot_row(struct plot *plot, const struct sim_row *row)
{
	if (plot->count == plot->room) {
		size_t room = plot->room * 2 + 1024;
		struct sim_row *rows = realloc(plot->rows, room * sizeof(*rows));

		if (rows == NULL) {
			plot->short_of_memory = true;
			return;
		}
		plot->rows = rows;
		plot->room = room;
	}
	plot->rows[plot->count++] = *row;
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static bool send_script(struct plot *plot, const struct scenario *scenario)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	bool sent;

	sigaction(SIGPIPE, &ignore, &before); /* of a gnuplot that is gone we hear by its exit status */
	if (scenario != NULL)
		plot_script(plot->script, scenario, plot->rows, plot->count, plot->letters);
	sent = fclose(plot->script) == 0;
	sigaction(SIGPIPE, &before, NULL);
	return sent;
}

int plot_close(struct plot *plot, const struct scenario *scenario, char *error, size_t error_size)
{
	bool sent = send_script(plot, scenario);
	int status = 0, rc = 0;
	pid_t pid;

	while ((pid = waitpid(plot->gnuplot, &status, 0)) < 0 && errno == EINTR)
		;
	if (plot->short_of_memory)
		rc = text_error(error, error_size, "no memory; expected enough for %zu rows", plot->count);
	else if (pid < 0 || !sent || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		rc = text_error(error, error_size, "gnuplot failed, with status %d", status);
	if (rc < 0 || scenario == NULL)
		unlink(plot->file);
	plot_free(plot);
	return rc;
}
