/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - what the two sides of load say to each other, and the sockets they say it over: TCP on 127.0.0.1 or where else the
 * server is, never blocking, TCP_NODELAY.
 *
 * A client opens every connection with a header of eight bytes: a kind, three zeros, a size (32 bits, little endian). What
 * follows has no meaning: it is sent from one buffer that stays warm, and received without being copied. What is asked and
 * answered is lines of WIRE_LINE bytes, for proxies that look for requests: messages of other sizes end anywhere.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_HEADER 8
#define WIRE_COUNT_ANSWER 16
/* The most that one call sends or discards, which bounds a turn. */
#define WIRE_CHUNK (256 * 1024)
#define WIRE_LINE 1024

enum wire_kind {
	WIRE_SINK = 'S',     /* discards; queues no more than `size`, unless that is 0 */
	WIRE_FAUCET = 'F',   /* sends without end */
	WIRE_BOTH = 'B',     /* both at once, `size` as for a sink */
	WIRE_ECHO = 'E',     /* says 'k', then answers every `size` bytes with as many */
	WIRE_EXCHANGE = 'X', /* the header begins a message of `size` bytes, which is answered with as many */
	WIRE_IDLE = 'I',     /* says 'k', then discards */
	WIRE_COUNT = 'C',    /* answers every byte with what its sinks have discarded by now, and when (64 bits each) */
};

void wire_header(unsigned char header[WIRE_HEADER], enum wire_kind kind, uint32_t size);

/* Numbers of so many bytes, little endian. */
void wire_put(unsigned char *at, unsigned bytes, uint64_t number);
uint64_t wire_get(const unsigned char *at, unsigned bytes);

/* Before the two below: an IPv4 address instead of 127.0.0.1. -1: it is none. */
__attribute__((warn_unused_result)) int wire_set_server(const char *address);

/* The socket, whose port is given by the kernel and told; -1 with errno. */
__attribute__((warn_unused_result)) int wire_listen(uint16_t *port);

/*
 * The socket, on its way: writable when it is there. `source` is the last byte of its own 127.0.0.x, 0 for any; towards other
 * servers there are no others. -1 with errno.
 */
__attribute__((warn_unused_result)) int wire_connect(uint16_t port, uint8_t source);

/*
 * How much one of so many bulk connections may queue unread, and a socket that keeps to it; 0: as the kernel likes. It likes
 * up to 32 MB each where receivers cannot keep up; a thousand of them fill all of TCP's memory, segments are dropped on
 * loopback, and that would be measured. A few are left alone.
 */
uint32_t wire_queue(unsigned connections);
void wire_bound_queue(int fd, uint32_t bytes);

/* As send() and recv(). */
ssize_t wire_send(int fd, size_t size);
ssize_t wire_send_lines(int fd, size_t size);
ssize_t wire_discard(int fd, size_t size);

/* As many descriptors as the system lets this process have. */
void wire_raise_limit(void);

#endif
