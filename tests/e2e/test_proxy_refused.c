/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY headers that never come, or come wrong, late, in part or too long: who sends them is reset, and nobody else notices.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxied.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) literal, sizeof(literal) - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define ADDRESSES "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\xff\xff"
#define ACCEPT "accept_proxy = yes\nproxy_from = 127.0.0.1\n"

static struct server server;
static struct weir *weir;
static unsigned port;
static struct header header;
static unsigned descriptors; /* that weir has with no client */

static void begin(const char *global, const char *listener)
{
	server = server_listen();
	weir = weir_start("[weir]\nworkers = 2\n%s\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n" ACCEPT "%s\n",
		global, server.address, listener);
	port = weir_port(weir, "a");
	descriptors = weir_descriptors(weir);
}

static struct pair come(void)
{
	return pair_come("127.0.0.1", port);
}

/* So many have come in, and are waited for. */
static void expect_waiting(unsigned clients)
{
	EVENTUALLY(weir_sessions(weir) == clients);
	ck_assert_uint_eq(weir_descriptors(weir), descriptors + clients);
	ck_assert_msg(!server_pending(&server), "half a header is enough");
}

static void say(struct pair *pair, const char *bytes, size_t length)
{
	header.length = length;
	memcpy(header.bytes, bytes, length);
	end_say(&pair->client, &header);
}

static void expect_refused(struct pair *pair, const char *reason)
{
	end_expect_reset(&pair->client);
	assert_closed(weir_access(weir, pair->client.port), reason);
	ck_assert_msg(!server_pending(&server), "one that was refused reaches the server");
	end_close(&pair->client);
}

/* Others are served, and nothing is kept of who was refused. */
static void end(unsigned kept)
{
	struct pair other = pair_come("127.0.0.2", port);

	EVENTUALLY(weir_sessions(weir) == 1);
	EVENTUALLY(weir_descriptors(weir) <= descriptors + 2 + kept);
	pair_get_in(&other, &server);
	pair_exchange(&other);
	pair_finish(&other);
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_stop(weir);
}

