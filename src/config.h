/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config - an ini file becomes an immutable struct config, or a list of errors.
 *
 * Every fault of the file is found in one run and reported as "file:line: [section] key: what is wrong; what was
 * expected". Modules are loaded and their options checked as part of it; no socket is opened. Main thread only.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "address.h"
#include "network.h"
#include "pipe.h"
#include "policy.h"

#define CONFIG_SESSION_RESERVE 8192 /* bytes of the memory limit that each admitted session owns: 4 KiB a direction */
#define CONFIG_STACK_MAX 8          /* policies of one listener */

/* Words that stand for numbers (see option.h: names[i] is UINT64_MAX - i). */
#define CONFIG_AUTO UINT64_MAX      /* workers, max_sessions, rcvbuf */
#define CONFIG_UNLIMITED UINT64_MAX /* listener's max_sessions */
#define CONFIG_OFF UINT64_MAX       /* notsent_lowat, keepalive, user_timeout */
#define CONFIG_AUTO_USER_TIMEOUT (UINT64_MAX - 1)
#define CONFIG_KERNEL (UINT64_MAX - 1)  /* rcvbuf, sndbuf: as the kernel tunes it */
#define CONFIG_NO_MARK (UINT64_MAX - 1) /* mark: none */

/* The marks and the routing table that a configuration has which says nothing of them. */
#define CONFIG_MARK 30565
#define CONFIG_TPROXY_MARK 30566
#define CONFIG_TPROXY_TABLE 30566

/* The upstream of listeners whose clients are connected to where they wanted to go; no section may be called so. */
#define CONFIG_ORIGINAL "original"

/*
 * The policy that a listener without a policy line has. The name exists always: a [policy watermark] section defines
 * it; without one it is the module `watermark` with its defaults, made when a listener names it, or names nothing.
 */
#define CONFIG_DEFAULT_POLICY "watermark"
#define CONFIG_NO_POLICY "none" /* the policy line that leaves all to the core; no section may be called so */

/* [weir] */
struct config_weir {
	uint64_t workers;      /* resolved: 1..256 */
	const char *user;      /* "" for none */
	uint64_t memory;       /* bytes */
	uint64_t max_sessions; /* resolved: never CONFIG_AUTO after config_load */
	const char *module_dir;
	uint64_t drain_timeout; /* ns */
	uint64_t mark;          /* of weir's own sockets; resolved: a number, or CONFIG_NO_MARK */
	uint64_t tproxy_mark;   /* of packets that are delivered to weir in mode tproxy */
	uint64_t tproxy_table;  /* the routing table that delivers them */
	uint32_t log_level;     /* enum log_level */
};

/* [upstream NAME] */
struct config_upstream {
	char *name; /* the section's, or the address itself when a listener names one directly */
	const char *server;
	struct address address; /* length 0: a name to be resolved */
	char host[256];         /* the name, else "" */
	uint16_t port;
	bool original; /* no server: where the client wanted to go */
	unsigned line; /* of its section; 0: made from the address that a listener names */
};

/* How clients come. */
enum config_mode {
	CONFIG_FORWARD,  /* to weir's address */
	CONFIG_REDIRECT, /* to another, which netfilter has changed to weir's */
	CONFIG_TPROXY,   /* to another, which the socket has */
};

enum config_accept_proxy { CONFIG_PROXY_NO, CONFIG_PROXY_YES, CONFIG_PROXY_REQUIRE };
enum config_send_proxy { CONFIG_SEND_NO, CONFIG_SEND_V1, CONFIG_SEND_V2 };

struct config_numbers {
	uint32_t *list;
	size_t count;
};

struct config_words {
	char **list;
	size_t count;
};

/* What weir-intercept makes rules of. weir itself does not look at it. */
struct config_intercept {
	struct ports ports;             /* none: no rules for this listener */
	struct config_words interfaces; /* where forwarded traffic arrives */
	bool local;                     /* traffic of this machine's own processes */
	struct config_numbers uids;     /* whose traffic is left alone, */
	struct config_numbers gids;
	struct config_words cgroups; /* as paths below the root of cgroup2, without a '/' at either end */
	struct config_numbers marks;
	struct networks from; /* none: from anywhere */
	struct networks to;
};

