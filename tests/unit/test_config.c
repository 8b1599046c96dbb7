/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations: what good ones become, what they admit, and junk.
 */
#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config.h"
#include "directory.h"
#include "loading.h"

#define SECOND UINT64_C(1000000000)

/* ---- good ones ----------------------------------------------------------------------------------------------------- */

START_TEST(defaults)
{
	struct config *config = load_text(LISTENER);
	struct config_listener *listener = config->listeners[0];

	ck_assert_uint_ge(config->weir.workers, 1);
	ck_assert_uint_le(config->weir.workers, 256);
	ck_assert_uint_eq(config->weir.memory, 512 << 20);
	ck_assert_uint_ne(config->weir.max_sessions, CONFIG_AUTO);
	ck_assert_uint_eq(config->weir.drain_timeout, 30 * SECOND);
	ck_assert_str_eq(config->weir.user, "");
	ck_assert_str_eq(listener->name, "a");
	ck_assert_uint_eq(listener->line, 1);
	ck_assert_uint_eq(listener->address_count, 1);
	ck_assert_uint_eq(listener->upstream->line, 0);
	ck_assert_uint_eq(address_port(&listener->upstream->address), 1);
	ck_assert_uint_eq(listener->policy_count, 1);
	ck_assert_str_eq(listener->policies[0]->name, "watermark");
	ck_assert_uint_eq(listener->max_sessions, CONFIG_UNLIMITED);
	ck_assert_uint_eq(listener->connect_timeout, 5 * SECOND);
	ck_assert_uint_eq(listener->idle_timeout, 3600 * SECOND);
	ck_assert_uint_eq(listener->rcvbuf, CONFIG_AUTO);
	ck_assert_uint_eq(listener->sndbuf, CONFIG_KERNEL);
	ck_assert_uint_eq(listener->notsent_lowat, 128 << 10);
	ck_assert_uint_eq(listener->nodelay, 1);
	config_free(config);
	config_free(NULL);
}
END_TEST

#define FULL                                                                                                                \
	"\xef\xbb\xbf; with a byte order mark\r\n"                                                                          \
	"[weir]\r\nworkers = 3\r\nmemory = 64M ; much\nmax_sessions = 100\ndrain_timeout = 0\nlog_level = debug\n"          \
	"[listener b]\nlisten = [::]:0 ,127.0.0.1:0, unix:/run/b\nupstream = c\npolicy = q,p , watermark\nidle_timeout = "  \
	"never\nuser_timeout = off\nkeepalive = 90\nrcvbuf = kernel\nsndbuf = 64K\nnodelay = no\nmax_sessions = 5\n"        \
	"# unused sections are fine\n[upstream unused]\nserver = unix:/x\n"                                                 \
	"[listener c]\nlisten = 127.0.0.1:0\nupstream = [::1]:5\npolicy = none\n"                                           \
	"[listener d]\nlisten = 127.0.0.1:0\nupstream = [::1]:5\n"                                                          \
	"[policy p]\nmodule = everything\ncount = 7\nsegments = 10\nslots = 20\ntext = a;b # c\nflag = yes\nword = three\n" \
	"[policy idle]\nmodule = everything\ncount = 8\nsegments = 1000\n"                                                  \
	"[policy q]\nmodule = watermark\nhigh = 1500000\n"                                                                  \
	"[upstream c]\nserver = db.example:5432"

START_TEST(everything_at_once)
{
	struct config *config = load_text(FULL);
	struct config_listener *b = config->listeners[0], *c = config->listeners[1], *d = config->listeners[2];

	ck_assert_uint_eq(config->weir.workers, 3);
	ck_assert_uint_eq(config->listener_count, 3);
	ck_assert_uint_eq(b->address_count, 3);
	ck_assert(address_is_unix(&b->addresses[2]));
	ck_assert_str_eq(b->upstream->host, "db.example");
	ck_assert_uint_eq(b->upstream->port, 5432);
	ck_assert_uint_eq(b->policy_count, 3);
	ck_assert_str_eq(b->policies[0]->name, "q");
	ck_assert_str_eq(b->policies[1]->name, "p");
	ck_assert_uint_eq(b->idle_timeout, WEIR_NEVER);
	ck_assert_uint_eq(b->user_timeout, CONFIG_OFF);
	ck_assert_uint_eq(b->keepalive, 90 * SECOND);
	ck_assert_uint_eq(b->rcvbuf, CONFIG_KERNEL);
	ck_assert_uint_eq(b->sndbuf, 65536);
	ck_assert_uint_eq(c->policy_count, 0);
	ck_assert_ptr_eq(c->upstream, d->upstream);
	ck_assert_ptr_eq(b->policies[2], d->policies[0]);
	ck_assert_uint_eq(config->policy_count, 4);
	config_free(config);
}
END_TEST

