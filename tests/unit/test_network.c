/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks and ports: lists from text, and who is in them.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "network.h"

#define PLAIN "; expected IPV4/BITS, IPV6/BITS, an address, or all"
#define PORTS "; expected IPV4/BITS:PORTS, [IPV6/BITS]:PORTS or all:PORTS, or these without :PORTS"

typedef int parser(struct networks *networks, const char *text, char *error, size_t error_size);

/* The list as text again, ports included; networks are freed. */
static const char *back(struct networks *networks)
{
	static char text[1000];
	char one[NETWORK_TEXT_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < networks->count; i++) {
		size_t length = strlen(text);

		snprintf(text + length, sizeof(text) - length, "%s%s %u-%u", i > 0 ? ", " : "",
			network_text(&networks->list[i], one, sizeof(one)), networks->list[i].ports.low,
			networks->list[i].ports.high);
	}
	networks_free(networks);
	return text;
}

static const struct {
	parser *parse;
	const char *text, *back;
} good[] = {
	{networks_parse, "", ""},
	{networks_parse, "all", "all 0-65535"},
	{networks_parse, "10.0.0.0/8", "10.0.0.0/8 0-65535"},
	{networks_parse, "10.0.0.0/8,10.1.2.3 , fd00::/8\t,all",
		"10.0.0.0/8 0-65535, 10.1.2.3 0-65535, fd00::/8 0-65535, all 0-65535"},
	{networks_parse, "0.0.0.0/0, 128.0.0.0/1, 10.1.2.2/31, 10.1.2.3/32",
		"0.0.0.0/0 0-65535, 128.0.0.0/1 0-65535, 10.1.2.2/31 0-65535, 10.1.2.3 0-65535"},
	{networks_parse, "::/0, 8000::/1, fd00::2/127, FD00:0::1/128",
		"::/0 0-65535, 8000::/1 0-65535, fd00::2/127 0-65535, fd00::1 0-65535"},
	{networks_parse_ports, "", ""},
	{networks_parse_ports, "all, all:443, 10.1.2.3, 10.0.0.0/8:5432, [fd00::/8]:1-1024, [::1], 1.2.3.4:1-65535",
		"all 0-65535, all 443-443, 10.1.2.3 0-65535, 10.0.0.0/8 5432-5432, fd00::/8 1-1024, ::1 0-65535, "
		"1.2.3.4 1-65535"},
	{networks_parse_ports, "0.0.0.0/0:080", "0.0.0.0/0 80-80"},
};

START_TEST(good_lists)
{
	struct networks networks;
	char error[512] = "";
	int rc = good[_i].parse(&networks, good[_i].text, error, sizeof(error));

	ck_assert_msg(rc == 0, "%s: %s", good[_i].text, error);
	ck_assert_str_eq(back(&networks), good[_i].back);
}
END_TEST

