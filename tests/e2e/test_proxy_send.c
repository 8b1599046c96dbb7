/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY headers that weir sends: they are the first bytes that a server reads, and say what weir saw, or was told.
 */
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxied.h"

#define ACCEPT "accept_proxy = require\nproxy_from = 127.0.0.1\nproxy_limit = 65551\n"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct server server;
static struct weir *weir;
static unsigned port;
static struct header told, heard; /* by the client, by the server */

static void begin_at(const char *listen, const char *listener)
{
	weir = weir_start(
		"[weir]\nworkers = 2\n[upstream u]\nserver = %s\n[listener a]\nlisten = %s\nupstream = u\n%s\n",
		server.address, listen, listener);
}

static void begin(const char *listener)
{
	server = server_listen();
	begin_at("127.0.0.1:0", listener);
	port = weir_port(weir, "a");
}

/* What a server has to hear of this client, if weir knows it by itself. */
static void expect_of(struct header *header, int version, const char *client, unsigned client_port, const char *weir_ip)
{
	char line[128];

	snprintf(line, sizeof(line), "PROXY TCP%c %s %s %u %u", strchr(client, ':') != NULL ? '6' : '4', client,
		weir_ip, client_port, port);
	if (version == 1)
		header_line(header, line);
	else
		header_tcp(header, client, client_port, weir_ip, port);
}

static void serve(struct pair *pair)
{
	pair_get_in(pair, &server);
	end_hear(&pair->server, &heard);
	pair_exchange(pair);
	pair_finish(pair);
}

/* ---- what weir sees ------------------------------------------------------------------------------------------------ */

static const char *const sends[] = {"", "send_proxy = v1\n", "send_proxy = v2\n"};

/* Sockets to the server may be used again: each session has a header of its own. */
START_TEST(ipv4_clients)
{
	struct pair pair;

	begin(sends[_i]);
	for (int i = 0; i < 30; i++) {
		pair = pair_come(i % 2 == 0 ? "127.0.0.1" : "127.9.8.7", port);
		expect_of(&heard, _i, i % 2 == 0 ? "127.0.0.1" : "127.9.8.7", pair.client.port, "127.0.0.1");
		serve(&pair);
		ck_assert_uint_eq(field_number(weir_access(weir, pair.client.port), "up"), pair.client.sent);
	}
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_stop(weir);
}
END_TEST

START_TEST(ipv6_clients)
{
	struct pair pair = {.server = {.fd = -1}};

	if (access("/proc/net/if_inet6", R_OK) != 0) {
		harness_skip("there is no IPv6");
		return;
	}
	server = server_listen();
	begin_at("[::1]:0", sends[_i]);
	port = weir_port6(weir, "a");
	pair.client = client_connect6(port);
	pair_join(&pair);
	expect_of(&heard, _i, "::1", pair.client.port, "::1");
	serve(&pair);
	weir_stop(weir);
}
END_TEST

/* They have no name that would tell anything: no addresses are sent, as haproxy does. Servers on unix sockets are told like
   others. */
START_TEST(unix_clients)
{
	struct pair pair = {.server = {.fd = -1}};
	char path[128], listen[160];

	server = server_listen_unix(harness_path("upstream.sock"));
	snprintf(path, sizeof(path), "%s", harness_path("listen.sock"));
	snprintf(listen, sizeof(listen), "unix:%s", path);
	begin_at(listen, sends[_i]);
	pair.client = client_connect_unix(path);
	pair_join(&pair);
	if (_i == 1)
		header_line(&heard, "PROXY UNKNOWN");
	else
		header_v2(&heard, 0x20, 0, NULL, 0);
	serve(&pair);
	weir_stop(weir);
}
END_TEST

/* ---- the header comes first ----------------------------------------------------------------------------------------- */

