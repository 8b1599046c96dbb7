/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routes - the routing rule and the route of a plan; see routes.h.
 */
#include "routes.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "netlink.h"

#define ORDER_MAX 256 /* bytes of the messages that are made here */

/* What is looked for, in one family. */
struct search {
	sa_family_t family;
	bool wanted;    /* the plan has it */
	uint32_t mark;  /* 0: not known */
	uint32_t table; /* the same */
	unsigned lo;
};

/* A kind of thing: rules, or routes. */
struct kind {
	uint16_t get;
	uint16_t delete;
	size_t header;
	netlink_filter *is_ours;   /* whether it may stay only if the plan has it, */
	netlink_filter *is_wanted; /* and whether it is what the plan has */
	netlink_filter *is_vague;  /* no protocol: an order to delete it fits those of any protocol */
};

static struct search search_of(const struct plan *plan, size_t family)
{
	return (struct search){
		.family = family == 0 ? AF_INET : AF_INET6,
		.wanted = plan->routes[family],
		.mark = (uint32_t)plan->config->weir.tproxy_mark,
		.table = (uint32_t)plan->config->weir.tproxy_table,
		.lo = if_nametoindex("lo"),
	};
}

/* ---- what there is ------------------------------------------------------------------------------------------------- */

/* 0 if there is none: no attribute that is asked for here has that as a meaning of its own. */
static uint32_t attribute(const struct nlmsghdr *message, size_t header, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, header)
	{
		if (mnl_attr_get_type(attr) != type)
			continue;
		return mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr)
									  : mnl_attr_get_u8(attr);
	}
	return 0;
}

static bool rule_is_ours(const struct nlmsghdr *message, const void *argument)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	const struct search *search = argument;

	if (rule->family != search->family)
		return false;
	return attribute(message, sizeof(*rule), FRA_PROTOCOL) == PLAN_PROTOCOL ||
		(search->mark != 0 && attribute(message, sizeof(*rule), FRA_FWMARK) == search->mark) ||
		(search->table != 0 && attribute(message, sizeof(*rule), FRA_TABLE) == search->table);
}

static bool rule_is_wanted(const struct nlmsghdr *message, const void *argument)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	const struct search *search = argument;

	return search->wanted && rule->src_len == 0 && rule->dst_len == 0 && rule->tos == 0 &&
		rule->action == FR_ACT_TO_TBL && (rule->flags & FIB_RULE_INVERT) == 0 &&
		attribute(message, sizeof(*rule), FRA_PRIORITY) == PLAN_PRIORITY &&
		attribute(message, sizeof(*rule), FRA_FWMARK) == search->mark &&
		attribute(message, sizeof(*rule), FRA_FWMASK) == UINT32_MAX &&
		attribute(message, sizeof(*rule), FRA_TABLE) == search->table &&
		attribute(message, sizeof(*rule), FRA_PROTOCOL) == PLAN_PROTOCOL;
}

static bool rule_is_vague(const struct nlmsghdr *message, const void *argument)
{
	(void)argument;
	return attribute(message, sizeof(struct fib_rule_hdr), FRA_PROTOCOL) == RTPROT_UNSPEC;
}

static bool route_is_ours(const struct nlmsghdr *message, const void *argument)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	const struct search *search = argument;

	if (route->rtm_family != search->family || (route->rtm_flags & RTM_F_CLONED) != 0)
		return false;
	return route->rtm_protocol == PLAN_PROTOCOL ||
		(search->table != 0 && attribute(message, sizeof(*route), RTA_TABLE) == search->table);
}

static bool route_is_wanted(const struct nlmsghdr *message, const void *argument)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	const struct search *search = argument;

	return search->wanted && route->rtm_type == RTN_LOCAL && route->rtm_dst_len == 0 && route->rtm_src_len == 0 &&
		route->rtm_tos == 0 && route->rtm_protocol == PLAN_PROTOCOL &&
		attribute(message, sizeof(*route), RTA_TABLE) == search->table &&
		attribute(message, sizeof(*route), RTA_OIF) == search->lo;
}

static bool route_is_vague(const struct nlmsghdr *message, const void *argument)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	(void)argument;
	return route->rtm_protocol == RTPROT_UNSPEC;
}

static const struct kind rules = {
	.get = RTM_GETRULE,
	.delete = RTM_DELRULE,
	.header = sizeof(struct fib_rule_hdr),
	.is_ours = rule_is_ours,
	.is_wanted = rule_is_wanted,
	.is_vague = rule_is_vague,
};
static const struct kind routes = {
	.get = RTM_GETROUTE,
	.delete = RTM_DELROUTE,
	.header = sizeof(struct rtmsg),
	.is_ours = route_is_ours,
	.is_wanted = route_is_wanted,
	.is_vague = route_is_vague,
};

/* ---- what is told -------------------------------------------------------------------------------------------------- */