/* A section of the default policy's name is what listeners without a policy line have. */
START_TEST(default_policy_redefined)
{
	struct config *config = load_text(
		LISTENER "[policy watermark]\nmodule = watermark\nhigh = 1M\n[listener b]\nlisten = "
			 "127.0.0.1:0\nupstream = 127.0.0.1:1\npolicy = watermark\n");

	ck_assert_uint_eq(config->policy_count, 1);
	ck_assert_ptr_eq(config->listeners[0]->policies[0], config->policies[0]);
	ck_assert_ptr_eq(config->listeners[1]->policies[0], config->policies[0]);
	config_free(config);
}
END_TEST

/* Two listeners lack the default policy: one line says why. */
START_TEST(default_policy_that_cannot_be_had)
{
	static const char two_listeners[] = LISTENER "[listener b]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\n";
	struct config *config;
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);

	directory_write("weir.ini", two_listeners, strlen(two_listeners));
	config = config_load("weir.ini", "nowhere", errors);
	fclose(errors);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(text,
		"weir.ini:1: [listener a]: the default policy watermark: cannot open the module directory nowhere: No such "
		"file or directory; expected a directory\n");
	free(text);
}
END_TEST

static char *printed(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_print(config, out);
	fclose(out);
	return text;
}

#define GATEWAY                                                                                                        \
	"[weir]\nmark = 0xff\n[listener g]\nlisten = 0.0.0.0:5, [::]:5\nmode = tproxy\nupstream = original\n"          \
	"deny = 10.1.2.3\nallow = 10.0.0.0/8, fd00::/8\nallow_destination = 10.2.0.0/16:5432, [fd02::/16]\n"           \
	"intercept_ports = 5432, 8000-8099\nintercept_interfaces = eth1, eth2.5\nintercept_exclude_uid = 7, root\n"    \
	"intercept_exclude_gid = root\nintercept_exclude_cgroup = a.slice/b c.service, x\n"                            \
	"intercept_from = 10.1.0.0/16\nintercept_to = 10.2.0.0/16, 10.3.0.0/16\n"
#define SIDECAR                                                                                                        \
	"[listener s]\nlisten = 127.0.0.1:5\nmode = redirect\nintercept_ports = 1-65535\nintercept_local = yes\n"
#define APART SIDECAR "intercept_exclude_mark = 0x10, 5\n"
#define UNMARKED "[weir]\nmark = off\n" SIDECAR "intercept_exclude_uid = 7\n"
#define BOUND                                                                                                          \
	LISTENER "upstream_bind = fd00::1 , 10.0.0.1\naccept_proxy = require\nproxy_from = all\nsend_proxy = v2\n"     \
		 "allow = all\ndeny = 10.0.0.0/8\n"

static const char *const reprints[] = {LISTENER, FULL, LISTENER "policy = none\n",
	LISTENER "policy=watermark\n[policy watermark]\nmodule = newer\n", GATEWAY, SIDECAR, APART, BOUND, UNMARKED};

START_TEST(print_loads_to_the_same)
{
	struct config *config = load_text(reprints[_i]);
	char *first = printed(config), *second;

	config_free(config);
	config = load_text(first);
	second = printed(config);
	ck_assert_str_eq(first, second);
	config_free(config);
	free(first);
	free(second);
}
END_TEST