static const struct {
	parser *parse;
	const char *text, *error;
} bad[] = {
	{networks_parse, " ", "\"\" is no address" PLAIN},
	{networks_parse, "10.0.0.0/8,", "\"\" is no address" PLAIN},
	{networks_parse, ",all", "\"\" is no address" PLAIN},
	{networks_parse, "all all", "\"all all\" is no address" PLAIN},
	{networks_parse, "All", "\"All\" is no address" PLAIN},
	{networks_parse, "all/0", "\"all\" is no address" PLAIN},
	{networks_parse, "/8", "\"\" is no address" PLAIN},
	{networks_parse, "10/8", "\"10\" is no address" PLAIN},
	{networks_parse, "10.0.0/24", "\"10.0.0\" is no address" PLAIN},
	{networks_parse, "010.0.0.0/8", "\"010.0.0.0\" is no address" PLAIN},
	{networks_parse, "localhost", "\"localhost\" is no address" PLAIN},
	{networks_parse, "10.0.0.1:80", "\"10.0.0.1:80\" is no address" PLAIN},
	{networks_parse, "[fd00::]/8", "\"[fd00::]\" is no address" PLAIN},
	{networks_parse, "fe80::1%lo", "\"fe80::1%lo\" is no address" PLAIN},
	{networks_parse, "10.0.0.0/33", "\"33\" is no prefix; expected a number from 0 to 32"},
	{networks_parse, "10.0.0.0/", "\"\" is no prefix; expected a number from 0 to 32"},
	{networks_parse, "10.0.0.0/-1", "\"-1\" is no prefix; expected a number from 0 to 32"},
	{networks_parse, "10.0.0.0/8 ;", "\"8 ;\" is no prefix; expected a number from 0 to 32"},
	{networks_parse, "10.0.0.0/255.0.0.0", "\"255.0.0.0\" is no prefix; expected a number from 0 to 32"},
	{networks_parse, "10.0.0.0/99999999999999999999",
		"\"99999999999999999999\" is no prefix; expected a number from 0 to 32"},
	{networks_parse, "fd00::/129", "\"129\" is no prefix; expected a number from 0 to 128"},
	{networks_parse, "10.1.2.3/8", "10.1.2.3/8 has bits behind its prefix; expected 10.0.0.0/8 or 10.1.2.3"},
	{networks_parse, "10.1.2.3/31", "10.1.2.3/31 has bits behind its prefix; expected 10.1.2.2/31 or 10.1.2.3"},
	{networks_parse, "10.1.2.3/0", "10.1.2.3/0 has bits behind its prefix; expected 0.0.0.0/0 or 10.1.2.3"},
	{networks_parse, "192.0.0.0/1", "192.0.0.0/1 has bits behind its prefix; expected 128.0.0.0/1 or 192.0.0.0"},
	{networks_parse, "fd00::1/64", "fd00::1/64 has bits behind its prefix; expected fd00::/64 or fd00::1"},
	{networks_parse, "::1/127", "::1/127 has bits behind its prefix; expected ::/127 or ::1"},
	{networks_parse, "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104 is IPv4 mapped into IPv6; expected 10.0.0.0/8"},
	{networks_parse, "::ffff:10.1.2.3", "::ffff:10.1.2.3 is IPv4 mapped into IPv6; expected 10.1.2.3"},
	{networks_parse, "::ffff:0:0/96", "::ffff:0.0.0.0/96 is IPv4 mapped into IPv6; expected 0.0.0.0/0"},
	{networks_parse_ports, "all:", "\"\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:0", "\"0\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:65536", "\"65536\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:http", "\"http\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:1-", "\"\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:-1", "\"\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:1-2-3", "\"2-3\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "all:90-80", "the range 90-80 ends before it begins; expected LOW-HIGH"},
	{networks_parse_ports, "fd00::/8",
		"\"fd00::/8\" has more than one ':'; expected an IPv6 network in brackets, [IPV6/BITS]:PORTS"},
	{networks_parse_ports, "[fd00::/8", "no ']' behind '['; expected [IPV6/BITS]:PORTS"},
	{networks_parse_ports, "[fd00::]/8", "\"/8\" behind ']'; expected :PORTS or nothing"},
	{networks_parse_ports, "[fd00::/8]:0", "\"0\" is no port; expected a number from 1 to 65535"},
	{networks_parse_ports, "[10.0.0.0/8]:80", "\"10.0.0.0/8\" stands in brackets; expected these for IPv6 only"},
	{networks_parse_ports, "[all]", "\"all\" stands in brackets; expected these for IPv6 only"},
	{networks_parse_ports, "db:5432", "\"db\" is no address" PORTS},
	{networks_parse_ports, ":80", "\"\" is no address" PORTS},
	{networks_parse_ports, "10.0.0.1/8:80",
		"10.0.0.1/8 has bits behind its prefix; expected 10.0.0.0/8 or 10.0.0.1"},
};

START_TEST(bad_lists)
{
	struct networks networks = {(struct network *)&networks, 7};
	char error[512] = "";

	ck_assert_int_eq(bad[_i].parse(&networks, bad[_i].text, error, sizeof(error)), -1);
	ck_assert_str_eq(error, bad[_i].error);
	ck_assert_ptr_null(networks.list);
	ck_assert_uint_eq(networks.count, 0);
}
END_TEST

START_TEST(port_lists)
{
	struct ports ports;
	char error[512] = "";

	ck_assert_int_eq(ports_parse(&ports, "5432, 8000-8099 ,1-1,65535", error, sizeof(error)), 0);
	ck_assert_uint_eq(ports.count, 4);
	ck_assert_uint_eq(ports.list[0].low, 5432);
	ck_assert_uint_eq(ports.list[0].high, 5432);
	ck_assert_uint_eq(ports.list[1].low, 8000);
	ck_assert_uint_eq(ports.list[1].high, 8099);
	ck_assert_uint_eq(ports.list[3].low, 65535);
	ports_free(&ports);
	ck_assert_ptr_null(ports.list);
	ck_assert_int_eq(ports_parse(&ports, "", error, sizeof(error)), 0);
	ck_assert_uint_eq(ports.count, 0);
	ports_free(&ports);
}
END_TEST

static const struct {
	const char *text, *error;
} bad_ports[] = {
	{"80,", "\"\" is no port; expected a number from 1 to 65535"},
	{"0", "\"0\" is no port; expected a number from 1 to 65535"},
	{"0-5", "\"0\" is no port; expected a number from 1 to 65535"},
	{"1-65536", "\"65536\" is no port; expected a number from 1 to 65535"},
	{"80 - 90", "\"80 \" is no port; expected a number from 1 to 65535"},
	{"80 90", "\"80 90\" is no port; expected a number from 1 to 65535"},
	{"all", "\"all\" is no port; expected a number from 1 to 65535"},
	{"81-80", "the range 81-80 ends before it begins; expected LOW-HIGH"},
	{"80, 80", "80 overlaps with 80; expected each port once"},
	{"1-10, 12, 10-11", "10-11 overlaps with 1-10; expected each port once"},
	{"5, 1-10", "1-10 overlaps with 5; expected each port once"},
};

START_TEST(bad_port_lists)
{
	struct ports ports;
	char error[512] = "";

	ck_assert_int_eq(ports_parse(&ports, bad_ports[_i].text, error, sizeof(error)), -1);
	ck_assert_str_eq(error, bad_ports[_i].error);
	ck_assert_ptr_null(ports.list);
	ck_assert_uint_eq(ports.count, 0);
}
END_TEST

/* ---- who is in them ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *list, *in, *out; /* addresses with blanks between */
} members[] = {
	{"0.0.0.0/0", "0.0.0.0:0 255.255.255.255:1 [::ffff:1.2.3.4]:5", "[::]:0 [::1]:1 unix:/x"},
	{"128.0.0.0/1", "128.0.0.0:1 255.255.255.255:1", "127.255.255.255:1 [8000::]:1"},
	{"10.1.2.2/31", "10.1.2.2:1 10.1.2.3:1", "10.1.2.1:1 10.1.2.4:1"},
	{"10.1.2.3/32", "10.1.2.3:1 [::ffff:10.1.2.3]:1", "10.1.2.2:1 10.1.2.4:1 10.1.130.3:1"},
	{"10.0.0.0/9", "10.127.255.255:1", "10.128.0.0:1 9.255.255.255:1"},
	{"::/0", "[::]:1 [ffff::]:1", "0.0.0.0:1 [::ffff:1.2.3.4]:1"},
	{"8000::/1", "[8000::]:1 [ffff::1]:1", "[7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1"},
	{"fd00::2/127", "[fd00::2]:1 [fd00::3]:1", "[fd00::1]:1 [fd00::4]:1"},
	{"fd00::1/128", "[fd00::1]:1", "[fd00::]:1 [fd00::2]:1 [fd00:0:0:1::1]:1"},
	{"fd00::/8", "[fdff::1]:1", "[fe00::]:1 [fc00::]:1"},
	{"all", "1.2.3.4:0 [::1]:65535 [::ffff:1.2.3.4]:1", "unix:/x"},
	{"10.0.0.0/8, fd00::1", "10.0.0.1:1 [fd00::1]:1", "11.0.0.1:1 [fd00::2]:1"},
	{"", "", "1.2.3.4:1 [::1]:1 unix:/x"},
	{"10.0.0.0/8:80-90, [fd00::/8]:443", "10.0.0.1:80 10.0.0.1:90 [::ffff:10.0.0.1]:85 [fd00::1]:443",
		"10.0.0.1:79 10.0.0.1:91 11.0.0.1:80 [fd00::1]:444 10.0.0.1:443"},
	{"all:443", "1.2.3.4:443 [::1]:443", "1.2.3.4:0 [::1]:442"},
};

