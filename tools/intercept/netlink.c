/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink - questions and orders to a part of the kernel, one at a time.
 */
#include "netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#define ANSWER_MAX 32768 /* the kernel makes no larger ones */
#define TRIES 10         /* of a dump that is overtaken by changes */

struct dump {
	netlink_filter *filter;
	const void *argument;
	struct netlink_messages *messages;
};

int netlink_open(struct netlink *netlink, int bus)
{
	*netlink = (struct netlink){.socket = mnl_socket_open2(bus, SOCK_CLOEXEC)};
	if (netlink->socket == NULL)
		return -1;
	if (mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		netlink_close(netlink);
		return -1;
	}
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	int saved = errno;

	mnl_socket_close(netlink->socket);
	errno = saved;
}

/* Sends one message and takes all that is answered. */
static int talk(struct netlink *netlink, struct nlmsghdr *message, mnl_cb_t take, void *argument)
{
	static char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned port = mnl_socket_get_portid(netlink->socket);
	ssize_t length;
	int rc;

	message->nlmsg_seq = ++netlink->sequence;
	message->nlmsg_pid = port;
	if (mnl_socket_sendto(netlink->socket, message, message->nlmsg_len) < 0)
		return -1;
	do {
		length = mnl_socket_recvfrom(netlink->socket, answer, sizeof(answer));
		if (length < 0)
			return -1;
		rc = mnl_cb_run(answer, (size_t)length, netlink->sequence, port, take, argument);
	} while (rc > MNL_CB_STOP);
	return rc;
}

/* Acknowledged, so that a single answer has an end, too. */
int netlink_ask(struct netlink *netlink, struct nlmsghdr *question, mnl_cb_t answer, void *data)
{
	question->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return talk(netlink, question, answer, data);
}

int netlink_order(struct netlink *netlink, struct nlmsghdr *order)
{
	return netlink_ask(netlink, order, NULL, NULL);
}

static int keep(const struct nlmsghdr *message, void *argument)
{
	struct dump *dump = argument;
	struct netlink_messages *messages = dump->messages;
	size_t length = NLMSG_ALIGN(message->nlmsg_len);
	char *bytes;

	if (!dump->filter(message, dump->argument))
		return MNL_CB_OK;
	bytes = realloc(messages->bytes, messages->length + length);
	if (bytes == NULL)
		return MNL_CB_ERROR;
	memset(bytes + messages->length, 0, length);
	memcpy(bytes + messages->length, message, message->nlmsg_len);
	messages->bytes = bytes;
	messages->length += length;
	return MNL_CB_OK;
}

int netlink_dump(struct netlink *netlink, struct nlmsghdr *question, netlink_filter *filter, const void *argument,
	struct netlink_messages *messages)
{
	struct dump dump = {filter, argument, messages};
	int rc = -1, saved;

	question->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	errno = EINTR;
	*messages = (struct netlink_messages){0};
	for (int i = 0; i < TRIES && rc < 0 && errno == EINTR; i++) {
		netlink_messages_free(messages);
		rc = talk(netlink, question, keep, &dump);
	}
	if (rc < 0) {
		saved = errno;
		netlink_messages_free(messages);
		errno = saved;
	}
	return rc;
}

void netlink_messages_free(struct netlink_messages *messages)
{
	free(messages->bytes);
	*messages = (struct netlink_messages){0};
}

struct nlmsghdr *netlink_messages_next(const struct netlink_messages *messages, const struct nlmsghdr *message)
{
	size_t behind = message == NULL
		? 0
		: (size_t)((const char *)message - messages->bytes) + NLMSG_ALIGN(message->nlmsg_len);

	return behind < messages->length ? (struct nlmsghdr *)(void *)(messages->bytes + behind) : NULL;
}
