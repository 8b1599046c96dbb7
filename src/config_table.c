/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_table - the option tables of weir's own sections.
 */
#include "config_table.h"

#include <stddef.h>

#include "config.h"

#ifndef WEIR_MODULE_DIR
#define WEIR_MODULE_DIR "/usr/local/lib/weir"
#endif

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define MS UINT64_C(1000000)
#define SECOND (MS * 1000)
#define HOUR (SECOND * 3600)

#define SESSIONS_MAX (UINT64_C(1) << 24)
#define TIMEOUT_MAX (HOUR * 8760)

/* Which word stands where decides its number: see option.h, and the CONFIG_ names in config.h. */
static const char *const auto_words[] = {"auto", NULL};
static const char *const rcvbuf_words[] = {"auto", "kernel", NULL};
static const char *const sndbuf_words[] = {"", "kernel", NULL};
static const char *const unlimited_words[] = {"unlimited", NULL};
static const char *const never_words[] = {"never", NULL};
static const char *const off_words[] = {"off", NULL};
static const char *const user_timeout_words[] = {"off", "auto", NULL};
static const char *const level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const splice_words[] = {"auto", "on", "off", NULL}; /* as in enum pipe_use */
static const char *const mode_words[] = {"forward", NULL};

#define AT(member) .offset = offsetof(struct config_weir, member)

