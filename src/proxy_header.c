/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header - the PROXY protocol's header: what both versions share.
 */
#include "proxy_header.h"

#include <stdbool.h>
#include <string.h>

#include "proxy_header_versions.h"

static enum proxy_header_state fail(struct proxy_header *header, const char *why)
{
	memset(header, 0, sizeof(*header));
	header->wrong = why;
	return PROXY_HEADER_WRONG;
}

/* One byte tells the versions apart. */
enum proxy_header_state proxy_header_parse(struct proxy_header *header, const void *bytes, size_t length, size_t limit)
{
	int version = length == 0 ? 0 : *(const char *)bytes == '\r' ? 2 : 1;
	const char *why;

	memset(header, 0, sizeof(*header));
	why = version == 2 ? proxy_header_begin_v2(header, bytes, length)
			   : proxy_header_begin_v1(header, bytes, length);
	if (why == NULL && header->bytes > limit)
		why = "longer than the limit";
	if (why != NULL)
		return fail(header, why);
	header->version = version;
	if (length < header->bytes)
		return PROXY_HEADER_MORE;
	why = version == 2 ? proxy_header_read_v2(header, bytes) : proxy_header_read_v1(header, bytes);
	return why != NULL ? fail(header, why) : PROXY_HEADER_DONE;
}

static struct address as_ipv6(const struct address *address)
{
	struct address mapped = {.length = sizeof(mapped.in6)};

	if (address->sa.sa_family == AF_INET6)
		return *address;
	mapped.in6.sin6_family = AF_INET6;
	mapped.in6.sin6_port = address->in.sin_port;
	memset(mapped.in6.sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(mapped.in6.sin6_addr.s6_addr + 12, &address->in.sin_addr, 4);
	return mapped;
}

static int family(const struct address *address)
{
	return address->length == 0 ? AF_UNSPEC : address->sa.sa_family;
}

static bool is_ip(const struct address *address)
{
	return family(address) == AF_INET || family(address) == AF_INET6;
}

size_t proxy_header_write(void *bytes, size_t size, int version, const struct address *source,
	const struct address *destination, const unsigned char *tlvs, size_t tlv_bytes)
{
	struct address from = *source, to = *destination;

	if (is_ip(source) && is_ip(destination) && family(source) != family(destination)) {
		from = as_ipv6(source);
		to = as_ipv6(destination);
	} else if (family(source) != family(destination)) {
		from.length = to.length = 0;
	}
	if (version == 1)
		return proxy_header_write_v1(bytes, size, &from, &to);
	return proxy_header_write_v2(bytes, size, &from, &to, tlvs, tlv_bytes);
}
