/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_lookup - asks the kernel which way a packet goes: it knows all rules and routes, and filters by source as it does
 * for real packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "doctor_parts.h"

#define LOOKUP_TABLE 0x1000 /* RTM_F_LOOKUP_TABLE: say in which table the route was */

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static int on_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct doctor_answer *answer = data;
	const struct nlattr *attribute;

	answer->type = header->rtm_type;
	answer->table = header->rtm_table;
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		unsigned type = mnl_attr_get_type(attribute);

		if (type == RTA_TABLE)
			answer->table = mnl_attr_get_u32(attribute);
		else if (type == RTA_OIF)
			answer->out = mnl_attr_get_u32(attribute);
		else if (type == RTA_GATEWAY || type == RTA_VIA)
			answer->gateway = true;
	}
	return MNL_CB_OK;
}

static void put_host(struct nlmsghdr *message, uint16_t type, const struct network *network)
{
	if (network->family == AF_INET)
		mnl_attr_put(message, type, sizeof(network->in), &network->in);
	else if (network->family == AF_INET6)
		mnl_attr_put(message, type, sizeof(network->in6), &network->in6);
}

int doctor_route(const struct doctor_question *question, struct doctor_answer *answer)
{
	char buffer[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	unsigned char bits = question->to.family == AF_INET ? 32 : 128;

	*answer = (struct doctor_answer){0};
	message->nlmsg_type = RTM_GETROUTE;
	header->rtm_family = (unsigned char)question->to.family;
	header->rtm_dst_len = bits;
	header->rtm_src_len = question->from.family == AF_UNSPEC ? 0 : bits;
	header->rtm_flags = LOOKUP_TABLE;
	put_host(message, RTA_DST, &question->to);
	put_host(message, RTA_SRC, &question->from);
	if (question->in != 0)
		mnl_attr_put_u32(message, RTA_IIF, question->in);
	if (question->mark != 0)
		mnl_attr_put_u32(message, RTA_MARK, (uint32_t)question->mark);
	return doctor_ask(NETLINK_ROUTE, message, on_route, answer);
}

/* ---- whom to ask for ----------------------------------------------------------------------------------------------- */

struct address doctor_as_address(const struct network *network)
{
	struct address address = {.sa.sa_family = network->family};

	if (network->family == AF_INET) {
		address.length = sizeof(address.in);
		address.in.sin_addr = network->in;
	} else {
		address.length = sizeof(address.in6);
		address.in6.sin6_addr = network->in6;
	}
	return address;
}

/* The last byte of an address, where neighbours differ. */
static uint8_t *last_byte(struct network *network)
{
	return network->family == AF_INET ? (uint8_t *)&network->in + 3 : &network->in6.s6_addr[15];
}

struct network doctor_last_of(const struct network *network)
{
	struct network last = *network;
	uint8_t *bytes = (uint8_t *)&last.in;
	unsigned bits = network->family == AF_INET ? 32 : 128;

	for (unsigned bit = network->prefix; bit < bits; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	last.prefix = (uint8_t)bits;
	return last;
}

static bool is_own(const struct doctor *doctor, const struct network *host)
{
	size_t size = host->family == AF_INET ? sizeof(host->in) : sizeof(host->in6);

	for (size_t i = 0; i < doctor->address_count; i++)
		if (doctor->addresses[i].network.family == host->family &&
			memcmp(&doctor->addresses[i].network.in, &host->in, size) == 0)
			return true;
	return false;
}

/* One of the few that have all but the last byte in common with the address that the network is given by. */
bool doctor_host_in(const struct doctor *doctor, const struct network *network, struct network *host)
{
	unsigned bits = network->family == AF_INET ? 32 : 128, spare = bits - network->prefix;
	unsigned first = spare > 1, hosts = spare >= 8 ? 254 : (1U << spare) - (spare > 1 ? 2 : 0);
	uint8_t base;

	*host = *network;
	host->prefix = (uint8_t)bits;
	base = spare >= 8 ? 0 : (uint8_t)(*last_byte(host) >> spare << spare);
	for (unsigned i = first; spare > 0 && i < first + hosts; i++) {
		*last_byte(host) = (uint8_t)(base + i);
		if (!is_own(doctor, host))
			return true;
	}
	return spare == 0 && !is_own(doctor, host);
}

static bool find_neighbour(const struct doctor *doctor, const struct plan_entry *entry, const struct doctor_link *link,
	struct network *client)
{
	const struct networks *from = &entry->listener->intercept.from;

	for (size_t i = 0; i < doctor->address_count; i++) {
		const struct doctor_own *address = &doctor->addresses[i];
		struct address host;

		if (address->link != link->index || address->network.family != entry->family ||
			(entry->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->network.in6)) ||
			!doctor_host_in(doctor, &address->network, client))
			continue;
		host = doctor_as_address(client);
		if (from->count == 0 || networks_have(from, &host))
			return true;
	}
	return false;
}

bool doctor_sample_client(const struct doctor *doctor, const struct plan_entry *entry, const struct doctor_link *link,
	struct network *client)
{
	const struct networks *from = &entry->listener->intercept.from;

	if (find_neighbour(doctor, entry, link, client))
		return true;
	for (size_t i = 0; i < from->count; i++)
		if (from->list[i].family == entry->family && doctor_host_in(doctor, &from->list[i], client))
			return true;
	return false;
}
