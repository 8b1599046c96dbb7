/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges - before threads start.
 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
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

int privileges_drop(const char *user, char *error, size_t error_size)
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
	if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
		return text_error(error, error_size,
			"cannot become %s: %s; expected to be started by root, or as that user", user,
			strerrordesc_np(errno));
	return 0;
}