const struct weir_option config_weir_table[] = {
	{.key = "workers",
		.type = WEIR_OPTION_COUNT,
		AT(workers),
		.def = "auto",
		.min = 1,
		.max = 256,
		.names = auto_words,
		.doc = "threads that relay; auto: one for each processor weir may use"},
	{.key = "user",
		.type = WEIR_OPTION_STRING,
		AT(user),
		.def = "",
		.doc = "the user to become once all addresses are bound; without this key, weir stays who started it"},
	{.key = "memory",
		.type = WEIR_OPTION_SIZE,
		AT(memory),
		.def = "512M",
		.min = MIB,
		.max = 4096 * GIB,
		.doc = "for everything held, all sessions together; each session may always hold 8K of it"},
	{.key = "max_sessions",
		.type = WEIR_OPTION_COUNT,
		AT(max_sessions),
		.def = "auto",
		.min = 1,
		.max = SESSIONS_MAX,
		.names = auto_words,
		.doc = "sessions at once; at the limit, accepting pauses; auto: what descriptors and half the memory allow"},
	{.key = "module_dir",
		.type = WEIR_OPTION_STRING,
		AT(module_dir),
		.def = WEIR_MODULE_DIR,
		.doc = "where the policy modules are; nobody but root and weir's own user may write there"},
	{.key = "drain_timeout",
		.type = WEIR_OPTION_TIME,
		AT(drain_timeout),
		.def = "30s",
		.min = 0,
		.max = TIMEOUT_MAX,
		.names = never_words,
		.doc = "how long sessions may go on after the signal to stop"},
	{.key = "log_level",
		.type = WEIR_OPTION_ENUM,
		AT(log_level),
		.def = "info",
		.names = level_words,
		.doc = "the least important lines that are logged"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct config_upstream, member)

const struct weir_option config_upstream_table[] = {
	{.key = "server",
		.type = WEIR_OPTION_STRING,
		AT(server),
		.doc = "where to connect to: NAME:PORT, IPV4:PORT, [IPV6]:PORT or unix:/PATH"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct config_listener, member)

const struct weir_option config_listener_table[] = {
	{.key = "listen",
		.type = WEIR_OPTION_STRING,
		AT(listen),
		.doc = "addresses to listen on, with commas between: IPV4:PORT, [IPV6]:PORT or unix:/PATH"},
	{.key = "mode",
		.type = WEIR_OPTION_ENUM,
		AT(mode),
		.def = "forward",
		.names = mode_words,
		.doc = "forward: every client is connected to the upstream"},
	{.key = "upstream",
		.type = WEIR_OPTION_STRING,
		AT(upstream_name),
		.doc = "the name of an [upstream] section, or an address as its server key takes it"},
	{.key = "policy",
		.type = WEIR_OPTION_STRING,
		AT(policy_names),
		.def = CONFIG_DEFAULT_POLICY,
		.doc = "the stack: up to 8 names of [policy] sections with commas between, or none"},
	{.key = "max_sessions",
		.type = WEIR_OPTION_COUNT,
		AT(max_sessions),
		.def = "unlimited",
		.min = 1,
		.max = SESSIONS_MAX,
		.names = unlimited_words,
		.doc = "this listener's sessions at once; at the limit, it pauses accepting"},
	{.key = "backlog",
		.type = WEIR_OPTION_COUNT,
		AT(backlog),
		.def = "4096",
		.min = 1,
		.max = 65535,
		.doc = "connections that the kernel keeps waiting; it cuts this to net.core.somaxconn"},
	{.key = "connect_timeout",
		.type = WEIR_OPTION_TIME,
		AT(connect_timeout),
		.def = "5s",
		.min = MS,
		.max = TIMEOUT_MAX,
		.names = never_words,
		.doc = "how long connecting may take, for each address tried"},
	{.key = "idle_timeout",
		.type = WEIR_OPTION_TIME,
		AT(idle_timeout),
		.def = "1h",
		.min = MS,
		.max = TIMEOUT_MAX,
		.names = never_words,
		.doc = "a session in which both directions are silent so long is closed"},
	{.key = "half_close_timeout",
		.type = WEIR_OPTION_TIME,
		AT(half_close_timeout),
		.def = "1h",
		.min = MS,
		.max = TIMEOUT_MAX,
		.names = never_words,
		.doc = "a session of which one direction has ended, and the other is silent so long, is closed"},
	{.key = "stall_timeout",
		.type = WEIR_OPTION_TIME,
		AT(stall_timeout),
		.def = "10m",
		.min = MS,
		.max = TIMEOUT_MAX,
		.names = never_words,
		.doc = "a session of which one side takes nothing so long, although bytes are held for it, is closed"},
	{.key = "user_timeout",
		.type = WEIR_OPTION_TIME,
		AT(user_timeout),
		.def = "auto",
		.min = MS,
		.max = HOUR * 500,
		.names = user_timeout_words,
		.doc = "TCP_USER_TIMEOUT: a peer that acknowledges nothing, or takes nothing, for so long is given up; auto: half "
		       "as long again as stall_timeout"},
	{.key = "keepalive",
		.type = WEIR_OPTION_TIME,
		AT(keepalive),
		.def = "1m",
		.min = SECOND,
		.max = HOUR * 9,
		.names = off_words,
		.doc = "a peer silent for so long is probed whether it is still there"},
	{.key = "nodelay",
		.type = WEIR_OPTION_BOOL,
		AT(nodelay),
		.def = "yes",
		.doc = "TCP_NODELAY: small writes are not held back by the kernel"},
	{.key = "notsent_lowat",
		.type = WEIR_OPTION_SIZE,
		AT(notsent_lowat),
		.def = "128K",
		.min = KIB,
		.max = GIB,
		.names = off_words,
		.doc = "TCP_NOTSENT_LOWAT: how much the kernel takes beyond what it can send at once"},
	{.key = "rcvbuf",
		.type = WEIR_OPTION_SIZE,
		AT(rcvbuf),
		.def = "auto",
		.min = 4 * KIB,
		.max = GIB,
		.names = rcvbuf_words,
		.doc = "receive buffers; auto: 80K where the peer is on loopback, elsewhere as the kernel tunes them"},
	{.key = "sndbuf",
		.type = WEIR_OPTION_SIZE,
		AT(sndbuf),
		.def = "kernel",
		.min = 4 * KIB,
		.max = GIB,
		.names = sndbuf_words,
		.doc = "send buffers; kernel: as the kernel tunes them"},
	{.key = "splice",
		.type = WEIR_OPTION_ENUM,
		AT(splice),
		.def = "auto",
		.names = splice_words,
		.doc = "whether bytes go through pipes instead of being copied; auto: in a direction that moves in bulk"},
	{.key = NULL},
};
