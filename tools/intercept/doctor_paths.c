/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_paths - whether packets are let in where they arrive, and whether servers' answers come back this way.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "doctor_parts.h"

/* ---- in ------------------------------------------------------------------------------------------------------------ */

static long rp_filter(const char *link)
{
	long all = 0, own = 0;

	(void)!doctor_sysctl(&all, "/proc/sys/net/ipv4/conf/all/rp_filter");
	(void)!doctor_sysctl(&own, "/proc/sys/net/ipv4/conf/%s/rp_filter", link);
	return all > own ? all : own;
}

static const struct network *own_address(const struct doctor *doctor, const struct doctor_link *link)
{
	for (size_t i = 0; i < doctor->address_count; i++)
		if (doctor->addresses[i].link == link->index && doctor->addresses[i].network.family == AF_INET)
			return &doctor->addresses[i].network;
	return NULL;
}

/* Whether the kernel lets packets from there in: asked for one to this machine, which needs no other route. */
static bool lets_in(const struct doctor *doctor, const struct doctor_link *link, const struct network *from)
{
	const struct network *own = own_address(doctor, link);
	struct doctor_question question = {.from = *from, .in = link->index};
	struct doctor_answer answer;

	if (own == NULL || rp_filter(link->name) == 0 || (link->flags & IFF_UP) == 0)
		return true;
	question.to = *own;
	return doctor_route(&question, &answer) == 0 || (errno != EXDEV && errno != EINVAL);
}

static void find_rp_filter(struct doctor *doctor, const struct plan_entry *entry, const struct network *from)
{
	const struct doctor_link *link = doctor_next_link(doctor, entry, NULL), *out;
	struct doctor_question question = {.to = *from};
	struct doctor_answer answer;
	char text[NETWORK_TEXT_MAX];

	out = doctor_route(&question, &answer) == 0 ? doctor_link(doctor, answer.out) : NULL;
	doctor_find(doctor, "listener %s: rp_filter of %s is %ld, and the route to clients in %s leaves by %s",
		entry->listener->name, link->name, rp_filter(link->name), network_text(from, text, sizeof(text)),
		out != NULL ? out->name : "no interface");
	if (out == NULL)
		doctor_mend(doctor, "ip route add %s dev %s # or via a gateway there", text, link->name);
	else
		doctor_mend(doctor, "sysctl -w net/ipv4/conf/%s/rp_filter=2", link->name);
}

/* A network whose packets get in by one of the entry's interfaces is fine. */
static void look_in(struct doctor *doctor, const struct plan_entry *entry, const struct network *from)
{
	struct network host;

	if (doctor_next_link(doctor, entry, NULL) == NULL || !doctor_host_in(doctor, from, &host))
		return;
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;)
		if (lets_in(doctor, link, &host))
			return;
	find_rp_filter(doctor, entry, from);
}

/* Without a list of clients there is nobody to ask for but neighbours, whose route is the interface. */
void doctor_rp_filter(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const struct networks *from = &entry->listener->intercept.from;

		for (size_t j = 0; entry->family == AF_INET && j < from->count; j++)
			if (from->list[j].family == AF_INET && from->list[j].prefix > 0)
				look_in(doctor, entry, &from->list[j]);
	}
}

/* ---- back ---------------------------------------------------------------------------------------------------------- */

/* Whether the way there is by this very link, without a gateway in between. */
static bool is_beside(const struct doctor_link *link, const struct network *to)
{
	struct doctor_question question = {.to = *to};
	struct doctor_answer answer;

	return doctor_route(&question, &answer) == 0 && answer.type == RTN_UNICAST && answer.out == link->index &&
		!answer.gateway;
}

static void look_back(struct doctor *doctor, const struct plan_entry *entry, const struct network *server)
{
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
		char text[NETWORK_TEXT_MAX];
		struct network client, host;

		if (!doctor_sample_client(doctor, entry, link, &client) || !is_beside(link, &client) ||
			!doctor_host_in(doctor, server, &host) || !is_beside(link, &host))
			continue;
		doctor_find(doctor,
			"listener %s: servers in %s and the clients are both beside %s, without a router between",
			entry->listener->name, network_text(server, text, sizeof(text)), link->name);
		doctor_mend(doctor,
			"sed -i '/^\\[listener %s\\]/a upstream_bind = none' %s && weir-intercept -f %s up && systemctl restart weir",
			entry->listener->name, doctor->file, doctor->file);
	}
}

/* Where weir connects to, as far as the file says. */
void doctor_return_path(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const struct config_listener *listener = entry->listener;
		const struct address *address = &listener->upstream->address;

		if (!listener->bind_client)
			continue;
		if (!listener->upstream->original && address->length != 0 && address->sa.sa_family == entry->family) {
			struct network server = {.family = entry->family,
				.prefix = entry->family == AF_INET ? 32 : 128};

			if (entry->family == AF_INET)
				server.in = address->in.sin_addr;
			else
				server.in6 = address->in6.sin6_addr;
			look_back(doctor, entry, &server);
		}
		for (size_t j = 0; listener->upstream->original && j < listener->intercept.to.count; j++)
			if (listener->intercept.to.list[j].family == entry->family)
				look_back(doctor, entry, &listener->intercept.to.list[j]);
	}
}
