/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header_versions - version 2: a signature, a few fixed bytes, the block: addresses and TLVs (type, length, value).
 */
#include "proxy_header_versions.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VERSION_2 0x20 /* in the byte behind the signature; the command is its other half */
#define LOCAL 0
#define PROXY 1
#define FAMILY_MAX 3    /* unix */
#define TRANSPORT_MAX 2 /* datagrams */
#define TCP4 0x11       /* family and transport */
#define TCP6 0x21
#define UNIX_STREAM 0x31
#define PATH_BYTES 108 /* of a unix address, whatever sun_path has */
#define TLV_FIXED 3    /* bytes of a type and a length */
#define TLV_CHECKSUM 0x03
#define CHECKSUM_BYTES 4

_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) >= PATH_BYTES, "the longest path has room");

static const unsigned char signature[] = {'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

static unsigned get16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void put16(unsigned char *at, size_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/* Bytes that the addresses of this kind (family and transport) have. */
static size_t kind_bytes(unsigned kind)
{
	static const size_t bytes[FAMILY_MAX + 1] = {0, 12, 36, 2 * PATH_BYTES};

	return kind >> 4 <= FAMILY_MAX ? bytes[kind >> 4] : 0;
}

/* ---- TLVs and their checksum ---------------------------------------------------------------------------------------- */

/* CRC-32C: Castagnoli's polynomial, 0x1EDC6F41 (RFC 4960, appendix B), its bits reversed; half a byte at a time. */
static uint32_t checksum_add(uint32_t sum, const unsigned char *bytes, size_t length)
{
	static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab,
		0xe330a81a, 0xf36e6f75};

	for (; length > 0; length--, bytes++) {
		sum ^= *bytes;
		sum = sum >> 4 ^ table[sum & 15];
		sum = sum >> 4 ^ table[sum & 15];
	}
	return sum;
}

/* Of the whole header, as if the value at this offset were zero; as it stands on the wire. */
static void checksum_make(unsigned char sum[CHECKSUM_BYTES], const unsigned char *header, size_t length, size_t offset)
{
	static const unsigned char zero[CHECKSUM_BYTES];
	size_t behind = offset + CHECKSUM_BYTES;
	uint32_t value = checksum_add(UINT32_MAX, header, offset);

	value = checksum_add(value, zero, CHECKSUM_BYTES);
	value = ~checksum_add(value, header + behind, length - behind);
	put16(sum, value >> 16);
	put16(sum + 2, value);
}

/* What is wrong with the TLVs from `at` to the header's end, or NULL. checksum: the offset of its value, 0 for none. */
static const char *check_tlvs(const unsigned char *header, size_t at, size_t length, size_t *checksum)
{
	size_t bytes;

	*checksum = 0;
	for (; at < length; at += bytes) {
		if (length - at < TLV_FIXED)
			return "a TLV without a length";
		bytes = TLV_FIXED + get16(header + at + 1);
		if (bytes > length - at)
			return "a TLV beyond the header's end";
		if (header[at] != TLV_CHECKSUM)
			continue;
		if (bytes != TLV_FIXED + CHECKSUM_BYTES)
			return "a checksum of a wrong length";
		if (*checksum != 0)
			return "a second checksum";
		*checksum = at + TLV_FIXED;
	}
	return NULL;
}

/* ---- to meaning ----------------------------------------------------------------------------------------------------- */

/* A LOCAL header's family does not matter. */
static const char *check_kind(const unsigned char *bytes, size_t length)
{
	unsigned command = bytes[12] & 15;

	if ((bytes[12] & 0xf0) != VERSION_2)
		return "an unknown version";
	if (command > PROXY)
		return "an unknown command";
	if (length < 14 || command == LOCAL)
		return NULL;
	if (bytes[13] >> 4 > FAMILY_MAX)
		return "an unknown address family";
	if ((bytes[13] & 15) > TRANSPORT_MAX)
		return "an unknown transport";
	if (length >= PROXY_HEADER_FIXED && get16(bytes + 14) < kind_bytes(bytes[13]))
		return "no room for the addresses";
	return NULL;
}

const char *proxy_header_begin_v2(struct proxy_header *header, const unsigned char *bytes, size_t length)
{
	if (memcmp(bytes, signature, length < sizeof(signature) ? length : sizeof(signature)) != 0)
		return "no PROXY header";
	header->bytes = PROXY_HEADER_FIXED;
	if (length >= PROXY_HEADER_FIXED)
		header->bytes += get16(bytes + 14);
	return length > sizeof(signature) ? check_kind(bytes, length) : NULL;
}

static void read_ipv4(struct address *address, const unsigned char *in, const unsigned char *port)
{
	address->in.sin_family = AF_INET;
	memcpy(&address->in.sin_addr, in, 4);
	memcpy(&address->in.sin_port, port, 2);
	address->length = sizeof(address->in);
}

static void read_ipv6(struct address *address, const unsigned char *in6, const unsigned char *port)
{
	address->in6.sin6_family = AF_INET6;
	memcpy(&address->in6.sin6_addr, in6, 16);
	memcpy(&address->in6.sin6_port, port, 2);
	address->length = sizeof(address->in6);
}

/* A path ends at a NUL, if it does not fill its place; an abstract name begins with one, and ends at the last other byte. */
static void read_unix(struct address *address, const unsigned char *path)
{
	size_t length = PATH_BYTES;

	while (length > 0 && path[length - 1] == '\0')
		length--;
	if (length > 0 && path[0] != '\0')
		length = strnlen((const char *)path, PATH_BYTES - 1) + 1;
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, path, length);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* Datagrams and what is not specified have addresses, too, but not those of a connection. */
static void read_addresses(struct proxy_header *header, unsigned kind, const unsigned char *block)
{
	if (kind == TCP4) {
		read_ipv4(&header->source, block, block + 8);
		read_ipv4(&header->destination, block + 4, block + 10);
	} else if (kind == TCP6) {
		read_ipv6(&header->source, block, block + 32);
		read_ipv6(&header->destination, block + 16, block + 34);
	} else if (kind == UNIX_STREAM) {
		read_unix(&header->source, block);
		read_unix(&header->destination, block + PATH_BYTES);
	}
}

/* What stands behind LOCAL is skipped, whatever it is; but if it is TLVs, they are TLVs. */
const char *proxy_header_read_v2(struct proxy_header *header, const unsigned char *bytes)
{
	size_t at = PROXY_HEADER_FIXED + kind_bytes(bytes[13]), checksum;
	bool local = (bytes[12] & 15) == LOCAL;
	unsigned char sum[CHECKSUM_BYTES];
	const char *why;

	if (local && at > header->bytes)
		return NULL;
	why = check_tlvs(bytes, at, header->bytes, &checksum);
	if (why != NULL)
		return local ? NULL : why;
	if (checksum != 0) {
		checksum_make(sum, bytes, header->bytes, checksum);
		if (memcmp(sum, bytes + checksum, CHECKSUM_BYTES) != 0)
			return "a wrong checksum";
	}
	if (!local)
		read_addresses(header, bytes[13], bytes + PROXY_HEADER_FIXED);
	header->tlvs = bytes + at;
	header->tlv_bytes = header->bytes - at;
	return NULL;
}

/* ---- to bytes ------------------------------------------------------------------------------------------------------- */

static void write_unix(unsigned char *path, const struct address *address)
{
	size_t length = address->length - offsetof(struct sockaddr_un, sun_path);

	memset(path, 0, PATH_BYTES);
	memcpy(path, address->un.sun_path, length < PATH_BYTES ? length : PATH_BYTES);
}

/* Returns their kind; 0 where there are none that could be written. */
static unsigned write_addresses(unsigned char *block, const struct address *source, const struct address *destination)
{
	switch (source->length == 0 ? AF_UNSPEC : source->sa.sa_family) {
	case AF_INET:
		memcpy(block, &source->in.sin_addr, 4);
		memcpy(block + 4, &destination->in.sin_addr, 4);
		memcpy(block + 8, &source->in.sin_port, 2);
		memcpy(block + 10, &destination->in.sin_port, 2);
		return TCP4;
	case AF_INET6:
		memcpy(block, &source->in6.sin6_addr, 16);
		memcpy(block + 16, &destination->in6.sin6_addr, 16);
		memcpy(block + 32, &source->in6.sin6_port, 2);
		memcpy(block + 34, &destination->in6.sin6_port, 2);
		return TCP6;
	case AF_UNIX:
		write_unix(block, source);
		write_unix(block + PATH_BYTES, destination);
		return UNIX_STREAM;
	default:
		return 0;
	}
}

/* Without addresses it is LOCAL: UNSPEC would say the same, but some (haproxy 2.6) refuse that. */
size_t proxy_header_write_v2(unsigned char *bytes, size_t size, const struct address *source,
	const struct address *destination, const unsigned char *tlvs, size_t tlv_bytes)
{
	unsigned char head[PROXY_HEADER_ADDRESSES_MAX];
	unsigned kind = write_addresses(head + PROXY_HEADER_FIXED, source, destination);
	size_t at = PROXY_HEADER_FIXED + kind_bytes(kind), length = at + tlv_bytes, checksum;

	if (length > size || length > PROXY_HEADER_MAX)
		return 0;
	memcpy(head, signature, sizeof(signature));
	head[12] = VERSION_2 | (kind != 0 ? PROXY : LOCAL);
	head[13] = (unsigned char)kind;
	put16(head + 14, length - PROXY_HEADER_FIXED);
	memcpy(bytes, head, at);
	if (tlv_bytes > 0)
		memcpy(bytes + at, tlvs, tlv_bytes);
	if (check_tlvs(bytes, at, length, &checksum) != NULL)
		return 0;
	if (checksum != 0)
		checksum_make(bytes + checksum, bytes, length, checksum);
	return length;
}