/* ---- wrong --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *bytes;
	size_t length;
	const char *why; /* a regular expression */
} wrong[] = {
	{BYTES("GET / HTTP/1.0\r\n\r\n"), "no PROXY header"},
	{BYTES("\0"), "no PROXY header"},
	{BYTES("PROXY UDP4 1.2.3.4 5.6.7.8 80 90\r\n"), "neither TCP4 nor TCP6 nor UNKNOWN"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 90\nGET"), "a byte that has no place in it"},
	{BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 80 090\r\n"), "a wrong port"},
	{BYTES("PROXY TCP4 1.2.3.4  5.6.7.8 80 90\r\n"), "other than two addresses and two ports"},
	{BYTES("PROXY TCP6 1.2.3.4 5.6.7.8 80 90\r\n"), "a wrong IPv6 address"},
	{BYTES("PROXY UNKNOWN 34567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"
	       "234567890"),
		"no end of the line within 107 bytes"},
	{BYTES("\r\n\r\n\0\r\nQUIT\r\n"), "no PROXY header"},
	{BYTES(SIGNATURE "\x11\x11\0\x0c" ADDRESSES), "an unknown version"},
	{BYTES(SIGNATURE "\x22\x11\0\x0c" ADDRESSES), "an unknown command"},
	{BYTES(SIGNATURE "\x21\x41\0\x0c" ADDRESSES), "an unknown address family"},
	{BYTES(SIGNATURE "\x21\x13\0\x0c" ADDRESSES), "an unknown transport"},
	{BYTES(SIGNATURE "\x21\x11\0\x0b"), "no room for the addresses"},
	{BYTES(SIGNATURE "\x21\x11\0\x0f" ADDRESSES "\x04\0\x01"), "a TLV beyond the header's end"},
	{BYTES(SIGNATURE "\x21\x11\0\x13" ADDRESSES "\x03\0\x04\0\0\0\0"), "a wrong checksum"},
};

START_TEST(malformed)
{
	char regex[256];
	struct pair pair;

	begin("", "");
	pair = come();
	say(&pair, wrong[_i].bytes, wrong[_i].length);
	expect_refused(&pair, "proxy-error");
	snprintf(regex, sizeof(regex), "listener a: 127\\.0\\.0\\.1:%u is refused: .*%s", pair.client.port,
		wrong[_i].why);
	weir_wait(weir, regex);
	end(0);
}
END_TEST

static const struct {
	const char *line;
	const char *client; /* a regular expression */
} nobodies[] = {
	{"PROXY TCP4 0.0.0.0 192.0.2.1 1 2\r\n", "0\\.0\\.0\\.0:1"},
	{"PROXY TCP4 224.0.0.1 192.0.2.1 1 2\r\n", "224\\.0\\.0\\.1:1"},
	{"PROXY TCP4 255.255.255.255 192.0.2.1 1 2\r\n", "255\\.255\\.255\\.255:1"},
	{"PROXY TCP6 :: 2001:db8::1 1 2\r\n", "\\[::]:1"},
	{"PROXY TCP6 ff02::1 2001:db8::1 1 2\r\n", "\\[ff02::1]:1"},
	{"PROXY TCP6 ::ffff:0.0.0.0 2001:db8::1 1 2\r\n", "0\\.0\\.0\\.0:1"},
};

/* The server would take weir for the client. */
START_TEST(nobody_to_connect_from)
{
	bool port_too = _i % 2 == 0;
	char regex[256];
	struct pair pair;
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool may = setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0;

	close(fd);
	if (!may) {
		harness_skip("it takes CAP_NET_RAW to have a client's address");
		return;
	}
	begin("", port_too ? "upstream_bind = client" : "upstream_bind = client-address");
	pair = come();
	say(&pair, nobodies[_i].line, strlen(nobodies[_i].line));
	end_expect_reset(&pair.client);
	snprintf(regex, sizeof(regex), "listener a: %s is refused: its PROXY header names an address that nobody",
		nobodies[_i].client);
	weir_wait(weir, regex);
	snprintf(regex, sizeof(regex), " session .* client=%s .* close=proxy-error$", nobodies[_i].client);
	weir_wait(weir, regex);
	ck_assert_msg(!server_pending(&server), "one that was refused reaches the server");
	end_close(&pair.client);
	weir_stop(weir);
}
END_TEST

/* Where it is only told, it harms nobody. */
START_TEST(nobody_to_tell_of)
{
	struct pair pair;

	begin("", "");
	pair = come();
	say(&pair, nobodies[_i].line, strlen(nobodies[_i].line));
	pair_get_in(&pair, &server);
	pair_exchange(&pair);
	pair_finish(&pair);
	end(0);
}
END_TEST

/* ---- in part ------------------------------------------------------------------------------------------------------- */

START_TEST(ended_in_the_middle)
{
	static const size_t lengths[] = {0, 1, 12, 20, 27};
	struct pair pair;

	begin("", "");
	header_tcp(&header, "192.0.2.1", 4711, "198.51.100.2", 80);
	header.length = lengths[_i];
	pair = come();
	end_say(&pair.client, &header);
	end_shutdown(&pair.client);
	expect_refused(&pair, "proxy-error");
	end(0);
}
END_TEST

START_TEST(reset_in_the_middle)
{
	struct pair pair;

	begin("", "");
	pair = come();
	say(&pair, BYTES("PROXY TCP4 192.0.2.1 19"));
	expect_waiting(1);
	end_reset(&pair.client);
	assert_closed(weir_access(weir, pair.client.port), "client-reset");
	end(0);
}
END_TEST

/* It is not among the bytes of a stream, so the header is never whole. */
START_TEST(an_urgent_byte_in_the_middle)
{
	struct pair pair;

	begin("", "proxy_timeout = 500ms");
	pair = come();
	say(&pair, BYTES("PROXY TCP4 192.0.2.1 198."));
	ck_assert_int_eq(send(pair.client.fd, "5", 1, MSG_OOB), 1);
	say(&pair, BYTES("1.100.2 4711 80\r\n"));
	end_expect_reset(&pair.client);
	ck_assert_msg(!server_pending(&server), "a header with a hole is taken");
	end_close(&pair.client);
	end(0);
}
END_TEST

/* Each reason is told once a second: who knocks often with one does not hide the others. */
START_TEST(reasons_do_not_hide_each_other)
{
	struct pair pair;

	begin("", "deny = 127.0.0.3");
	pair = come();
	say(&pair, wrong[0].bytes, wrong[0].length);
	expect_refused(&pair, "proxy-error");
	weir_wait(weir, " warning listener a: 127.0.0.1:[0-9]+ is refused: no PROXY header");
	pair = pair_come("127.0.0.3", port);
	expect_refused(&pair, "denied");
	weir_wait(weir, " warning listener a: 127.0.0.3:[0-9]+ is refused: denied");
	end(0);
}
END_TEST

/* ---- late ---------------------------------------------------------------------------------------------------------- */

/* Nothing at all, some of it, or a byte every now and then: the time is for the whole header. */
START_TEST(slow)
{
	double since, now;
	struct pair pair;

	begin("", "proxy_timeout = 500ms");
	since = harness_now();
	pair = come();
	if (_i == 1)
		say(&pair, BYTES("PROXY TCP4 192."));
	if (_i == 2) {
		header_line(&header,
			"PROXY UNKNOWN 5678901234567890123456789012345678901234567890123456789012345678901234567890");
		for (size_t i = 0; i < header.length && pair.client.in_error == 0 && harness_now() < since + 0.4; i++)
			say(&pair, (const char *)header.bytes + i, 1);
	}
	expect_refused(&pair, "proxy-timeout");
	now = harness_now();
	ck_assert_msg(now - since >= 0.5, "after %g s already", now - since);
	end(0);
}
END_TEST

START_TEST(in_time)
{
	struct pair pair;

	begin("", _i == 0 ? "proxy_timeout = 1h" : "proxy_timeout = never");
	pair = come();
	say(&pair, BYTES("PROXY TCP4 192.0.2.1 198.51.100"));
	pairs_settle(&pair, 1, 0.5);
	expect_waiting(1);
	weir_wait(weir, " status - listener=a client=127.0.0.1:[0-9]+ waits=proxy-header age=[0-9.]+s$");
	say(&pair, BYTES(".2 4711 80\r\n"));
	pair_get_in(&pair, &server);
	pair_exchange(&pair);
	pair_finish(&pair);
	end(2);
}
END_TEST

/* ---- too long ------------------------------------------------------------------------------------------------------ */

/* A header of so many bytes. */
static void make_long(size_t length)
{
	static unsigned char noop[65535];

	header_tcp(&header, "192.0.2.1", 4711, "198.51.100.2", 80);
	header_tlv(&header, 4, noop, length - header.length - 3);
	ck_assert_uint_eq(header.length, length);
}

static const struct {
	const char *line;
	size_t limit;
} limits[] = {{"", 4096}, {"proxy_limit = 536", 536}, {"proxy_limit = 1001", 1001}, {"rcvbuf = 4096", 4096}};

START_TEST(oversized)
{
	struct pair pair;

	begin("", limits[_i].line);
	make_long(limits[_i].limit + 1);
	header.length = 16; /* these say it all */
	pair = come();
	end_say(&pair.client, &header);
	expect_refused(&pair, "proxy-error");
	weir_wait(weir, "is refused: .*longer than the limit");
	end(0);
}
END_TEST

START_TEST(as_long_as_may_be)
{
	struct pair pair;

	begin("", limits[_i].line);
	make_long(limits[_i].limit);
	pair = come();
	end_say_and_write(&pair.client, &header, 5000);
	pair_get_in(&pair, &server);
	pair_exchange(&pair);
	pair_finish(&pair);
	end(2);
}
END_TEST

/* It is more than a receive buffer of the smallest size holds, and may come in any pieces. */
START_TEST(as_long_as_version_2_can_be)
{
	static const char *const buffers[] = {"", "rcvbuf = 65551"};
	char lines[128];
	struct pair pair;

	snprintf(lines, sizeof(lines), "proxy_limit = 65551\n%s", buffers[_i]);
	begin("", lines);
	make_long(HEADER_MAX);
	pair = come();
	end_say_and_write(&pair.client, &header, 5000);
	pair_get_in(&pair, &server);
	pair_exchange(&pair);
	pair_finish(&pair);
	end(2);
}
END_TEST

/* ---- many ---------------------------------------------------------------------------------------------------------- */

/* A crowd that waits with half a header each disturbs nobody, costs no memory to speak of, and gets in when it is whole. */
START_TEST(many_at_once)
{
	enum { CROWD = SCALED(400) };
	struct pair *crowd = calloc(CROWD, sizeof(*crowd));
	struct pair other;
	double cpu, since;

	begin("", "proxy_timeout = 1h");
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = come();
		say(&crowd[i], BYTES("PROXY TCP4 192.0.2.1 198.51.100"));
	}
	expect_waiting(CROWD);
	for (int i = 0; i < 20; i++) {
		other = pair_come("127.0.0.2", port);
		pair_get_in(&other, &server);
		pair_exchange(&other);
		pair_finish(&other);
	}
	cpu = weir_cpu(weir);
	since = harness_now();
	EVENTUALLY(harness_now() > since + 0.3);
	ck_assert_msg(weir_cpu(weir) - cpu < 0.1, "waiting costs %g s of CPU in %g s", weir_cpu(weir) - cpu,
		harness_now() - since);
	for (int i = 0; i < CROWD; i++) {
		say(&crowd[i], BYTES(".2 4711 80\r\n"));
		pair_get_in(&crowd[i], &server);
		pair_exchange(&crowd[i]);
	}
	for (int i = 0; i < CROWD; i++)
		pair_finish(&crowd[i]);
	EVENTUALLY(weir_count(weir, "client=192\\.0\\.2\\.1:4711 .* close=done$") == CROWD);
	free(crowd);
	end(CROWD);
}
END_TEST

START_TEST(many_too_late)
{
	enum { CROWD = SCALED(200) };
	struct pair *crowd = calloc(CROWD, sizeof(*crowd));

	begin("", "proxy_timeout = 1s");
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = come();
		say(&crowd[i], BYTES("PROXY TCP4 192.0.2.1 198.51.100"));
	}
	for (int i = 0; i < CROWD; i++) {
		end_expect_reset(&crowd[i].client);
		end_close(&crowd[i].client);
	}
	EVENTUALLY(weir_count(weir, " session .* close=proxy-timeout$") == CROWD);
	free(crowd);
	end(0);
}
END_TEST

