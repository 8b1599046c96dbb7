/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - see cpu.h. schedstat and not stat, whose clock ticks are 10 ms, nor sched, which is not always compiled in.
 */
#include "cpu.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

int cpu_parse(struct cpu *cpu, const char *list)
{
	const char *at = list;

	for (cpu->n = 0; cpu->n < CPU_PIDS_MAX; at++) {
		char *end;
		long pid = strtol(at, &end, 10);

		if (end == at || pid <= 0 || pid > INT_MAX)
			return -1;
		cpu->pids[cpu->n++] = (pid_t)pid;
		if (*end == '\0')
			return 0;
		if (*end != ',')
			return -1;
		at = end;
	}
	return -1;
}

/* A thread that ended meanwhile counts nothing. */
static uint64_t read_thread(pid_t pid, const char *thread)
{
	char path[PATH_MAX];
	uint64_t ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, thread);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &ns) != 1)
		ns = 0;
	fclose(file);
	return ns;
}

static int read_process(pid_t pid, uint64_t *ns)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	directory = opendir(path);
	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			*ns += read_thread(pid, entry->d_name);
	closedir(directory);
	return 0;
}

int cpu_read(const struct cpu *cpu, uint64_t *ns)
{
	*ns = 0;
	for (unsigned i = 0; i < cpu->n; i++)
		if (read_process(cpu->pids[i], ns) == -1)
			return -1;
	return 0;
}
