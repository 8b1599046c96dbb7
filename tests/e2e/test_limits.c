/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens at the limits: sessions, descriptors, memory. Those who find no room wait, nobody who is in is dropped.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static struct server server;
static struct weir *weir;
static unsigned port;

static void exchange(struct pair *pair)
{
	end_write(&pair->client, 100);
	end_expect(&pair->server, 100);
	end_write(&pair->server, 200);
	end_expect(&pair->client, 200);
}

static void end_pair(struct pair *pair)
{
	end_shutdown(&pair->client);
	end_expect_eof(&pair->server);
	end_shutdown(&pair->server);
	end_expect_eof(&pair->client);
	pair_close(pair);
}

/* A client that may have to wait for its turn, or be turned away. */
static void queue_up(struct pair *pair)
{
	struct end *ends[] = {&pair->client};

	*pair = (struct pair){.client = client_connect(port), .server = {.fd = -1}};
	pair_join(pair);
	pair->client.out_goal = 100;
	pair->client.in_goal = 0;
	ends_step(ends, 1, (int)(PATIENCE * 1000));
}

static void serve(struct pair *pair)
{
	end_expect(&pair->server, 100);
	exchange(pair);
}

/* Nobody reaches the server, though weir had turns enough for it. */
static void expect_waiting(unsigned sessions)
{
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(weir_sessions(weir), sessions);
		ck_assert_msg(!server_pending(&server), "a session too many");
		poll(NULL, 0, 10);
	}
}

/* ---- sessions ------------------------------------------------------------------------------------------------------ */

