/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loading - what the tests of configurations share: a file goes in, a configuration or messages come out.
 */
#ifndef LOADING_H
#define LOADING_H

#include "config.h"

#define LISTENER "[listener a]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\n"

extern char *messages; /* of the last load */

/* With the modules of directory_enter(). NULL on errors. */
struct config *load(const char *file);

struct config *load_text(const char *text); /* must be good */

void assert_refused(const char *file, const char *expected);

#endif
