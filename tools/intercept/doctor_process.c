/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_process - who owns a socket, found among the descriptors of all processes that we may look into.
 */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_parts.h"

#define PATH_SIZE 320

static bool is_number(const char *name)
{
	return isdigit((unsigned char)*name);
}

/* Whether the process has a descriptor that is called so. */
static bool has_descriptor(int pid, const char *name)
{
	char path[PATH_SIZE], link[64];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
		length = readlink(path, link, sizeof(link) - 1);
		link[length > 0 ? length : 0] = '\0';
		found = strcmp(link, name) == 0;
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

/* The one that starts all others keeps what it hands on, so it counts only if there is no other. */
static int find_process(uint32_t inode)
{
	char name[32];
	const struct dirent *entry;
	DIR *directory = opendir("/proc");
	int pid = -1;

	snprintf(name, sizeof(name), "socket:[%" PRIu32 "]", inode);
	while (directory != NULL && pid <= 1 && (entry = readdir(directory)) != NULL) {
		int candidate = is_number(entry->d_name) ? (int)strtol(entry->d_name, NULL, 10) : -1;

		if (candidate > 0 && has_descriptor(candidate, name))
			pid = candidate;
	}
	if (directory != NULL)
		closedir(directory);
	return pid;
}

static void read_status(struct doctor_process *process, const char *line)
{
	unsigned id;

	if (sscanf(line, "Name: %31[^\n]", process->name) == 1)
		return;
	if (sscanf(line, "Uid: %*u %u", &id) == 1)
		process->uid = id;
	else if (sscanf(line, "Gid: %*u %u", &id) == 1)
		process->gid = id;
	else
		(void)!sscanf(line, "CapEff: %" SCNx64, &process->capabilities);
}

static void read_cgroup(struct doctor_process *process, const char *line)
{
	(void)!sscanf(line, "0::/%255[^\n]", process->cgroup);
}

/* Each line of a file of the process. */
static int read_file(struct doctor_process *process, const char *name,
	void (*read_line)(struct doctor_process *process, const char *line))
{
	char path[PATH_SIZE], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", process->pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		read_line(process, line);
	fclose(file);
	return 0;
}

int doctor_process_of(struct doctor_process *process, uint32_t inode)
{
	*process = (struct doctor_process){.pid = find_process(inode)};
	if (process->pid < 0 || read_file(process, "status", read_status) < 0)
		return -1;
	(void)!read_file(process, "cgroup", read_cgroup);
	return 0;
}
