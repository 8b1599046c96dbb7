/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY headers: good ones whole and byte by byte, wrong ones with their reasons, and what is written read again.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy_header.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIMIT 4096
/* A literal with its length; the NUL at its end is not in it. */
#define BYTES(literal) literal, sizeof(literal) - 1

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(command, kind, length) SIGNATURE command kind length
#define LOCAL "\x20"
#define PROXY "\x21"
#define TCP4 "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\xff\xff"
#define IP6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
#define TCP6 IP6 "\x01" IP6 "\x02\x00\x50\xff\xff"
#define ZERO_27 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZERO_106 ZERO_27 ZERO_27 ZERO_27 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define X_27 "xxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define PATH_108 "/" X_27 X_27 X_27 "xxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LINE_107 "PROXY UNKNOWN " X_27 X_27 X_27 "xxxxxxxxxx\r\n"

/* ---- good ones ------------------------------------------------------------------------------------------------------ */

static const struct good {
	const char *name, *bytes;
	size_t length;
	const char *source, *destination; /* as address_text() has them; "-" for none */
	size_t tlv_bytes;
} good[] = {
	{"v1 tcp4", BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65535\r\n"), "1.2.3.4:80", "5.6.7.8:65535", 0},
	{"v1 tcp4 shortest", BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0", "0.0.0.0:0", 0},
	{"v1 tcp4 longest", BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
		"255.255.255.255:65535", "255.255.255.255:65535", 0},
	{"v1 tcp6", BYTES("PROXY TCP6 2001:DB8::1 ::ffff:1.2.3.4 1 2\r\n"), "[2001:db8::1]:1", "[::ffff:1.2.3.4]:2", 0},
	{"v1 tcp6 shortest", BYTES("PROXY TCP6 :: :: 0 0\r\n"), "[::]:0", "[::]:0", 0},
	{"v1 tcp6 longest",
		BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
		      "65535\r\n"),
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		0},
	{"v1 unknown", BYTES("PROXY UNKNOWN\r\n"), "-", "-", 0},
	{"v1 unknown with a space", BYTES("PROXY UNKNOWN \r\n"), "-", "-", 0},
	{"v1 unknown, 107 bytes", BYTES(LINE_107), "-", "-", 0},
	{"v1 unknown with addresses", BYTES("PROXY UNKNOWN ::1 ::2 3 4\r\n"), "-", "-", 0},
	{"v1 unknown and anything", BYTES("PROXY UNKNOWN \0\r\r \n \xff\r\n"), "-", "-", 0},
	{"v2 tcp4", BYTES(V2(PROXY, "\x11", "\0\x0c") TCP4), "1.2.3.4:80", "5.6.7.8:65535", 0},
	{"v2 tcp6", BYTES(V2(PROXY, "\x21", "\0\x24") TCP6), "[2001:db8::1]:80", "[2001:db8::2]:65535", 0},
	{"v2 unix", BYTES(V2(PROXY, "\x31", "\0\xd8") "/a" ZERO_106 "/b" ZERO_106), "unix:/a", "unix:/b", 0},
	{"v2 unix, full and unnamed", BYTES(V2(PROXY, "\x31", "\0\xd8") PATH_108 "\0\0" ZERO_106), "unix:" PATH_108,
		"unix:", 0},
	{"v2 unix, abstract", BYTES(V2(PROXY, "\x31", "\0\xd8") "\0a" ZERO_106 PATH_108), "unix:@a", "unix:" PATH_108,
		0},
	{"v2 unspecified", BYTES(V2(PROXY, "\0", "\0\0")), "-", "-", 0},
	{"v2 unspecified with TLVs", BYTES(V2(PROXY, "\0", "\0\x05") "\x04\0\x02xx"), "-", "-", 5},
	{"v2 unspecified transport", BYTES(V2(PROXY, "\x10", "\0\x0c") TCP4), "-", "-", 0},
	{"v2 unspecified family", BYTES(V2(PROXY, "\x01", "\0\0")), "-", "-", 0},
	{"v2 udp4", BYTES(V2(PROXY, "\x12", "\0\x0c") TCP4), "-", "-", 0},
	{"v2 udp6 with TLVs", BYTES(V2(PROXY, "\x22", "\0\x27") TCP6 "\x04\0\0"), "-", "-", 3},
	{"v2 local", BYTES(V2(LOCAL, "\0", "\0\0")), "-", "-", 0},
	{"v2 local with addresses", BYTES(V2(LOCAL, "\x11", "\0\x0c") TCP4), "-", "-", 0},
	{"v2 local without the addresses", BYTES(V2(LOCAL, "\x21", "\0\x0c") TCP4), "-", "-", 0},
	{"v2 local of an unknown family", BYTES(V2(LOCAL, "\x79", "\0\x02") "ab"), "-", "-", 0},
	{"v2 local with a block of anything", BYTES(V2(LOCAL, "\0", "\0\x03") "abc"), "-", "-", 0},
	{"v2 local with TLVs", BYTES(V2(LOCAL, "\0", "\0\x04") "\x05\0\x01i"), "-", "-", 4},
	{"v2 TLVs",
		BYTES(V2(PROXY, "\x11", "\0\x1e") TCP4 "\x01\0\x02h2\x02\0\x01"
						       "a\x04\0\0\xe0\0\x03xyz"),
		"1.2.3.4:80", "5.6.7.8:65535", 18},
	{"haproxy: send-proxy", BYTES("PROXY TCP4 127.0.0.1 127.0.0.1 60960 18182\r\n"), "127.0.0.1:60960",
		"127.0.0.1:18182", 0},
	{"haproxy: send-proxy for a unix client", BYTES("PROXY UNKNOWN\r\n"), "-", "-", 0},
	{"haproxy: send-proxy-v2", BYTES(V2(PROXY, "\x11", "\0\x0c") "\x7f\0\0\x01\x7f\0\0\x01\x8d\x50\x47\x07"),
		"127.0.0.1:36176", "127.0.0.1:18183", 0},
	{"haproxy: send-proxy-v2 for a unix client", BYTES(V2(LOCAL, "\0", "\0\0")), "-", "-", 0},
	{"haproxy: send-proxy-v2 crc32c,unique-id",
		BYTES(V2(PROXY, "\x11", "\0\x20") "\x7f\0\0\x01\x7f\0\0\x01\xb6\x34\x47\x08\x03\0\x04\x48\x66\x87\xae"
						  "\x05\0\x0aid-13939-9"),
		"127.0.0.1:46644", "127.0.0.1:18184", 20},
	{"haproxy: send-proxy-v2-ssl-cn",
		BYTES(V2(PROXY, "\x11", "\0\x14") "\x7f\0\0\x01\x7f\0\0\x01\x8d\x5a\x47\x09\x20\0\x05\0\0\0\0\0"),
		"127.0.0.1:36186", "127.0.0.1:18185", 8},
};

static void check_meaning(const struct proxy_header *header, const struct good *right)
{
	char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];

	address_text(&header->source, source, sizeof(source));
	address_text(&header->destination, destination, sizeof(destination));
	ck_assert_msg(header->version == (right->bytes[0] == 'P' ? 1 : 2), "%s: version %d", right->name,
		header->version);
	ck_assert_msg(header->bytes == right->length, "%s: %zu of %zu bytes", right->name, header->bytes,
		right->length);
	ck_assert_msg(strcmp(source, right->source) == 0, "%s: from %s", right->name, source);
	ck_assert_msg(strcmp(destination, right->destination) == 0, "%s: to %s", right->name, destination);
	ck_assert_msg(header->tlv_bytes == right->tlv_bytes, "%s: %zu bytes of TLVs", right->name, header->tlv_bytes);
}

