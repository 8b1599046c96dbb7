/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan_rules - a plan as nft reads it.
 *
 * At most three chains hang on hooks of the kernel, each only where there is something for it to do:
 *
 *     tproxy_prerouting     connections of transparent sockets, then what is forwarded to listeners of mode tproxy
 *     redirect_prerouting   what is forwarded to listeners of mode redirect
 *     redirect_output       what this machine's own processes connect to: a chain for each listener, so that whoever is
 *                           left alone by one listener may still be another's
 *
 * Rules are in the order of the file: the first listener that wants a connection has it.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "plan.h"

#define PRINT(...) ((void)fprintf(out, __VA_ARGS__))

/* The i-th of a list as text, NULL behind its end. */
typedef const char *item_text(const void *list, size_t i, char buffer[NETWORK_TEXT_MAX]);

/* ---- sets ---------------------------------------------------------------------------------------------------------- */

static const char *port_item(const void *list, size_t i, char buffer[NETWORK_TEXT_MAX])
{
	const struct ports *ports = list;
	const struct port_range *range = &ports->list[i];

	if (i >= ports->count)
		return NULL;
	if (range->low == range->high)
		snprintf(buffer, NETWORK_TEXT_MAX, "%u", range->low);
	else
		snprintf(buffer, NETWORK_TEXT_MAX, "%u-%u", range->low, range->high);
	return buffer;
}

static const char *number_item(const void *list, size_t i, char buffer[NETWORK_TEXT_MAX])
{
	const struct config_numbers *numbers = list;

	if (i >= numbers->count)
		return NULL;
	snprintf(buffer, NETWORK_TEXT_MAX, "%" PRIu32, numbers->list[i]);
	return buffer;
}

static const char *interface_item(const void *list, size_t i, char buffer[NETWORK_TEXT_MAX])
{
	const struct config_words *words = list;

	if (i >= words->count)
		return NULL;
	snprintf(buffer, NETWORK_TEXT_MAX, "\"%s\"", words->list[i]);
	return buffer;
}

/* "NAME one ", or "NAME { one, two } "; nothing for an empty list. Each part of a rule ends with a blank. */
static void print_set(FILE *out, const char *name, const void *list, item_text *item)
{
	char buffer[NETWORK_TEXT_MAX];
	const char *text = item(list, 0, buffer);
	bool several;

	if (text == NULL)
		return;
	several = item(list, 1, (char[NETWORK_TEXT_MAX]){""}) != NULL;
	PRINT("%s %s%s", name, several ? "{ " : "", text);
	for (size_t i = 1; (text = item(list, i, buffer)) != NULL; i++)
		PRINT(", %s", text);
	PRINT(several ? " } " : " ");
}

/* Of the networks, those of the entry's family; a network of all leaves no restriction. */
static void print_networks(FILE *out, const struct plan_entry *entry, const char *which,
	const struct networks *networks)
{
	const char *separator = "";
	char text[NETWORK_TEXT_MAX];

	for (size_t i = 0; i < networks->count; i++)
		if (networks->list[i].family == AF_UNSPEC)
			return;
	if (networks->count == 0)
		return;
	PRINT("%s %s {", entry->family == AF_INET ? "ip" : "ip6", which);
	for (size_t i = 0; i < networks->count; i++) {
		if (!network_is(&networks->list[i], entry->family))
			continue;
		PRINT("%s %s", separator, network_text(&networks->list[i], text, sizeof(text)));
		separator = ",";
	}
	PRINT(" } ");
}

/* ---- one rule ------------------------------------------------------------------------------------------------------ */

static void print_family(FILE *out, const struct plan_entry *entry)
{
	PRINT("\t\tmeta nfproto %s ", entry->family == AF_INET ? "ipv4" : "ipv6");
}

static void print_match(FILE *out, const struct plan_entry *entry)
{
	const struct config_intercept *intercept = &entry->listener->intercept;

	print_networks(out, entry, "saddr", &intercept->from);
	print_networks(out, entry, "daddr", &intercept->to);
	print_set(out, "tcp dport", &intercept->ports, port_item);
}

