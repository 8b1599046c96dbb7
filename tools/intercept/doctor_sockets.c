/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_sockets - who listens where the rules lead to, and whether he can do what is asked of him.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "doctor_parts.h"

/* ---- listening sockets --------------------------------------------------------------------------------------------- */

static int on_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *header = mnl_nlmsg_get_payload(message);
	struct doctor *doctor = data;
	struct doctor_socket *list = realloc(doctor->sockets, (doctor->socket_count + 1) * sizeof(*list)), *socket;
	const struct nlattr *attribute;

	if (list == NULL)
		return MNL_CB_ERROR;
	doctor->sockets = list;
	socket = &list[doctor->socket_count++];
	*socket = (struct doctor_socket){.family = header->idiag_family, .inode = header->idiag_inode};
	socket->port = ntohs(header->id.idiag_sport);
	memcpy(&socket->address, header->id.idiag_src, sizeof(socket->address));
	mnl_attr_for_each(attribute, message, sizeof(*header))
	{
		unsigned type = mnl_attr_get_type(attribute);

		if (type == INET_DIAG_SKV6ONLY) {
			socket->v6only = mnl_attr_get_u8(attribute) != 0;
		} else if (type == INET_DIAG_SOCKOPT) {
			const struct inet_diag_sockopt *options = mnl_attr_get_payload(attribute);

			socket->told = true;
			socket->transparent = options->transparent;
		}
	}
	return MNL_CB_OK;
}

static int read_family(struct doctor *doctor, sa_family_t family)
{
	char buffer[256];
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *header = mnl_nlmsg_put_extra_header(question, sizeof(*header));

	question->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	question->nlmsg_flags = NLM_F_DUMP;
	header->sdiag_family = (__u8)family;
	header->sdiag_protocol = IPPROTO_TCP;
	header->idiag_states = 1U << TCP_LISTEN;
	return doctor_ask(NETLINK_SOCK_DIAG, question, on_socket, doctor);
}

int doctor_read_sockets(struct doctor *doctor)
{
	if (read_family(doctor, AF_INET) < 0)
		return -1;
	(void)!read_family(doctor, AF_INET6); /* a kernel without IPv6 has none */
	return 0;
}

/* ---- which of them ------------------------------------------------------------------------------------------------- */

static bool is_any(const struct doctor_socket *socket)
{
	return socket->family == AF_INET ? socket->address.s6_addr32[0] == 0
					 : IN6_IS_ADDR_UNSPECIFIED(&socket->address);
}

/* Whether connections to the address come to the socket. */
static bool serves(const struct doctor_socket *socket, const struct address *address)
{
	if (socket->port != address_port(address))
		return false;
	if (is_any(socket))
		return socket->family == address->sa.sa_family || (socket->family == AF_INET6 && !socket->v6only);
	if (socket->family != address->sa.sa_family)
		return false;
	return socket->family == AF_INET
		? socket->address.s6_addr32[0] == address->in.sin_addr.s_addr
		: memcmp(&socket->address, &address->in6.sin6_addr, sizeof(struct in6_addr)) == 0;
}

static const struct doctor_socket *find_socket(const struct doctor *doctor, const struct address *address)
{
	for (size_t i = 0; i < doctor->socket_count; i++)
		if (serves(&doctor->sockets[i], address))
			return &doctor->sockets[i];
	return NULL;
}

typedef void socket_check(struct doctor *doctor, const struct config_listener *listener, const struct address *address);

/* Every address of the listeners that need something of the kernel. */
static void each_address(struct doctor *doctor, socket_check *check)
{
	const struct config *config = doctor->plan->config;

	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = config->listeners[i];

		if (listener->mode == CONFIG_FORWARD && !listener->bind_client)
			continue;
		for (size_t j = 0; j < listener->address_count; j++)
			if (!address_is_unix(&listener->addresses[j]) && address_port(&listener->addresses[j]) != 0)
				check(doctor, listener, &listener->addresses[j]);
	}
}

/* The process that the address belongs to; false: nobody, or nobody that we may see. */
static bool find_process(struct doctor *doctor, const struct address *address, struct doctor_process *process)
{
	const struct doctor_socket *socket = find_socket(doctor, address);
	char text[ADDRESS_TEXT_MAX];

	if (socket == NULL)
		return false;
	if (doctor_process_of(process, socket->inode) == 0)
		return true;
	doctor_miss(doctor, "the process that listens on %s: it is another user's, or elsewhere",
		address_text(address, text, sizeof(text)));
	return false;
}

/* ---- checks -------------------------------------------------------------------------------------------------------- */

static void check_listening(struct doctor *doctor, const struct config_listener *listener,
	const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	if (find_socket(doctor, address) != NULL)
		return;
	doctor_find(doctor, "listener %s: nobody listens on %s", listener->name,
		address_text(address, text, sizeof(text)));
	doctor_mend(doctor, "systemctl restart weir");
}

void doctor_not_listening(struct doctor *doctor)
{
	each_address(doctor, check_listening);
}