/* ---- weir stops ---------------------------------------------------------------------------------------------------- */

START_TEST(stopped_and_in_time)
{
	struct pair pair;

	begin("drain_timeout = 1h", "proxy_timeout = 1h");
	pair = come();
	say(&pair, BYTES("PROXY TCP4 192.0.2.1 198.51.100"));
	expect_waiting(1);
	weir_signal(weir, SIGTERM);
	weir_wait(weir, " draining 1 session");
	say(&pair, BYTES(".2 4711 80\r\n"));
	pair_get_in(&pair, &server);
	pair_exchange(&pair);
	pair_finish(&pair);
	weir_wait_end(weir);
}
END_TEST

/* The time to drain is over, or somebody is in a hurry. */
START_TEST(stopped_while_waiting)
{
	struct pair pairs[3];

	begin(_i == 0 ? "drain_timeout = 300ms" : "drain_timeout = 1h", "proxy_timeout = 1h");
	for (int i = 0; i < 3; i++) {
		pairs[i] = come();
		say(&pairs[i], BYTES("PROXY TCP4 192.0.2.1 198.51.100"));
	}
	expect_waiting(3);
	weir_signal(weir, SIGTERM);
	weir_wait(weir, " draining 3 sessions");
	if (_i == 1)
		weir_signal(weir, SIGTERM);
	for (int i = 0; i < 3; i++)
		expect_refused(&pairs[i], "shutdown");
	weir_wait_end(weir);
}
END_TEST