START_TEST(good_headers)
{
	struct proxy_header header;
	char bytes[512] = "";
	enum proxy_header_state state = proxy_header_parse(&header, good[_i].bytes, good[_i].length, LIMIT);

	ck_assert_msg(state == PROXY_HEADER_DONE, "%s: %d, %s", good[_i].name, state, header.wrong);
	check_meaning(&header, &good[_i]);
	if (good[_i].tlv_bytes > 0)
		ck_assert_ptr_eq(header.tlvs, good[_i].bytes + good[_i].length - good[_i].tlv_bytes);

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, good[_i].bytes, good[_i].length);
	ck_assert_int_eq(proxy_header_parse(&header, bytes, sizeof(bytes), LIMIT), PROXY_HEADER_DONE);
	check_meaning(&header, &good[_i]);
	ck_assert_int_eq(proxy_header_parse(&header, bytes, sizeof(bytes), good[_i].length), PROXY_HEADER_DONE);
	ck_assert_int_eq(proxy_header_parse(&header, bytes, sizeof(bytes), good[_i].length - 1), PROXY_HEADER_WRONG);
}
END_TEST

/* Each beginning is right so far, and tells no more than is sure. */
START_TEST(good_headers_byte_by_byte)
{
	struct proxy_header header;
	enum proxy_header_state state;
	size_t least = 0;

	for (size_t length = 0; length < good[_i].length; length++) {
		unsigned char *bytes = malloc(length + 1);

		memcpy(bytes, good[_i].bytes, length);
		state = proxy_header_parse(&header, bytes, length, LIMIT);
		ck_assert_msg(state == PROXY_HEADER_MORE, "%s, %zu bytes: %d, %s", good[_i].name, length, state,
			header.wrong);
		ck_assert_msg(header.bytes > length && header.bytes >= least && header.bytes <= good[_i].length,
			"%s, %zu bytes: it has %zu", good[_i].name, length, header.bytes);
		ck_assert_int_eq(header.version == 0, length == 0);
		ck_assert_uint_eq(header.source.length, 0);
		least = header.bytes;
		free(bytes);
	}
}
END_TEST

