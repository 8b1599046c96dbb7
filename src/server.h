/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server - everything that runs: the workers, the listeners, the global limits, the signals.
 *
 * Order of life: pools and policies, then every listening socket (all errors are told in one run), then privileges are
 * dropped, then threads. The main thread waits for signals and for the workers' end, and does nothing else.
 */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"

/* Runs until a signal ends it. The exit status: 0, or 1 when it could not start. `file` is for messages. */
int server_run(const struct config *config, const char *file);

#endif
