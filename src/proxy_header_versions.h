/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_header_versions - the parts of proxy_header.c: version 1 is a line of text, version 2 is binary.
 */
#ifndef PROXY_HEADER_VERSIONS_H
#define PROXY_HEADER_VERSIONS_H

#include "proxy_header.h"

/* What is wrong with the first `length` bytes (any number), or NULL; then `bytes` is how many it has, at least: beyond
   `length` if it has not come to its end yet. */
const char *proxy_header_begin_v1(struct proxy_header *header, const char *line, size_t length);
const char *proxy_header_begin_v2(struct proxy_header *header, const unsigned char *bytes, size_t length);

/* The same header, whole: takes its meaning. What is wrong with it, or NULL. */
const char *proxy_header_read_v1(struct proxy_header *header, const char *line);
const char *proxy_header_read_v2(struct proxy_header *header, const unsigned char *bytes);

/* As proxy_header_write(); both addresses are of one family, or have no length. */
size_t proxy_header_write_v1(char *line, size_t size, const struct address *source, const struct address *destination);
size_t proxy_header_write_v2(unsigned char *bytes, size_t size, const struct address *source,
	const struct address *destination, const unsigned char *tlvs, size_t tlv_bytes);

#endif
