/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink - questions and orders to a part of the kernel, one at a time.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

struct netlink {
	struct mnl_socket *socket;
	unsigned sequence;
};

/* Messages one behind the other, owned; all zero: none. */
struct netlink_messages {
	char *bytes;
	size_t length;
};

/* Whether a message is to be kept; the same message may come twice. */
typedef bool netlink_filter(const struct nlmsghdr *message, const void *argument);

/* To the part of the kernel that has this bus: NETLINK_ROUTE, or another. 0, or -1 with errno. */
int netlink_open(struct netlink *netlink, int bus) __attribute__((warn_unused_result));
void netlink_close(struct netlink *netlink);

/* Sends an order and waits until it is done: 0, or -1 with the kernel's errno. */
int netlink_order(struct netlink *netlink, struct nlmsghdr *order) __attribute__((warn_unused_result));

/* Sends a question and shows its answers as they come; who is shown one asks nothing himself. 0, or -1 with errno. */
int netlink_ask(struct netlink *netlink, struct nlmsghdr *question, mnl_cb_t answer, void *data)
	__attribute__((warn_unused_result));

/* Asks for all there is, and keeps what passes the filter. 0, or -1 with errno, and no messages then. */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *question, netlink_filter *filter, const void *argument,
	struct netlink_messages *messages) __attribute__((warn_unused_result));
void netlink_messages_free(struct netlink_messages *messages);

/* Goes through messages: NULL begins, and ends. */
struct nlmsghdr *netlink_messages_next(const struct netlink_messages *messages, const struct nlmsghdr *message);

#endif
