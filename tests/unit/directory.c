/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory - a directory of their own for tests that need files.
 */
#include "directory.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[4096];

void directory_run(const char *command)
{
	int rc = system(command);

	ck_assert_msg(rc == 0, "%s: exit %d", command, rc);
}

void directory_enter(void)
{
	const char *parent = getenv("TMPDIR");

	umask(022);
	snprintf(path, sizeof(path), "%s/weir-test-XXXXXX", parent != NULL ? parent : "/tmp");
	if (mkdtemp(path) == NULL || chdir(path) < 0) {
		perror(path);
		exit(99);
	}
	chmod(path, 0755);
	directory_run(
		"mkdir modules && cp \"$WEIR_POLICIES\"/*.so \"$WEIR_TEST_MODULES\"/*.so modules && chmod 755 modules/*.so");
}

void directory_remove(void)
{
	char command[sizeof(path) + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	ck_assert_int_eq(chdir("/"), 0);
	directory_run(command);
}

void directory_write(const char *file, const char *bytes, unsigned long length)
{
	FILE *stream = fopen(file, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
	ck_assert_int_eq(fclose(stream), 0);
}
