/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * network - lists of networks, with or without ports, and of ports: who may come, and where to.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct port_range {
	uint16_t low; /* 1..65535 */
	uint16_t high;
};

/* One network. Without ports: 0..65535. */
struct network {
	sa_family_t family; /* AF_INET, AF_INET6, or AF_UNSPEC: all of both */
	uint8_t prefix;     /* bits */
	union {
		struct in_addr in;
		struct in6_addr in6;
	};
	struct port_range ports;
};

/* Owned; all zero: none. */
struct networks {
	struct network *list;
	size_t count;
};

struct ports {
	struct port_range *list;
	size_t count;
};

/* Room for "[IPv6/128]:65535-65535" and the NUL. */
#define NETWORK_TEXT_MAX 72

/*
 * A list with commas between: "10.0.0.0/8", "10.1.2.3", "fd00::/8", "all". 0, or -1 with "what is wrong; what was
 * expected" in error: bits behind the prefix are an error, too. Empty text: an empty list.
 */
int networks_parse(struct networks *networks, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* The same with ports, which may be left out: "10.0.0.0/8:5432", "[fd00::/8]:1-1024", "all:443", "10.1.2.3". */
int networks_parse_ports(struct networks *networks, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void networks_free(struct networks *networks);

/* Ports and ranges with commas between: "5432, 8000-8099". As above; two that overlap are an error. */
int ports_parse(struct ports *ports, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void ports_free(struct ports *ports);

/* Whether the address lies in one of them, its port included. An IPv4 address mapped into IPv6 counts as IPv4; a unix one is
   in none. */
bool networks_have(const struct networks *networks, const struct address *address);

/* Whether all of the network, its ports included, lies in the wider one. */
bool network_within(const struct network *network, const struct network *wider);

/* Whether the network is of this family, or of all. */
bool network_is(const struct network *network, sa_family_t family);

/* "10.0.0.0/8", "10.1.2.3", "all"; without ports. Returns buffer. */
const char *network_text(const struct network *network, char *buffer, size_t size);

#endif