START_TEST(print_shows_all)
{
	struct config *config = load_text(FULL);
	char *text = printed(config);
	static const char *const parts[] = {
		"[weir]\nworkers = 3\n; user is empty\nmemory = 64M\nmax_sessions = 100\nmodule_dir = modules\ndrain_timeout = "
		"0\nmark = off\ntproxy_mark = 30566\ntproxy_table = 30566\nlog_level = debug\n\n",
		"\n[policy p]\nmodule = everything\nsize = 64K\ntime = never\ncount = 7\nsegments = 10\nslots = 20\ntext = a;b # "
		"c\nflag = yes\nword = three\n\n",
		"\n[policy q]\nmodule = watermark\nhigh = 1500000\nlow = 128K\nscope = flow\n\n",
		"\n[policy watermark]\nmodule = watermark\nhigh = 256K\nlow = 128K\nscope = flow\n\n",
		"\n[upstream unused]\nserver = unix:/x\n\n[upstream c]\nserver = db.example:5432\n\n",
		"\n[listener b]\nlisten = [::]:0 ,127.0.0.1:0, unix:/run/b\nmode = forward\nupstream = c\nupstream_bind = none\npolicy = "
		"q,p , watermark\nmax_sessions = 5\nbacklog = 4096\nconnect_timeout = 5s\nidle_timeout = never\nhalf_close_timeout = "
		"1h\nstall_timeout = 10m\nuser_timeout = off\nkeepalive = 90s\nnodelay = no\nnotsent_lowat = 128K\nrcvbuf = "
		"kernel\nsndbuf = 64K\nsplice = auto\n; allow is empty\n; deny is empty\n; allow_destination is empty\n"
		"accept_proxy = no\n; proxy_from is empty\nproxy_timeout = 5s\nproxy_limit = 4K\nsend_proxy = no\n"
		"; intercept_ports is empty\n; intercept_interfaces is empty\nintercept_local = no\n",
		"\nupstream = [::1]:5\nupstream_bind = none\npolicy = none\nmax_sessions = unlimited\n",
		"\nrcvbuf = auto\nsndbuf = kernel\nsplice = auto\n",
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ck_assert_msg(strstr(text, parts[i]) != NULL, "no\n%s\nin\n%s", parts[i], text);
	free(text);
	config_free(config);
}
END_TEST

/* ---- transparent listeners ------------------------------------------------------------------------------------------ */

START_TEST(a_gateway)
{
	struct config *config = load_text(GATEWAY);
	struct config_listener *listener = config->listeners[0];
	struct config_intercept *intercept = &listener->intercept;

	ck_assert_uint_eq(config->weir.mark, 0xff);
	ck_assert_uint_eq(config->weir.tproxy_mark, CONFIG_TPROXY_MARK);
	ck_assert_uint_eq(config->weir.tproxy_table, CONFIG_TPROXY_TABLE);
	ck_assert_uint_eq(listener->mode, CONFIG_TPROXY);
	ck_assert(listener->upstream->original && listener->upstream->address.length == 0);
	ck_assert_str_eq(listener->upstream->host, "");
	ck_assert_str_eq(listener->upstream->name, CONFIG_ORIGINAL);
	ck_assert(listener->bind_client && !listener->bind_port && listener->deny_first && !intercept->local);
	ck_assert_uint_eq(listener->allow.count, 2);
	ck_assert_uint_eq(listener->deny.count, 1);
	ck_assert_uint_eq(listener->destinations.count, 2);
	ck_assert_uint_eq(listener->destinations.list[0].ports.low, 5432);
	ck_assert_uint_eq(intercept->ports.list[1].high, 8099);
	ck_assert_uint_eq(intercept->interfaces.count, 2);
	ck_assert_str_eq(intercept->interfaces.list[1], "eth2.5");
	ck_assert_uint_eq(intercept->uids.count, 2);
	ck_assert_uint_eq(intercept->uids.list[0], 7);
	ck_assert_uint_eq(intercept->uids.list[1], 0);
	ck_assert_uint_eq(intercept->gids.list[0], 0);
	ck_assert_str_eq(intercept->cgroups.list[0], "a.slice/b c.service");
	ck_assert_uint_eq(intercept->from.count, 1);
	ck_assert_uint_eq(intercept->to.count, 2);
	config_free(config);
}
END_TEST

/* All listeners with the original upstream share one; its mark is there where it is needed. */
START_TEST(original_upstreams)
{
	struct config *config = load_text(SIDECAR "[listener t]\nlisten = [::1]:6\nmode = tproxy\n" LISTENER);

	ck_assert_ptr_eq(config->listeners[0]->upstream, config->listeners[1]->upstream);
	ck_assert(config->listeners[0]->upstream->original && config->listeners[0]->intercept.local);
	ck_assert(!config->listeners[0]->bind_client && config->listeners[1]->bind_client);
	ck_assert(!config->listeners[0]->bind_port);
	ck_assert(!config->listeners[2]->upstream->original);
	ck_assert_uint_eq(config->weir.mark, CONFIG_MARK);
	config_free(config);
	config = load_text(LISTENER);
	ck_assert_uint_eq(config->weir.mark, CONFIG_NO_MARK);
	ck_assert(!config->listeners[0]->bind_client);
	config_free(config);
	config = load_text(UNMARKED);
	ck_assert_uint_eq(config->weir.mark, CONFIG_NO_MARK);
	config_free(config);
	config = load_text(APART);
	ck_assert_uint_eq(config->listeners[0]->intercept.marks.count, 2);
	ck_assert_uint_eq(config->listeners[0]->intercept.marks.list[0], 0x10);
	config_free(config);
	config = load_text("[listener t]\nlisten = [::1]:0\nmode = tproxy\nupstream = unix:/x\n");
	ck_assert(!config->listeners[0]->bind_client);
	config_free(config);
}
END_TEST

START_TEST(bound_and_behind_a_proxy)
{
	struct config *config = load_text(BOUND);
	struct config_listener *listener = config->listeners[0];
	char text[ADDRESS_TEXT_MAX];

	ck_assert_str_eq(address_text(&listener->bind[0], text, sizeof(text)), "10.0.0.1:0");
	ck_assert_str_eq(address_text(&listener->bind[1], text, sizeof(text)), "[fd00::1]:0");
	ck_assert(!listener->bind_client && !listener->deny_first);
	ck_assert_uint_eq(listener->accept_proxy, CONFIG_PROXY_REQUIRE);
	ck_assert_uint_eq(listener->send_proxy, CONFIG_SEND_V2);
	ck_assert_uint_eq(listener->proxy_timeout, 5 * SECOND);
	ck_assert_uint_eq(listener->proxy_limit, 4096);
	ck_assert_uint_eq(listener->proxies.count, 1);
	config_free(config);
}
END_TEST

static const struct {
	const char *lists;
	const char *allowed, *denied;
} access_lists[] = {
	{"", "1.2.3.4:1 [::1]:1 unix:/x", ""},
	{"allow = 10.0.0.0/8\n", "10.0.0.1:1 [::ffff:10.0.0.1]:1 unix:/x", "11.0.0.1:1 [::1]:1"},
	{"deny = 10.0.0.0/8\n", "11.0.0.1:1 [::1]:1 unix:/x", "10.0.0.1:1 [::ffff:10.0.0.1]:1"},
	{"allow = 10.1.0.0/16\ndeny = 10.0.0.0/8\n", "10.1.0.1:1 11.0.0.1:1 unix:/x", "10.2.0.1:1"},
	{"deny = 10.1.0.0/16\nallow = 10.0.0.0/8\n", "10.2.0.1:1 unix:/x", "10.1.0.1:1 11.0.0.1:1 [::1]:1"},
	{"deny = all\nallow = 10.0.0.0/8\n", "unix:/x", "10.2.0.1:1 11.0.0.1:1 [::1]:1"},
	{"allow = all\ndeny = 10.0.0.0/8\n", "10.2.0.1:1 11.0.0.1:1 [::1]:1 unix:/x", ""},
	{"allow = 10.0.0.0/8\ndeny = all\n", "10.2.0.1:1 unix:/x", "11.0.0.1:1 [::1]:1"},
};

static void assert_allows(const struct config_listener *listener, const char *clients, bool allowed)
{
	char copy[200], error[500], *rest = copy, *word;
	struct address client;

	snprintf(copy, sizeof(copy), "%s", clients);
	while ((word = strsep(&rest, " ")) != NULL && *word != '\0') {
		ck_assert_msg(address_parse(&client, word, error, sizeof(error)) == 0, "%s", error);
		ck_assert_msg(config_allows(listener, &client) == allowed, "%s, %d", word, allowed);
	}
}

START_TEST(who_is_let_in)
{
	char text[300];
	struct config *config;

	snprintf(text, sizeof(text), LISTENER "%s", access_lists[_i].lists);
	config = load_text(text);
	assert_allows(config->listeners[0], access_lists[_i].allowed, true);
	assert_allows(config->listeners[0], access_lists[_i].denied, false);
	config_free(config);
}
END_TEST

/* Chains that end elsewhere, other ports and addresses that are listened on by none. */
static const char *const no_loops[] = {
	"[listener a]\nlisten = 127.0.0.1:5\nupstream = 127.0.0.1:6\n"
	"[listener b]\nlisten = 127.0.0.1:6\nupstream = 127.0.0.1:7\n",
	"[listener a]\nlisten = 127.0.0.1:5\nupstream = 127.0.0.2:5\n",
	"[listener a]\nlisten = 0.0.0.0:5\nupstream = [::1]:5\n",
	"[listener a]\nlisten = 0.0.0.0:5\nupstream = 10.0.0.1:5\n",
	"[listener a]\nlisten = [::]:5\nupstream = [::ffff:127.0.0.1]:5\n",
	"[listener a]\nlisten = unix:/a\nupstream = unix:/ab\n",
	"[listener a]\nlisten = 127.0.0.1:5\nupstream = localhost:5\n",
	"[listener a]\nlisten = 127.0.0.1:5\nupstream = 127.0.0.1:6\n"
	"[listener b]\nlisten = 127.0.0.1:6\nmode = redirect\n",
};

START_TEST(listeners_that_do_not_loop)
{
	config_free(load_text(no_loops[_i]));
}
END_TEST

/* ---- limits -------------------------------------------------------------------------------------------------------- */

static void set_descriptors(rlim_t limit)
{
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit, limit}), 0);
}

