/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy - the first bytes of any connection, parsed as they come; see fuzz.h.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "proxy_header.h"

#define BROAD 4096
#define NARROW 60

/* What was found of a growing number of bytes. */
struct look {
	enum proxy_header_state state;
	struct proxy_header header;
	const unsigned char *bytes; /* copied, as many as there were: AddressSanitizer sees who reads beyond */
};

static void look_at(struct look *look, const unsigned char *input, size_t length, size_t limit)
{
	unsigned char *copy = length > 0 ? calloc(length, 1) : NULL;

	if (length > 0 && !copy)
		abort();
	if (length > 0)
		memcpy(copy, input, length);
	look->state = proxy_header_parse(&look->header, copy, length, limit);
	look->bytes = copy;
}

static void look_away(struct look *look)
{
	free((void *)look->bytes);
}

static int is_same_address(const struct address *a, const struct address *b)
{
	return a->length == b->length && memcmp(&a->storage, &b->storage, a->length) == 0;
}

static int is_same(const struct look *a, const struct look *b)
{
	const struct proxy_header *one = &a->header, *other = &b->header;

	return one->version == other->version && is_same_address(&one->source, &other->source) &&
		is_same_address(&one->destination, &other->destination) && one->tlv_bytes == other->tlv_bytes;
}

/* What is wrong with a look at so many bytes, by itself. */
static const char *check(const struct look *look, size_t length, size_t limit)
{
	const struct proxy_header *header = &look->header;

	switch (look->state) {
	case PROXY_HEADER_MORE:
		if (header->bytes <= length || header->bytes > limit || header->wrong)
			return "more wanted, but not beyond what there is, or beyond the limit";
		if (header->source.length || header->destination.length || header->tlv_bytes)
			return "more wanted, and something is known already";
		return NULL;
	case PROXY_HEADER_DONE:
		if (header->bytes > length || header->bytes > limit || header->wrong)
			return "done with more bytes than there are, or beyond the limit";
		if (header->tlv_bytes && header->tlvs + header->tlv_bytes != look->bytes + header->bytes)
			return "TLVs that do not end where the header does";
		return NULL;
	case PROXY_HEADER_WRONG:
		return header->wrong && !header->bytes && !header->version ? NULL
									   : "wrong without a reason, or not only";
	}
	return "an unknown state";
}

/* And after a look at one byte less. */
static const char *check_step(const struct look *before, const struct look *now, size_t length)
{
	switch (before->state) {
	case PROXY_HEADER_MORE:
		if (now->state == PROXY_HEADER_DONE && now->header.bytes != length)
			return "done too late";
		return now->state != PROXY_HEADER_WRONG && now->header.bytes < before->header.bytes
			? "shorter than said"
			: NULL;
	case PROXY_HEADER_DONE:
		return now->state == PROXY_HEADER_DONE && now->header.bytes == before->header.bytes &&
				is_same(before, now)
			? NULL
			: "bytes behind the header matter";
	default:
		return now->state == PROXY_HEADER_WRONG ? NULL : "wrong no more";
	}
}

static const char *grow(struct look *last, const unsigned char *input, size_t length, size_t limit)
{
	const char *wrong;
	struct look now;

	look_at(last, input, 0, limit);
	wrong = check(last, 0, limit);
	for (size_t i = 1; i <= length && !wrong; i++) {
		look_at(&now, input, i, limit);
		wrong = check(&now, i, limit);
		if (!wrong)
			wrong = check_step(last, &now, i);
		look_away(last);
		*last = now;
	}
	return wrong;
}

static size_t write_back(unsigned char *bytes, const struct look *look)
{
	const struct proxy_header *header = &look->header;

	return proxy_header_write(bytes, BROAD, header->version, &header->source, &header->destination, header->tlvs,
		header->tlv_bytes);
}

/* All that version 2 says of TCP has one form. */
static int has_one_form(const unsigned char *input)
{
	return input[0] == '\r' && input[12] == 0x21 && (input[13] == 0x11 || input[13] == 0x21);
}

static const char *there_and_back(const struct look *look, const unsigned char *input)
{
	unsigned char bytes[BROAD], again[BROAD];
	size_t length = write_back(bytes, look);
	const char *wrong = NULL;
	struct look back;

	if (length == 0)
		return "not written";
	if (has_one_form(input) && (length != look->header.bytes || memcmp(bytes, input, length) != 0))
		return "other bytes written than read";
	look_at(&back, bytes, length, BROAD);
	if (back.state != PROXY_HEADER_DONE || back.header.bytes != length || !is_same(&back, look))
		wrong = "something else written than read";
	else if (write_back(again, &back) != length || memcmp(again, bytes, length) != 0)
		wrong = "written in two ways";
	look_away(&back);
	return wrong;
}

const char *fuzz_proxy(const unsigned char *input, size_t length)
{
	struct look last;
	const char *wrong = grow(&last, input, length, BROAD);

	if (!wrong && last.state == PROXY_HEADER_DONE)
		wrong = there_and_back(&last, input);
	look_away(&last);
	if (!wrong) {
		wrong = grow(&last, input, length, NARROW);
		look_away(&last);
	}
	return wrong;
}