static void assert_members(const struct networks *networks, const char *list, const char *addresses, bool in)
{
	char copy[500], error[512], *rest = copy, *word;
	struct address address;

	snprintf(copy, sizeof(copy), "%s", addresses);
	while ((word = strsep(&rest, " ")) != NULL && *word != '\0') {
		ck_assert_msg(address_parse(&address, word, error, sizeof(error)) == 0, "%s", error);
		ck_assert_msg(networks_have(networks, &address) == in, "%s is%s in \"%s\"", word, in ? " not" : "",
			list);
	}
}

START_TEST(members_of_lists)
{
	struct networks networks;
	char error[512] = "";
	struct address none = {.length = 0};

	ck_assert_msg(networks_parse_ports(&networks, members[_i].list, error, sizeof(error)) == 0 ||
			networks_parse(&networks, members[_i].list, error, sizeof(error)) == 0,
		"%s", error);
	assert_members(&networks, members[_i].list, members[_i].in, true);
	assert_members(&networks, members[_i].list, members[_i].out, false);
	ck_assert(!networks_have(&networks, &none));
	networks_free(&networks);
}
END_TEST

static bool within(const char *narrow, const char *wide)
{
	struct networks a, b;
	char error[512] = "";
	bool result;

	ck_assert_msg(networks_parse_ports(&a, narrow, error, sizeof(error)) == 0, "%s", error);
	ck_assert_msg(networks_parse_ports(&b, wide, error, sizeof(error)) == 0, "%s", error);
	result = network_within(a.list, b.list);
	networks_free(&a);
	networks_free(&b);
	return result;
}

