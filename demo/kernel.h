/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel - what only the kernel knows: queues of sockets, memory of processes.
 */
#ifndef DEMO_KERNEL_H
#define DEMO_KERNEL_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

/* A socket of somebody else on 127.0.0.1, and its queues in bytes. Ports in host order. */
struct kernel_socket {
	in_port_t local;
	in_port_t remote;
	uint64_t unread;
	uint64_t unsent; /* or not acknowledged */
};

/* Looks all of them up in one pass over /proc/net/tcp; one that is not there has empty queues. */
void kernel_find(struct kernel_socket *sockets, int count);

/* The same of a socket of our own. */
uint64_t kernel_unread(int fd);
uint64_t kernel_unsent(int fd);

/* Resident memory; 0 if the process is gone. */
uint64_t kernel_rss(pid_t pid);

/* What new memory the system says it can give without hurting anybody, also as a container sees it. */
uint64_t kernel_memory_available(void);

#endif
