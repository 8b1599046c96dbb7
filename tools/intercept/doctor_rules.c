/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_rules - whether the kernel takes the rules, has them, and has them as the configuration wants them now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_parts.h"

/* ---- what the kernel can ------------------------------------------------------------------------------------------- */

/* A part of nftables that the rules are made of. */
struct feature {
	const char *name;
	const char *module;
	const char *commands; /* what needs it, and no other part */
};

#define TABLE "add table inet " PLAN_TABLE "; "
#define FILTER TABLE "add chain inet " PLAN_TABLE " c { type filter hook prerouting priority mangle; }; "
#define NAT TABLE "add chain inet " PLAN_TABLE " c { type nat hook prerouting priority dstnat; }; "
#define RULE "add rule inet " PLAN_TABLE " c "

static const struct feature features[] = {
	{"tables of family inet", "nf_tables", TABLE},
	{"the expression socket", "nft_socket",
		FILTER RULE "meta l4proto tcp socket transparent 1 socket wildcard 1 accept"},
	{"the expression tproxy", "nft_tproxy", FILTER RULE "meta nfproto ipv4 tcp dport 1 tproxy ip to :1 accept"},
	{"the expression fib", "nft_fib_inet", FILTER RULE "fib daddr type local accept"},
	{"chains of type nat", "nft_chain_nat", NAT},
	{"the expression redirect", "nft_redir", NAT RULE "meta nfproto ipv4 tcp dport 1 redirect to :1"},
	{"the expression dnat", "nft_nat", NAT RULE "meta nfproto ipv4 tcp dport 1 dnat ip to 127.0.0.1:1"},
};

/* Which are missing of those that the rules need: each alone is refused. */
static void find_features(struct doctor *doctor, const char *rules, const char *error)
{
	unsigned before = doctor->findings;

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const char *word = strrchr(features[i].name, ' ') + 1;
		char *text = NULL;

		if (strstr(rules, word) == NULL || doctor_nft_elsewhere(features[i].commands, &text) != -1) {
			free(text);
			continue;
		}
		doctor_find(doctor, "nftables does not know %s: %s", features[i].name, text == NULL ? "" : text);
		doctor_mend(doctor, "modprobe %s", features[i].module);
		free(text);
	}
	if (doctor->findings == before) {
		doctor_find(doctor, "nftables does not take the rules: %s", error);
		doctor_mend(doctor, "weir-intercept -f %s up # it shows which", doctor->file);
	}
}

static bool find_cgroups(struct doctor *doctor)
{
	unsigned before = doctor->findings;

	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct config_listener *listener = doctor->plan->entries[i].listener;
		const struct config_words *cgroups = &listener->intercept.cgroups;

		for (size_t j = 0; doctor->plan->entries[i].local && j < cgroups->count; j++) {
			char path[512], *quoted;

			snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", cgroups->list[j]);
			if (access(path, F_OK) == 0)
				continue;
			doctor_find(doctor, "listener %s: there is no cgroup %s", listener->name, path);
			quoted = doctor_quote(path);
			doctor_mend(doctor, "mkdir -p %s && weir-intercept -f %s up", quoted == NULL ? path : quoted,
				doctor->file);
			free(quoted);
		}
	}
	return doctor->findings != before;
}

static char *print_rules(const struct plan *plan)
{
	size_t size = 0;
	char *text = NULL;
	FILE *memory = open_memstream(&text, &size);

	if (memory == NULL)
		return NULL;
	plan_print_rules(plan, memory);
	if (fclose(memory) == 0)
		return text;
	free(text);
	return NULL;
}

/* Otherwise there is to be no table. */
static bool needs_rules(const struct plan *plan)
{
	return plan->count > 0 || plan->routes[0] || plan->routes[1];
}

void doctor_no_cgroup(struct doctor *doctor)
{
	doctor->cgroups_miss = find_cgroups(doctor);
}

void doctor_kernel_feature(struct doctor *doctor)
{
	char *rules, *text = NULL;
	int rc;

	if (!needs_rules(doctor->plan))
		return;
	rules = print_rules(doctor->plan);
	rc = rules == NULL ? -2 : doctor_nft_elsewhere(rules, &text);
	if (rc == -2)
		doctor_miss(doctor,
			"what the kernel takes, and whether rules are stale: no network namespace to try it in");
	else if (rc == 0)
		doctor->expected = text;
	else if (!doctor->cgroups_miss)
		find_features(doctor, rules, text == NULL ? "" : text);
	if (rc != 0)
		free(text);
	free(rules);
}

/* ---- what it has --------------------------------------------------------------------------------------------------- */

void doctor_no_rules(struct doctor *doctor)
{
	char *text;

	if (!doctor_nft_may()) {
		doctor_miss(doctor, "the rules: %s", strerrordesc_np(errno));
		return;
	}
	if (doctor_nft("list table inet " PLAN_TABLE, &text) == 0) {
		doctor->rules = text;
		return;
	}
	if (text == NULL || strstr(text, strerrordesc_np(ENOENT)) == NULL) {
		doctor_miss(doctor, "the rules: %s", text == NULL ? "no memory" : text);
	} else if (needs_rules(doctor->plan)) {
		doctor->rules_miss = true;
		doctor_find(doctor, "there is no table inet " PLAN_TABLE);
		doctor_mend(doctor, "weir-intercept -f %s up", doctor->file);
	}
	free(text);
}

void doctor_stale_rules(struct doctor *doctor)
{
	const char *seen = doctor->rules, *wanted = doctor->expected;
	char seen_line[DOCTOR_LINE_MAX] = "", wanted_line[DOCTOR_LINE_MAX] = "";

	if (seen != NULL && !needs_rules(doctor->plan)) {
		doctor_find(doctor, "there is a table inet " PLAN_TABLE ", and no listener asks for any");
		doctor_mend(doctor, "weir-intercept -f %s down", doctor->file);
		return;
	}
	if (seen == NULL || wanted == NULL || strcmp(seen, wanted) == 0)
		return;
	while ((*seen != '\0' || *wanted != '\0') && strcmp(seen_line, wanted_line) == 0) {
		seen = doctor_take_line(seen, seen_line);
		wanted = doctor_take_line(wanted, wanted_line);
	}
	doctor_find(doctor, "the table has: %s; the configuration wants: %s", seen_line, wanted_line);
	doctor_mend(doctor, "weir-intercept -f %s up", doctor->file);
}