START_TEST(networks_within_others)
{
	ck_assert(within("10.1.0.0/16", "10.0.0.0/8"));
	ck_assert(within("10.0.0.0/8", "10.0.0.0/8"));
	ck_assert(within("10.0.0.0/8", "all"));
	ck_assert(within("[fd00::1]:80", "[fd00::/8]:1-100"));
	ck_assert(!within("10.0.0.0/8", "10.1.0.0/16"));
	ck_assert(!within("10.0.0.0/8", "10.0.0.0/8:80"));
	ck_assert(!within("all", "0.0.0.0/0"));
	ck_assert(!within("[::/0]", "0.0.0.0/0"));
}
END_TEST

START_TEST(families)
{
	struct networks networks;
	char error[512];

	ck_assert_int_eq(networks_parse(&networks, "10.0.0.0/8, fd00::/8, all", error, sizeof(error)), 0);
	ck_assert(network_is(&networks.list[0], AF_INET) && !network_is(&networks.list[0], AF_INET6));
	ck_assert(!network_is(&networks.list[1], AF_INET) && network_is(&networks.list[1], AF_INET6));
	ck_assert(network_is(&networks.list[2], AF_INET) && network_is(&networks.list[2], AF_INET6));
	networks_free(&networks);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("network");
	TCase *tcase = tcase_create("network");

	tcase_add_loop_test(tcase, good_lists, 0, COUNT(good));
	tcase_add_loop_test(tcase, bad_lists, 0, COUNT(bad));
	tcase_add_test(tcase, port_lists);
	tcase_add_loop_test(tcase, bad_port_lists, 0, COUNT(bad_ports));
	tcase_add_loop_test(tcase, members_of_lists, 0, COUNT(members));
	tcase_add_test(tcase, networks_within_others);
	tcase_add_test(tcase, families);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
