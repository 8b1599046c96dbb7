/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxied - PROXY headers as the ends of a session send and see them, made by this program's own hands.
 */
#ifndef PROXIED_H
#define PROXIED_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define HEADER_MAX (16 + 65535)
#define TCP4 0x11 /* what a version 2 header is about */
#define TCP6 0x21
#define UNIX 0x31

struct header {
	size_t length;
	unsigned char bytes[HEADER_MAX];
};

void header_line(struct header *header, const char *line); /* version 1; CR LF follow */

/* Version 2: "\x21" is the command PROXY, "\x20" LOCAL. */
void header_v2(struct header *header, unsigned command, unsigned kind, const void *block, size_t length);
void header_tcp(struct header *header, const char *source, unsigned source_port, const char *destination,
	unsigned destination_port); /* of its addresses' family */
void header_unix(struct header *header, const char *source, const char *destination);
void header_tlv(struct header *header, unsigned type, const void *value, size_t length);
void header_sum(struct header *header);   /* a checksum, over all that is there so far */
void header_resum(struct header *header); /* makes the one that is there right */

/* Bytes outside of the pattern: said at once; one by one; as many more of the pattern right behind them. */
void end_say(struct end *end, const struct header *header);
void end_say_slowly(struct end *end, const struct header *header, size_t from);
void end_say_and_write(struct end *end, const struct header *header, size_t length);

/* Exactly these are what comes next. */
void end_hear(struct end *end, const struct header *header);

/* A client that weir may keep waiting: from one of 127.0.0.0/8; it becomes a pair with the server's next session. */
struct pair pair_come(const char *from, unsigned port);
void pair_get_in(struct pair *pair, struct server *server);

void pair_exchange(struct pair *pair); /* whatever the server has not got yet arrives, and some more, both ways */
void pair_finish(struct pair *pair);   /* both end cleanly */

#endif
