/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_links - interfaces and their addresses, and whether traffic can arrive by them at all.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_parts.h"
#include "option.h"

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* Room for one more behind an array's end. NULL: no memory. */
static void *grow(void *list, size_t count, size_t size)
{
	char *bytes = realloc(list, (count + 1) * size);

	if (bytes != NULL)
		memset(bytes + count * size, 0, size);
	return bytes;
}

static void read_kinds(struct doctor_link *link, const struct nlattr *information)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, information)
	{
		if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
			snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attribute));
		else if (mnl_attr_get_type(attribute) == IFLA_INFO_SLAVE_KIND)
			snprintf(link->part_kind, sizeof(link->part_kind), "%s", mnl_attr_get_str(attribute));
	}
}

static int on_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct doctor *doctor = data;
	struct doctor_link *link = grow(doctor->links, doctor->link_count, sizeof(*link));
	const struct nlattr *attribute;

	if (link == NULL)
		return MNL_CB_ERROR;
	doctor->links = link;
	link += doctor->link_count++;
	link->index = (unsigned)header->ifi_index;
	link->flags = header->ifi_flags;
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		else if (mnl_attr_get_type(attribute) == IFLA_MASTER)
			link->master = mnl_attr_get_u32(attribute);
		else if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
			read_kinds(link, attribute);
	}
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	size_t size = header->ifa_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	struct doctor *doctor = data;
	struct doctor_own *address = grow(doctor->addresses, doctor->address_count, sizeof(*address));
	const struct nlattr *attribute, *bytes = NULL;

	if (address == NULL)
		return MNL_CB_ERROR;
	doctor->addresses = address;
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		unsigned type = mnl_attr_get_type(attribute);

		/* on a link with two ends IFA_ADDRESS is the other one's */
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && bytes == NULL))
			bytes = attribute;
	}
	if (bytes == NULL || mnl_attr_get_payload_len(bytes) != size)
		return MNL_CB_OK;
	address += doctor->address_count++;
	address->link = header->ifa_index;
	address->network.family = header->ifa_family;
	address->network.prefix = header->ifa_prefixlen;
	memcpy(&address->network.in, mnl_attr_get_payload(bytes), size);
	return MNL_CB_OK;
}

static int read_all(struct doctor *doctor, uint16_t type, sa_family_t family, size_t header_size, mnl_cb_t answer)
{
	char buffer[128];
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *header = mnl_nlmsg_put_extra_header(question, header_size);

	question->nlmsg_type = type;
	header->rtgen_family = (unsigned char)family;
	return doctor_dump(question, NULL, answer, doctor);
}

int doctor_read_links(struct doctor *doctor)
{
	if (read_all(doctor, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), on_link) < 0)
		return -1;
	if (read_all(doctor, RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg), on_address) < 0)
		return -1;
	/* a kernel without IPv6 answers with all there is, or not at all */
	(void)!read_all(doctor, RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg), on_address);
	return 0;
}

/* ---- which --------------------------------------------------------------------------------------------------------- */

const struct doctor_link *doctor_link(const struct doctor *doctor, unsigned index)
{
	for (size_t i = 0; i < doctor->link_count; i++)
		if (doctor->links[i].index == index)
			return &doctor->links[i];
	return NULL;
}

const struct doctor_link *doctor_next_link(const struct doctor *doctor, const struct plan_entry *entry,
	const struct doctor_link *after)
{
	const struct config_words *words = &entry->listener->intercept.interfaces;
	size_t i = after == NULL ? 0 : (size_t)(after - doctor->links) + 1;

	for (; i < doctor->link_count; i++)
		for (size_t word = 0; word < words->count; word++)
			if (strcmp(doctor->links[i].name, words->list[word]) == 0)
				return &doctor->links[i];
	return NULL;
}

static const struct doctor_link *find_link(const struct doctor *doctor, const char *word)
{
	for (size_t i = 0; i < doctor->link_count; i++)
		if (strcmp(doctor->links[i].name, word) == 0)
			return &doctor->links[i];
	return NULL;
}

