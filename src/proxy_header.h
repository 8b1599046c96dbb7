/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header - the PROXY protocol's header, versions 1 and 2: bytes to meaning, meaning to bytes.
 *
 * Pure: no socket, no clock, no allocation. It is the first thing on a connection, sent by a proxy to say who its client is
 * (PROXY protocol specification, by the authors of HAProxy, revision 2.2).
 */
#ifndef PROXY_HEADER_H
#define PROXY_HEADER_H

#include <stddef.h>

#include "address.h"

#define PROXY_HEADER_V1_MAX 107               /* bytes, CR LF included */
#define PROXY_HEADER_FIXED 16                 /* bytes of a version 2 header before its addresses */
#define PROXY_HEADER_MAX (16 + 65535)         /* bytes that version 2 can have */
#define PROXY_HEADER_ADDRESSES_MAX (16 + 216) /* bytes of version 2 without TLVs */

enum proxy_header_state {
	PROXY_HEADER_MORE, /* right so far, more bytes are needed */
	PROXY_HEADER_DONE,
	PROXY_HEADER_WRONG,
};

struct proxy_header {
	int version; /* 1 or 2; 0: not a byte of it is there */
	size_t bytes; /* DONE: the header's length. MORE: it has at least so many: who reads no further reads none behind it */
	/* the proxy's client, and where that connected to; length 0: the header does not say (UNKNOWN, LOCAL, UNSPEC,
	   datagrams): the connection's own addresses count */
	struct address source;
	struct address destination;
	const unsigned char *tlvs; /* version 2: what follows the addresses, as it came; within the bytes parsed */
	size_t tlv_bytes;
	const char *wrong; /* WRONG: why, for the log: "a second checksum"; static. All else is 0 then */
};

/*
 * Looks at the first `length` bytes of a connection; those behind the header are not looked at. `limit`: a header that is
 * longer is WRONG as soon as it is known. Checked are: signature, version, command, family and transport, lengths, numeric
 * addresses and ports in their one form, every TLV's length, and the checksum (TLV 0x03, CRC-32C) where there is one. What
 * comes with LOCAL is skipped, as the specification wants it; but if it is TLVs, it is kept, and a checksum counts.
 */
enum proxy_header_state proxy_header_parse(struct proxy_header *header, const void *bytes, size_t length, size_t limit);

/*
 * Writes a header of this version (1 or 2) with these addresses. Of two families of the internet, the IPv4 one is mapped
 * into IPv6; where version 1 cannot say it, it says UNKNOWN; where version 2 cannot, LOCAL. tlvs (version 2; NULL for none)
 * follow as they are, but for a checksum among them, which is worked out anew. Returns its length, or 0 if it does not fit
 * (into `size`, or TLVs into what the protocol allows) or these are no TLVs.
 */
size_t proxy_header_write(void *bytes, size_t size, int version, const struct address *source,
	const struct address *destination, const unsigned char *tlvs, size_t tlv_bytes);

#endif
