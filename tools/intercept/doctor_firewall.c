/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_firewall - other tables' chains that drop what is delivered to weir, or take its mark away.
 *
 * Rules are read as text, and only what is understood for certain counts: a condition that is not known may well let weir's
 * packets through. What iptables-legacy has is not seen.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_parts.h"

#define MANGLE (-150) /* priority of weir's own chain */

/* A chain that hangs on a hook, with its rules up to the one that ends it. */
struct chain {
	char family[16];
	char table[128];
	char name[128];
	char type[16];
	char hook[16];
	int priority;
	bool drops; /* what no rule accepts */
	bool ended;
	char **rules;
	size_t count;
};

typedef void chain_judge(struct doctor *doctor, const struct chain *chain);

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* Rules that end the chain whatever the packet is. */
static bool drops_all(const char *line)
{
	if (begins(line, "counter "))
		line += strlen("counter ");
	return strcmp(line, "drop") == 0 || strcmp(line, "reject") == 0 || begins(line, "reject with");
}

static void add_rule(struct chain *chain, const char *line)
{
	char **rules = realloc(chain->rules, (chain->count + 1) * sizeof(*rules));

	if (rules == NULL)
		return;
	chain->rules = rules;
	rules[chain->count] = strdup(line);
	if (rules[chain->count] != NULL)
		chain->count++;
}

static void read_rule(struct chain *chain, const char *line)
{
	if (sscanf(line, "type %15s hook %15s priority %d", chain->type, chain->hook, &chain->priority) == 3) {
		chain->drops = strstr(line, "policy drop") != NULL;
	} else if (!chain->ended && drops_all(line)) {
		chain->drops = true;
		chain->ended = true;
	} else if (!chain->ended) {
		add_rule(chain, line);
	}
}

static void end_chain(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		free(chain->rules[i]);
	free(chain->rules);
	chain->rules = NULL;
	chain->count = 0;
	chain->drops = chain->ended = false;
	chain->name[0] = chain->hook[0] = chain->type[0] = '\0';
}

static bool is_weirs(const struct chain *chain)
{
	return strcmp(chain->family, "inet") == 0 && strcmp(chain->table, PLAN_TABLE) == 0;
}

/* The listing has a chain's rules one a line, and the brackets of chains on lines of their own. */
static void each_chain(struct doctor *doctor, const char *text, chain_judge *judge)
{
	struct chain chain = {0};

	while (*text != '\0') {
		char line[DOCTOR_LINE_MAX];

		text = doctor_take_line(text, line);
		if (sscanf(line, "table %15s %127s {", chain.family, chain.table) == 2)
			continue;
		if (sscanf(line, "chain %127s {", chain.name) == 1)
			continue;
		if (strcmp(line, "}") != 0) {
			if (chain.name[0] != '\0')
				read_rule(&chain, line);
			continue;
		}
		if (chain.hook[0] != '\0' && !is_weirs(&chain))
			judge(doctor, &chain);
		end_chain(&chain);
	}
	end_chain(&chain);
}

static bool covers(const struct chain *chain, sa_family_t family)
{
	return strcmp(chain->family, "inet") == 0 || strcmp(chain->family, family == AF_INET ? "ip" : "ip6") == 0;
}

/* ---- input --------------------------------------------------------------------------------------------------------- */

/* Whether the ports in "{ 22, 80-90 } accept" or "22 accept" have one of the range. */
static bool has_port(const char *text, unsigned low, unsigned high)
{
	while (*text != '\0' && *text != '}') {
		unsigned from, to;
		int taken = 0;

		if (sscanf(text, "%u%n", &from, &taken) != 1) {
			if (strchr("{, ", *text) == NULL)
				return false;
			text++;
			continue;
		}
		text += taken;
		to = from;
		if (sscanf(text, "-%u%n", &to, &taken) == 1)
			text += taken;
		if (from <= high && low <= to)
			return true;
	}
	return false;
}

