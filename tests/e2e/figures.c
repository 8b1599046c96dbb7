/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures - what the kernel tells of a weir process; see harness.h.
 */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

double weir_cpu(const struct weir *weir)
{
	clockid_t clock;
	struct timespec used;

	ck_assert_int_eq(clock_getcpuclockid(weir->pid, &clock), 0);
	ck_assert_int_eq(clock_gettime(clock, &used), 0);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static DIR *descriptors_open(const struct weir *weir)
{
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)weir->pid);
	dir = opendir(path);
	ck_assert_msg(dir != NULL, "cannot read %s", path);
	return dir;
}

unsigned weir_descriptors(const struct weir *weir)
{
	DIR *dir = descriptors_open(weir);
	unsigned count = 0;

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

unsigned weir_descriptor_limit(const struct weir *weir, unsigned spare)
{
	char path[64];

	for (unsigned limit = 0;; limit++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)weir->pid, limit);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (spare-- == 0)
			return limit;
	}
}

uint64_t weir_memory(const struct weir *weir)
{
	char path[64];
	unsigned long pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)weir->pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The number of weir's descriptor for this socket, or -1. */
static int descriptor_of(const struct weir *weir, unsigned long inode)
{
	DIR *dir = descriptors_open(weir);
	char wanted[64];
	int found = -1;

	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	for (struct dirent *entry; found == -1 && (entry = readdir(dir)) != NULL;) {
		char target[64] = "";

		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0 &&
			strcmp(target, wanted) == 0)
			found = atoi(entry->d_name);
	}
	closedir(dir);
	return found;
}

struct row {
	unsigned local;
	unsigned remote;
	unsigned state;
	unsigned unsent;
	unsigned unread;
	unsigned long inode;
};

static bool row_parse(const char *line, struct row *row)
{
	return sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x %x:%x %*x:%*x %*x %*u %*u %lu", &row->local,
		       &row->remote, &row->state, &row->unsent, &row->unread, &row->inode) == 6;
}

/* The first established or half-closed socket of weir in this table with these ports. */
static int socket_find(const struct weir *weir, const char *table, unsigned local, unsigned remote, struct row *row)
{
	enum { LISTEN = 10 };
	FILE *file = fopen(table, "r");
	char line[512];
	int found = -1;

	if (file == NULL)
		return -1;
	while (found == -1 && fgets(line, sizeof(line), file) != NULL) {
		if (!row_parse(line, row) || row->state == LISTEN)
			continue;
		if ((local == 0 || row->local == local) && (remote == 0 || row->remote == remote) && row->inode != 0)
			found = descriptor_of(weir, row->inode);
	}
	fclose(file);
	return found;
}

bool weir_queues(const struct weir *weir, unsigned local_port, unsigned remote_port, struct queues *queues)
{
	struct row row = {0};

	if (socket_find(weir, "/proc/net/tcp", local_port, remote_port, &row) == -1)
		return false;
	queues->unread = row.unread;
	queues->unsent = row.unsent;
	return true;
}

int weir_borrow(const struct weir *weir, unsigned local_port, unsigned remote_port)
{
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd)
	struct row row = {0};
	int number = socket_find(weir, "/proc/net/tcp", local_port, remote_port, &row);
	int process = (int)syscall(SYS_pidfd_open, weir->pid, 0);
	int fd = -1;

	if (process >= 0 && number >= 0)
		fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);
	if (process >= 0)
		close(process);
	return fd;
#else
	(void)weir;
	(void)local_port;
	(void)remote_port;
	return -1;
#endif
}
