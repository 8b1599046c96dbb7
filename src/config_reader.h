/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_reader - the line-aware half of reading an ini file: sections and keys with their lines, faults of form.
 *
 * inih splits a line into key and value and knows about comments, but it tells neither lines nor sections apart: a
 * second or an empty section is invisible to it, names are cut, and only the first bad line is returned. So the reader that
 * inih gets is ours: it sees every physical line first, keeps the sections itself and hands on only what can be
 * "key = value".
 *
 * Nothing is known here about which sections and keys there are.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stdbool.h>

#include "config_error.h"
#include "config_sections.h"

#define CONFIG_LINE_MAX 4000               /* bytes, without its end */
#define CONFIG_FILE_MAX (16 * 1024 * 1024) /* bytes; /dev/zero is endless */

/* Fills sections, in the order of the file, also when there were errors. False when there was nothing to read. */
bool config_read(const char *file, struct config_sections *sections, struct config_errors *errors);

#endif
