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

/* A route by one of the entry's interfaces to a part of a network. */
struct part {
	const struct doctor *doctor;
	const struct plan_entry *entry;
	struct networks from; /* one */
	bool found;
};

static bool is_entrys(const struct doctor *doctor, const struct plan_entry *entry, unsigned index)
{
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;)
		if (link->index == index)
			return true;
	return false;
}

static bool is_part(const struct nlmsghdr *message, const void *argument)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct network to = {.family = AF_INET, .prefix = header->rtm_dst_len};
	const struct part *part = argument;
	const struct nlattr *attribute;
	struct address address;
	unsigned out = 0;

	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		unsigned type = mnl_attr_get_type(attribute);

		if (type == RTA_OIF)
			out = mnl_attr_get_u32(attribute);
		else if (type == RTA_DST && mnl_attr_get_payload_len(attribute) == sizeof(to.in))
			memcpy(&to.in, mnl_attr_get_payload(attribute), sizeof(to.in));
	}
	address = doctor_as_address(&to);
	return header->rtm_type == RTN_UNICAST && networks_have(&part->from, &address) &&
		is_entrys(part->doctor, part->entry, out);
}

static int on_part(const struct nlmsghdr *message, void *data)
{
	struct part *part = data;

	(void)message;
	part->found = true;
	return MNL_CB_OK;
}

/* Of a network that has several ways, some hosts are let in and others not: one way in is enough. */
static bool has_way(const struct doctor *doctor, const struct plan_entry *entry, struct network *from)
{
	struct part part = {.doctor = doctor, .entry = entry, .from = {from, 1}};
	char buffer[128];
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(question, sizeof(*header));

	question->nlmsg_type = RTM_GETROUTE;
	header->rtm_family = AF_INET;
	return doctor_dump(question, is_part, on_part, &part) < 0 || part.found;
}

/* A network whose packets get in by one of the entry's interfaces is fine. */
static void look_in(struct doctor *doctor, const struct plan_entry *entry, struct network *from)
{
	struct network host;

	if (doctor_next_link(doctor, entry, NULL) == NULL || !doctor_host_in(doctor, from, &host))
		return;
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;)
		if (lets_in(doctor, link, &host))
			return;
	if (!has_way(doctor, entry, from))
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

/* All of it, so the first and the last. */
static bool is_all_beside(const struct doctor *doctor, const struct doctor_link *link, const struct network *server)
{
	struct network first, last = doctor_last_of(server);

	if (!doctor_host_in(doctor, server, &first) || !is_beside(link, &first))
		return false;
	if (server->family == AF_INET && server->prefix < 31)
		last.in.s_addr ^= htonl(1); /* not the broadcast address */
	return is_beside(link, &last);
}

static void find_return_path(struct doctor *doctor, const struct config_listener *listener, const char *link,
	const char *servers)
{
	doctor_find(doctor, "listener %s: servers in %s and the clients are both beside %s, without a router between",
		listener->name, servers, link);
	doctor_mend(doctor,
		"sed -i '/^\\[listener %s\\]/,/^\\[/{/^[[:space:]]*upstream_bind *=/d}; /^\\[listener %s\\]/a upstream_bind = none' "
		"%s && weir-intercept -f %s up && systemctl restart weir",
		listener->name, listener->name, doctor->file, doctor->file);
}

static void look_back(struct doctor *doctor, const struct plan_entry *entry, const struct network *server)
{
	char text[NETWORK_TEXT_MAX];
	struct network client;

	network_text(server, text, sizeof(text));
	for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;)
		if (doctor_sample_client(doctor, entry, link, &client) && is_beside(link, &client) &&
			is_all_beside(doctor, link, server))
			find_return_path(doctor, entry->listener, link->name, text);
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
