/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulated - see simulated.h.
 */
#include "simulated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL, "%s is not set", name);
	return value;
}

static void scenario_path(const char *scenario, char *path, size_t size)
{
	snprintf(path, size, "%s/doc/scenarios/%s.ini", environment("WEIR_SRCDIR"), scenario);
}

/* The lines that weir knows too. What a listener lacks stands at its begin. */
static void weir_sections(FILE *in, FILE *out, const struct server *server, const char *change, const char *by)
{
	char line[512];
	bool inside = false;
	bool changed = change == NULL;

	while (fgets(line, sizeof(line), in) != NULL) {
		if (line[0] == '[')
			inside = strncmp(line, "[policy", 7) == 0 || strncmp(line, "[listener", 9) == 0;
		if (!inside)
			continue;
		if (change != NULL && strncmp(line, change, strlen(change)) == 0) {
			fprintf(out, "%s\n", by);
			changed = true;
		} else {
			fputs(line, out);
		}
		if (strncmp(line, "[listener", 9) == 0)
			fprintf(out, "listen = 127.0.0.1:0\nupstream = %s\n", server->address);
	}
	ck_assert_msg(changed, "there is no '%s' to change", change);
}

struct weir *simulated_start(const char *scenario, const struct server *server, const char *change, const char *by)
{
	char path[4096];
	char ini[4096] = "";
	FILE *in;
	FILE *out = fmemopen(ini, sizeof(ini), "w");

	scenario_path(scenario, path, sizeof(path));
	in = fopen(path, "re");
	ck_assert_msg(in != NULL && out != NULL, "cannot read %s", path);
	weir_sections(in, out, server, change, by);
	fclose(in);
	fclose(out);
	return weir_start("[weir]\nworkers = 2\n%s", ini);
}

static FILE *simulate(const char *scenario, const char *option)
{
	char path[4096];
	char command[8192];
	FILE *pipe;

	scenario_path(scenario, path, sizeof(path));
	snprintf(command, sizeof(command), "%s/tools/weir-sim --module-dir %s %s %s", environment("WEIR_BUILDDIR"),
		environment("WEIR_POLICIES"), option, path);
	pipe = popen(command, "re");
	ck_assert_ptr_nonnull(pipe);
	return pipe;
}

double simulated(const char *scenario, const char *path)
{
	static char text[65536];
	FILE *pipe = simulate(scenario, "--json");
	size_t n = fread(text, 1, sizeof(text) - 1, pipe);
	char keys[128];
	char *rest = NULL;
	const char *at = text;

	text[n] = '\0';
	ck_assert_msg(pclose(pipe) == 0, "weir-sim fails on %s", scenario);
	snprintf(keys, sizeof(keys), "%s", path);
	for (char *key = strtok_r(keys, " ", &rest); key != NULL; key = strtok_r(NULL, " ", &rest)) {
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "\"%s\":", key);
		at = strstr(at, quoted);
		ck_assert_msg(at != NULL, "no %s in %s", path, text);
		at += strlen(quoted);
	}
	return strtod(at, NULL);
}

/* The n-th of the values with commas between, from 0 on. */
static const char *value_at(const char *line, unsigned n)
{
	while (n-- > 0) {
		line = strchr(line, ',');
		ck_assert_ptr_nonnull(line);
		line++;
	}
	return line;
}

static unsigned column_of(const char *heads, const char *column)
{
	const char *found = strstr(heads, column);
	unsigned n = 0;

	ck_assert_msg(found != NULL, "no column %s in %s", column, heads);
	for (const char *at = heads; at < found; at++)
		n += *at == ',';
	return n;
}

uint64_t simulated_last(const char *scenario, unsigned flow, const char *column)
{
	FILE *pipe = simulate(scenario, "--csv - 2>/dev/null");
	char line[512];
	unsigned n;
	uint64_t last = 0;
	bool seen = false;

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), pipe));
	n = column_of(line, column);
	while (fgets(line, sizeof(line), pipe) != NULL) {
		if (strtoul(value_at(line, 1), NULL, 10) != flow)
			continue;
		last = strtoull(value_at(line, n), NULL, 10);
		seen = true;
	}
	ck_assert_msg(pclose(pipe) == 0 && seen, "weir-sim tells nothing of flow %u of %s", flow, scenario);
	return last;
}
