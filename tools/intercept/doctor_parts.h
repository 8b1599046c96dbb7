/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_parts - what the checks share: how a finding is told, and what the kernel says of interfaces, routes and sysctls.
 */
#ifndef DOCTOR_PARTS_H
#define DOCTOR_PARTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "netlink.h"
#include "network.h"
#include "plan.h"

/* An interface. */
struct doctor_link {
	unsigned index;
	unsigned flags;
	unsigned master;    /* 0: none */
	char kind[16];      /* "bridge"; empty for hardware */
	char part_kind[16]; /* as part of its master: "bridge", too */
	char name[IFNAMSIZ];
};

/* An address of an interface, with the bits of its network. */
struct doctor_own {
	unsigned link;
	struct network network;
};

/* A TCP socket that listens. */
struct doctor_socket {
	sa_family_t family;
	uint16_t port;
	uint32_t inode;
	bool v6only;
	bool told; /* the kernel says whether it is transparent */
	bool transparent;
	struct in6_addr address; /* of IPv4 the first four bytes */
};

struct doctor_check;

struct doctor {
	const struct plan *plan;
	const char *file; /* quoted for a shell */
	FILE *out;
	const struct doctor_check *check; /* under way */
	char **said;                      /* by this check */
	size_t said_count;
	bool again; /* what was found last had been said before */
	unsigned findings;
	unsigned findings_before; /* this check */
	unsigned unseen;
	/* learnt before the checks */
	struct doctor_link *links;
	size_t link_count;
	struct doctor_own *addresses;
	size_t address_count;
	struct doctor_socket *sockets;
	size_t socket_count;
	/* learnt by them, for those behind */
	char *rules;    /* weir's table as nft lists it; NULL: there is none, or nobody may see */
	char *expected; /* what weir's table would be; NULL: could not be tried */
	bool cgroups_miss;
	bool rules_miss;
	bool routes_fit[2]; /* by family: the rule and the route are there */
};

/* ---- telling: doctor.c --------------------------------------------------------------------------------------------- */

