/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_routes - whether packets with tproxy_mark come to this machine's own sockets: the rule, the route, and what else
 * may catch them.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_parts.h"

/* A routing rule, as far as it matters here. */
struct rule {
	uint32_t priority, table, mark, mask, target;
	uint8_t action;
	bool conditions; /* others than mark, source and destination */
	struct network to, from;
	char in[IFNAMSIZ];
};

struct rules {
	struct rule *list;
	size_t count;
};

static const sa_family_t families[] = {AF_INET, AF_INET6};

/* ---- rules --------------------------------------------------------------------------------------------------------- */

static void read_network(struct network *network, sa_family_t family, uint8_t prefix, const struct nlattr *attribute)
{
	size_t size = family == AF_INET ? sizeof(network->in) : sizeof(network->in6);

	if (mnl_attr_get_payload_len(attribute) != size)
		return;
	network->family = family;
	network->prefix = prefix;
	memcpy(&network->in, mnl_attr_get_payload(attribute), size);
}

static void read_rule_part(struct rule *rule, const struct fib_rule_hdr *header, const struct nlattr *attribute)
{
	switch (mnl_attr_get_type(attribute)) {
	case FRA_PRIORITY:
		rule->priority = mnl_attr_get_u32(attribute);
		break;
	case FRA_TABLE:
		rule->table = mnl_attr_get_u32(attribute);
		break;
	case FRA_FWMARK:
		rule->mark = mnl_attr_get_u32(attribute);
		break;
	case FRA_FWMASK:
		rule->mask = mnl_attr_get_u32(attribute);
		break;
	case FRA_DST:
		read_network(&rule->to, header->family, header->dst_len, attribute);
		break;
	case FRA_SRC:
		read_network(&rule->from, header->family, header->src_len, attribute);
		break;
	case FRA_IIFNAME:
		snprintf(rule->in, sizeof(rule->in), "%s", mnl_attr_get_str(attribute));
		rule->conditions = true;
		break;
	case FRA_OIFNAME:
	case FRA_TUN_ID:
	case FRA_L3MDEV:
	case FRA_UID_RANGE:
	case FRA_IP_PROTO:
	case FRA_SPORT_RANGE:
	case FRA_DPORT_RANGE:
		rule->conditions = true;
		break;
	default:
		break;
	}
}

static int on_rule(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(message);
	struct rules *rules = data;
	struct rule *list = realloc(rules->list, (rules->count + 1) * sizeof(*list)), *rule;
	const struct nlattr *attribute;

	if (list == NULL)
		return MNL_CB_ERROR;
	rules->list = list;
	rule = &list[rules->count++];
	*rule = (struct rule){.table = header->table, .action = header->action};
	rule->conditions = header->tos != 0 || (header->flags & FIB_RULE_INVERT) != 0;
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		read_rule_part(rule, header, attribute);
	}
	return MNL_CB_OK;
}

/* In the order in which the kernel goes through them. */
static int read_rules(struct rules *rules, sa_family_t family)
{
	char buffer[128];
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(question, sizeof(*header));

	*rules = (struct rules){0};
	question->nlmsg_type = RTM_GETRULE;
	header->family = (uint8_t)family;
	return doctor_dump(question, NULL, on_rule, rules);
}

static bool leads(const struct doctor *doctor, const struct rule *rule)
{
	const struct config_weir *weir = &doctor->plan->config->weir;

	return rule->action == FR_ACT_TO_TBL && rule->table == weir->tproxy_table && !rule->conditions &&
		rule->to.family == AF_UNSPEC && rule->from.family == AF_UNSPEC && rule->mark != 0 &&
		(weir->tproxy_mark & rule->mask) == rule->mark;
}

/* The first of the rules that leads packets with tproxy_mark to tproxy_table; NULL: none. */
static const struct rule *leading(const struct doctor *doctor, const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		if (leads(doctor, &rules->list[i]))
			return &rules->list[i];
	return NULL;
}

/* Another rule for the same mark, to be named. */
static const struct rule *same_mark(const struct doctor *doctor, const struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].mark != 0 && rules->list[i].mark == doctor->plan->config->weir.tproxy_mark)
			return &rules->list[i];
	return NULL;
}

