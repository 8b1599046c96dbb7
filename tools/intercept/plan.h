/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan - what a configuration needs of the kernel so that its listeners get their traffic: rules of netfilter, a routing
 * rule and a route for each family. Pure data worked out from struct config; others show it, put it up, and check it.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"

#define PLAN_TABLE "weir" /* of nftables, family inet */

/* Of the routing rules: asked before any other but the one for local addresses. Nobody else gives packets this mark. */
#define PLAN_PRIORITY 1
/* Of rules and routes: who made them. So they are found whatever mark and table they were made with. */
#define PLAN_PROTOCOL 119

/* One listener's part in one family: there is some rule for it. Those of a listener follow each other. */
struct plan_entry {
	const struct config_listener *listener;
	sa_family_t family;            /* AF_INET or AF_INET6 */
	const struct address *address; /* of its addresses, the first of this family */
	bool forwarded;                /* traffic that this machine forwards: there are interfaces */
	bool local;                    /* traffic of its own processes */
};

struct plan {
	const struct config *config; /* borrowed */
	struct plan_entry *entries;
	size_t count;
	/* By family, IPv4 and IPv6, whether rule and route are needed: some entry is of mode tproxy, or some listener, of any
	   mode, connects from its clients' addresses, to which servers answer. */
	bool routes[2];
};

/* 0, or -1 when memory is short. The config must outlive it. */
int plan_make(struct plan *plan, const struct config *config) __attribute__((warn_unused_result));
void plan_free(struct plan *plan);

/*
 * The table as nft reads it, in one transaction: made if it is not there, emptied, filled. Nothing is in it that the plan
 * does not need. The same plan gives the same bytes.
 */
void plan_print_rules(const struct plan *plan, FILE *out);

/* The same, of a plan without entries: the table is gone. Fine if it was not there. */
void plan_print_removal(FILE *out);

#endif