/* "10.0.0.1:15001", "[fd00::1]:15001"; of a wildcard only the port. */
static void print_target(FILE *out, const struct address *address)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address_is_wildcard(address)) {
		PRINT(":%u", address_port(address));
	} else if (address->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		PRINT("%s:%u", host, address_port(address));
	} else {
		inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		PRINT("[%s]:%u", host, address_port(address));
	}
}

static void print_comment(FILE *out, const struct plan_entry *entry)
{
	PRINT(" comment \"listener %s\"\n", entry->listener->name);
}

/* "redirect" alone goes to the interface's first address, where a listener with an address of its own is not. */
static void print_redirect(FILE *out, const struct plan_entry *entry)
{
	if (address_is_wildcard(entry->address))
		PRINT("redirect to ");
	else
		PRINT("dnat %s to ", entry->family == AF_INET ? "ip" : "ip6");
	print_target(out, entry->address);
	print_comment(out, entry);
}

static void print_tproxy(FILE *out, const struct plan *plan, const struct plan_entry *entry)
{
	PRINT("tproxy %s to ", entry->family == AF_INET ? "ip" : "ip6");
	print_target(out, entry->address);
	PRINT(" meta mark set %" PRIu64 " accept", plan->config->weir.tproxy_mark);
	print_comment(out, entry);
}

static void print_forwarded(FILE *out, const struct plan *plan, const struct plan_entry *entry)
{
	print_family(out, entry);
	print_set(out, "iifname", &entry->listener->intercept.interfaces, interface_item);
	print_match(out, entry);
	if (entry->listener->intercept.to.count == 0)
		PRINT("fib daddr type != local ");
	if (entry->listener->mode == CONFIG_TPROXY)
		print_tproxy(out, plan, entry);
	else
		print_redirect(out, entry);
}

static void print_local(FILE *out, const struct plan_entry *entry)
{
	print_family(out, entry);
	if (entry->listener->intercept.to.count == 0)
		PRINT(entry->family == AF_INET ? "ip daddr != 127.0.0.0/8 " : "ip6 daddr != ::1 ");
	print_match(out, entry);
	print_redirect(out, entry);
}

/* ---- chains -------------------------------------------------------------------------------------------------------- */

static bool is_forwarded(const struct plan_entry *entry, enum config_mode mode)
{
	return entry->forwarded && entry->listener->mode == mode;
}

static bool has_forwarded(const struct plan *plan, enum config_mode mode)
{
	for (size_t i = 0; i < plan->count; i++)
		if (is_forwarded(&plan->entries[i], mode))
			return true;
	return false;
}

static bool has_local(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].local)
			return true;
	return false;
}

static void print_all_forwarded(FILE *out, const struct plan *plan, enum config_mode mode)
{
	for (size_t i = 0; i < plan->count; i++)
		if (is_forwarded(&plan->entries[i], mode))
			print_forwarded(out, plan, &plan->entries[i]);
	PRINT("\t}\n");
}

/*
 * What belongs to a connection is delivered to it, also when servers answer to a client's address. A listener on a wildcard is
 * found for every destination, so it must not count. That is asked in a chain of its own because a connection that is being
 * made, or that rests in TIME_WAIT, has no answer, and would be missed by asking for the opposite. To a connection belongs
 * what ICMP says of it, too: that a packet was too long for a link further on is addressed to the client, but only weir can
 * send shorter ones. A client that comes again from the same port finds its last connection at rest there: tproxy knows what
 * to do with that, a mark alone would cost it a second try.
 */
