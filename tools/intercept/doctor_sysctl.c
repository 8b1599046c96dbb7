/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_sysctl - settings of the kernel that break interception, or what goes with it.
 */
#include <inttypes.h>
#include <string.h>

#include "doctor_parts.h"
#include "least.h"

#define SECOND UINT64_C(1000000000)
#define LONG_ENOUGH 432000 /* s, for a listener that waits for ever: what the kernel gives established connections */
#define PROBES 15          /* s, between weir's keepalive probes: see src/socket.c */
#define FULL 90            /* percent of nf_conntrack_max */

/* sysctl takes names with '/', too; an interface may have dots in its own: "eth0.100". */
#define IPV4_CONF "net/ipv4/conf/%s/"

static bool has(const struct doctor *doctor, enum config_mode mode, sa_family_t family)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];

		if (entry->listener->mode == mode && entry->family == family && entry->forwarded)
			return true;
	}
	return false;
}

/* ---- marks --------------------------------------------------------------------------------------------------------- */

static bool conf_is_on(const char *where, const char *what)
{
	long value;

	return doctor_sysctl(&value, "/proc/sys/net/ipv4/conf/%s/%s", where, what) == 0 && value != 0;
}

static void find_src_valid_mark(struct doctor *doctor, const char *where)
{
	doctor_find(doctor, "net.ipv4.conf.%s.src_valid_mark is 1", where);
	doctor_mend(doctor, "sysctl -w " IPV4_CONF "src_valid_mark=0", where);
}

/* With accept_local the source's route may be a local one. */
void doctor_src_valid_mark(struct doctor *doctor)
{
	if (!doctor->plan->routes[0])
		return;
	if (conf_is_on("all", "src_valid_mark") && !conf_is_on("all", "accept_local"))
		find_src_valid_mark(doctor, "all");
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];

		if (entry->listener->mode != CONFIG_TPROXY || entry->family != AF_INET)
			continue;
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;)
			if (conf_is_on(link->name, "src_valid_mark") && !conf_is_on(link->name, "accept_local"))
				find_src_valid_mark(doctor, link->name);
	}
}

void doctor_fwmark_accept(struct doctor *doctor)
{
	long value;

	if (!doctor->plan->routes[0] && !doctor->plan->routes[1])
		return;
	if (doctor_sysctl(&value, "/proc/sys/net/ipv4/tcp_fwmark_accept") < 0 || value == 0)
		return;
	doctor_find(doctor, "net.ipv4.tcp_fwmark_accept is %ld", value);
	doctor_mend(doctor, "sysctl -w net.ipv4.tcp_fwmark_accept=0");
}

void doctor_fwmark_reflect(struct doctor *doctor)
{
	static const char *const families[] = {"ipv4", "ipv6"};

	for (size_t i = 0; i < 2; i++) {
		long value;

		if (!doctor->plan->routes[i])
			continue;
		if (doctor_sysctl(&value, "/proc/sys/net/%s/fwmark_reflect", families[i]) < 0 || value == 0)
			continue;
		doctor_find(doctor, "net.%s.fwmark_reflect is %ld", families[i], value);
		doctor_mend(doctor, "sysctl -w net.%s.fwmark_reflect=0", families[i]);
	}
}

/* Packets go through the rules as the bridge's, and not again as the machine's; the socket that they were given is lost between. */
void doctor_bridge_netfilter(struct doctor *doctor)
{
	static const char *const names[] = {"bridge-nf-call-iptables", "bridge-nf-call-ip6tables"};

	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const char *name = names[entry->family == AF_INET6];
		long value;

		if (entry->listener->mode != CONFIG_TPROXY ||
			doctor_sysctl(&value, "/proc/sys/net/bridge/%s", name) < 0 || value == 0)
			continue;
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			if (strcmp(link->kind, "bridge") != 0)
				continue;
			doctor_find(doctor, "listener %s: %s is a bridge, and net.bridge.%s is %ld",
				entry->listener->name, link->name, name, value);
			doctor_mend(doctor, "sysctl -w net.bridge.%s=0", name);
		}
	}
}

/* ---- forwarding ---------------------------------------------------------------------------------------------------- */

static void find_ip_forward(struct doctor *doctor)
{
	long value;

	if (doctor_sysctl(&value, "/proc/sys/net/ipv4/ip_forward") == 0 && value == 0) {
		doctor_find(doctor, "net.ipv4.ip_forward is 0");
		doctor_mend(doctor, "sysctl -w net.ipv4.ip_forward=1");
		return;
	}
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];

		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			if (doctor_sysctl(&value, "/proc/sys/net/ipv4/conf/%s/forwarding", link->name) < 0 ||
				value != 0)
				continue;
			doctor_find(doctor, "net.ipv4.conf.%s.forwarding is 0", link->name);
			doctor_mend(doctor, "sysctl -w " IPV4_CONF "forwarding=1", link->name);
		}
	}
}