/* ---- wrong ones ----------------------------------------------------------------------------------------------------- */

#define PLACE "a byte that has no place in it"
#define NONE "no PROXY header"

static const struct wrong {
	const char *bytes;
	size_t length; /* up to the first byte that shows it */
	const char *why;
} wrong[] = {
	{BYTES("G"), NONE},
	{BYTES("\n"), NONE},
	{BYTES("\0"), NONE},
	{BYTES("PROXX"), NONE},
	{BYTES("p"), NONE},
	{BYTES("PROXY\t"), NONE},
	{BYTES("PROXY  "), "neither TCP4 nor TCP6 nor UNKNOWN"},
	{BYTES("PROXY TCP5"), "neither TCP4 nor TCP6 nor UNKNOWN"},
	{BYTES("PROXY UD"), "neither TCP4 nor TCP6 nor UNKNOWN"},
	{BYTES("PROXY TCP4\t"), "neither TCP4 nor TCP6 nor UNKNOWN"},
	{BYTES("PROXY UNKNOWNX"), PLACE},
	{BYTES("PROXY UNKNOWN\n"), PLACE},
	{BYTES("PROXY UNKNOWN\r\r"), PLACE},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65535\n"), PLACE},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65535\rx"), PLACE},
	{BYTES("PROXY TCP4 1.2.3.4\t"), PLACE},
	{BYTES("PROXY TCP4 1.2.3.4\0"), PLACE},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 +"), PLACE},
	{BYTES("PROXY TCP6 fe80::1%"), PLACE},
	{BYTES("PROXY TCP4 \r\n"), "other than two addresses and two ports"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80\r\n"), "other than two addresses and two ports"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65535 \r\n"), "other than two addresses and two ports"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65535 1\r\n"), "other than two addresses and two ports"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8  80\r\n"), "a wrong port"},
	{BYTES("PROXY TCP4  1.2.3.4 5.6.7.8 80\r\n"), "a wrong IPv4 address"},
	{BYTES("PROXY TCP4 1.2.3.4  80 65535\r\n"), "a wrong IPv4 address"},
	{BYTES("PROXY TCP4 1.2.3 5.6.7.8 80 65535\r\n"), "a wrong IPv4 address"},
	{BYTES("PROXY TCP4 01.2.3.4 5.6.7.8 80 65535\r\n"), "a wrong IPv4 address"},
	{BYTES("PROXY TCP4 1.2.3.256 5.6.7.8 80 65535\r\n"), "a wrong IPv4 address"},
	{BYTES("PROXY TCP4 1.2.3.4 ::1 80 65535\r\n"), "a wrong IPv4 address"},
	{BYTES("PROXY TCP6 1.2.3.4 ::1 80 65535\r\n"), "a wrong IPv6 address"},
	{BYTES("PROXY TCP6 ::1 ::1::2 80 65535\r\n"), "a wrong IPv6 address"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 080 65535\r\n"), "a wrong port"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 00\r\n"), "a wrong port"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65536\r\n"), "a wrong port"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 4294967376 1\r\n"), "a wrong port"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 50 0x"), PLACE},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 50 a\r\n"), "a wrong port"},
	{BYTES("PROXY UNKNOWN " X_27 X_27 X_27 "xxxxxxxxxxx"), "no end of the line within 107 bytes"},
	{BYTES("\rP"), NONE},
	{BYTES("\r\n\r\n\0\r\nQUIT\r"), NONE},
	{BYTES(SIGNATURE "\x11"), "an unknown version"},
	{BYTES(SIGNATURE "\x31"), "an unknown version"},
	{BYTES(SIGNATURE "\x22"), "an unknown command"},
	{BYTES(SIGNATURE "\x2f"), "an unknown command"},
	{BYTES(SIGNATURE PROXY "\x41"), "an unknown address family"},
	{BYTES(SIGNATURE PROXY "\x13"), "an unknown transport"},
	{BYTES(V2(PROXY, "\x11", "\0\x0b")), "no room for the addresses"},
	{BYTES(V2(PROXY, "\x22", "\0\x23")), "no room for the addresses"},
	{BYTES(V2(PROXY, "\x31", "\0\xd7")), "no room for the addresses"},
	{BYTES(V2(PROXY, "\x11", "\x0f\xf1")), "longer than the limit"},
	{BYTES(V2(LOCAL, "\0", "\xff\xff")), "longer than the limit"},
	{BYTES(V2(PROXY, "\x11", "\0\x0e") TCP4 "\x04\0"), "a TLV without a length"},
	{BYTES(V2(PROXY, "\x11", "\0\x0f") TCP4 "\x04\0\x01"), "a TLV beyond the header's end"},
	{BYTES(V2(PROXY, "\x11", "\0\x13") TCP4 "\x04\0\0\x05\x01\0x"), "a TLV beyond the header's end"},
	{BYTES(V2(PROXY, "\x11", "\0\x0f") TCP4 "\x03\0\0"), "a checksum of a wrong length"},
	{BYTES(V2(PROXY, "\x11", "\0\x14") TCP4 "\x03\0\x05zzzzz"), "a checksum of a wrong length"},
	{BYTES(V2(PROXY, "\x11", "\0\x1a") TCP4 "\x03\0\x04zzzz\x03\0\x04zzzz"), "a second checksum"},
	{BYTES(V2(PROXY, "\x11", "\0\x13") TCP4 "\x03\0\x04\0\0\0\0"), "a wrong checksum"},
	{BYTES(V2(PROXY, "\x11", "\0\x20") "\x7f\0\0\x01\x7f\0\0\x01\xb6\x35\x47\x08\x03\0\x04\x48\x66\x87\xae"
					   "\x05\0\x0aid-13939-9"),
		"a wrong checksum"},
	{BYTES(V2(LOCAL, "\0", "\0\x07") "\x03\0\x04\0\0\0\0"), "a wrong checksum"},
};

