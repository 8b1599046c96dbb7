/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module - a policy's shared object: found by bare name in the module directory, checked, opened, passed through the
 * ABI gate.
 *
 * Refused, each with a message naming both sides' values: a name with anything but a-z, 0-9, '_' and '-'; a directory
 * or file that group or others can write, or that belongs to neither root nor the effective user; no ELF file; no entry
 * function; entry returns NULL; wrong magic; other major; a size below the smallest this weir knows; a missing required
 * callback; tables that make no sense (NULL names, offsets beyond options_size, more than WEIR_POOLS_MAX pools,
 * strides below the known, a default that does not parse, a name other than the file's).
 *
 * What was checked is what is opened: the directory is opened, the file in it (no symbolic link), and dlopen() gets
 * that descriptor by its name in /proc. The descriptor stays open with the module, because dlopen() tells objects apart by name and
 * a second module must not get the first one's number. $ORIGIN in a module's run path is meaningless therefore.
 *
 * The same module is opened once however many policies use it. Main thread only.
 */
#ifndef MODULE_H
#define MODULE_H

#include <stddef.h>
#include <stdio.h>

#include "weir/policy.h"

struct module {
	char *name;
	char *path;
	int fd;                 /* the file, open as long as the module is */
	void *handle;           /* dlopen's, RTLD_NOW | RTLD_LOCAL */
	struct weir_policy api; /* the module's struct, zero-filled behind its size */
	unsigned references;
	struct module *next;
};

/* A reference to the module, or NULL with "what is wrong; what was expected" in error. module_close() gives it back. */
struct module *module_open(const char *directory, const char *name, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void module_close(struct module *module);

/* What --help-policy prints: the module's summary, its pools, its option table. */
void module_help(FILE *out, const struct module *module);

#endif
