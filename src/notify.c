/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify - sd_notify(3).
 */
#include "notify.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

void notify_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_stopping(const char *status)
{
	(void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}
#else
void notify_ready(const char *status)
{
	(void)status;
}

void notify_stopping(const char *status)
{
	(void)status;
}
#endif