START_TEST(wrong_headers)
{
	struct proxy_header header;
	char bytes[256];
	enum proxy_header_state state = proxy_header_parse(&header, wrong[_i].bytes, wrong[_i].length, LIMIT);

	ck_assert_msg(state == PROXY_HEADER_WRONG, "\"%s\": %d", wrong[_i].bytes, state);
	ck_assert_str_eq(header.wrong, wrong[_i].why);
	ck_assert_uint_eq(header.source.length + header.destination.length + header.tlv_bytes, 0);
	ck_assert_msg(proxy_header_parse(&header, wrong[_i].bytes, wrong[_i].length - 1, LIMIT) == PROXY_HEADER_MORE,
		"\"%s\" is wrong earlier: %s", wrong[_i].bytes, header.wrong);

	memset(bytes, '\r', sizeof(bytes));
	memcpy(bytes, wrong[_i].bytes, wrong[_i].length);
	ck_assert_int_eq(proxy_header_parse(&header, bytes, sizeof(bytes), LIMIT), PROXY_HEADER_WRONG);
}
END_TEST

/* Any bit that fell over is seen by the checksum, if by nothing else: but in its own type, or where lengths are. */
START_TEST(checksum_sees_each_bit)
{
	static const char bytes[] = V2(PROXY, "\x11", "\0\x20") "\x7f\0\0\x01\x7f\0\0\x01\xb6\x34\x47\x08\x03\0\x04"
								"\x48\x66\x87\xae\x05\0\x0aid-13939-9";
	struct proxy_header header;
	unsigned char bent[sizeof(bytes) - 1];

	for (size_t bit = 0; bit < sizeof(bent) * 8; bit++) {
		if (bit / 8 == 28 || bit / 8 == 14 || bit / 8 == 15)
			continue;
		memcpy(bent, bytes, sizeof(bent));
		bent[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_msg(proxy_header_parse(&header, bent, sizeof(bent), LIMIT) == PROXY_HEADER_WRONG, "bit %zu",
			bit);
	}
}
END_TEST

/* ---- written ones --------------------------------------------------------------------------------------------------- */

static struct address parsed(const char *text)
{
	struct address address = {.length = 0};
	char error[512] = "";

	if (strcmp(text, "-") != 0)
		ck_assert_msg(address_parse(&address, text, error, sizeof(error)) == 0, "%s", error);
	return address;
}

static const struct written {
	const char *source, *destination;
	int version;
	const char *bytes;
	size_t length;
} written[] = {
	{"1.2.3.4:80", "5.6.7.8:65535", 1, BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 65535\r\n")},
	{"[2001:db8::1]:0", "[::1]:9", 1, BYTES("PROXY TCP6 2001:db8::1 ::1 0 9\r\n")},
	{"1.2.3.4:80", "[::1]:9", 1, BYTES("PROXY TCP6 ::ffff:1.2.3.4 ::1 80 9\r\n")},
	{"[::1]:9", "1.2.3.4:80", 1, BYTES("PROXY TCP6 ::1 ::ffff:1.2.3.4 9 80\r\n")},
	{"unix:/a", "unix:/b", 1, BYTES("PROXY UNKNOWN\r\n")},
	{"unix:/a", "1.2.3.4:80", 1, BYTES("PROXY UNKNOWN\r\n")},
	{"-", "1.2.3.4:80", 1, BYTES("PROXY UNKNOWN\r\n")},
	{"-", "-", 1, BYTES("PROXY UNKNOWN\r\n")},
	{"1.2.3.4:80", "5.6.7.8:65535", 2, BYTES(V2(PROXY, "\x11", "\0\x0c") TCP4)},
	{"[2001:db8::1]:80", "[2001:db8::2]:65535", 2, BYTES(V2(PROXY, "\x21", "\0\x24") TCP6)},
	{"1.2.3.4:80", "[2001:db8::2]:65535", 2,
		BYTES(V2(PROXY, "\x21", "\0\x24") "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04" IP6
						  "\x02\x00\x50\xff\xff")},
	{"unix:/a", "1.2.3.4:80", 2, BYTES(V2(LOCAL, "\0", "\0\0"))},
	{"1.2.3.4:80", "-", 2, BYTES(V2(LOCAL, "\0", "\0\0"))},
	{"-", "-", 2, BYTES(V2(LOCAL, "\0", "\0\0"))},
};

START_TEST(written_headers)
{
	struct address source = parsed(written[_i].source), destination = parsed(written[_i].destination);
	unsigned char bytes[PROXY_HEADER_ADDRESSES_MAX];
	size_t right = written[_i].length;

	ck_assert_uint_eq(proxy_header_write(bytes, sizeof(bytes), written[_i].version, &source, &destination, NULL, 0),
		right);
	ck_assert_mem_eq(bytes, written[_i].bytes, right);
	ck_assert_uint_eq(proxy_header_write(bytes, right, written[_i].version, &source, &destination, NULL, 0), right);
	ck_assert_uint_eq(proxy_header_write(bytes, right - 1, written[_i].version, &source, &destination, NULL, 0), 0);
}
END_TEST

START_TEST(no_header_is_longer_than_its_length_can_say)
{
	static unsigned char tlvs[65535], bytes[PROXY_HEADER_MAX + 100];
	struct address source = parsed("1.2.3.4:5"), destination = parsed("6.7.8.9:10");
	size_t most = sizeof(tlvs) - 12;
	struct proxy_header header;

	tlvs[0] = 4;
	tlvs[1] = 0xff;
	tlvs[2] = 0xf0;
	ck_assert_uint_eq(proxy_header_write(bytes, sizeof(bytes), 2, &source, &destination, tlvs, 3 + 0xfff0),
		PROXY_HEADER_MAX);
	ck_assert_uint_eq(most, 3 + 0xfff0);
	ck_assert_int_eq(proxy_header_parse(&header, bytes, sizeof(bytes), PROXY_HEADER_MAX), PROXY_HEADER_DONE);
	ck_assert_uint_eq(header.tlv_bytes, most);
	tlvs[2]++;
	ck_assert_uint_eq(proxy_header_write(bytes, sizeof(bytes), 2, &source, &destination, tlvs, most + 1), 0);
}
END_TEST

START_TEST(what_are_no_tlvs_is_not_written)
{
	static const struct {
		const char *bytes;
		size_t length;
	} bad[] = {{BYTES("\x04")}, {BYTES("\x04\0\x02x")}, {BYTES("\x03\0\x01x")}};
	struct address source = parsed("1.2.3.4:5"), destination = parsed("6.7.8.9:10");
	unsigned char bytes[LIMIT];

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_uint_eq(proxy_header_write(bytes, sizeof(bytes), 2, &source, &destination,
					  (const unsigned char *)bad[i].bytes, bad[i].length),
			0);
}
END_TEST

/* ---- there and back ------------------------------------------------------------------------------------------------- */

static uint64_t draws;

static unsigned draw(unsigned below)
{
	draws = draws * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(draws >> 33) % below;
}

static void draw_bytes(void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((unsigned char *)bytes)[i] = (unsigned char)draw(256);
}

static struct address draw_address(int family)
{
	struct address address = {.sa.sa_family = (sa_family_t)family};

	if (family == AF_INET) {
		draw_bytes(&address.in.sin_addr, 4);
		draw_bytes(&address.in.sin_port, 2);
		address.length = sizeof(address.in);
	} else if (family == AF_INET6) {
		draw_bytes(&address.in6.sin6_addr, 16);
		draw_bytes(&address.in6.sin6_port, 2);
		address.length = sizeof(address.in6);
	} else if (family == AF_UNIX) {
		size_t length = draw(sizeof(address.un.sun_path) + 1);

		memset(address.un.sun_path, 'u', length);
		address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length +
			(length > 0 && length < sizeof(address.un.sun_path)));
	}
	return address;
}

/* Some TLVs of any type, with a checksum among them if asked for. */
static size_t draw_tlvs(unsigned char *tlvs, bool checksum)
{
	unsigned count = draw(5), place = draw(count + 1);
	size_t length = 0;

	for (unsigned i = 0; i <= count; i++) {
		if (checksum && i == place) {
			memcpy(tlvs + length, "\x03\0\x04...", 7);
			length += 7;
		} else {
			unsigned bytes = draw(draw(10) == 0 ? 300 : 20);

			tlvs[length] = (unsigned char)(4 + draw(252));
			tlvs[length + 1] = (unsigned char)(bytes >> 8);
			tlvs[length + 2] = (unsigned char)bytes;
			draw_bytes(tlvs + length + 3, bytes);
			length += 3 + bytes;
		}
	}
	return length;
}

static bool is_same(const struct address *a, const struct address *b)
{
	return a->length == b->length && memcmp(&a->storage, &b->storage, a->length) == 0;
}

static void there_and_back(int version, int family)
{
	struct address source = draw_address(family), destination = draw_address(family);
	bool checksum = draw(2) == 0, told = family != AF_UNSPEC && (version == 2 || family != AF_UNIX);
	unsigned char tlvs[LIMIT], bytes[2 * LIMIT];
	size_t tlv_bytes = version == 2 ? draw_tlvs(tlvs, checksum) : 0;
	size_t length = proxy_header_write(bytes, sizeof(bytes), version, &source, &destination, tlvs, tlv_bytes);
	struct proxy_header header;

	ck_assert_uint_gt(length, 0);
	ck_assert_msg(proxy_header_parse(&header, bytes, length, sizeof(bytes)) == PROXY_HEADER_DONE, "%s",
		header.wrong);
	ck_assert_int_eq(header.version, version);
	ck_assert_uint_eq(header.bytes, length);
	ck_assert(is_same(&header.source, told ? &source : &(struct address){.length = 0}));
	ck_assert(is_same(&header.destination, told ? &destination : &(struct address){.length = 0}));
	ck_assert_uint_eq(header.tlv_bytes, tlv_bytes);
	if (tlv_bytes > 0 && !checksum)
		ck_assert_mem_eq(header.tlvs, tlvs, tlv_bytes);
	for (size_t i = 0; i < length; i++)
		ck_assert_int_eq(proxy_header_parse(&header, bytes, i, sizeof(bytes)), PROXY_HEADER_MORE);
}

START_TEST(random_headers_there_and_back)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX};

	draws = (uint64_t)_i;
	for (unsigned i = 0; i < 100; i++)
		there_and_back(1 + (int)draw(2), families[draw(COUNT(families))]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy_header");
	TCase *tcase = tcase_create("proxy_header");

	tcase_add_loop_test(tcase, good_headers, 0, COUNT(good));
	tcase_add_loop_test(tcase, good_headers_byte_by_byte, 0, COUNT(good));
	tcase_add_loop_test(tcase, wrong_headers, 0, COUNT(wrong));
	tcase_add_test(tcase, checksum_sees_each_bit);
	tcase_add_loop_test(tcase, written_headers, 0, COUNT(written));
	tcase_add_test(tcase, no_header_is_longer_than_its_length_can_say);
	tcase_add_test(tcase, what_are_no_tlvs_is_not_written);
	tcase_add_loop_test(tcase, random_headers_there_and_back, 0, 20);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
