/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_netlink - questions to the kernel: over netlink, and below /proc/sys.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "doctor_parts.h"

int doctor_ask(int bus, struct nlmsghdr *question, mnl_cb_t answer, void *data)
{
	struct netlink netlink;
	int rc;

	if (netlink_open(&netlink, bus) < 0)
		return -1;
	rc = netlink_ask(&netlink, question, answer, data);
	netlink_close(&netlink);
	return rc;
}

static bool every(const struct nlmsghdr *message, const void *argument)
{
	(void)message;
	(void)argument;
	return true;
}

int doctor_dump(struct nlmsghdr *question, netlink_filter *filter, mnl_cb_t each, void *data)
{
	struct netlink_messages messages = {NULL, 0};
	struct netlink netlink;
	int rc;

	if (netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return -1;
	rc = netlink_dump(&netlink, question, filter == NULL ? every : filter, data, &messages);
	netlink_close(&netlink);
	for (struct nlmsghdr *message = NULL; rc == 0 && (message = netlink_messages_next(&messages, message)) != NULL;)
		if (each(message, data) != MNL_CB_OK)
			rc = -1;
	netlink_messages_free(&messages);
	return rc;
}

/* Not by stdio: a sysctl is read at once, or not at all. */
int doctor_sysctl(long *value, const char *format, ...)
{
	char path[256], text[32];
	va_list arguments;
	int length, fd;
	ssize_t got;

	va_start(arguments, format);
	length = vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return -1;
	text[got] = '\0';
	*value = strtol(text, NULL, 10);
	return 0;
}