START_TEST(before_what_the_client_said_long_ago)
{
	struct pair pair;
	int fillers[2];

	server = server_hanging("127.0.0.1", 0, fillers);
	begin_at("127.0.0.1:0", sends[_i]);
	port = weir_port(weir, "a");
	pair = pair_come("127.0.0.1", port);
	expect_of(&heard, _i, "127.0.0.1", pair.client.port, "127.0.0.1");
	end_write(&pair.client, 50000);
	end_shutdown(&pair.client);
	close(fillers[0]);
	close(fillers[1]);
	server_open_up(&server);
	pair_get_in(&pair, &server);
	end_hear(&pair.server, &heard);
	end_expect(&pair.server, 50000);
	end_expect_eof(&pair.server);
	end_write(&pair.server, 3000);
	end_shutdown(&pair.server);
	end_expect(&pair.client, 3000);
	end_expect_eof(&pair.client);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

/* A client that says nothing is announced, too; the server may speak first, and end first. */
START_TEST(of_silent_clients)
{
	struct pair pair;

	begin(sends[_i]);
	pair = pair_come("127.0.0.1", port);
	expect_of(&heard, _i, "127.0.0.1", pair.client.port, "127.0.0.1");
	pair_get_in(&pair, &server);
	end_hear(&pair.server, &heard);
	end_write(&pair.server, 1000);
	end_shutdown(&pair.server);
	end_expect(&pair.client, 1000);
	end_expect_eof(&pair.client);
	end_write(&pair.client, 10);
	end_expect(&pair.server, 10);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

/* ---- what weir was told -------------------------------------------------------------------------------------------- */

static void pass_on(int version, const char *more)
{
	struct pair pair;
	char lines[256];

	snprintf(lines, sizeof(lines), ACCEPT "%s%s", sends[version], more);
	begin(lines);
	for (int i = 0; i < 3; i++) {
		pair = pair_come("127.0.0.1", port);
		end_say_and_write(&pair.client, &told, 500);
		serve(&pair);
	}
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_stop(weir);
}

static void tell(struct header *header)
{
	header_tcp(header, "2001:db8::1", 4711, "2001:db8::2", 80);
}

START_TEST(from_version_1_to_any)
{
	header_line(&told, "PROXY TCP6 2001:db8:0::1 2001:db8::0:2 4711 80");
	header_line(&heard, "PROXY TCP6 2001:db8::1 2001:db8::2 4711 80");
	if (_i == 2)
		tell(&heard);
	pass_on(_i, "");
}
END_TEST

START_TEST(from_version_2_to_1)
{
	tell(&told);
	header_tlv(&told, 2, "example.org", 11);
	header_line(&heard, "PROXY TCP6 2001:db8::1 2001:db8::2 4711 80");
	pass_on(1, "");
}
END_TEST

START_TEST(from_unix_to_any)
{
	header_unix(&told, "/run/client", "/run/server");
	header_unix(&heard, "/run/client", "/run/server");
	if (_i == 1)
		header_line(&heard, "PROXY UNKNOWN");
	pass_on(_i, "");
}
END_TEST

static char text[60000];

/* Each TLV arrives as it came, in its place: the unknown, the empty, the nested, the long and the longest. */
START_TEST(tlvs_pass_untouched)
{
	memset(text, 'x', sizeof(text));
	tell(&told);
	header_tlv(&told, 4, NULL, 0);
	header_tlv(&told, 2, "example.org", 11);
	header_tlv(&told, 0x20, "\x01\0\0\0\0\x21\0\x07TLSv1.3", 15);
	header_tlv(&told, 0xe0, "mine", 4);
	header_tlv(&told, 0xe0, "mine", 4);
	header_tlv(&told, 0xff, "\0\0\0", 3);
	if (_i > 0)
		header_tlv(&told, 5, text, sizeof(text));
	heard = told;
	pass_on(2, _i == 1 ? "sndbuf = 65551\nnotsent_lowat = 65551\n" : "");
}
END_TEST

/* Gives this process and its children a network of their own, where sockets get no more than 4096 bytes to send. */
static bool shrink_buffers(void)
{
	static const char size[] = "4096 4096 4096";
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	bool done = unshare(CLONE_NEWNET) == 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	FILE *file;

	done = done && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
	close(fd);
	file = done ? fopen("/proc/sys/net/ipv4/tcp_wmem", "we") : NULL;
	if (file == NULL)
		return false;
	done = fputs(size, file) >= 0;
	return fclose(file) == 0 && done;
}

/* The kernel has no room for the header: neither end takes what it gets for a whole conversation. */
START_TEST(no_room_for_the_header)
{
	struct pair pair;

	if (!shrink_buffers()) {
		harness_skip("it takes root to have small buffers");
		return;
	}
	begin(ACCEPT "send_proxy = v2\n");
	tell(&told);
	header_tlv(&told, 5, text, sizeof(text));
	pair = pair_come("127.0.0.1", port);
	end_say(&pair.client, &told);
	pair_get_in(&pair, &server);
	end_expect_reset(&pair.client);
	weir_wait(weir, "cannot connect to 127.0.0.1:[0-9]+: the send buffer has no room for the PROXY header$");
	pair.server.in_goal = 0;
	end_expect_gone(&pair.server);
	EVENTUALLY(weir_sessions(weir) == 0);
	pair_close(&pair);
	weir_stop(weir);
}
END_TEST

static const struct {
	const char *line; /* NULL: LOCAL, with two TLVs and a checksum */
} silent[] = {{NULL}, {"PROXY UNKNOWN"}, {"PROXY UNKNOWN 1.2.3.4 5.6.7.8 9 10"}};

/* A header that names nobody: the server is told of the proxy. What else it said goes on, its checksum made anew. */
START_TEST(of_nobody)
{
	struct pair pair;

	begin(ACCEPT "send_proxy = v2\n");
	pair = pair_come("127.0.0.1", port);
	expect_of(&heard, 2, "127.0.0.1", pair.client.port, "127.0.0.1");
	if (silent[_i].line != NULL) {
		header_line(&told, silent[_i].line);
	} else {
		header_v2(&told, 0x20, 0, NULL, 0);
		header_tlv(&told, 0xe2, "before", 6);
		header_tlv(&told, 3, "\0\0\0", 4);
		header_tlv(&told, 5, "behind", 6);
		header_resum(&told);
		header_tlv(&heard, 0xe2, "before", 6);
		header_tlv(&heard, 3, "\0\0\0", 4);
		header_tlv(&heard, 5, "behind", 6);
		header_resum(&heard);
	}
	end_say(&pair.client, &told);
	serve(&pair);
	weir_stop(weir);
}
END_TEST

START_TEST(a_checksum_that_still_holds)
{
	tell(&told);
	header_tlv(&told, 5, "id", 2);
	header_sum(&told);
	header_tlv(&told, 0xe0, "mine", 4);
	header_resum(&told);
	heard = told;
	pass_on(2, "");
}
END_TEST

/* ---- weir before weir ---------------------------------------------------------------------------------------------- */

/* Three in a row: what the first saw is what the last server hears, and what every log says. */
START_TEST(chain)
{
	struct weir *weirs[3];
	struct pair pairs[20];
	char line[128];

	begin(ACCEPT "send_proxy = v1\n");
	weirs[0] = weir;
	for (int i = 1; i < 3; i++) {
		weirs[i] =
			weir_start("[weir]\nworkers = 2\n[listener a]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:%u\n"
				   "send_proxy = v2\n%s",
				port, i == 1 ? ACCEPT "allow = 127.0.7.0/24\n" : "");
		port = weir_port(weirs[i], "a");
	}
	for (size_t i = 0; i < COUNT(pairs); i++) {
		pairs[i] = pair_come("127.0.7.7", port);
		end_write(&pairs[i].client, 100);
		snprintf(line, sizeof(line), "PROXY TCP4 127.0.7.7 127.0.0.1 %u %u", pairs[i].client.port, port);
		header_line(&heard, line);
		pair_get_in(&pairs[i], &server);
		end_hear(&pairs[i].server, &heard);
		pair_exchange(&pairs[i]);
	}
	for (size_t i = 0; i < COUNT(pairs); i++) {
		pair_finish(&pairs[i]);
		for (int j = 0; j < 3; j++)
			ck_assert_ptr_nonnull(strstr(weir_access(weirs[j], pairs[i].client.port), "client=127.0.7.7:"));
	}
	for (int i = 2; i >= 0; i--) {
		EVENTUALLY(weir_sessions(weirs[i]) == 0);
		weir_stop(weirs[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy_send");
	TCase *tcase = harness_case(suite, "send");

	tcase_add_loop_test(tcase, ipv4_clients, 1, 3);
	tcase_add_loop_test(tcase, ipv6_clients, 1, 3);
	tcase_add_loop_test(tcase, unix_clients, 1, 3);
	tcase_add_loop_test(tcase, before_what_the_client_said_long_ago, 1, 3);
	tcase_add_loop_test(tcase, of_silent_clients, 1, 3);
	tcase_add_loop_test(tcase, from_version_1_to_any, 1, 3);
	tcase_add_test(tcase, from_version_2_to_1);
	tcase_add_loop_test(tcase, from_unix_to_any, 1, 3);
	tcase_add_loop_test(tcase, tlvs_pass_untouched, 0, 3);
	tcase_add_test(tcase, no_room_for_the_header);
	tcase_add_loop_test(tcase, of_nobody, 0, COUNT(silent));
	tcase_add_test(tcase, a_checksum_that_still_holds);
	tcase_add_test(tcase, chain);
	return harness_main(suite);
}
