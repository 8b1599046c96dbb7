/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connecting to the upstream: refused, too slow, one of several addresses, names that resolve, do not, or never answer;
 * and clients that leave meanwhile.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

static struct server server;
static struct weir *weir;

START_TEST(refused)
{
	struct end client;
	const char *access;

	server = server_refusing();
	weir = weir_before(&server, "256K", "128K", "");
	client = client_connect(weir_port(weir, "a"));
	end_expect_reset(&client);
	ck_assert_uint_eq(client.got, 0);
	access = weir_access(weir, client.port);
	assert_closed(access, "connect-refused");
	ck_assert_str_eq(field(access, "server"), "-");
	ck_assert_str_eq(field(access, "connect"), "-");
	weir_stop(weir);
}
END_TEST

START_TEST(timed_out)
{
	int fillers[2];
	struct end client;
	const char *access;

	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_before(&server, "256K", "128K", "connect_timeout = 300ms");
	client = client_connect(weir_port(weir, "a"));
	end_write(&client, 100);
	end_expect_reset(&client);
	access = weir_access(weir, client.port);
	assert_closed(access, "connect-timeout");
	ck_assert_msg(field_seconds(access, "duration") >= 0.3, "%s", access);
	weir_stop(weir);
}
END_TEST

static unsigned idle_descriptors;

/* All that the session had is given back within a second. */
static void expect_freed(void)
{
	EVENTUALLY_WITHIN(SANITIZED ? 3 : 1, weir_descriptors(weir) <= idle_descriptors);
}

START_TEST(client_resets_while_connecting)
{
	int fillers[2];
	struct end clients[10];

	server = server_hanging("127.0.0.1", 0, fillers);
	weir = weir_before(&server, "256K", "128K", "connect_timeout = 1h");
	idle_descriptors = weir_descriptors(weir);
	for (int i = 0; i < 10; i++) {
		clients[i] = client_connect(weir_port(weir, "a"));
		if (i % 2 == 0)
			end_write(&clients[i], 1000);
	}
	EVENTUALLY(weir_sessions(weir) == 10);
	for (int i = 0; i < 10; i++)
		end_reset(&clients[i]);
	expect_freed();
	for (int i = 0; i < 10; i++)
		assert_closed(weir_access(weir, clients[i].port), "client-reset");
	weir_stop(weir);
}
END_TEST

/* ---- names --------------------------------------------------------------------------------------------------------- */

static bool can_name(void)
{
	bool can = harness_can_mount();

	if (!can)
		harness_skip("no namespace for a hosts file of our own");
	return can;
}

static struct weir *weir_before_name(const struct weir_setup *setup, const char *name, const char *more)
{
	return weir_start_as(setup, "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s:%u\n%s\n", name, server.port,
		more);
}

static void expect_served(const char *address)
{
	struct pair pair = pair_open(weir_port(weir, "a"), &server);
	const char *access;
	char expected[64];

	end_write(&pair.client, 1000);
	end_expect(&pair.server, 1000);
	end_shutdown(&pair.server);
	end_expect_eof(&pair.client);
	end_shutdown(&pair.client);
	access = weir_access(weir, pair.client.port);
	assert_closed(access, "done");
	snprintf(expected, sizeof(expected), "%s:%u", address, server.port);
	ck_assert_str_eq(field(access, "server"), expected);
	pair_close(&pair);
}

/* Whichever address is tried first, the one that answers serves. */
START_TEST(second_address_serves)
{
	static const char *const addresses[] = {"127.0.0.2", "127.0.0.3"};
	struct weir_setup setup = {.hosts = "127.0.0.1 localhost\n127.0.0.2 twins\n127.0.0.3 twins\n"};

	if (!can_name())
		return;
	server = server_listen_at(addresses[_i], 0, 16, 0);
	weir = weir_before_name(&setup, "twins", "");
	expect_served(addresses[_i]);
	weir_stop(weir);
}
END_TEST

/* One of the two hangs: its time runs out, then the other is tried. */
START_TEST(slow_address_is_passed_over)
{
	static const char *const addresses[] = {"127.0.0.2", "127.0.0.3"};
	struct weir_setup setup = {.hosts = "127.0.0.1 localhost\n127.0.0.2 twins\n127.0.0.3 twins\n"};
	int fillers[2];
	struct server slow;

	if (!can_name())
		return;
	server = server_listen_beside(addresses[_i], addresses[1 - _i], 16);
	slow = server_hanging(addresses[1 - _i], server.port, fillers);
	weir = weir_before_name(&setup, "twins", "connect_timeout = 300ms");
	expect_served(addresses[_i]);
	server_close(&slow);
	weir_stop(weir);
}
END_TEST