/* Clients beyond the limit wait in the kernel's backlog, and get their turn as others end. */
static void expect_turns(unsigned limit)
{
	struct pair in[2];
	struct pair waiting[3];

	for (unsigned i = 0; i < limit; i++) {
		in[i] = pair_open(port, &server);
		exchange(&in[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		queue_up(&waiting[i]);
	expect_waiting(limit);
	for (unsigned i = 0; i < limit; i++)
		exchange(&in[i]);
	for (unsigned i = 0; i < limit; i++)
		end_pair(&in[i]);
	for (unsigned i = 0; i < 3; i++) {
		struct pair *next = pair_accept(waiting, 3, &server);

		serve(next);
		end_pair(next);
	}
	EVENTUALLY(weir_sessions(weir) == 0);
}

START_TEST(max_sessions_of_all)
{
	server = server_listen();
	weir = weir_start("[weir]\nworkers = %d\nmax_sessions = 2\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n",
		_i, server.address);
	port = weir_port(weir, "a");
	expect_turns(2);
	expect_turns(2);
	weir_stop(weir);
}
END_TEST

START_TEST(max_sessions_of_one_listener)
{
	struct pair other;

	server = server_listen();
	weir = weir_start("[weir]\nworkers = 2\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\nmax_sessions = 1\n"
			  "[listener b]\nlisten = 127.0.0.1:0\nupstream = %s\n",
		server.address, server.address);
	port = weir_port(weir, "a");
	expect_turns(1);
	other = pair_open(port, &server);
	for (int i = 0; i < 4; i++) { /* b has no limit */
		struct pair pair = pair_open(weir_port(weir, "b"), &server);

		exchange(&pair);
		end_pair(&pair);
	}
	end_pair(&other);
	weir_stop(weir);
}
END_TEST

/* How many bytes come, up to so many. */
static size_t count_until_it_ends(int fd, size_t length)
{
	char bytes[256];
	size_t got = 0;

	while (got < length) {
		ssize_t n;

		EVENTUALLY((n = recv(fd, bytes, length - got, 0)) >= 0 || errno != EAGAIN);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* Clients that gave up while they waited cost nothing and block nobody. */
START_TEST(waiting_client_resets)
{
	struct pair in;
	struct pair waiting[2];

	server = server_listen();
	weir = weir_start("[weir]\nworkers = 1\nmax_sessions = 1\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n",
		server.address);
	port = weir_port(weir, "a");
	in = pair_open(port, &server);
	exchange(&in);
	queue_up(&waiting[0]);
	queue_up(&waiting[1]);
	end_reset(&waiting[0].client);
	expect_waiting(1);
	end_pair(&in);
	end_write(&waiting[1].client, 50);
	while (waiting[1].server.fd == -1) { /* the one that left may still have been connected, heard, and reset */
		struct end accepted = server_accept(&server);

		if (count_until_it_ends(accepted.fd, 150) != 150) {
			end_close(&accepted);
			continue;
		}
		waiting[1].server = accepted;
	}
	end_reset(&waiting[1].server);
	end_expect_reset(&waiting[1].client);
	weir_stop(weir);
}
END_TEST

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

/* The soft limit: weir has raised it as far as it goes when it started. */
static void set_descriptors(rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(weir->pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
	ck_assert_msg(prlimit(weir->pid, RLIMIT_NOFILE, &limit, NULL) == 0, "prlimit to %lu: %s", (unsigned long)count,
		strerror(errno));
}

/*
 * The limit falls while weir runs, so that it really meets it: with nothing left, or with one descriptor, enough for a
 * client's socket and not for its server's.
 */
START_TEST(out_of_descriptors)
{
	enum { CLIENTS = 12 };
	struct pair in[4];
	struct pair waiting[CLIENTS];
	struct pair *next;
	unsigned complaints;
	double cpu;
	double since;

	server = server_listen();
	weir = weir_start("[weir]\nworkers = 1\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n", server.address);
	port = weir_port(weir, "a");
	for (int i = 0; i < 4; i++) {
		in[i] = pair_open(port, &server);
		exchange(&in[i]);
	}
	set_descriptors(weir_descriptor_limit(weir, (unsigned)_i));
	for (int i = 0; i < CLIENTS; i++)
		queue_up(&waiting[i]);
	weir_wait(weir, "(warning|error) .*Too many open files");
	cpu = weir_cpu(weir);
	since = harness_now();
	while (harness_now() < since + 2.2) {
		exchange(&in[0]);
		poll(NULL, 0, 100);
	}
	cpu = weir_cpu(weir) - cpu;
	ck_assert_msg(cpu < (SANITIZED ? 0.5 : 0.1), "%g s of CPU in 2 s without descriptors", cpu);
	complaints = weir_count(weir, "(warning|error) .*Too many open files");
	ck_assert_msg(complaints >= 1 && complaints <= 5, "%u complaints in some 2 s", complaints);
	ck_assert(_i != 0 || !server_pending(&server)); /* the last descriptor and the spare one make a session */
	for (int i = 0; i < 4; i++)
		exchange(&in[i]);
	set_descriptors(RLIM_INFINITY);
	for (int i = 0; i < 4; i++)
		end_pair(&in[i]);
	for (int i = 0; i < CLIENTS; i++) { /* all of those who were not told otherwise are served */
		unsigned refused = weir_count(weir, "close=no-descriptors");

		if ((unsigned)i + refused >= CLIENTS)
			break;
		next = pair_accept(waiting, CLIENTS, &server);
		serve(next);
		end_pair(next);
	}
	ck_assert_uint_le(weir_count(weir, "close=no-descriptors"), _i % 2 == 0 ? 0 : 4);
	weir_stop(weir);
}
END_TEST

/* Clients whose servers have to be looked up are many at once when descriptors run out: they wait for theirs. */
START_TEST(out_of_descriptors_behind_a_name)
{
	enum { CLIENTS = 60 };
	struct weir_setup setup = {.descriptors = 110};
	struct pair pairs[CLIENTS];

	server = server_listen();
	weir = weir_start_as(&setup,
		"[weir]\nworkers = 1\nmax_sessions = 200\n"
		"[listener a]\nlisten = 127.0.0.1:0\nupstream = localhost:%u\nconnect_timeout = 1h\n",
		server.port);
	port = weir_port(weir, "a");
	for (int i = 0; i < CLIENTS; i++)
		queue_up(&pairs[i]);
	for (int i = 0; i < CLIENTS; i++) {
		struct pair *next = pair_accept(pairs, CLIENTS, &server);

		serve(next);
		end_pair(next);
	}
	ck_assert_uint_eq(weir_count(weir, "close=no-descriptors"), 0);
	weir_stop(weir);
}
END_TEST

/* The hard limit is known from the start: weir takes no more sessions than it has descriptors for. */
START_TEST(few_descriptors)
{
	enum { CLIENTS = 40 };
	struct weir_setup setup = {.descriptors = 100};
	struct pair pairs[CLIENTS];
	unsigned served = 0;

	server = server_listen();
	weir = weir_start_as(&setup, "[weir]\nworkers = 1\n[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\n",
		server.address);
	port = weir_port(weir, "a");
	for (int i = 0; i < CLIENTS; i++)
		queue_up(&pairs[i]);
	while (served < CLIENTS) {
		struct pair *next = pair_accept(pairs, CLIENTS, &server);

		serve(next);
		end_pair(next);
		served++;
	}
	ck_assert_uint_eq(weir_count(weir, "close=no-descriptors"), 0);
	EVENTUALLY(weir_count(weir, "close=done") == served);
	weir_stop(weir);
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------- */

enum { SESSIONS = 16 };

static void begin_memory(void)
{
	server = server_listen_at("127.0.0.1", 0, 64, 4 * KIB);
	weir = weir_start("[weir]\nworkers = 2\nmemory = 2M\nmax_sessions = 32\n"
			  "[listener a]\nlisten = 127.0.0.1:0\nupstream = %s\nnotsent_lowat = 16K\nrcvbuf = 16K\n",
		server.address);
	port = weir_port(weir, "a");
}

static void fill(struct pair *pairs)
{
	for (int i = 0; i < SESSIONS; i++) {
		pairs[i] = pair_open_small(port, &server, 4 * KIB);
		pairs[i].client.in_goal = pairs[i].server.in_goal = 0;
		pairs[i].client.out_goal = pairs[i].server.out_goal = ALL / 2;
	}
	pairs_settle(pairs, SESSIONS, 0.3);
}

static uint64_t held_now(const struct pair *pairs)
{
	uint64_t sum = 0;

	for (int i = 0; i < SESSIONS; i++) {
		const char *status = weir_status(weir, pairs[i].client.port);

		sum += field_number(status, "up_held_now") + field_number(status, "down_held_now");
	}
	return sum;
}

/* Full both ways: nothing is dropped, nothing locks, and every byte arrives once the sinks take them. */
START_TEST(memory_is_full_both_ways)
{
	struct pair pairs[SESSIONS];
	uint64_t held;
	double until;
	unsigned done = 0;

	begin_memory();
	fill(pairs);
	held = held_now(pairs);
	ck_assert_msg(held <= 2 * MIB, "holds %llu bytes", (unsigned long long)held);
	ck_assert_msg(held >= MIB, "holds only %llu bytes: the limit was not reached", (unsigned long long)held);
	ck_assert_uint_eq(weir_sessions(weir), SESSIONS);
	for (int i = 0; i < SESSIONS; i++) {
		pairs[i].client.out_goal = pairs[i].client.sent + SCALED(400 * KIB);
		pairs[i].server.out_goal = pairs[i].server.sent + SCALED(400 * KIB);
		pairs[i].client.fin_goal = pairs[i].server.fin_goal = true;
		pairs[i].client.in_goal = pairs[i].server.in_goal = ALL;
	}
	until = harness_now() + PATIENCE;
	while (done < SESSIONS) {
		ck_assert_msg(harness_now() < until, "%u of %d sessions are through; %s", done, SESSIONS,
			pair_text(&pairs[0]));
		pairs_step(pairs, SESSIONS, 5);
		done = 0;
		for (int i = 0; i < SESSIONS; i++)
			done += pairs[i].client.eof && pairs[i].server.eof;
	}
	for (int i = 0; i < SESSIONS; i++) {
		ck_assert_uint_eq(pairs[i].server.got, pairs[i].client.sent);
		ck_assert_uint_eq(pairs[i].client.got, pairs[i].server.sent);
		assert_closed(weir_access(weir, pairs[i].client.port), "done");
	}
	ck_assert_uint_gt(weir_count(weir, "session .*_paused=[^ ]*memory:"), 0);
	weir_stop(weir);
}
END_TEST

/* Requests that fill the memory cannot fill what answers need, nor what a newcomer needs. */
START_TEST(full_one_way_answers_the_other)
{
	struct pair pairs[SESSIONS];
	struct pair newcomer;

	begin_memory();
	for (int i = 0; i < SESSIONS; i++) {
		pairs[i] = pair_open_small(port, &server, 4 * KIB);
		(_i ? &pairs[i].client : &pairs[i].server)->in_goal = 0;
		(_i ? &pairs[i].server : &pairs[i].client)->out_goal = ALL / 2;
	}
	pairs_settle(pairs, SESSIONS, 0.3);
	for (int i = 0; i < SESSIONS; i++) {
		struct end *source = _i ? &pairs[i].client : &pairs[i].server;
		struct end *sink = _i ? &pairs[i].server : &pairs[i].client;

		end_write(source, 20 * KIB);
		end_expect(sink, 20 * KIB);
	}
	newcomer = pair_open(port, &server);
	for (int i = 0; i < 50; i++)
		exchange(&newcomer);
	end_pair(&newcomer);
	for (int i = 0; i < SESSIONS; i++) /* sessions that are reset give their memory back */
		end_reset(&pairs[i].client);
	EVENTUALLY(weir_sessions(weir) == 0);
	fill(pairs);
	ck_assert_uint_ge(held_now(pairs), MIB);
	for (int i = 0; i < SESSIONS; i++)
		end_reset(&pairs[i].client);
	EVENTUALLY(weir_sessions(weir) == 0);
	weir_stop(weir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tcase = harness_case(suite, "limits");

	tcase_add_loop_test(tcase, max_sessions_of_all, 1, 3);
	tcase_add_test(tcase, max_sessions_of_one_listener);
	tcase_add_test(tcase, waiting_client_resets);
	tcase_add_loop_test(tcase, out_of_descriptors, 0, 2);
	tcase_add_test(tcase, out_of_descriptors_behind_a_name);
	tcase_add_test(tcase, few_descriptors);
	tcase_add_test(tcase, memory_is_full_both_ways);
	tcase_add_loop_test(tcase, full_one_way_answers_the_other, 0, 2);
	return harness_main(suite);
}