static void find_no_rule(struct doctor *doctor, const struct rules *rules, sa_family_t family)
{
	const struct config_weir *weir = &doctor->plan->config->weir;
	const struct rule *other = same_mark(doctor, rules);
	char seen[64] = "";

	if (other != NULL)
		snprintf(seen, sizeof(seen), "; rule %u has that mark, for table %u", other->priority, other->table);
	doctor_find(doctor, "no %s rule leads packets with mark %" PRIu64 " to table %" PRIu64 "%s",
		doctor_family(family), weir->tproxy_mark, weir->tproxy_table, seen);
	doctor_mend(doctor, "weir-intercept -f %s up", doctor->file);
}

/* Where the rules are missing, too, nothing was put up: that has been told. */
void doctor_no_routing_rule(struct doctor *doctor)
{
	for (size_t i = 0; i < 2; i++) {
		struct rules rules;

		if (!doctor->plan->routes[i])
			continue;
		if (read_rules(&rules, families[i]) < 0)
			doctor_miss(doctor, "%s rules: %s", doctor_family(families[i]), strerrordesc_np(errno));
		else if (leading(doctor, &rules) != NULL)
			doctor->routes_fit[i] = true;
		else if (!doctor->rules_miss)
			find_no_rule(doctor, &rules, families[i]);
		free(rules.list);
	}
}

/* ---- routes of our table ------------------------------------------------------------------------------------------- */

struct table {
	uint64_t id;
	bool delivers; /* everything, to this machine */
	struct network other;
};

/* A router may have a million others. */
static bool is_in_table(const struct nlmsghdr *message, const void *argument)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct table *table = argument;
	const struct nlattr *attribute;
	uint32_t id = header->rtm_table;

	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attribute) == RTA_TABLE)
			id = mnl_attr_get_u32(attribute);
	}
	return id == table->id;
}

static int on_table_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct network network = {.family = header->rtm_family};
	struct table *table = data;
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attribute) == RTA_DST)
			read_network(&network, header->rtm_family, header->rtm_dst_len, attribute);
	}
	if (header->rtm_type == RTN_LOCAL && header->rtm_dst_len == 0)
		table->delivers = true;
	else if (header->rtm_type != RTN_LOCAL)
		table->other = network;
	return MNL_CB_OK;
}

static int read_table(const struct doctor *doctor, struct table *table, sa_family_t family)
{
	char buffer[128];
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(question, sizeof(*header));

	*table = (struct table){.id = doctor->plan->config->weir.tproxy_table};
	question->nlmsg_type = RTM_GETROUTE;
	header->rtm_family = (unsigned char)family;
	return doctor_dump(question, is_in_table, on_table_route, table);
}

/* What mends a missing rule makes the route, too. */
void doctor_no_route(struct doctor *doctor)
{
	for (size_t i = 0; i < 2; i++) {
		struct table table;

		if (!doctor->routes_fit[i])
			continue;
		if (read_table(doctor, &table, families[i]) < 0) {
			doctor_miss(doctor, "%s routes: %s", doctor_family(families[i]), strerrordesc_np(errno));
			continue;
		}
		if (table.delivers)
			continue;
		doctor->routes_fit[i] = false;
		doctor_find(doctor, "table %" PRIu64 " has no %s route local default dev lo", table.id,
			doctor_family(families[i]));
		doctor_mend(doctor, "ip link set lo up && weir-intercept -f %s up", doctor->file);
	}
}

/* Only one is told; when it is gone, the next. */
void doctor_other_route(struct doctor *doctor)
{
	for (size_t i = 0; i < 2; i++) {
		char text[NETWORK_TEXT_MAX];
		struct table table;

		if (!doctor->routes_fit[i] || read_table(doctor, &table, families[i]) < 0 || !table.delivers ||
			table.other.family == AF_UNSPEC)
			continue;
		doctor->routes_fit[i] = false;
		doctor_find(doctor, "table %" PRIu64 " has another %s route, to %s", table.id,
			doctor_family(families[i]), network_text(&table.other, text, sizeof(text)));
		doctor_mend(doctor, "weir-intercept -f %s up", doctor->file);
	}
}

/* ---- what comes before --------------------------------------------------------------------------------------------- */

/* Somewhere that is nobody's: addresses for documentation. */
static struct network anywhere(sa_family_t family)
{
	struct network network = {.family = family, .prefix = 32, .in.s_addr = htonl(UINT32_C(0xc0000201))};