static const char *family_name(sa_family_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static const char *expected(int error, sa_family_t family)
{
	switch (error) {
	case EPERM:
		return "; expected the capability CAP_NET_ADMIN, as root has it";
	case ENETDOWN:
		return "; expected the interface lo to be up: ip link set lo up";
	case EACCES:
		return family == AF_INET6 ? "; expected IPv6 on lo: sysctl -w net.ipv6.conf.lo.disable_ipv6=0" : "";
	case EAFNOSUPPORT:
	case EOPNOTSUPP:
		return "; expected a kernel that has this family, and policy routing; or no listener of it";
	default:
		return "";
	}
}

static int complain(FILE *errors, const char *what, sa_family_t family, uint32_t number)
{
	int error = errno;

	fprintf(errors, "weir-intercept: cannot %s (%s, %u): %s%s\n", what, family_name(family), number,
		strerror(error), expected(error, family));
	return -1;
}

/* ---- making -------------------------------------------------------------------------------------------------------- */

static int add_route(struct netlink *netlink, const struct search *search)
{
	char buffer[ORDER_MAX] = "";
	struct nlmsghdr *order = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(order, sizeof(*route));

	order->nlmsg_type = RTM_NEWROUTE;
	order->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	*route = (struct rtmsg){
		.rtm_family = (unsigned char)search->family,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = PLAN_PROTOCOL,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL,
	};
	mnl_attr_put_u32(order, RTA_TABLE, search->table);
	mnl_attr_put_u32(order, RTA_OIF, search->lo);
	return netlink_order(netlink, order) < 0 && errno != EEXIST ? -1 : 0;
}

/* Also if there is one like it: what there is too much goes later. */
static int add_rule(struct netlink *netlink, const struct search *search)
{
	char buffer[ORDER_MAX] = "";
	struct nlmsghdr *order = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(order, sizeof(*rule));

	order->nlmsg_type = RTM_NEWRULE;
	order->nlmsg_flags = NLM_F_CREATE;
	*rule = (struct fib_rule_hdr){.family = (__u8)search->family, .action = FR_ACT_TO_TBL};
	mnl_attr_put_u32(order, FRA_PRIORITY, PLAN_PRIORITY);
	mnl_attr_put_u32(order, FRA_FWMARK, search->mark);
	mnl_attr_put_u32(order, FRA_FWMASK, UINT32_MAX);
	mnl_attr_put_u32(order, FRA_TABLE, search->table);
	mnl_attr_put_u8(order, FRA_PROTOCOL, PLAN_PROTOCOL);
	return netlink_order(netlink, order);
}

/* The route first: a rule to a table without one sends packets on to the next rule, and away. */
static int add_family(struct netlink *netlink, const struct search *search, FILE *errors)
{
	if (add_route(netlink, search) < 0)
		return complain(errors, "make the route in the table", search->family, search->table);
	if (add_rule(netlink, search) < 0)
		return complain(errors, "make the routing rule for the mark", search->family, search->mark);
	return 0;
}

/* ---- taking away --------------------------------------------------------------------------------------------------- */

/* A family that the kernel does not have has nothing. */
static int find(struct netlink *netlink, const struct kind *kind, const struct search *search,
	struct netlink_messages *messages)
{
	char buffer[ORDER_MAX] = "";
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	unsigned char *family = mnl_nlmsg_put_extra_header(question, kind->header); /* both headers begin with it */

	question->nlmsg_type = kind->get;
	*family = (unsigned char)search->family;
	if (netlink_dump(netlink, question, kind->is_ours, search, messages) < 0)
		return errno == EAFNOSUPPORT || errno == EOPNOTSUPP ? 0 : -1;
	return 0;
}

/* Somebody else may have been faster. */
static int take_away(struct netlink *netlink, const struct kind *kind, struct nlmsghdr *message)
{
	message->nlmsg_type = kind->delete;
	message->nlmsg_flags = 0;
	return netlink_order(netlink, message) < 0 && errno != ENOENT && errno != ESRCH ? -1 : 0;
}

/* Of those that are as the plan wants them, one stays. */
static int take_away_all(struct netlink *netlink, const struct kind *kind, const struct search *search,
	const struct netlink_messages *messages, bool vague)
{
	struct nlmsghdr *message = NULL;
	bool kept = false;
	int rc = 0;

	while (rc == 0 && (message = netlink_messages_next(messages, message)) != NULL) {
		if (kind->is_vague(message, search) != vague)
			continue;
		if (!kept && kind->is_wanted(message, search))
			kept = true;
		else
			rc = take_away(netlink, kind, message);
	}
	return rc;
}

/* The vague ones last: of those that fit, the kernel deletes the first, and what was added just now is behind them. */
static int prune(struct netlink *netlink, const struct kind *kind, const struct search *search)
{
	struct netlink_messages messages = {NULL, 0};
	int rc = find(netlink, kind, search, &messages);

	if (rc == 0)
		rc = take_away_all(netlink, kind, search, &messages, false);
	if (rc == 0)
		rc = take_away_all(netlink, kind, search, &messages, true);
	netlink_messages_free(&messages);
	return rc;
}

static int prune_family(struct netlink *netlink, const struct search *search, FILE *errors)
{
	if (prune(netlink, &rules, search) < 0)
		return complain(errors, "take away old routing rules for the mark", search->family, search->mark);
	if (prune(netlink, &routes, search) < 0)
		return complain(errors, "take away old routes of the table", search->family, search->table);
	return 0;
}

/* ---- both families ------------------------------------------------------------------------------------------------- */

typedef int family_work(struct netlink *netlink, const struct search *search, FILE *errors);

static int each_family(const struct plan *plan, family_work *work, bool wanted_only, FILE *errors)
{
	struct netlink netlink;
	int rc = 0;

	if (netlink_open(&netlink, NETLINK_ROUTE) < 0) {
		fprintf(errors, "weir-intercept: cannot ask the kernel for its routes: %s\n", strerror(errno));
		return -1;
	}
	for (size_t family = 0; family < 2 && rc == 0; family++) {
		struct search search = search_of(plan, family);

		if (search.wanted || !wanted_only)
			rc = work(&netlink, &search, errors);
	}
	netlink_close(&netlink);
	return rc;
}

int routes_add(const struct plan *plan, FILE *errors)
{
	return each_family(plan, add_family, true, errors);
}

int routes_prune(const struct plan *plan, FILE *errors)
{
	return each_family(plan, prune_family, false, errors);
}