START_TEST(all_addresses_refuse)
{
	struct weir_setup setup = {.hosts = "127.0.0.1 localhost\n127.0.0.2 twins\n127.0.0.3 twins\n"};
	struct end client;

	if (!can_name())
		return;
	server = server_refusing();
	weir = weir_before_name(&setup, "twins", "");
	client = client_connect(weir_port(weir, "a"));
	end_expect_reset(&client);
	assert_closed(weir_access(weir, client.port), "connect-refused");
	weir_stop(weir);
}
END_TEST

START_TEST(localhost_is_known)
{
	server = server_listen();
	weir = weir_before_name(&(struct weir_setup){0}, "localhost", "");
	expect_served("127.0.0.1");
	weir_stop(weir);
}
END_TEST

/* ---- a name server of our own -------------------------------------------------------------------------------------- */

enum dns { DNS_ANSWERS, DNS_DENIES, DNS_IS_SILENT };

enum { DNS_HEADER = 12 };

/* Turns the question into its answer: 127.0.0.1 for an A, no data for any other, or no such name. */
static size_t dns_answer(uint8_t *message, size_t length, enum dns how)
{
	static const uint8_t record[] = {0xc0, DNS_HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
	size_t end = DNS_HEADER;

	while (end < length && message[end] != 0)
		end += message[end] + 1u;
	end += 5;
	if (end > length)
		return 0;
	message[2] = 0x81;
	message[3] = how == DNS_DENIES ? 0x83 : 0x80;
	memset(message + 6, 0, 6); /* no answers yet, nothing after them: the question's EDNS record goes */
	if (how != DNS_ANSWERS || message[end - 3] != 1)
		return end;
	message[7] = 1;
	memcpy(message + end, record, sizeof(record));
	return end + sizeof(record);
}

static void dns_serve(int fd, enum dns how)
{
	for (;;) {
		uint8_t message[1024];
		struct sockaddr_in peer;
		socklen_t peer_length = sizeof(peer);
		ssize_t n = recvfrom(fd, message, 512, 0, (struct sockaddr *)&peer, &peer_length);

		if (n < DNS_HEADER || how == DNS_IS_SILENT)
			continue;
		n = (ssize_t)dns_answer(message, (size_t)n, how);
		sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&peer, peer_length);
	}
}

/* A process that answers at 127.0.0.1; what resolv.conf must say is returned. */
static const char *dns_start(enum dns how)
{
	static char resolv[64];
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t length = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	snprintf(resolv, sizeof(resolv), "nameserver 127.0.0.1:%u\n", ntohs(in.sin_port));
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dns_serve(fd, how);
	}
	close(fd);
	return resolv;
}

START_TEST(name_is_resolved)
{
	struct weir_setup setup = {.hosts = "127.0.0.1 localhost\n"};

	if (!can_name())
		return;
	setup.resolv = dns_start(DNS_ANSWERS);
	server = server_listen();
	weir = weir_before_name(&setup, "db.weir.test", "");
	expect_served("127.0.0.1");
	expect_served("127.0.0.1");
	weir_stop(weir);
}
END_TEST

START_TEST(name_does_not_exist)
{
	struct weir_setup setup = {.hosts = "127.0.0.1 localhost\n"};
	struct end client;

	if (!can_name())
		return;
	setup.resolv = dns_start(DNS_DENIES);
	server = server_listen();
	weir = weir_before_name(&setup, "nobody.weir.test", "");
	client = client_connect(weir_port(weir, "a"));
	end_expect_reset(&client);
	assert_closed(weir_access(weir, client.port), "resolve-failed");
	weir_stop(weir);
}
END_TEST

START_TEST(client_resets_while_resolving)
{
	struct weir_setup setup = {.hosts = "127.0.0.1 localhost\n"};
	struct end clients[5];

	if (!can_name())
		return;
	setup.resolv = dns_start(DNS_IS_SILENT);
	server = server_listen();
	weir = weir_before_name(&setup, "silent.weir.test", "connect_timeout = 1h");
	idle_descriptors = weir_descriptors(weir);
	for (int i = 0; i < 5; i++)
		clients[i] = client_connect(weir_port(weir, "a"));
	EVENTUALLY(weir_sessions(weir) == 5);
	for (int i = 0; i < 5; i++)
		end_reset(&clients[i]);
	expect_freed();
	for (int i = 0; i < 5; i++)
		assert_closed(weir_access(weir, clients[i].port), "client-reset");
	weir_stop(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connect");
	TCase *tcase = harness_case(suite, "connect");

	tcase_add_test(tcase, refused);
	tcase_add_test(tcase, timed_out);
	tcase_add_test(tcase, client_resets_while_connecting);
	tcase_add_loop_test(tcase, second_address_serves, 0, 2);
	tcase_add_loop_test(tcase, slow_address_is_passed_over, 0, 2);
	tcase_add_test(tcase, all_addresses_refuse);
	tcase_add_test(tcase, localhost_is_known);
	tcase_add_test(tcase, name_is_resolved);
	tcase_add_test(tcase, name_does_not_exist);
	tcase_add_test(tcase, client_resets_while_resolving);
	return harness_main(suite);
}