/* In mode tproxy packets still have the port that they were sent to. */
static bool has_entry_port(const struct plan_entry *entry, const char *text)
{
	const struct ports *ports = &entry->listener->intercept.ports;
	unsigned port = address_port(entry->address);

	if (*text == '!' || *text == '@' || *text == '<' || *text == '>')
		return true; /* not understood */
	if (entry->listener->mode == CONFIG_REDIRECT)
		return has_port(text, port, port);
	for (size_t i = 0; i < ports->count; i++)
		if (has_port(text, ports->list[i].low, ports->list[i].high))
			return true;
	return false;
}

static bool names_link(const struct doctor *doctor, const struct plan_entry *entry, const char *text)
{
	if (*text == '!' || *text == '@' || strchr(text, '*') != NULL)
		return true;
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
		char quoted[IFNAMSIZ + 3];

		snprintf(quoted, sizeof(quoted), "\"%s\"", link->name);
		if (strstr(text, quoted) != NULL)
			return true;
	}
	return false;
}

/* What is behind the words, or NULL. */
static const char *behind(const char *line, const char *words)
{
	const char *found = strstr(line, words);

	return found == NULL ? NULL : found + strlen(words);
}

/* New connections are neither established nor related. */
static bool is_for_old(const char *line)
{
	const char *states = behind(line, "ct state ");

	return states != NULL && (begins(states, "established") || begins(states, "related")) &&
		memmem(states, strcspn(states, " "), "new", 3) == NULL;
}

static bool is_other_protocol(const char *line)
{
	return strstr(line, "icmp") != NULL || strstr(line, "udp ") != NULL || strstr(line, "protocol udp") != NULL ||
		strstr(line, "igmp") != NULL || strstr(line, "l4proto 2 ") != NULL;
}

/* Whether the rule may accept packets of the entry; yes, unless it is certain that it does not. */
static bool may_accept(const struct doctor *doctor, const struct plan_entry *entry, const char *line)
{
	const char *ports = behind(line, "tcp dport "), *links = behind(line, "iifname ");

	if (strstr(line, "accept") == NULL && strstr(line, "jump ") == NULL && strstr(line, "goto ") == NULL &&
		strstr(line, "vmap ") == NULL && strstr(line, "queue") == NULL && strstr(line, "xt ") == NULL)
		return false;
	if (strstr(line, "vmap ") != NULL)
		return true;
	if (links == NULL)
		links = behind(line, "iif ");
	return !is_for_old(line) && !is_other_protocol(line) && (ports == NULL || has_entry_port(entry, ports)) &&
		(links == NULL || names_link(doctor, entry, links));
}

static bool accepts(const struct doctor *doctor, const struct plan_entry *entry, const struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (may_accept(doctor, entry, chain->rules[i]))
			return true;
	return false;
}

static void judge_input(struct doctor *doctor, const struct chain *chain)
{
	if (strcmp(chain->hook, "input") != 0 || !chain->drops)
		return;
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];

		if (!entry->forwarded || !covers(chain, entry->family) || accepts(doctor, entry, chain))
			continue;
		doctor_find(doctor, "table %s %s, chain %s: drops by default, and accepts nothing of listener %s",
			chain->family, chain->table, chain->name, entry->listener->name);
		if (entry->listener->mode == CONFIG_TPROXY)
			doctor_mend(doctor, "nft insert rule %s %s %s meta mark %" PRIu64 " accept", chain->family,
				chain->table, chain->name, doctor->plan->config->weir.tproxy_mark);
		else
			doctor_mend(doctor, "nft insert rule %s %s %s tcp dport %u ct status dnat accept",
				chain->family, chain->table, chain->name, address_port(entry->address));
	}
}

/* All of other tables; NULL: nobody may see, which whoever reads weir's own has told. */
static char *list_all(void)
{
	char *text;

	if (!doctor_nft_may())
		return NULL;
	if (doctor_nft("list ruleset", &text) == 0)
		return text;
	free(text);
	return NULL;
}