static void assert_admits(const char *text, uint64_t max_sessions, uint64_t sessions, const char *limit)
{
	struct config *config = load_text(text);
	char name[CONFIG_LIMIT_MAX];

	ck_assert_uint_eq(config->weir.max_sessions, max_sessions);
	ck_assert_uint_eq(config_admits(config, name, sizeof(name)), sessions);
	ck_assert_str_eq(name, limit);
	ck_assert_uint_eq(config_shared_memory(config), config->weir.memory - max_sessions * 8192);
	config_free(config);
}

#define CREDIT "[policy c]\nmodule = credit\npool = 320K\n"
#define OTHER "[listener other]\nlisten = 127.0.0.1:2\nupstream = 127.0.0.1:1\n"
#define THIRD "[listener third]\nlisten = 127.0.0.1:3\nupstream = 127.0.0.1:1\n"

/* 1000 - 64 - 16 * 2 = 904, of which 14 pipes for each worker take 56: (904 - 56) / 2 = 424 */
START_TEST(limits)
{
	set_descriptors(1000);
	assert_admits("[weir]\nworkers = 2\n" LISTENER, 424, 424, "descriptors");
	assert_admits("[weir]\nworkers = 2\n" LISTENER "splice = off\n", 452, 452, "descriptors");
	assert_admits("[weir]\nworkers = 2\nmax_sessions = 60000\n" LISTENER, 60000, 424, "descriptors");
	assert_admits("[weir]\nworkers = 2\nmax_sessions = 10\n" LISTENER, 10, 10, "max_sessions");
	assert_admits("[weir]\nworkers = 2\nmemory = 1M\n" LISTENER, 64, 64, "max_sessions");
	assert_admits("[weir]\nworkers = 2\nmemory = 1M\nmax_sessions = 128\n" LISTENER, 128, 128, "memory");
	assert_admits("[weir]\nworkers = 2\n" LISTENER "max_sessions = 7\n", 424, 7, "max_sessions");
	/* 1M without the pool's 16 x 32K and the listener's 8 x 4K leaves 60 sessions, half of them by themselves */
	assert_admits("[weir]\nworkers = 2\nmemory = 1M\n" LISTENER
		      "policy = p\n[policy p]\nmodule = everything\ncount = 1\n",
		30, 30, "max_sessions");
	/* 10 segments are two sessions' share; two listeners share them, unless the other does without */
	assert_admits("[weir]\nworkers = 2\n" CREDIT LISTENER "policy = c\n", 424, 2, "policy c");
	assert_admits("[weir]\nworkers = 2\n" CREDIT LISTENER "policy = c\n" OTHER "policy = c\n", 424, 2, "policy c");
	assert_admits("[weir]\nworkers = 2\n" CREDIT LISTENER "policy = c\n" OTHER, 424, 424, "descriptors");
	assert_admits("[weir]\nworkers = 2\n" CREDIT LISTENER "policy = c\n" OTHER "max_sessions = 7\n", 424, 9,
		"policy c");
	/* or a third does */
	assert_admits("[weir]\nworkers = 2\n" CREDIT LISTENER "policy = c\n" OTHER "policy = c\n" THIRD
		      "max_sessions = 7\n",
		424, 9, "policy c");
	assert_admits("[weir]\nworkers = 2\n" CREDIT LISTENER "policy = c\nmax_sessions = 1\n" OTHER
		      "policy = c\nmax_sessions = 1\n" THIRD "max_sessions = 7\n",
		424, 9, "max_sessions");
	/* Which pools nobody uses promise nothing. */
	assert_admits("[weir]\nworkers = 2\nmemory = 1M\n" LISTENER "[policy p]\nmodule = everything\ncount = 1\n", 64,
		64, "max_sessions");
}
END_TEST

