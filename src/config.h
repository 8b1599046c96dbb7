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
#include "pipe.h"
#include "policy.h"

#define CONFIG_SESSION_RESERVE 8192 /* bytes of the memory limit that each admitted session owns: 4 KiB a direction */
#define CONFIG_STACK_MAX 8          /* policies of one listener */

/* Words that stand for numbers (see option.h: names[i] is UINT64_MAX - i). */
#define CONFIG_AUTO UINT64_MAX      /* workers, max_sessions, rcvbuf */
#define CONFIG_UNLIMITED UINT64_MAX /* listener's max_sessions */
#define CONFIG_OFF UINT64_MAX       /* notsent_lowat, keepalive, user_timeout */
#define CONFIG_AUTO_USER_TIMEOUT (UINT64_MAX - 1)
#define CONFIG_KERNEL (UINT64_MAX - 1) /* rcvbuf, sndbuf: as the kernel tunes it */

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
	uint32_t log_level;     /* enum log_level */
};

/* [upstream NAME] */
struct config_upstream {
	char *name; /* the section's, or the address itself when a listener names one directly */
	const char *server;
	struct address address; /* length 0: a name to be resolved */
	char host[256];         /* the name, else "" */
	uint16_t port;
	unsigned line; /* of its section; 0: made from the address that a listener names */
};

/* [listener NAME] */
struct config_listener {
	char *name;
	unsigned line;
	const char *listen;   /* as written */
	unsigned listen_line; /* where it stands */
	uint32_t mode;
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

	/* worked out by config_load */
	struct address *addresses;
	size_t address_count;
	struct config_upstream *upstream;          /* borrowed from config */
	struct policy *policies[CONFIG_STACK_MAX]; /* borrowed from config */
	size_t policy_count;
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

/* How many sessions the limits admit at once, and the name of the smallest: "memory", "max_sessions", "descriptors", or
   "policy NAME", of whose pools each session owns a share. */
#define CONFIG_LIMIT_MAX 128
uint64_t config_admits(const struct config *config, char *name, size_t size);

/* Pipes that each worker may have: descriptors are set aside for them, unless no listener splices. */
uint32_t config_pipes(const struct config *config);

/* Bytes of the memory limit left for what is held beyond the sessions' reserves; what pools promise is part of it. */
uint64_t config_shared_memory(const struct config *config);

#endif