/* [listener NAME] */
struct config_listener {
	char *name;
	unsigned line;
	const char *listen;   /* as written */
	unsigned listen_line; /* where it stands */
	uint32_t mode;        /* enum config_mode */
	const char *upstream_name;
	const char *policy_names;
	uint64_t max_sessions;    /* CONFIG_UNLIMITED, or a number */
	uint64_t backlog;         /* connections */
	uint64_t connect_timeout; /* ns; for each address tried */
	uint64_t idle_timeout;    /* ns, WEIR_NEVER: none; so are the others */
	uint64_t half_close_timeout;
	uint64_t stall_timeout;
	uint64_t user_timeout; /* ns, CONFIG_OFF: the kernel's, CONFIG_AUTO_USER_TIMEOUT: by stall_timeout */
	uint64_t keepalive;    /* ns, CONFIG_OFF: none */
	uint32_t nodelay;
	uint32_t splice;        /* enum pipe_use */
	uint64_t notsent_lowat; /* bytes, CONFIG_OFF: none */
	uint64_t rcvbuf;        /* bytes, CONFIG_AUTO, CONFIG_KERNEL */
	uint64_t sndbuf;        /* bytes, CONFIG_KERNEL */
	uint32_t accept_proxy;  /* enum config_accept_proxy */
	uint64_t proxy_timeout; /* ns, WEIR_NEVER: none */
	uint64_t proxy_limit;   /* bytes that a header may have */
	uint32_t send_proxy;    /* enum config_send_proxy */
	uint32_t intercept_local;
	/* lists, as written; "" for none */
	const char *upstream_bind_text;
	const char *allow_text;
	const char *deny_text;
	const char *allow_destination_text;
	const char *proxy_from_text;
	const char *intercept_ports_text;
	const char *intercept_interfaces_text;
	const char *intercept_from_text;
	const char *intercept_to_text;
	const char *intercept_exclude_uid_text;
	const char *intercept_exclude_gid_text;
	const char *intercept_exclude_cgroup_text;
	const char *intercept_exclude_mark_text;

	/* worked out by config_load */
	struct address *addresses;
	size_t address_count;
	struct config_upstream *upstream;          /* borrowed from config */
	struct policy *policies[CONFIG_STACK_MAX]; /* borrowed from config */
	size_t policy_count;
	bool bind_client;             /* towards the server, the client's address */
	bool bind_port;               /* and its port, too */
	struct address bind[2];       /* or one of these, by family: IPv4, IPv6; length 0: none */
	struct networks allow;        /* empty, as all of these: no such list */
	struct networks deny;         /* see config_allows() */
	bool deny_first;              /* it stands first in the file */
	struct networks destinations; /* where clients may want to go */
	struct networks proxies;      /* who may send a PROXY header */
	struct config_intercept intercept;
};

struct config {
	struct config_weir weir;
	struct config_upstream **upstreams;
	size_t upstream_count;
	struct config_listener **listeners;
	size_t listener_count;
	struct policy *
		*policies; /* every section's, and last the default one if a listener uses it without a section */
	size_t policy_count;
};

/*
 * Reads and checks the file. module_dir, when not NULL, overrides the file's. Errors go to `errors`, one line each.
 * Returns the configuration, owned by the caller, or NULL when there was any error.
 */
struct config *config_load(const char *file, const char *module_dir, FILE *errors) __attribute__((warn_unused_result));
void config_free(struct config *config); /* NULL is fine */

/* The configuration in force as a valid ini, defaults included: what -T prints. Loading it gives the same again. */
void config_print(const struct config *config, FILE *out);

/*
 * Whether the listener's lists let this client in. They are gone through in the order of the file, the first match counts;
 * whoever is in none is treated as the last list does not: after an allow list he is denied, after a deny list allowed. A
 * unix client is in no list, and allowed.
 */
bool config_allows(const struct config_listener *listener, const struct address *client);

/* How many sessions the limits admit at once, and the name of the smallest: "memory", "max_sessions", "descriptors", or
   "policy NAME", of whose pools each session owns a share. */
#define CONFIG_LIMIT_MAX 128
uint64_t config_admits(const struct config *config, char *name, size_t size);

/* Pipes that each worker may have: descriptors are set aside for them, unless no listener splices. */
uint32_t config_pipes(const struct config *config);

/* Bytes of the memory limit left for what is held beyond the sessions' reserves; what pools promise is part of it. */
uint64_t config_shared_memory(const struct config *config);

#endif