/* What is wrong, with the values seen. Told once, however often it is found. */
void doctor_find(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The command that mends what was found last, for a shell of root. */
void doctor_mend(const struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What could not be looked at, and why: no finding. */
void doctor_miss(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For a shell. Owned; NULL without memory. */
char *doctor_quote(const char *text) __attribute__((warn_unused_result));

/* "IPv4" */
const char *doctor_family(sa_family_t family);

/* ---- asking: doctor_netlink.c -------------------------------------------------------------------------------------- */

/* Sends a question over a bus of netlink and shows its answers as they come. 0, or -1 with errno. */
int doctor_ask(int bus, struct nlmsghdr *question, mnl_cb_t answer, void *data) __attribute__((warn_unused_result));

/* Asks for a whole table of routing, and when all is there shows each message that passes the filter, if there is one; both
   have the data. 0, or -1 with errno. */
int doctor_dump(struct nlmsghdr *question, netlink_filter *filter, mnl_cb_t each, void *data)
	__attribute__((warn_unused_result));

/* A number below /proc/sys: 0, or -1 with errno. */
int doctor_sysctl(long *value, const char *format, ...) __attribute__((format(printf, 2, 3), warn_unused_result));

/* ---- interfaces: doctor_links.c ------------------------------------------------------------------------------------ */

int doctor_read_links(struct doctor *doctor) __attribute__((warn_unused_result));

/* The next interface that the entry's traffic arrives by; after NULL the first, NULL behind the last. */
const struct doctor_link *doctor_next_link(const struct doctor *doctor, const struct plan_entry *entry,
	const struct doctor_link *after);
const struct doctor_link *doctor_link(const struct doctor *doctor, unsigned index); /* NULL: none */

void doctor_no_interface(struct doctor *doctor);
void doctor_enslaved(struct doctor *doctor);
void doctor_no_address(struct doctor *doctor);
void doctor_ipv6_off(struct doctor *doctor);

/* ---- routes: doctor_lookup.c, doctor_routes.c, doctor_paths.c ------------------------------------------------------ */

/* Which way a packet goes. Networks stand for their first address; family AF_UNSPEC: none. */
struct doctor_question {
	struct network to;
	struct network from;
	unsigned in; /* the interface that it arrives by; 0: it is sent from here */
	uint64_t mark;
};

struct doctor_answer {
	unsigned type; /* RTN_... */
	unsigned table;
	unsigned out;
	bool gateway;
};

/* 0, or -1 with errno: nowhere. */
int doctor_route(const struct doctor_question *question, struct doctor_answer *answer)
	__attribute__((warn_unused_result));

struct address doctor_as_address(const struct network *network); /* port 0 */

/* The network's last address. */
struct network doctor_last_of(const struct network *network);

/* A host of the network that is not this machine. False: there is none. */
bool doctor_host_in(const struct doctor *doctor, const struct network *network, struct network *host);

/* A client that may come by the link: of the entry's list, or a neighbour. False: nobody is known. */
bool doctor_sample_client(const struct doctor *doctor, const struct plan_entry *entry, const struct doctor_link *link,
	struct network *client);

void doctor_no_routing_rule(struct doctor *doctor);
void doctor_no_route(struct doctor *doctor);
void doctor_other_route(struct doctor *doctor);
void doctor_rule_shadowed(struct doctor *doctor);
void doctor_rp_filter(struct doctor *doctor);
void doctor_return_path(struct doctor *doctor);

/* ---- rules: doctor_nft.c, doctor_rules.c, doctor_firewall.c -------------------------------------------------------- */

/* Whether rules may be read; false with errno. libnftables would say so itself, on stderr. */
bool doctor_nft_may(void);

/* Runs commands of nft. 0 with what it printed, or -1 with what it said is wrong, one line; owned, NULL without memory. */
int doctor_nft(const char *commands, char **text) __attribute__((warn_unused_result));

/* The same, then lists weir's table, in a network namespace of its own. -1: refused; -2: no such namespace can be had. */
int doctor_nft_elsewhere(const char *commands, char **text) __attribute__((warn_unused_result));

/* A line of a listing, without what it is indented by, cut if it is longer. Returns where the next begins. */
#define DOCTOR_LINE_MAX 512
const char *doctor_take_line(const char *text, char line[DOCTOR_LINE_MAX]);

void doctor_no_cgroup(struct doctor *doctor);
void doctor_kernel_feature(struct doctor *doctor);
void doctor_no_rules(struct doctor *doctor);
void doctor_stale_rules(struct doctor *doctor);
void doctor_firewall(struct doctor *doctor);
void doctor_other_mark(struct doctor *doctor);

/* ---- sysctls: doctor_sysctl.c -------------------------------------------------------------------------------------- */

void doctor_src_valid_mark(struct doctor *doctor);
void doctor_fwmark_accept(struct doctor *doctor);
void doctor_fwmark_reflect(struct doctor *doctor);
void doctor_bridge_netfilter(struct doctor *doctor);
void doctor_ip_forward(struct doctor *doctor);
void doctor_loopback_only(struct doctor *doctor);
void doctor_close_wait(struct doctor *doctor);
void doctor_conntrack_idle(struct doctor *doctor);
void doctor_conntrack_full(struct doctor *doctor);

/* ---- sockets: doctor_sockets.c, doctor_process.c ------------------------------------------------------------------- */

int doctor_read_sockets(struct doctor *doctor) __attribute__((warn_unused_result));

/* Who owns a socket. */
struct doctor_process {
	int pid;
	char name[32];
	uint64_t capabilities; /* effective */
	uint32_t uid;
	uint32_t gid;
	char cgroup[256]; /* below the root of cgroup2, without a '/' at either end */
};

/* 0, or -1: nobody that we may see. */
int doctor_process_of(struct doctor_process *process, uint32_t inode) __attribute__((warn_unused_result));

void doctor_not_listening(struct doctor *doctor);
void doctor_not_transparent(struct doctor *doctor);
void doctor_no_capability(struct doctor *doctor);
void doctor_loop(struct doctor *doctor);

#endif
