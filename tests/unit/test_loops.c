/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops: weir knows its own addresses and its own connections, and takes nobody else's for them.
 */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "origin.h"
#include "loops.h"

static struct loops loops;

static struct address address(const char *text)
{
	struct address address;
	char error[256];

	ck_assert_msg(address_parse(&address, text, error, sizeof(error)) == 0, "%s: %s", text, error);
	return address;
}

static void begin(const char *listening)
{
	struct address own = address(listening);

	ck_assert_int_eq(loops_init(&loops, 1, 1), 0);
	loops_listen(&loops, 0, &own);
}

static const struct {
	const char *listening, *destination;
	bool loop;
} leads[] = {
	{"127.0.0.1:15001", "127.0.0.1:15001", true},
	{"127.0.0.1:15001", "127.0.0.1:15002", false},
	{"127.0.0.1:15001", "127.0.0.2:15001", false},
	{"127.0.0.1:15001", "[::1]:15001", false},
	{"0.0.0.0:15001", "127.0.0.1:15001", true},
	{"0.0.0.0:15001", "127.77.0.1:15001", true},
	{"0.0.0.0:15001", "192.0.2.1:15001", false}, /* nobody's: set aside for documentation */
	{"0.0.0.0:15001", "127.0.0.1:15002", false},
	{"127.0.0.1:15001", "0.0.0.0:15001", true}, /* connecting there means loopback */
	{"127.0.0.1:15001", "[::ffff:127.0.0.1]:15001", true},
	{"[::ffff:127.0.0.1]:15001", "127.0.0.1:15001", true},
	{"[::1]:15001", "[::]:15001", true},
	{"[fe80::1%1]:15001", "[fe80::1%1]:15001", true},
	{"[fe80::1%1]:15001", "[fe80::1%2]:15001", false}, /* another link's */
	{"[::1]:15001", "[::1]:15001", true},
	{"[::]:15001", "[::1]:15001", true},
	{"[::]:15001", "[2001:db8::1]:15001", false},
	{"[::]:15001", "127.0.0.1:15001", false},
	{"unix:/run/weir", "127.0.0.1:15001", false},
};

START_TEST(where_a_connection_would_lead)
{
	struct address destination = address(leads[_i].destination);

	begin(leads[_i].listening);
	ck_assert_msg(loops_lead_to(&loops, &destination) == leads[_i].loop, "listening on %s, to %s: expected %s",
		leads[_i].listening, leads[_i].destination, leads[_i].loop ? "a loop" : "no loop");
	loops_destroy(&loops);
}
END_TEST

/* Three listeners, and whom each dials, one after the other: the dial that closes a circle is found. */
static const struct {
	const char *what;
	struct {
		unsigned by, to; /* to: 3 for a server elsewhere */
		bool back;
	} dials[6];
	size_t count;
} circles[] = {
	{"itself", {{0, 0, true}}, 1},
	{"a server", {{0, 3, false}, {1, 3, false}}, 2},
	{"two", {{0, 1, false}, {1, 0, true}}, 2},
	{"three, in whatever order", {{1, 2, false}, {0, 1, false}, {2, 0, true}, {2, 3, false}, {0, 1, false}}, 5},
	{"a chain that ends", {{0, 1, false}, {1, 2, false}, {2, 3, false}, {0, 2, false}}, 4},
	{"into a circle of others", {{1, 2, false}, {2, 1, true}, {0, 1, false}}, 3},
	{"no more", {{0, 1, false}, {1, 3, false}, {1, 0, true}, {1, 3, false}, {0, 1, false}}, 5},
	{"refused, which does not keep others out", {{0, 1, false}, {1, 0, true}, {0, 1, false}, {1, 3, false}}, 4},
};

