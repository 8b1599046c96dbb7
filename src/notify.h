/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify - what the service manager is told, if weir was built with libsystemd and runs under one; else nothing.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

void notify_ready(const char *status);
void notify_stopping(const char *status);

#endif
