/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges - before threads start.
 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"

uint64_t privileges_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = before;
	}
	return limit.rlim_cur;
}

#define CAPABILITY(number) (UINT32_C(1) << (number))

/* The C library has no functions for this. These and no others, as far as they are permitted, of the first 32; which those
   are. -1 with errno. */
static int64_t set_capabilities(uint32_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, data) != 0)
		return -1;
	capabilities &= data[0].permitted;
	memset(data, 0, sizeof(data));
	data[0].effective = data[0].permitted = capabilities;
	return syscall(SYS_capset, &header, data) == 0 ? (int64_t)capabilities : -1;
}

static uint32_t capabilities_of(uint32_t keep)
{
	return ((keep & PRIVILEGES_RAW) != 0 ? CAPABILITY(CAP_NET_RAW) : 0) |
		((keep & PRIVILEGES_LOW_PORTS) != 0 ? CAPABILITY(CAP_NET_BIND_SERVICE) : 0);
}

int privileges_drop(const char *user, uint32_t keep, char *error, size_t error_size)
{
	const struct passwd *entry;

	if (*user == '\0')
		return 0;
	errno = 0;
	/* cppcheck-suppress getpwnamCalled ; there is only the main thread yet */
	entry = getpwnam(user);
	if (entry == NULL)
		return text_error(error, error_size, "no user named %s%s%s; expected one that this system knows", user,
			errno != 0 ? ": " : "", errno != 0 ? strerrordesc_np(errno) : "");
	if (entry->pw_uid == geteuid() && entry->pw_uid == getuid())
		return 0;
	if (keep != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return text_error(error, error_size, "cannot keep capabilities: %s; expected a system that lets it",
			strerrordesc_np(errno));
	if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
		return text_error(error, error_size,
			"cannot become %s: %s; expected to be started by root, or as that user", user,
			strerrordesc_np(errno));
	if (keep != 0 && set_capabilities(capabilities_of(keep)) < 0)
		return text_error(error, error_size, "cannot keep capabilities: %s; expected a system that lets it",
			strerrordesc_np(errno));
	return 0;
}