void doctor_ip_forward(struct doctor *doctor)
{
	long value;

	if (has(doctor, CONFIG_TPROXY, AF_INET) || has(doctor, CONFIG_REDIRECT, AF_INET))
		find_ip_forward(doctor);
	if (!has(doctor, CONFIG_TPROXY, AF_INET6) && !has(doctor, CONFIG_REDIRECT, AF_INET6))
		return;
	if (doctor_sysctl(&value, "/proc/sys/net/ipv6/conf/all/forwarding") < 0 || value != 0)
		return;
	doctor_find(doctor, "net.ipv6.conf.all.forwarding is 0");
	doctor_mend(doctor, "sysctl -w net.ipv6.conf.all.forwarding=1");
}

/* A listener on loopback has its forwarded traffic by dnat, which ends there. */
void doctor_loopback_only(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const char *any = entry->family == AF_INET ? "0.0.0.0" : "[::]";
		const char *loopback = entry->family == AF_INET ? "127\\.[0-9.]*" : "\\[::1\\]";
		char text[ADDRESS_TEXT_MAX];

		if (!entry->forwarded || entry->listener->mode != CONFIG_REDIRECT ||
			!address_is_loopback(entry->address))
			continue;
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			if (entry->family == AF_INET &&
				(conf_is_on("all", "route_localnet") || conf_is_on(link->name, "route_localnet")))
				continue;
			doctor_find(doctor, "listener %s: %s is not reached from the interface %s",
				entry->listener->name, address_text(entry->address, text, sizeof(text)), link->name);
			doctor_mend(doctor,
				"sed -i '/^[[:space:]]*listen/s/%s:%u/%s:%u/' %s && weir-intercept -f %s up && systemctl restart weir",
				loopback, address_port(entry->address), any, address_port(entry->address), doctor->file,
				doctor->file);
		}
	}
}

/* ---- conntrack ----------------------------------------------------------------------------------------------------- */

static uint64_t timeout_of(const struct config_listener *listener, bool half_closed)
{
	return half_closed ? listener->half_close_timeout : listener->idle_timeout;
}

/* Whether conntrack may forget a connection that weir still has. A keepalive probe that goes out before reminds it, and probes
   go out every keepalive seconds, but no more often than PROBES. */
static bool forgets(const struct config_listener *listener, bool half_closed, long seconds)
{
	uint64_t memory = (uint64_t)seconds * SECOND;

	return memory < least(timeout_of(listener, half_closed), LONG_ENOUGH * SECOND) &&
		(listener->keepalive == CONFIG_OFF || memory <= listener->keepalive || memory <= PROBES * SECOND);
}

static void find_timeout(struct doctor *doctor, bool half_closed, const char *name)
{
	const struct config *config = doctor->plan->config;
	const char *key = half_closed ? "half_close_timeout" : "idle_timeout";
	uint64_t longest = 0;
	long seconds;

	if (doctor_sysctl(&seconds, "/proc/sys/net/netfilter/%s", name) < 0)
		return; /* nothing is tracked yet */
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = config->listeners[i];
		uint64_t timeout = timeout_of(listener, half_closed);
		char text[32];

		if (listener->mode != CONFIG_REDIRECT || !forgets(listener, half_closed, seconds))
			continue;
		snprintf(text, sizeof(text), timeout == WEIR_NEVER ? "never" : "%" PRIu64 " s", timeout / SECOND);
		doctor_find(doctor, "net.netfilter.%s is %ld s, %s of listener %s is %s", name, seconds, key,
			listener->name, text);
		longest = least(timeout, LONG_ENOUGH * SECOND) > longest ? least(timeout, LONG_ENOUGH * SECOND)
									 : longest;
	}
	if (longest > 0)
		doctor_mend(doctor, "sysctl -w net.netfilter.%s=%" PRIu64, name, (longest + SECOND - 1) / SECOND);
}

void doctor_close_wait(struct doctor *doctor)
{
	find_timeout(doctor, true, "nf_conntrack_tcp_timeout_close_wait");
}

void doctor_conntrack_idle(struct doctor *doctor)
{
	find_timeout(doctor, false, "nf_conntrack_tcp_timeout_established");
}

void doctor_conntrack_full(struct doctor *doctor)
{
	long count, most;

	if (doctor_sysctl(&count, "/proc/sys/net/netfilter/nf_conntrack_count") < 0 ||
		doctor_sysctl(&most, "/proc/sys/net/netfilter/nf_conntrack_max") < 0)
		return; /* nothing is tracked yet */
	if (most == 0 || count * 100 < most * FULL)
		return;
	doctor_find(doctor, "%ld connections are tracked, of at most %ld", count, most);
	doctor_mend(doctor, "sysctl -w net.netfilter.nf_conntrack_max=%ld", most * 2);
}
