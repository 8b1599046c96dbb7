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

static int hear(struct mnl_socket *socket, unsigned sequence, mnl_cb_t answer, void *data)
{
	char buffer[32768]; /* as large as the kernel makes the parts of a long answer */
	int state = MNL_CB_OK;

	while (state > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (length < 0)
			return -1;
		state = mnl_cb_run(buffer, (size_t)length, sequence, mnl_socket_get_portid(socket), answer, data);
	}
	return state;
}

int doctor_ask(int bus, struct nlmsghdr *question, mnl_cb_t answer, void *data)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int rc = -1, error;

	if (socket == NULL)
		return -1;
	question->nlmsg_seq = 1;
	question->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK; /* so that one answer has an end, too */
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
		mnl_socket_sendto(socket, question, question->nlmsg_len) >= 0)
		rc = hear(socket, question->nlmsg_seq, answer, data);
	error = errno;
	mnl_socket_close(socket);
	errno = error;
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
	struct netlink_messages messages;
	struct netlink netlink;
	int rc;

	if (netlink_open(&netlink) < 0)
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