static void check_transparent(struct doctor *doctor, const struct config_listener *listener,
	const struct address *address)
{
	const struct doctor_socket *socket = find_socket(doctor, address);
	char text[ADDRESS_TEXT_MAX], who[64] = "";
	struct doctor_process process;

	if (listener->mode != CONFIG_TPROXY || socket == NULL || !socket->told || socket->transparent)
		return;
	if (doctor_process_of(&process, socket->inode) == 0)
		snprintf(who, sizeof(who), " of %s, process %d,", process.name, process.pid);
	doctor_find(doctor, "listener %s: the socket%s on %s has no IP_TRANSPARENT", listener->name, who,
		address_text(address, text, sizeof(text)));
	doctor_mend(doctor, "systemctl restart weir");
}

void doctor_not_transparent(struct doctor *doctor)
{
	each_address(doctor, check_transparent);
}

/* Linux 5.17 lets who has CAP_NET_RAW set marks. */
static bool raw_marks(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	if (uname(&name) != 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return true;
	return major > 5 || (major == 5 && minor >= 17);
}

static void check_capability(struct doctor *doctor, const struct config_listener *listener,
	const struct address *address)
{
	bool marks = doctor->plan->config->weir.mark != CONFIG_NO_MARK;
	struct doctor_process process;
	bool admin, raw;

	if ((!marks && !listener->bind_client) || !find_process(doctor, address, &process))
		return;
	admin = (process.capabilities & (UINT64_C(1) << CAP_NET_ADMIN)) != 0;
	raw = (process.capabilities & (UINT64_C(1) << CAP_NET_RAW)) != 0;
	if (admin || (raw && (!marks || raw_marks())))
		return;
	doctor_find(doctor, "listener %s: %s, process %d, has not the capability %s", listener->name, process.name,
		process.pid, raw ? "CAP_NET_ADMIN" : "CAP_NET_RAW or CAP_NET_ADMIN");
	doctor_mend(doctor,
		"mkdir -p /etc/systemd/system/weir.service.d && printf '[Service]\\nAmbientCapabilities=%s\\n"
		"CapabilityBoundingSet=%s\\n' >/etc/systemd/system/weir.service.d/transparent.conf && "
		"systemctl daemon-reload && systemctl restart weir",
		raw ? "CAP_NET_ADMIN" : "CAP_NET_RAW", raw ? "CAP_NET_ADMIN" : "CAP_NET_RAW");
}

void doctor_no_capability(struct doctor *doctor)
{
	each_address(doctor, check_capability);
}

/* ---- loops --------------------------------------------------------------------------------------------------------- */

static bool has_number(const struct config_numbers *numbers, uint32_t number)
{
	for (size_t i = 0; i < numbers->count; i++)
		if (numbers->list[i] == number)
			return true;
	return false;
}

/* The cgroup itself, or one above. */
static bool has_cgroup(const struct config_words *cgroups, const char *cgroup)
{
	for (size_t i = 0; i < cgroups->count; i++) {
		size_t length = strlen(cgroups->list[i]);

		if (strncmp(cgroups->list[i], cgroup, length) == 0 && (cgroup[length] == '\0' || cgroup[length] == '/'))
			return true;
	}
	return false;
}

/* With nobody to look at, what the file says of weir's user must do. */
static bool is_left_alone(struct doctor *doctor, const struct plan_entry *entry)
{
	const struct config_intercept *intercept = &entry->listener->intercept;
	const char *user = doctor->plan->config->weir.user;
	struct doctor_process process;
	const struct passwd *passwd;

	if (find_process(doctor, entry->address, &process))
		return has_number(&intercept->uids, process.uid) || has_number(&intercept->gids, process.gid) ||
			has_cgroup(&intercept->cgroups, process.cgroup);
	if (*user == '\0')
		return intercept->uids.count > 0 || intercept->gids.count > 0 || intercept->cgroups.count > 0;
	/* cppcheck-suppress getpwnamCalled ; there is only one thread */
	passwd = getpwnam(user);
	return passwd == NULL || intercept->cgroups.count > 0 || has_number(&intercept->uids, passwd->pw_uid) ||
		has_number(&intercept->gids, passwd->pw_gid);
}

static bool has_port(const struct ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->list[i].low <= port && port <= ports->list[i].high)
			return true;
	return false;
}

/* Whether the rules are for where weir connects to; of an upstream that has a name, only the port is known. */
static bool takes_upstream(const struct plan_entry *entry)
{
	const struct config_intercept *intercept = &entry->listener->intercept;
	const struct config_upstream *upstream = entry->listener->upstream;
	const struct address *address = &upstream->address;

	if (upstream->original)
		return true;
	if (address->length == 0)
		return has_port(&intercept->ports, upstream->port);
	if (address->sa.sa_family != entry->family || !has_port(&intercept->ports, address_port(address)))
		return false;
	return intercept->to.count == 0 ? !address_is_loopback(address) : networks_have(&intercept->to, address);
}

void doctor_loop(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plan->count; i++) {
		const struct plan_entry *entry = &doctor->plan->entries[i];

		if (!entry->local || doctor->plan->config->weir.mark != CONFIG_NO_MARK || !takes_upstream(entry) ||
			is_left_alone(doctor, entry))
			continue;
		doctor_find(doctor,
			"listener %s: mark is off, intercept_local is yes, and nothing leaves weir's own alone",
			entry->listener->name);
		doctor_mend(doctor,
			"sed -i '/^[[:space:]]*mark *=/s/=.*/= auto/' %s && systemctl restart weir && weir-intercept -f %s up",
			doctor->file, doctor->file);
	}
}