/* The header is right, but nobody is there any more; the server takes its time, and need not be waited for. */
START_TEST(reset_while_connecting)
{
	int fillers[2];
	struct pair pair;

	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_start("[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\nconnect_timeout = never\n" ACCEPT,
		server.address);
	port = weir_port(weir, "a");
	pair = come();
	say(&pair, BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"));
	end_reset(&pair.client);
	weir_wait(weir, "client=192.0.2.1:1 .* close=client-reset$");
	weir_stop(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy_refused");
	TCase *tcase = harness_case(suite, "wrong");

	tcase_add_loop_test(tcase, malformed, 0, COUNT(wrong));
	tcase_add_test(tcase, reasons_do_not_hide_each_other);
	tcase_add_loop_test(tcase, nobody_to_connect_from, 0, COUNT(nobodies));
	tcase_add_loop_test(tcase, nobody_to_tell_of, 0, COUNT(nobodies));
	tcase_add_loop_test(tcase, ended_in_the_middle, 0, 5);
	tcase_add_test(tcase, reset_in_the_middle);
	tcase_add_test(tcase, reset_while_connecting);
	tcase_add_test(tcase, an_urgent_byte_in_the_middle);
	tcase_add_loop_test(tcase, slow, 0, 3);
	tcase_add_loop_test(tcase, in_time, 0, 2);
	tcase_add_loop_test(tcase, oversized, 0, COUNT(limits));
	tcase_add_loop_test(tcase, as_long_as_may_be, 0, COUNT(limits));
	tcase_add_loop_test(tcase, as_long_as_version_2_can_be, 0, 2);
	tcase_add_test(tcase, many_at_once);
	tcase_add_test(tcase, many_too_late);
	tcase_add_test(tcase, stopped_and_in_time);
	tcase_add_loop_test(tcase, stopped_while_waiting, 0, 2);
	return harness_main(suite);
}