void doctor_firewall(struct doctor *doctor)
{
	char *text = list_all();

	if (text != NULL)
		each_chain(doctor, text, judge_input);
	free(text);
}

/* ---- marks --------------------------------------------------------------------------------------------------------- */

/* Whether the rule is only for packets that have weir's mark, and leaves the chain. */
static bool lets_mark_be(const char *line, uint64_t mark)
{
	char text[64];

	snprintf(text, sizeof(text), "meta mark 0x%08" PRIx64 " ", mark);
	return begins(line, text) && (strstr(line, "return") != NULL || strstr(line, "accept") != NULL);
}

/* The rule behind what all packets of the entry meet, or those of one interface: its name, and a counter. */
static const char *without_link(const struct doctor *doctor, const struct plan_entry *entry, const char *line)
{
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
		char named[IFNAMSIZ + 16];

		snprintf(named, sizeof(named), "iifname \"%s\" ", link->name);
		if (begins(line, named)) {
			line += strlen(named);
			break;
		}
	}
	return begins(line, "counter ") ? line + strlen("counter ") : line;
}

/* " & 0xff | 0x10" as nft has it, or " and 0xff xor 0x10" as it has what iptables made. Returns where that ends. */
static const char *reckon(const char *text, uint64_t *mark)
{
	char operation[4];
	uint64_t number;
	int taken = 0;

	while (sscanf(text, " %3[andorx&|^] 0x%" SCNx64 "%n", operation, &number, &taken) == 2) {
		if (operation[0] == '&' || operation[0] == 'a')
			*mark &= number;
		else if (operation[0] == '|' || operation[0] == 'o')
			*mark |= number;
		else
			*mark ^= number;
		text += taken;
	}
	return text;
}

/* What a packet's mark becomes; the same where that is not understood. Nobody has told conntrack weir's mark. */
static uint64_t mark_set(const char *text, uint64_t mark)
{
	uint64_t reckoned = begins(text, "ct mark") ? 0 : mark;

	if (begins(text, "0x"))
		return strtoull(text, NULL, 16);
	if (begins(text, "meta ") || begins(text, "ct "))
		text += strcspn(text, " ") + 1;
	if (!begins(text, "mark"))
		return mark;
	text = reckon(text + strlen("mark"), &reckoned);
	return begins(text, " <<") || begins(text, " >>") ? mark : reckoned;
}

/* Of the rules that surely are for all packets of the entry, the last one that changes their mark; NULL: they keep it. */
static const char *marks_otherwise(const struct doctor *doctor, const struct plan_entry *entry,
	const struct chain *chain)
{
	static const char statement[] = "meta mark set ";
	uint64_t mark = doctor->plan->config->weir.tproxy_mark;
	const char *last = NULL;

	for (size_t i = 0; i < chain->count && !lets_mark_be(chain->rules[i], mark); i++) {
		const char *rule = without_link(doctor, entry, chain->rules[i]);
		uint64_t next = begins(rule, statement) ? mark_set(rule + strlen(statement), mark) : mark;

		if (next != mark)
			last = chain->rules[i];
		mark = next;
	}
	return mark == doctor->plan->config->weir.tproxy_mark ? NULL : last;
}

static void judge_marks(struct doctor *doctor, const struct chain *chain)
{
	if (strcmp(chain->hook, "prerouting") != 0 || chain->priority <= MANGLE)
		return;
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const char *rule;

		if (entry->listener->mode != CONFIG_TPROXY || !covers(chain, entry->family) ||
			(rule = marks_otherwise(doctor, entry, chain)) == NULL)
			continue;
		doctor_find(doctor, "table %s %s, chain %s: %s", chain->family, chain->table, chain->name, rule);
		doctor_mend(doctor, "nft insert rule %s %s %s meta mark %" PRIu64 " return", chain->family,
			chain->table, chain->name, doctor->plan->config->weir.tproxy_mark);
	}
}

void doctor_other_mark(struct doctor *doctor)
{
	char *text = list_all();

	if (text != NULL)
		each_chain(doctor, text, judge_marks);
	free(text);
}
