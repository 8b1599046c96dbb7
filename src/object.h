/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object - is this file a whole shared object? dlopen() maps what the headers promise and dies of SIGBUS when the file
 * ends before that, as one does whose disk was full, or whose copying is still under way.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include <stddef.h>

/* 0, or -1 with "what is wrong; what was expected" in error, to be put behind the file's name and a blank. */
int object_check(int fd, char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