START_TEST(too_few_descriptors)
{
	set_descriptors(97);
	directory_write("weir.ini", "[weir]\nworkers = 2\n" LISTENER, strlen("[weir]\nworkers = 2\n" LISTENER));
	assert_refused("weir.ini",
		"weir.ini: the limit of 97 open files leaves none for sessions; expected at least 98 for 2 "
		"workers (ulimit -Hn, LimitNOFILE=)\n");
}
END_TEST

/* ---- junk ---------------------------------------------------------------------------------------------------------- */

#define JUNK_ROUNDS 400
#define JUNK_MAX 6000

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static void random_bytes(char *bytes, size_t *length)
{
	*length = draw(JUNK_MAX);
	for (size_t i = 0; i < *length; i++)
		bytes[i] = (char)draw(256);
}

/* Of the letters that mean something in an ini file. */
static void random_letters(char *bytes, size_t *length)
{
	static const char letters[] = "[]=;:# \t\r\n\nabKM0159,.%\"weir listener";

	*length = draw(JUNK_MAX);
	for (size_t i = 0; i < *length; i++)
		bytes[i] = letters[draw(sizeof(letters) - 1)];
}

static void truncated(char *bytes, size_t *length)
{
	*length = draw(sizeof(FULL));
	memcpy(bytes, FULL, *length);
}

