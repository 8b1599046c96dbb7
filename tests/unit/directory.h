/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory - a directory of their own for tests that need files: made, filled with modules, entered, and removed.
 *
 * Modules are copied, because they are refused from a build tree that a group may write.
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

/* Unchecked fixtures: once for a whole test case, in the parent. */
void directory_enter(
	void); /* the working directory; in it, modules/ with all of $WEIR_POLICIES and $WEIR_TEST_MODULES */
void directory_remove(void);

void directory_write(const char *file, const char *bytes, unsigned long length);

/* Runs a shell command, which must succeed. */
void directory_run(const char *command);

#endif