/* ---- checks -------------------------------------------------------------------------------------------------------- */

/* Names another interface in the file. */
static void mend_interface(const struct doctor *doctor, const char *wrong, const char *right)
{
	doctor_mend(doctor, "sed -i '/^[[:space:]]*intercept_interfaces/s/\\<%s\\>/%s/' %s && weir-intercept -f %s up",
		wrong, right, doctor->file, doctor->file);
}

static void find_missing(struct doctor *doctor, const struct config_listener *listener, const char *word)
{
	const char **names = calloc(doctor->link_count + 1, sizeof(*names)), *nearest;

	if (names == NULL)
		return;
	for (size_t i = 0; i < doctor->link_count; i++)
		names[i] = doctor->links[i].name;
	nearest = option_nearest(word, names);
	free(names);
	doctor_find(doctor, "listener %s: there is no interface %s%s%s%s", listener->name, word,
		nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
	if (nearest == NULL)
		doctor_mend(doctor, "${EDITOR:-vi} %s && weir-intercept -f %s up", doctor->file, doctor->file);
	else
		mend_interface(doctor, word, nearest);
}

void doctor_no_interface(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const struct config_words *words = &entry->listener->intercept.interfaces;

		for (size_t word = 0; word < words->count; word++)
			if (find_link(doctor, words->list[word]) == NULL)
				find_missing(doctor, entry->listener, words->list[word]);
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			if ((link->flags & IFF_UP) != 0)
				continue;
			doctor_find(doctor, "listener %s: the interface %s is down", entry->listener->name, link->name);
			doctor_mend(doctor, "ip link set %s up", link->name);
		}
	}
}

/* Masters that hand on what their parts receive as their own. A part of a VRF keeps its name in front of the rules. */
static bool takes_over(const struct doctor_link *link)
{
	static const char *const kinds[] = {"bridge", "bond", "team", "openvswitch"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(link->part_kind, kinds[i]) == 0)
			return true;
	return false;
}

void doctor_enslaved(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];

		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			const struct doctor_link *master = doctor_link(doctor, link->master);

			if (master == NULL || !takes_over(link))
				continue;
			doctor_find(doctor, "listener %s: %s is part of the %s %s", entry->listener->name, link->name,
				link->kind, master->name);
			mend_interface(doctor, link->name, master->name);
		}
	}
}

/* To a link-local address the kernel redirects only what was for one. */
static bool has_address(const struct doctor *doctor, const struct doctor_link *link, sa_family_t family)
{
	for (size_t i = 0; i < doctor->address_count; i++) {
		const struct doctor_own *address = &doctor->addresses[i];

		if (address->link == link->index && address->network.family == family &&
			(family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&address->network.in6)))
			return true;
	}
	return false;
}

void doctor_no_address(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		const char *sample = entry->family == AF_INET ? "192.168.77.1/24" : "fd77::1/64";

		if (entry->listener->mode != CONFIG_REDIRECT || !address_is_wildcard(entry->address))
			continue;
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			if ((link->flags & IFF_UP) == 0 || has_address(doctor, link, entry->family))
				continue;
			doctor_find(doctor, "listener %s: the interface %s has no %s address", entry->listener->name,
				link->name, doctor_family(entry->family));
			doctor_mend(doctor, "ip address add %s dev %s # or another that is free there", sample,
				link->name);
		}
	}
}

void doctor_ipv6_off(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];
		long off;

		if (entry->family != AF_INET6)
			continue;
		for (const struct doctor_link *link = NULL; (link = doctor_next_link(doctor, entry, link)) != NULL;) {
			if (doctor_sysctl(&off, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", link->name) < 0 || off == 0)
				continue;
			doctor_find(doctor, "listener %s: net.ipv6.conf.%s.disable_ipv6 is %ld", entry->listener->name,
				link->name, off);
			doctor_mend(doctor, "sysctl -w net/ipv6/conf/%s/disable_ipv6=0", link->name);
		}
	}
}
