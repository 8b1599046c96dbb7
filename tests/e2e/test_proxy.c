/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY headers that weir accepts: whose word counts, how a header may come, and what happens to those who send none, a wrong
 * one, half of one, or one that is too long.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "proxied.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct server server;
static struct weir *weir;
static unsigned port;
static struct header header;

/* listener: more lines of its section */
static void begin(const char *listener)
{
	server = server_listen();
	weir = weir_start("[weir]\nworkers = 2\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n%s\n",
		server.address, listener);
	port = weir_port(weir, "a");
}

#define ACCEPT "accept_proxy = require\nproxy_from = 127.0.0.0/8\nproxy_timeout = 1h\n"

static struct pair come(void)
{
	return pair_come("127.0.0.1", port);
}

/* The line of the only session so far from this client; NULL: the header names none. */
static const char *access_of(const struct pair *pair, const char *client)
{
	char own[64], regex[256];

	snprintf(own, sizeof(own), "127\\.0\\.0\\.[0-9]+:%u", pair->client.port);
	snprintf(regex, sizeof(regex), " session .* client=%s server=.* close=", client != NULL ? client : own);
	return weir_wait(weir, regex);
}

static void expect_refused(struct pair *pair, const char *client, const char *reason)
{
	end_expect_reset(&pair->client);
	assert_closed(access_of(pair, client), reason);
	ck_assert_msg(!server_pending(&server), "one that was refused reaches the server");
	end_close(&pair->client);
}

static void expect_empty(unsigned descriptors)
{
	EVENTUALLY(weir_sessions(weir) == 0);
	EVENTUALLY(weir_descriptors(weir) <= descriptors);
}

/* ---- good ones ----------------------------------------------------------------------------------------------------- */

static void make_v1_tcp4(void)
{
	header_line(&header, "PROXY TCP4 192.0.2.1 198.51.100.2 4711 80");
}

static void make_v1_tcp6(void)
{
	header_line(&header, "PROXY TCP6 2001:db8::1 2001:db8::2 4711 80");
}

static void make_v1_unknown(void)
{
	header_line(&header, "PROXY UNKNOWN and what follows");
}

static void make_v2_tcp4(void)
{
	header_tcp(&header, "192.0.2.1", 4711, "198.51.100.2", 80);
}

static void make_v2_tcp6(void)
{
	header_tcp(&header, "2001:db8::1", 4711, "2001:db8::2", 80);
}

static void make_v2_unix(void)
{
	header_unix(&header, "/run/client", "/run/server");
}

static void make_v2_udp(void)
{
	make_v2_tcp4();
	header.bytes[13] = 0x12;
}

static void make_v2_local(void)
{
	header_v2(&header, 0x20, TCP4, "skipped", 7);
}

static void make_v2_tlvs(void)
{
	make_v2_tcp4();
	header_tlv(&header, 2, "example.org", 11);
	header_tlv(&header, 4, NULL, 0);
	header_sum(&header);
	header_tlv(&header, 0xe1, "own", 3);
	header_resum(&header);
}

static const struct {
	void (*make)(void);
	const char *client; /* as the access line has it, a regular expression; NULL: its own address */
} good[] = {
	{make_v1_tcp4, "192\\.0\\.2\\.1:4711"},
	{make_v1_tcp6, "\\[2001:db8::1\\]:4711"},
	{make_v1_unknown, NULL},
	{make_v2_tcp4, "192\\.0\\.2\\.1:4711"},
	{make_v2_tcp6, "\\[2001:db8::1\\]:4711"},
	{make_v2_unix, "unix:"},
	{make_v2_udp, NULL},
	{make_v2_local, NULL},
	{make_v2_tlvs, "192\\.0\\.2\\.1:4711"},
};

/* Who sent the header stands in the line, if it named somebody else. */
static void assert_proxy(const struct pair *pair, const char *client)
{
	const char *access = access_of(pair, client);
	unsigned host, proxy_port;

	if (client != NULL)
		ck_assert_msg(sscanf(field(access, "proxy"), "127.0.0.%u:%u", &host, &proxy_port) == 2 &&
				proxy_port == pair->client.port,
			"%s", access);
	else
		ck_assert_msg(strstr(access, " proxy=") == NULL, "%s", access);
}

static void serve(struct pair *pair, const char *client)
{
	pair_get_in(pair, &server);
	pair_exchange(pair);
	pair_finish(pair);
	assert_closed(access_of(pair, client), "done");
	assert_proxy(pair, client);
	ck_assert_uint_eq(field_number(access_of(pair, client), "up"), pair->client.sent);
}