static void flipped(char *bytes, size_t *length)
{
	*length = strlen(FULL);
	memcpy(bytes, FULL, *length);
	for (uint32_t i = 1 + draw(8); i > 0; i--)
		bytes[draw((uint32_t)*length)] ^= (char)(1 << draw(8));
}

static void shuffled(char *bytes, size_t *length)
{
	*length = 0;
	for (uint32_t i = draw(40); i > 0; i--) {
		const char *line = &FULL[draw(sizeof(FULL) - 1)];
		size_t bound = strcspn(line, "\n") + 1;

		if (line[bound - 1] == '\0')
			bound--;
		memcpy(bytes + *length, line, bound);
		*length += bound;
	}
}

typedef void junk_maker(char *bytes, size_t *length);

static junk_maker *const makers[] = {random_bytes, random_letters, truncated, flipped, shuffled};

/* Each error is one line that names the file; a file without errors prints, and loads again. */
static void judge(struct config *config)
{
	char *text;

	for (const char *line = messages; *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert_msg(strncmp(line, "junk.ini:", 9) == 0 && strchr(line, '\n') != NULL, "%s", messages);
	ck_assert_int_eq(config == NULL, messages[0] != '\0');
	if (config == NULL)
		return;
	text = printed(config);
	config_free(config);
	config = load_text(text);
	config_free(config);
	free(text);
}

START_TEST(junk)
{
	static char bytes[40 * 200 + JUNK_MAX];

	seed = UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)_i;
	for (int round = 0; round < JUNK_ROUNDS; round++) {
		size_t length;

		makers[_i](bytes, &length);
		directory_write("junk.ini", bytes, length);
		judge(load("junk.ini"));
	}
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");

	tcase_add_unchecked_fixture(tcase, directory_enter, directory_remove);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, everything_at_once);
	tcase_add_test(tcase, default_policy_redefined);
	tcase_add_test(tcase, default_policy_that_cannot_be_had);
	tcase_add_loop_test(tcase, print_loads_to_the_same, 0, COUNT(reprints));
	tcase_add_test(tcase, print_shows_all);
	tcase_add_test(tcase, a_gateway);
	tcase_add_test(tcase, original_upstreams);
	tcase_add_test(tcase, bound_and_behind_a_proxy);
	tcase_add_loop_test(tcase, who_is_let_in, 0, COUNT(access_lists));
	tcase_add_loop_test(tcase, listeners_that_do_not_loop, 0, COUNT(no_loops));
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, too_few_descriptors);
	tcase_add_loop_test(tcase, junk, 0, COUNT(makers));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