	if (family == AF_INET6) {
		network.prefix = 128;
		network.in6 = (struct in6_addr){.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	}
	return network;
}

static bool is_in(const struct network *host, const struct networks *networks)
{
	struct address address = doctor_as_address(host);

	return networks_have(networks, &address);
}

/* A client that both the rule and the listener are for. */
static bool find_client(const struct doctor *doctor, const struct plan_entry *entry, const struct doctor_link *link,
	struct rule *rule, struct network *client)
{
	const struct networks rules = {&rule->from, 1};

	if (!doctor_sample_client(doctor, entry, link, client))
		return false;
	if (rule->from.family == AF_UNSPEC || is_in(client, &rules))
		return true;
	return doctor_host_in(doctor, &rule->from, client) && is_in(client, &entry->listener->intercept.from);
}

/* Whether packets for there go by that rule. What the kernel refuses says nothing of rules. */
static bool strays_to(const struct doctor *doctor, const struct plan_entry *entry, const struct rule *rule,
	struct doctor_question *question, const struct network *to)
{
	const struct networks *wanted = &entry->listener->intercept.to;
	struct doctor_answer answer;

	if (to->family != entry->family || !doctor_host_in(doctor, to, &question->to) ||
		(wanted->count > 0 && !is_in(&question->to, wanted)))
		return false;
	return doctor_route(question, &answer) == 0 && answer.type != RTN_LOCAL && answer.table == rule->table;
}

/* A rule before ours, asked for what it was made for, for what the listener wants, and for where this machine has routes. */
static bool strays(const struct doctor *doctor, const struct plan_entry *entry, const struct doctor_link *link,
	struct rule *rule)
{
	struct doctor_question question = {.in = link->index, .mark = doctor->plan->config->weir.tproxy_mark};
	const struct networks *to = &entry->listener->intercept.to;
	struct network nowhere = anywhere(entry->family);

	if (!find_client(doctor, entry, link, rule, &question.from))
		return false;
	if (rule->to.family != AF_UNSPEC)
		return strays_to(doctor, entry, rule, &question, &rule->to);
	for (size_t i = 0; i < to->count; i++)
		if (strays_to(doctor, entry, rule, &question, &to->list[i]))
			return true;
	for (size_t i = 0; i < doctor->address_count; i++)
		if (doctor->addresses[i].link != link->index &&
			strays_to(doctor, entry, rule, &question, &doctor->addresses[i].network))
			return true;
	return strays_to(doctor, entry, rule, &question, &nowhere);
}

static void find_shadow(struct doctor *doctor, const struct rule *rule, const struct rule *ours, sa_family_t family)
{
	const struct config_weir *weir = &doctor->plan->config->weir;
	char ip = family == AF_INET ? '4' : '6';

	doctor_find(doctor, "%s rule %u leads packets with mark %" PRIu64 " to table %u before rule %u sees them",
		doctor_family(family), rule->priority, weir->tproxy_mark, rule->table, ours->priority);
	if (rule->priority > PLAN_PRIORITY)
		doctor_mend(doctor, "weir-intercept -f %s up", doctor->file);
	else
		doctor_mend(doctor,
			"ip -%c rule list priority %u | sed 's/^[0-9]*:/ip -%c rule add priority %u/' | sh && "
			"ip -%c rule delete priority %u lookup %u",
			ip, rule->priority, ip, PLAN_PRIORITY + 1, ip, rule->priority, rule->table);
}

static void look_before(struct doctor *doctor, const struct plan_entry *entry, const struct rules *rules)
{
	const struct rule *ours = leading(doctor, rules);

	for (struct rule *rule = rules->list; ours != NULL && rule < ours; rule++) {
		if (rule->table == RT_TABLE_LOCAL || rule->action != FR_ACT_TO_TBL)
			continue;
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;)
			if (strays(doctor, entry, link, rule)) {
				find_shadow(doctor, rule, ours, entry->family);
				return;
			}
	}
}

void doctor_rule_shadowed(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		struct rules rules;

		if (entry->listener->mode != CONFIG_TPROXY || !doctor->routes_fit[entry->family == AF_INET6])
			continue;
		if (read_rules(&rules, entry->family) == 0)
			look_before(doctor, entry, &rules);
		free(rules.list);
	}
}