START_TEST(accepted_whole)
{
	struct pair pair;

	begin(ACCEPT);
	pair = come();
	good[_i].make();
	end_say(&pair.client, &header);
	serve(&pair, good[_i].client);
	weir_stop(weir);
}
END_TEST

/* Nobody is dialled before its last byte. */
START_TEST(accepted_byte_by_byte)
{
	struct pair pair;
	size_t length;

	begin(ACCEPT);
	pair = come();
	good[_i].make();
	length = header.length--;
	end_say_slowly(&pair.client, &header, 0);
	ck_assert_uint_eq(weir_sessions(weir), 1);
	ck_assert_msg(!server_pending(&server), "half a header is enough");
	header.length = length;
	end_say_slowly(&pair.client, &header, length - 1);
	serve(&pair, good[_i].client);
	weir_stop(weir);
}
END_TEST

START_TEST(accepted_together_with_what_follows)
{
	struct pair pair;

	begin(ACCEPT);
	pair = come();
	good[_i].make();
	end_say_and_write(&pair.client, &header, 60000);
	serve(&pair, good[_i].client);
	weir_stop(weir);
}
END_TEST

/* Whoever ends behind his header, with or without a byte, is a client like others. */
START_TEST(half_closed_behind_the_header)
{
	unsigned descriptors;
	struct pair pair;

	begin(ACCEPT);
	descriptors = weir_descriptors(weir);
	make_v2_tcp4();
	for (int i = 0; i < SCALED(200); i++) {
		pair = come();
		end_say_and_write(&pair.client, &header, _i == 0 ? 0 : 50);
		end_shutdown(&pair.client);
		pair_get_in(&pair, &server);
		end_expect(&pair.server, pair.client.sent);
		end_expect_eof(&pair.server);
		end_write(&pair.server, 1000);
		end_shutdown(&pair.server);
		end_expect(&pair.client, 1000);
		end_expect_eof(&pair.client);
		pair_close(&pair);
	}
	EVENTUALLY(weir_count(weir, " session .* client=192.0.2.1:4711 .*close=done$") == SCALED(200));
	ck_assert_uint_eq(weir_count(weir, "proxy-error"), 0);
	ck_assert_uint_eq(weir_sessions(weir), 0);
	ck_assert_uint_le(weir_descriptors(weir), descriptors + 4);
	weir_stop(weir);
}
END_TEST

