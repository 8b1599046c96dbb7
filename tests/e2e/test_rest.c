/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that serve one session after another: whatever the last one was, the next one sees nothing of it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define ROUNDS SCALED(40)

static struct server server;
static struct weir *weir;
static unsigned port;

static void begin(void)
{
	server = server_listen();
	weir = weir_before(&server, "256K", "128K", "connect_timeout = 500ms");
	port = weir_port(weir, "a");
}

static void end(void)
{
	if (weir != NULL)
		weir_stop(weir);
}

static void exchange(struct pair *pair, uint64_t length)
{
	end_write(&pair->client, length);
	end_expect(&pair->server, length);
	end_write(&pair->server, 2 * length);
	end_expect(&pair->client, 2 * length);
}

/* Both ends cleanly, the client first: what weir's socket towards the server can be used again after. */
static void run_short_session(void)
{
	struct pair pair = pair_open(port, &server);

	exchange(&pair, 500);
	end_shutdown(&pair.client);
	end_expect_eof(&pair.server);
	end_shutdown(&pair.server);
	end_expect_eof(&pair.client);
	assert_closed(weir_access(weir, pair.client.port), "done");
	pair_close(&pair);
}

START_TEST(every_byte_of_many)
{
	for (int i = 0; i < ROUNDS; i++)
		run_short_session();
}
END_TEST

START_TEST(server_ends_first)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct pair pair = pair_open(port, &server);

		end_shutdown(&pair.server);
		end_expect_eof(&pair.client);
		end_write(&pair.client, 1000);
		end_shutdown(&pair.client);
		end_expect(&pair.server, 1000);
		end_expect_eof(&pair.server);
		assert_closed(weir_access(weir, pair.client.port), "done");
		pair_close(&pair);
		run_short_session();
	}
}
END_TEST

START_TEST(bulk_behind_short_ones)
{
	struct pair pair;

	run_short_session();
	pair = pair_open(port, &server);
	exchange(&pair, 150000); /* more than what leaves the buffers as they were */
	end_shutdown(&pair.client);
	end_expect_eof(&pair.server);
	end_shutdown(&pair.server);
	end_expect_eof(&pair.client);
	pair_close(&pair);
	run_short_session();
}
END_TEST

START_TEST(resets_are_resets)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct pair pair;

		run_short_session();
		pair = pair_open(port, &server);
		exchange(&pair, 100);
		end_reset(i % 2 == 0 ? &pair.client : &pair.server);
		end_expect_reset(i % 2 == 0 ? &pair.server : &pair.client);
		pair_close(&pair);
	}
}
END_TEST

/* The death of weir is a reset for the second session of a socket as for the first. */
START_TEST(death_is_a_reset)
{
	struct pair pair;

	run_short_session();
	pair = pair_open(port, &server);
	exchange(&pair, 100);
	weir_kill(weir);
	weir = NULL;
	end_expect_reset(&pair.server);
	end_expect_reset(&pair.client);
	pair_close(&pair);
}
END_TEST

START_TEST(refused_after_it_was_served)
{
	struct end client;

	run_short_session();
	ck_assert_int_eq(close(server.fd), 0);
	client = client_connect(port);
	end_expect_reset(&client);
	assert_closed(weir_access(weir, client.port), "connect-refused");
	end_close(&client);
}
END_TEST

START_TEST(timed_out_after_it_was_served)
{
	unsigned upstream = server.port;
	int fillers[2];
	struct end client;

	run_short_session();
	ck_assert_int_eq(close(server.fd), 0);
	server = server_hanging("127.0.0.1", upstream, fillers);
	client = client_connect(port);
	end_expect_reset(&client);
	assert_closed(weir_access(weir, client.port), "connect-timeout");
	end_close(&client);
}
END_TEST

/* Its options are those of a new one. */
START_TEST(options_stay)
{
	struct pair pair;
	struct linger linger;
	socklen_t length = sizeof(linger);
	int on = 0;
	int fd;

	run_short_session();
	pair = pair_open(port, &server);
	fd = weir_borrow(weir, 0, server.port);
	if (fd < 0) {
		harness_skip("the kernel does not let us look at weir's sockets");
		return;
	}
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length), 0);
	ck_assert(linger.l_onoff != 0 && linger.l_linger == 0);
	length = sizeof(on);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &length), 0);
	ck_assert(on != 0);
	close(fd);
	pair_close(&pair);
}
END_TEST

/* Sockets that wait for another session are gone soon when none comes. */
START_TEST(nothing_stays)
{
	unsigned before = weir_descriptors(weir);
	struct pair pairs[20];

	for (int i = 0; i < 20; i++) {
		pairs[i] = pair_open(port, &server);
		exchange(&pairs[i], 100);
	}
	for (int i = 0; i < 20; i++) {
		end_shutdown(&pairs[i].client);
		end_expect_eof(&pairs[i].server);
		end_shutdown(&pairs[i].server);
		end_expect_eof(&pairs[i].client);
		pair_close(&pairs[i]);
	}
	EVENTUALLY_WITHIN(SANITIZED ? 3 : 1, weir_descriptors(weir) <= before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rest");
	TCase *tcase = harness_case(suite, "rest");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, every_byte_of_many);
	tcase_add_test(tcase, server_ends_first);
	tcase_add_test(tcase, bulk_behind_short_ones);
	tcase_add_test(tcase, resets_are_resets);
	tcase_add_test(tcase, death_is_a_reset);
	tcase_add_test(tcase, refused_after_it_was_served);
	tcase_add_test(tcase, timed_out_after_it_was_served);
	tcase_add_test(tcase, options_stay);
	tcase_add_test(tcase, nothing_stays);
	return harness_main(suite);
}
