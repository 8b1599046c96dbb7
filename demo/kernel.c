/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel - see kernel.h. Everything comes from /proc and two ioctls; nothing here needs to be root.
 */
#include "kernel.h"

#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void fill(struct kernel_socket *sockets, int count, const char *line)
{
	unsigned local_address, local, remote_address, remote, unsent, unread;

	if (sscanf(line, " %*d: %8X:%4X %8X:%4X %*2X %8X:%8X", &local_address, &local, &remote_address, &remote,
		    &unsent, &unread) != 6 ||
		local_address != htonl(INADDR_LOOPBACK) || remote_address != htonl(INADDR_LOOPBACK))
		return;
	for (int i = 0; i < count; i++) {
		if (sockets[i].local == local && sockets[i].remote == remote) {
			sockets[i].unread = unread;
			sockets[i].unsent = unsent;
		}
	}
}

void kernel_find(struct kernel_socket *sockets, int count)
{
	FILE *file = fopen("/proc/net/tcp", "re");
	char line[512];

	for (int i = 0; i < count; i++)
		sockets[i].unread = sockets[i].unsent = 0;
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		fill(sockets, count, line);
	fclose(file);
}

static uint64_t queue(int fd, unsigned long request)
{
	int bytes = 0;

	return ioctl(fd, request, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

uint64_t kernel_unread(int fd)
{
	return queue(fd, SIOCINQ);
}

uint64_t kernel_unsent(int fd)
{
	return queue(fd, SIOCOUTQ);
}

uint64_t kernel_rss(pid_t pid)
{
	uint64_t pages = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The number that a file of one line holds; `otherwise` if there is no file, or no number ("max"). */
static uint64_t number_in(const char *path, uint64_t otherwise)
{
	FILE *file = fopen(path, "re");
	uint64_t number;

	if (file == NULL)
		return otherwise;
	if (fscanf(file, "%" SCNu64, &number) != 1)
		number = otherwise;
	fclose(file);
	return number;
}

static uint64_t room(const char *limit, const char *used)
{
	uint64_t limited_to = number_in(limit, UINT64_MAX);
	uint64_t in_use = number_in(used, 0);

	return limited_to > in_use ? limited_to - in_use : 0;
}

uint64_t kernel_memory_available(void)
{
	uint64_t kib = 0, available;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL &&
		sscanf(line, "MemAvailable: %" SCNu64, &kib) != 1)
		;
	if (file != NULL)
		fclose(file);
	available = kib * 1024;
	for (int version = 1; version <= 2; version++) {
		uint64_t left = version == 1 ? room("/sys/fs/cgroup/memory/memory.limit_in_bytes",
						       "/sys/fs/cgroup/memory/memory.usage_in_bytes")
					     : room("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current");

		if (left < available)
			available = left;
	}
	return available;
}
