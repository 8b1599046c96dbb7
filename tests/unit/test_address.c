/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses from text and to text, for listening and for connecting.
 */
#include "unit.h"

#include <string.h>

#include "address.h"

#define PATH_107                                                                                                       \
	"/2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
#define LISTEN "; expected IPV4:PORT, [IPV6]:PORT or unix:/PATH"
#define TARGET "; expected NAME:PORT, IPV4:PORT, [IPV6]:PORT or unix:/PATH"

static const struct {
	const char *text, *back;
} good[] = {{"1.2.3.4:80", "1.2.3.4:80"}, {"0.0.0.0:0", "0.0.0.0:0"}, {"[::1]:65535", "[::1]:65535"},
	{"[::]:0", "[::]:0"}, {"[2001:DB8:0::5]:007", "[2001:db8::5]:7"},
	{"[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]:80"}, {"[fe80::1%lo]:80", "[fe80::1%lo]:80"},
	{"[fe80::1%1]:80", "[fe80::1%lo]:80"}, {"[fe80::1%999999999]:80", "[fe80::1%999999999]:80"},
	{"unix:/run/x.sock", "unix:/run/x.sock"}, {"unix:" PATH_107, "unix:" PATH_107}};

START_TEST(good_listen)
{
	char error[512] = "", text[ADDRESS_TEXT_MAX];
	struct address address;

	ck_assert_msg(address_parse(&address, good[_i].text, error, sizeof(error)) == 0, "%s", error);
	ck_assert_str_eq(address_text(&address, text, sizeof(text)), good[_i].back);
}
END_TEST

static const struct {
	const char *text, *error;
} bad[] = {
	{"", "the address is empty" LISTEN},
	{"1.2.3.4", "\"1.2.3.4\" has no port" LISTEN},
	{"1.2.3.4:", "\"\" is no port; expected a number from 0 to 65535"},
	{"1.2.3.4:x", "\"x\" is no port; expected a number from 0 to 65535"},
	{"1.2.3.4:-1", "\"-1\" is no port; expected a number from 0 to 65535"},
	{"1.2.3.4:80x", "\"80x\" is no port; expected a number from 0 to 65535"},
	{"1.2.3.4: 80", "\" 80\" is no port; expected a number from 0 to 65535"},
	{"1.2.3.4:65536", "\"65536\" is no port; expected a number from 0 to 65535"},
	{"1.2.3.4:99999999999999999999", "\"99999999999999999999\" is no port; expected a number from 0 to 65535"},
	{"1.2.3:80", "\"1.2.3\" is no IPv4 address" LISTEN},
	{"256.1.1.1:80", "\"256.1.1.1\" is no IPv4 address" LISTEN},
	{"localhost:80", "\"localhost\" is no IPv4 address" LISTEN},
	{":80", "\"\" is no IPv4 address" LISTEN},
	{"::1:80", "\"::1:80\" has more than one ':'; expected an IPv6 address in brackets, [IPV6]:PORT"},
	{"[::1]", "no port behind ']'; expected [IPV6]:PORT"},
	{"[::1]80", "no port behind ']'; expected [IPV6]:PORT"},
	{"[::1", "no ']' behind '['; expected [IPV6]:PORT"},
	{"[::1]:", "\"\" is no port; expected a number from 0 to 65535"},
	{"[]:80", "\"\" is no IPv6 address" LISTEN},
	{"[1.2.3.4]:80", "\"1.2.3.4\" is no IPv6 address" LISTEN},
	{"[fe80::1%nosuch0]:80", "no network interface \"nosuch0\"; expected one of this host"},
	{"[fe80::1%]:80", "no network interface \"\"; expected one of this host"},
	{"unix:", "\"\" is no absolute path; expected unix:/PATH"},
	{"unix:/", "\"/\" is no absolute path; expected unix:/PATH"},
	{"unix:x.sock", "\"x.sock\" is no absolute path; expected unix:/PATH"},
	{"unix:" PATH_107 "x", "a path of 108 bytes is too long; expected at most 107"},
};

START_TEST(bad_listen)
{
	struct address address;
	char error[512] = "";

	ck_assert_int_eq(address_parse(&address, bad[_i].text, error, sizeof(error)), -1);
	ck_assert_str_eq(error, bad[_i].error);
}
END_TEST

START_TEST(long_text_is_refused)
{
	char text[5000], error[512] = "";
	struct address address;

	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(address_parse(&address, text, error, sizeof(error)), -1);
	ck_assert_str_eq(error, "an address of 4999 bytes is too long" LISTEN);
}
END_TEST

static const struct {
	const char *text, *host;
	unsigned port;
} targets[] = {{"localhost:80", "localhost", 80}, {"db-1.example_x.org.:5432", "db-1.example_x.org.", 5432},
	{"1a.2b:1", "1a.2b", 1}, {"1.2.3.4:80", "", 80}, {"[::1]:81", "", 81}, {"unix:/x", "", 0}};

START_TEST(good_target)
{
	char error[512] = "", host[256];
	struct address address;
	uint16_t port;
	int rc = address_parse_target(&address, host, sizeof(host), &port, targets[_i].text, error, sizeof(error));

	ck_assert_msg(rc == 0, "%s", error);
	ck_assert_str_eq(host, targets[_i].host);
	ck_assert_uint_eq(port, targets[_i].port);
	ck_assert_int_eq(address.length == 0, host[0] != '\0');
}
END_TEST

