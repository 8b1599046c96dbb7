/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address - where to listen and where to connect: IPv4, IPv6, unix:/path, or a host name still to be resolved.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#define ADDRESS_TEXT_MAX 128 /* "unix:" and a full sun_path, or "[IPv6%scope]:port", with the NUL */

/* A socket address with its length; length 0 means none. */
struct address {
	socklen_t length;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
};

/* An address that is kept for many connections: without room for a unix path. All zero: none. */
union address_brief {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Of a unix address, only the family is kept. */
void address_pack(union address_brief *brief, const struct address *address);
void address_unpack(const union address_brief *brief, struct address *address);

/* Whether that is what was packed, with its port and scope; a unix address is none. */
bool address_is_packed(const struct address *address, const union address_brief *brief);

/*
 * Parses "1.2.3.4:80", "[::1]:80", "[fe80::1%eth0]:80" or "unix:/path" (absolute, fits sun_path). Ports 0..65535; port 0 asks
 * the kernel for one when listening. 0, or -1 with "what is wrong; what was expected" in error.
 */
int address_parse(struct address *address, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/*
 * The same for where to connect: besides, "name:port" is accepted, leaves address->length 0 and puts the name into
 * host (host_size at least 256) and the port into *port. Port 0 is an error. A numeric address leaves host empty.
 */
int address_parse_target(struct address *address, char *host, size_t host_size, uint16_t *port, const char *text,
	char *error, size_t error_size) __attribute__((warn_unused_result));

/* As text: "1.2.3.4:80", "[::1]:80", "unix:/path", "unix:" for an unnamed one, "-" for none. Returns buffer. */
const char *address_text(const struct address *address, char *buffer, size_t size);

bool address_is_loopback(const struct address *address); /* 127/8, ::1, and 127/8 mapped into IPv6; unix: no */
bool address_is_unix(const struct address *address);
bool address_is_wildcard(const struct address *address); /* 0.0.0.0 or :: */
bool address_is_many(const struct address *address);     /* multicast, or 255.255.255.255 */
void address_unmap(struct address *address);             /* IPv4 mapped into IPv6 becomes IPv4; others stay */
void address_reached(struct address *address); /* what connect() makes of it: unmapped, loopback if it is a wildcard */
/* Whether both are of one family of the internet, and the same address, of the same link if it is link-local; ports do not
   count. */
bool address_same_host(const struct address *a, const struct address *b);

uint16_t address_port(const struct address *address); /* 0 for unix */

#endif