START_TEST(whom_a_listener_leads_to)
{
	static const char *const where[] = {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"};
	struct loops_memory memory = {0};
	size_t listeners = 3;

	ck_assert_int_eq(loops_init(&loops, listeners, listeners), 0);
	for (size_t i = 0; i < listeners; i++) {
		struct address own = address(where[i]);

		loops_listen(&loops, i, &own);
	}
	for (size_t i = 0; i < circles[_i].count; i++) {
		struct address to = address(where[circles[_i].dials[i].to]);

		ck_assert_msg(loops_lead_back(&loops, &memory, circles[_i].dials[i].by, &to, i) ==
				circles[_i].dials[i].back,
			"%s: dial %zu", circles[_i].what, i + 1);
	}
	loops_destroy(&loops);
}
END_TEST

/* A server with the port of a wildcard costs system calls once a second, not with each connection. */
START_TEST(the_kernel_is_asked_once_a_second)
{
	const uint64_t second = UINT64_C(1000000000);
	struct address elsewhere = address("192.0.2.1:15001"), other_port = address("192.0.2.1:15002");
	struct address here = address("127.0.0.9:15001");
	struct loops_memory memory = {0};

	begin("0.0.0.0:15001");
	ck_assert(!loops_lead_back(&loops, &memory, 0, &other_port, second));
	ck_assert_uint_eq(memory.until, 0);
	ck_assert(!loops_lead_back(&loops, &memory, 0, &elsewhere, second));
	ck_assert_uint_eq(memory.until, 2 * second);
	memory.local = true; /* as if it had become so; nobody looks */
	ck_assert(loops_lead_back(&loops, &memory, 0, &elsewhere, 2 * second - 1));
	ck_assert(!loops_lead_back(&loops, &memory, 0, &elsewhere, 2 * second));
	ck_assert(loops_lead_back(&loops, &memory, 0, &here, 2 * second));
	ck_assert(!loops_lead_back(&loops, &memory, 0, &elsewhere, 2 * second));
	loops_destroy(&loops);
}
END_TEST

/* The addresses that this machine really has are its own, whatever they are. */
START_TEST(an_address_of_this_machine)
{
	struct address nobodys = address("203.0.113.7:1");
	struct address wild = address("0.0.0.0:1");
	struct address loopback = address("127.0.0.1:1");
	struct address unix_path = address("unix:/run/x");

	ck_assert(origin_is_local(&loopback));
	ck_assert(!origin_is_local(&nobodys));
	ck_assert(!origin_is_local(&unix_path));
	ck_assert(address_is_wildcard(&wild));
	ck_assert(!address_is_wildcard(&loopback));
	ck_assert(!address_is_wildcard(&unix_path));
}
END_TEST

/* A socket that is bound, and its address. */
static int bound(const char *text, struct address *own)
{
	struct address any = address(text);
	int fd = socket(any.sa.sa_family, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &any.sa, any.length), 0);
	memset(own, 0, sizeof(*own));
	own->length = sizeof(own->storage);
	ck_assert_int_eq(getsockname(fd, &own->sa, &own->length), 0);
	return fd;
}

static const char *const homes[] = {"127.0.0.1:0", "[::1]:0"};
static const char *const servers[] = {"10.0.0.1:80", "[fd00::1]:80"};

START_TEST(own_connections_are_known_until_they_are_forgotten)
{
	struct departure departure = {0}, none = {0};
	struct address own, other, server = address(servers[_i]), elsewhere = server;
	int fd = bound(homes[_i], &own);

	begin("127.0.0.1:1");
	other = own;
	other.in.sin_port = htons((uint16_t)(ntohs(own.in.sin_port) ^ 1));
	elsewhere.in.sin_port = htons(81);
	ck_assert(!loops_return(&loops, &own, &server));
	loops_depart(&loops, &departure, fd, &server);
	loops_depart(&loops, &departure, fd, &server); /* once is enough */
	ck_assert(loops_return(&loops, &own, &server));
	ck_assert(!loops_return(&loops, &other, &server));
	ck_assert_msg(!loops_return(&loops, &own, &elsewhere),
		"somebody else's connection from that port, to another server");
	other = address(_i == 0 ? "127.0.0.2:0" : "[::2]:0");
	other.in.sin_port = own.in.sin_port;
	ck_assert_msg(!loops_return(&loops, &other, &server), "the same port of another address");
	loops_forget(&loops, &departure);
	ck_assert(!loops_return(&loops, &own, &server));
	loops_forget(&loops, &departure);
	loops_forget(&loops, &none);
	close(fd);
	loops_destroy(&loops);
}
END_TEST

#define THREADS 4
#define TURNS 2000

static void *come_and_go(void *argument)
{
	const char *wrong = NULL;
	struct departure departure = {0};
	struct address own, server = address("10.0.0.1:80");
	int fd = bound("127.0.0.1:0", &own);

	(void)argument;
	for (int i = 0; i < TURNS; i++) {
		loops_depart(&loops, &departure, fd, &server);
		if (!loops_return(&loops, &own, &server))
			wrong = "departed, and not known";
		loops_forget(&loops, &departure);
		if (loops_return(&loops, &own, &server))
			wrong = "forgotten, and known";
	}
	close(fd);
	return (void *)wrong;
}

START_TEST(from_any_thread)
{
	pthread_t threads[THREADS];

	begin("127.0.0.1:1");
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		ck_assert_msg(wrong == NULL, "%s", (const char *)wrong);
	}
	loops_destroy(&loops);
}
END_TEST

/* A weir that could not start destroys what it never made. */
START_TEST(nothing_can_be_destroyed)
{
	memset(&loops, 0, sizeof(loops));
	loops_destroy(&loops);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loops");
	TCase *tcase = tcase_create("loops");

	tcase_add_loop_test(tcase, where_a_connection_would_lead, 0, (int)(sizeof(leads) / sizeof(leads[0])));
	tcase_add_loop_test(tcase, whom_a_listener_leads_to, 0, (int)(sizeof(circles) / sizeof(circles[0])));
	tcase_add_test(tcase, the_kernel_is_asked_once_a_second);
	tcase_add_test(tcase, an_address_of_this_machine);
	tcase_add_loop_test(tcase, own_connections_are_known_until_they_are_forgotten, 0,
		(int)(sizeof(homes) / sizeof(homes[0])));
	tcase_add_test(tcase, from_any_thread);
	tcase_add_test(tcase, nothing_can_be_destroyed);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