static const struct {
	const char *text, *error;
} bad_targets[] = {
	{"localhost", "\"localhost\" has no port" TARGET},
	{"localhost:0", "\"0\" is no port; expected a number from 1 to 65535"},
	{"1.2.3.4:0", "\"0\" is no port; expected a number from 1 to 65535"},
	{"[::1]:0", "\"0\" is no port; expected a number from 1 to 65535"},
	{"999.1.1.1:80", "\"999.1.1.1\" is no IPv4 address and no host name" TARGET},
	{"a..b:80", "\"a..b\" is no IPv4 address and no host name" TARGET},
	{"-a:80", "\"-a\" is no IPv4 address and no host name" TARGET},
	{".:80", "\".\" is no IPv4 address and no host name" TARGET},
	{"a b:80", "\"a b\" is no IPv4 address and no host name" TARGET},
	{":80", "\"\" is no IPv4 address and no host name" TARGET},
	{"http://x:80", "\"http://x:80\" has more than one ':'; expected an IPv6 address in brackets, [IPV6]:PORT"},
};

START_TEST(bad_target)
{
	char error[512] = "", host[256];
	struct address address;
	uint16_t port;

	ck_assert_int_eq(address_parse_target(&address, host, sizeof(host), &port, bad_targets[_i].text, error,
				 sizeof(error)),
		-1);
	ck_assert_str_eq(error, bad_targets[_i].error);
}
END_TEST

START_TEST(unix_names_of_all_kinds)
{
	struct address address = {.length = sizeof(sa_family_t), .un = {.sun_family = AF_UNIX}};
	char text[ADDRESS_TEXT_MAX];

	ck_assert_str_eq(address_text(&address, text, sizeof(text)), "unix:");
	memcpy(address.un.sun_path, "\0ab\n", 4);
	address.length = sizeof(sa_family_t) + 4;
	ck_assert_str_eq(address_text(&address, text, sizeof(text)), "unix:@ab?");
	memset(address.un.sun_path, 'x', sizeof(address.un.sun_path));
	address.length = sizeof(address.un);
	ck_assert_uint_eq(strlen(address_text(&address, text, sizeof(text))), 5 + sizeof(address.un.sun_path));
	address.length = 0;
	ck_assert_str_eq(address_text(&address, text, sizeof(text)), "-");
}
END_TEST

static struct address parsed(const char *text)
{
	struct address address;
	char error[512] = "";

	ck_assert_msg(address_parse(&address, text, error, sizeof(error)) == 0, "%s", error);
	return address;
}

static const struct {
	const char *text, *unmapped;
} mappings[] = {{"[::ffff:1.2.3.4]:80", "1.2.3.4:80"}, {"[::ffff:0.0.0.0]:0", "0.0.0.0:0"}, {"[::1]:80", "[::1]:80"},
	{"[::fffe:1.2.3.4]:80", "[::fffe:102:304]:80"}, {"1.2.3.4:80", "1.2.3.4:80"}, {"unix:/run/x", "unix:/run/x"}};

START_TEST(mapped_addresses_become_what_they_stand_for)
{
	char error[512] = "", text[ADDRESS_TEXT_MAX];
	struct address address, same, none = {0};

	ck_assert_int_eq(address_parse(&address, mappings[_i].text, error, sizeof(error)), 0);
	ck_assert_int_eq(address_parse(&same, mappings[_i].unmapped, error, sizeof(error)), 0);
	address_unmap(&address);
	ck_assert_str_eq(address_text(&address, text, sizeof(text)), mappings[_i].unmapped);
	ck_assert_int_eq(address.length, same.length);
	ck_assert_mem_eq(&address.storage, &same.storage, same.length);
	address_unmap(&none);
	ck_assert_int_eq(none.length, 0);
}
END_TEST

START_TEST(questions)
{
	struct address loopback = parsed("127.9.9.9:1"), far = parsed("10.0.0.1:4712"), six = parsed("[::1]:4711");
	struct address mapped = parsed("[::ffff:127.0.0.1]:1"), far_mapped = parsed("[::ffff:10.0.0.1]:1");
	struct address far_six = parsed("[2001:db8::1]:1"), local = parsed("unix:/x"), none = {.length = 0};

	ck_assert(address_is_loopback(&loopback) && address_is_loopback(&six) && address_is_loopback(&mapped));
	ck_assert(!address_is_loopback(&far) && !address_is_loopback(&far_six) && !address_is_loopback(&far_mapped));
	ck_assert(!address_is_loopback(&local) && !address_is_loopback(&none));
	ck_assert(!address_is_many(&far) && !address_is_many(&far_six) && !address_is_many(&local) &&
		!address_is_many(&none));
	ck_assert(address_is_unix(&local) && !address_is_unix(&six) && !address_is_unix(&none));
	ck_assert_uint_eq(address_port(&six), 4711);
	ck_assert_uint_eq(address_port(&far), 4712);
	ck_assert_uint_eq(address_port(&local), 0);
}
END_TEST

static const char *const many[] = {"224.0.0.1:1", "239.255.255.255:1", "255.255.255.255:1", "[ff02::1%1]:1",
	"[ff0e::1]:1"};

START_TEST(addresses_of_many)
{
	struct address address = parsed(many[_i]);

	ck_assert(address_is_many(&address) && !address_is_wildcard(&address));
}
END_TEST

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");

	tcase_add_loop_test(tcase, good_listen, 0, COUNT(good));
	tcase_add_loop_test(tcase, bad_listen, 0, COUNT(bad));
	tcase_add_test(tcase, long_text_is_refused);
	tcase_add_loop_test(tcase, good_target, 0, COUNT(targets));
	tcase_add_loop_test(tcase, bad_target, 0, COUNT(bad_targets));
	tcase_add_test(tcase, unix_names_of_all_kinds);
	tcase_add_loop_test(tcase, mapped_addresses_become_what_they_stand_for, 0, COUNT(mappings));
	tcase_add_test(tcase, questions);
	tcase_add_loop_test(tcase, addresses_of_many, 0, COUNT(many));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