/* Megabytes, both ways, from a server that is slow to take them. */
START_TEST(much_behind_the_header)
{
	struct pair pair;

	begin(ACCEPT);
	pair = come();
	make_v2_tlvs();
	end_say_and_write(&pair.client, &header, 10);
	pair_get_in(&pair, &server);
	pair.server.in_goal = 0;
	pair.client.out_goal = SCALED(20000000);
	pair.client.fin_goal = true;
	pairs_settle(&pair, 1, 0.3);
	pair.server.in_goal = ALL;
	pair.server.out_goal = SCALED(5000000);
	PAIR_UNTIL(&pair, pair.server.eof && pair.client.got == pair.server.out_goal);
	ck_assert_uint_eq(pair.server.got, pair.client.sent);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

/* ---- whose word counts --------------------------------------------------------------------------------------------- */

/* The lists look at the client that the header names, or at the peer if it names none. */
START_TEST(lists_look_at_the_header)
{
	static const struct {
		void (*make)(void);
		const char *lists, *client;
		bool in;
	} cases[] = {
		{make_v1_tcp4, "allow = 192.0.2.0/24", "192\\.0\\.2\\.1:4711", true},
		{make_v1_tcp4, "allow = 127.0.0.0/8", "192\\.0\\.2\\.1:4711", false},
		{make_v2_tcp6, "deny = 2001:db8::/32", "\\[2001:db8::1\\]:4711", false},
		{make_v2_tcp6, "deny = 127.0.0.0/8", "\\[2001:db8::1\\]:4711", true},
		{make_v2_local, "allow = 127.0.0.1", NULL, true},
		{make_v1_unknown, "deny = 127.0.0.1", NULL, false},
	};
	char lines[256];
	struct pair pair;

	snprintf(lines, sizeof(lines), ACCEPT "%s\n", cases[_i].lists);
	begin(lines);
	pair = come();
	cases[_i].make();
	end_say_and_write(&pair.client, &header, 10);
	if (cases[_i].in)
		serve(&pair, cases[_i].client);
	else
		expect_refused(&pair, cases[_i].client, "denied");
	weir_stop(weir);
}
END_TEST

/* yes: who is no proxy is served as he comes, and what looks like a header is his own business. */
START_TEST(others_are_served_as_they_come)
{
	struct pair pair;

	begin("accept_proxy = yes\nproxy_from = 127.0.0.2, 10.0.0.0/8\n");
	pair = pair_come("127.0.0.3", port);
	make_v1_tcp4();
	end_say(&pair.client, &header);
	pair_get_in(&pair, &server);
	end_hear(&pair.server, &header);
	pair_exchange(&pair);
	pair_finish(&pair);
	assert_closed(access_of(&pair, "127\\.0\\.0\\.3:[0-9]+"), "done");

	pair = pair_come("127.0.0.2", port);
	end_say_and_write(&pair.client, &header, 10);
	serve(&pair, "192\\.0\\.2\\.1:4711");

	pair = pair_come("127.0.0.2", port);
	end_write(&pair.client, 100);
	expect_refused(&pair, NULL, "proxy-error");
	weir_stop(weir);
}
END_TEST

/* Bytes held for clients that one proxy brings: each has a mark of its own, whatever number of sessions he has. */
START_TEST(policies_look_at_the_header)
{
	enum { KIB = 1024, HIGH = 256 * KIB, LOW = 240 * KIB, SESSIONS = 4 };
	static const char *const clients[] = {"192.0.2.1", "2001:db8::1"};
	uint64_t held[2] = {0, 0};
	struct pair pairs[SESSIONS];

	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_start(
		"[weir]\nworkers = 2\n[policy shared]\nmodule = watermark\nhigh = 256K\nlow = 240K\nscope = client\n"
		"[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\npolicy = shared\n" ACCEPT,
		server.address);
	port = weir_port(weir, "a");
	for (unsigned i = 0; i < SESSIONS; i++) {
		pairs[i] = come();
		header_tcp(&header, clients[i % 2], 1001 + i, i % 2 == 0 ? "192.0.2.9" : "2001:db8::9", 80);
		end_say(&pairs[i].client, &header);
		pair_get_in(&pairs[i], &server);
		pairs[i].server.in_goal = 0;
		pairs[i].client.out_goal = ALL / 2;
	}
	pairs_settle(pairs, SESSIONS, 0.3);
	for (unsigned i = 0; i < SESSIONS; i++)
		held[i % 2] += field_number(weir_status(weir, 1001 + i), "up_held_now");
	for (unsigned i = 0; i < 2; i++)
		ck_assert_msg(held[i] >= LOW && held[i] <= HIGH + SESSIONS * 4 * KIB, "%s: %llu bytes", clients[i],
			(unsigned long long)held[i]);
	for (unsigned i = 0; i < SESSIONS; i++)
		pair_close(&pairs[i]);
	weir_stop(weir);
}
END_TEST

/* A server that speaks first is heard by others at once, and by a proxy's client behind its header. */
START_TEST(servers_may_speak_first)
{
	struct pair pair;

	begin("accept_proxy = yes\nproxy_from = 127.0.0.2\n");
	for (int i = 0; i < 2; i++) {
		pair = pair_come(i == 0 ? "127.0.0.1" : "127.0.0.2", port);
		make_v1_unknown();
		if (i == 1)
			end_say(&pair.client, &header);
		pair_get_in(&pair, &server);
		end_write(&pair.server, 100);
		end_expect(&pair.client, 100);
		pair_exchange(&pair);
		pair_finish(&pair);
	}
	weir_stop(weir);
}
END_TEST

START_TEST(others_are_refused)
{
	unsigned descriptors;
	struct pair pair;

	begin("accept_proxy = require\nproxy_from = 127.0.0.2\n");
	descriptors = weir_descriptors(weir);
	pair = come();
	expect_refused(&pair, NULL, "denied");
	expect_empty(descriptors);
	weir_stop(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tcase = harness_case(suite, "accepted");

	tcase_add_loop_test(tcase, accepted_whole, 0, COUNT(good));
	tcase_add_loop_test(tcase, accepted_byte_by_byte, 0, COUNT(good));
	tcase_add_loop_test(tcase, accepted_together_with_what_follows, 0, COUNT(good));
	tcase_add_loop_test(tcase, half_closed_behind_the_header, 0, 2);
	tcase_add_test(tcase, much_behind_the_header);
	tcase = harness_case(suite, "whose word counts");
	tcase_add_loop_test(tcase, lists_look_at_the_header, 0, 6);
	tcase_add_test(tcase, others_are_served_as_they_come);
	tcase_add_test(tcase, policies_look_at_the_header);
	tcase_add_test(tcase, servers_may_speak_first);
	tcase_add_test(tcase, others_are_refused);
	return harness_main(suite);
}