static void print_tproxy_chains(FILE *out, const struct plan *plan)
{
	static const char *const families[] = {"meta nfproto ipv4 ", "meta nfproto ipv6 "};
	const char *family = plan->routes[0] && plan->routes[1] ? "" : families[plan->routes[1]];

	PRINT("\tchain tproxy_connections {\n");
	PRINT("\t\ttcp flags & (fin | syn | rst | ack) == syn return comment \"a new one\"\n");
	PRINT("\t\tsocket wildcard 1 return comment \"a listener\"\n");
	PRINT("\t\tmeta mark set %" PRIu64 " accept\n", plan->config->weir.tproxy_mark);
	PRINT("\t}\n");
	PRINT("\tchain tproxy_prerouting {\n");
	PRINT("\t\ttype filter hook prerouting priority mangle; policy accept;\n");
	PRINT("\t\t%smeta l4proto { tcp, icmp, ipv6-icmp } socket transparent 1 jump tproxy_connections\n", family);
	print_all_forwarded(out, plan, CONFIG_TPROXY);
}

static void print_redirect_prerouting(FILE *out, const struct plan *plan)
{
	PRINT("\tchain redirect_prerouting {\n");
	PRINT("\t\ttype nat hook prerouting priority dstnat; policy accept;\n");
	print_all_forwarded(out, plan, CONFIG_REDIRECT);
}

static void print_left_alone(FILE *out, const char *what, const struct config_numbers *numbers)
{
	if (numbers->count == 0)
		return;
	PRINT("\t\t");
	print_set(out, what, numbers, number_item);
	PRINT("return\n");
}

/* The level says how many names of a process' path are compared. */
static void print_cgroups(FILE *out, const struct config_words *cgroups)
{
	for (size_t i = 0; i < cgroups->count; i++) {
		unsigned level = 1;

		for (const char *c = cgroups->list[i]; (c = strchr(c, '/')) != NULL; c++)
			level++;
		PRINT("\t\tsocket cgroupv2 level %u \"%s\" return\n", level, cgroups->list[i]);
	}
}

/* The entries of a listener follow each other. */
static bool is_first(const struct plan *plan, size_t i)
{
	return i == 0 || plan->entries[i - 1].listener != plan->entries[i].listener;
}

/* Entry i and those of the same listener. */
static void print_listener_output(FILE *out, const struct plan *plan, size_t i)
{
	const struct config_listener *listener = plan->entries[i].listener;

	PRINT("\tchain redirect_output_%s {\n", listener->name);
	print_left_alone(out, "meta skuid", &listener->intercept.uids);
	print_left_alone(out, "meta skgid", &listener->intercept.gids);
	print_cgroups(out, &listener->intercept.cgroups);
	print_left_alone(out, "meta mark", &listener->intercept.marks);
	for (; i < plan->count && plan->entries[i].listener == listener; i++)
		print_local(out, &plan->entries[i]);
	PRINT("\t}\n");
}

static void print_redirect_output(FILE *out, const struct plan *plan)
{
	uint64_t mark = plan->config->weir.mark;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].local && is_first(plan, i))
			print_listener_output(out, plan, i);
	PRINT("\tchain redirect_output {\n");
	PRINT("\t\ttype nat hook output priority -100; policy accept;\n");
	if (mark != CONFIG_NO_MARK)
		PRINT("\t\tmeta mark %" PRIu64 " return comment \"weir itself\"\n", mark);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].local && is_first(plan, i))
			PRINT("\t\tjump redirect_output_%s\n", plan->entries[i].listener->name);
	PRINT("\t}\n");
}

void plan_print_removal(FILE *out)
{
	PRINT("add table inet " PLAN_TABLE "\n");
	PRINT("delete table inet " PLAN_TABLE "\n");
}

void plan_print_rules(const struct plan *plan, FILE *out)
{
	plan_print_removal(out);
	if (plan->count == 0 && !plan->routes[0] && !plan->routes[1])
		return;
	PRINT("table inet " PLAN_TABLE " {\n");
	if (plan->routes[0] || plan->routes[1])
		print_tproxy_chains(out, plan);
	if (has_forwarded(plan, CONFIG_REDIRECT))
		print_redirect_prerouting(out, plan);
	if (has_local(plan))
		print_redirect_output(out, plan);
	PRINT("}\n");
}
