/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration needs of the kernel: which parts, and the exact rules. That nft takes them, and what they do, is for
 * tests in namespaces.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "show.h"

#define ADDRESSES_MAX 4
#define LISTENERS_MAX 3

/* A configuration as config_load would make it of these listeners. */
struct made {
	struct config config;
	struct config_listener listeners[LISTENERS_MAX];
	struct config_listener *list[LISTENERS_MAX];
	struct address addresses[LISTENERS_MAX][ADDRESSES_MAX];
};

static char eth1[] = "eth1", bridge[] = "br0.7", slice[] = "system.slice", service[] = "system.slice/weir.service";
static char *interfaces[] = {eth1, bridge}, *cgroups[] = {slice, service};
static uint32_t one_number[] = {110}, numbers[] = {0, 110, 4294967294};

static struct made *make(void)
{
	struct made *made = calloc(1, sizeof(*made));

	ck_assert_ptr_nonnull(made);
	made->config.weir.mark = CONFIG_MARK;
	made->config.weir.tproxy_mark = CONFIG_TPROXY_MARK;
	made->config.weir.tproxy_table = CONFIG_TPROXY_TABLE;
	made->config.listeners = made->list;
	return made;
}

static void add_address(struct config_listener *listener, const char *text)
{
	char error[512] = "";

	ck_assert_msg(address_parse(&listener->addresses[listener->address_count++], text, error, sizeof(error)) == 0,
		"%s", error);
}

/* Addresses: the second may be NULL. */
static struct config_listener *add(struct made *made, const char *name, enum config_mode mode, const char *first,
	const char *second)
{
	size_t i = made->config.listener_count++;
	struct config_listener *listener = &made->listeners[i];

	made->list[i] = listener;
	*listener = (struct config_listener){.name = (char *)name, .mode = mode, .addresses = made->addresses[i]};
	add_address(listener, first);
	if (second != NULL)
		add_address(listener, second);
	return listener;
}

static void set_ports(struct config_listener *listener, const char *text)
{
	char error[512] = "";

	ck_assert_msg(ports_parse(&listener->intercept.ports, text, error, sizeof(error)) == 0, "%s", error);
}

static void set_networks(struct networks *networks, const char *text)
{
	char error[512] = "";

	ck_assert_msg(networks_parse(networks, text, error, sizeof(error)) == 0, "%s", error);
}

static void made_free(struct made *made)
{
	for (size_t i = 0; i < made->config.listener_count; i++) {
		ports_free(&made->listeners[i].intercept.ports);
		networks_free(&made->listeners[i].intercept.from);
		networks_free(&made->listeners[i].intercept.to);
	}
	free(made);
}

/* tproxy on eth1, both families, port 5432. */
static struct config_listener *add_gateway(struct made *made)
{
	struct config_listener *gateway = add(made, "gateway", CONFIG_TPROXY, "0.0.0.0:15001", "[::]:15001");

	set_ports(gateway, "5432");
	gateway->intercept.interfaces = (struct config_words){interfaces, 1};
	gateway->bind_client = true;
	return gateway;
}

/* redirect of local traffic, both families, port 5432. */
static struct config_listener *add_sidecar(struct made *made)
{
	struct config_listener *sidecar = add(made, "sidecar", CONFIG_REDIRECT, "0.0.0.0:15002", "[::]:15002");

	set_ports(sidecar, "5432");
	sidecar->intercept.local = true;
	return sidecar;
}

static struct plan planned(const struct made *made)
{
	struct plan plan;

	ck_assert_int_eq(plan_make(&plan, &made->config), 0);
	return plan;
}

static char *rules_text(const struct plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	plan_print_rules(plan, out);
	fclose(out);
	return text;
}

/* The plan of what was made has these rules, and these routes; frees it. */
static void expect(struct made *made, bool ipv4, bool ipv6, const char *expected)
{
	struct plan plan = planned(made);
	char *text = rules_text(&plan), *again = rules_text(&plan);

	ck_assert_str_eq(text, expected);
	ck_assert_str_eq(again, text);
	ck_assert(plan.routes[0] == ipv4 && plan.routes[1] == ipv6);
	free(text);
	free(again);
	plan_free(&plan);
	made_free(made);
}

#define NOTHING                                                                                                        \
	"add table inet weir\n"                                                                                        \
	"delete table inet weir\n"
#define BEGIN NOTHING "table inet weir {\n"
#define END "}\n"
#define TPROXY(family)                                                                                                 \
	"\tchain tproxy_connections {\n"                                                                               \
	"\t\ttcp flags & (fin | syn | rst | ack) == syn return comment \"a new one\"\n"                                \
	"\t\tsocket wildcard 1 return comment \"a listener\"\n"                                                        \
	"\t\tmeta mark set 30566 accept\n"                                                                             \
	"\t}\n"                                                                                                        \
	"\tchain tproxy_prerouting {\n"                                                                                \
	"\t\ttype filter hook prerouting priority mangle; policy accept;\n"                                            \
	"\t\t" family "meta l4proto { tcp, icmp, ipv6-icmp } socket transparent 1 jump tproxy_connections\n"
#define REDIRECT                                                                                                       \
	"\tchain redirect_prerouting {\n"                                                                              \
	"\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
#define OUTPUT                                                                                                         \
	"\tchain redirect_output {\n"                                                                                  \
	"\t\ttype nat hook output priority -100; policy accept;\n"                                                     \
	"\t\tmeta mark 30565 return comment \"weir itself\"\n"
#define CHAIN_END "\t}\n"
#define DELIVER " meta mark set 30566 accept comment \"listener gateway\"\n"

/* ---- what there is a part for -------------------------------------------------------------------------------------- */

START_TEST(nothing_for_forward)
{
	struct made *made = make();

	add(made, "pg", CONFIG_FORWARD, "0.0.0.0:6432", "unix:/run/pg");
	expect(made, false, false, NOTHING);
}
END_TEST

START_TEST(nothing_without_ports_or_traffic)
{
	struct made *made = make();

	add_sidecar(made)->intercept.local = false;
	add(made, "by-hand", CONFIG_REDIRECT, "0.0.0.0:15003", NULL)->intercept.local = true;
	expect(made, false, false, NOTHING);
}
END_TEST

START_TEST(one_family)
{
	struct made *made = make();
	struct config_listener *gateway = add(made, "gateway", CONFIG_TPROXY, "[::]:15001", "unix:/run/x");
	struct plan plan;

	set_ports(gateway, "5432");
	gateway->intercept.interfaces = (struct config_words){interfaces, 1};
	plan = planned(made);
	ck_assert_uint_eq(plan.count, 1);
	ck_assert_ptr_eq(plan.entries[0].listener, gateway);
	ck_assert_int_eq(plan.entries[0].family, AF_INET6);
	ck_assert_ptr_eq(plan.entries[0].address, &gateway->addresses[0]);
	ck_assert(plan.entries[0].forwarded && !plan.entries[0].local);
	plan_free(&plan);
	expect(made, false, true,
		BEGIN TPROXY(
			"meta nfproto ipv6 ") "\t\tmeta nfproto ipv6 iifname \"eth1\" tcp dport 5432 fib daddr type != "
					      "local tproxy ip6 to :15001" DELIVER CHAIN_END END);
}
END_TEST

START_TEST(networks_of_one_family_leave_nothing_of_the_other)
{
	struct made *made = make();
	struct config_listener *gateway = add_gateway(made);

	gateway->bind_client = false;
	set_networks(&gateway->intercept.from, "10.1.0.0/16");
	expect(made, true, false,
		BEGIN TPROXY(
			"meta nfproto ipv4 ") "\t\tmeta nfproto ipv4 iifname \"eth1\" ip saddr { 10.1.0.0/16 } tcp dport "
					      "5432 fib daddr type != local tproxy ip to :15001" DELIVER CHAIN_END END);
}
END_TEST

/* from has IPv4 only, to IPv6 only. */
START_TEST(networks_that_never_meet)
{
	struct made *made = make();
	struct config_listener *sidecar = add_sidecar(made);

	set_networks(&sidecar->intercept.from, "10.1.0.0/16");
	set_networks(&sidecar->intercept.to, "fd00::/8");
	expect(made, false, false, NOTHING);
}
END_TEST

/* In mode forward, too: servers answer to the client's address. */
START_TEST(answers_to_clients_addresses)
{
	struct made *made = make();

	add(made, "pg", CONFIG_FORWARD, "10.0.0.1:6432", NULL)->bind_client = true;
	expect(made, true, false, BEGIN TPROXY("meta nfproto ipv4 ") CHAIN_END END);
}
END_TEST

START_TEST(answers_to_clients_of_headers)
{
	struct made *made = make();
	struct config_listener *pg = add(made, "pg", CONFIG_FORWARD, "unix:/run/pg", NULL);

	pg->bind_client = true;
	pg->accept_proxy = CONFIG_PROXY_REQUIRE;
	expect(made, true, true, BEGIN TPROXY("") CHAIN_END END);
}
END_TEST

/* ---- rules --------------------------------------------------------------------------------------------------------- */

START_TEST(tproxy)
{
	struct made *made = make();
	struct config_listener *gateway = add_gateway(made);

	ports_free(&gateway->intercept.ports);
	set_ports(gateway, "5432, 6379, 8000-8099");
	gateway->intercept.interfaces = (struct config_words){interfaces, 2};
	set_networks(&gateway->intercept.from, "10.1.0.0/16, fd01::/16, 10.7.7.7");
	made->config.weir.tproxy_mark = 7;
	expect(made, true, true,
		BEGIN "\tchain tproxy_connections {\n"
		      "\t\ttcp flags & (fin | syn | rst | ack) == syn return comment \"a new one\"\n"
		      "\t\tsocket wildcard 1 return comment \"a listener\"\n"
		      "\t\tmeta mark set 7 accept\n"
		      "\t}\n"
		      "\tchain tproxy_prerouting {\n"
		      "\t\ttype filter hook prerouting priority mangle; policy accept;\n"
		      "\t\tmeta l4proto { tcp, icmp, ipv6-icmp } socket transparent 1 jump tproxy_connections\n"
		      "\t\tmeta nfproto ipv4 iifname { \"eth1\", \"br0.7\" } ip saddr { 10.1.0.0/16, 10.7.7.7 } "
		      "tcp dport { 5432, 6379, 8000-8099 } fib daddr type != local tproxy ip to :15001 "
		      "meta mark set 7 accept comment \"listener gateway\"\n"
		      "\t\tmeta nfproto ipv6 iifname { \"eth1\", \"br0.7\" } ip6 saddr { fd01::/16 } "
		      "tcp dport { 5432, 6379, 8000-8099 } fib daddr type != local tproxy ip6 to :15001 "
		      "meta mark set 7 accept comment \"listener gateway\"\n" CHAIN_END END);
}
END_TEST

/* Who says where to may mean this machine, too. */
START_TEST(tproxy_to_addresses_of_its_own)
{
	struct made *made = make();
	struct config_listener *gateway = add(made, "gateway", CONFIG_TPROXY, "10.0.0.1:15001", "[fd00::1]:15001");

	set_ports(gateway, "1-65535");
	gateway->intercept.interfaces = (struct config_words){interfaces, 1};
	set_networks(&gateway->intercept.to, "all");
	expect(made, true, true,
		BEGIN TPROXY(
			"") "\t\tmeta nfproto ipv4 iifname \"eth1\" tcp dport 1-65535 tproxy ip to 10.0.0.1:15001" DELIVER
			    "\t\tmeta nfproto ipv6 iifname \"eth1\" tcp dport 1-65535 tproxy ip6 to [fd00::1]:15001" DELIVER
				    CHAIN_END END);
}
END_TEST

START_TEST(redirect_of_forwarded)
{
	struct made *made = make();
	struct config_listener *sidecar = add_sidecar(made);

	sidecar->intercept.local = false;
	sidecar->intercept.interfaces = (struct config_words){interfaces, 1};
	set_networks(&sidecar->intercept.to, "10.2.0.0/16, fd02::/16");
	expect(made, false, false,
		BEGIN REDIRECT
		"\t\tmeta nfproto ipv4 iifname \"eth1\" ip daddr { 10.2.0.0/16 } tcp dport 5432 redirect to "
		":15002 comment \"listener sidecar\"\n"
		"\t\tmeta nfproto ipv6 iifname \"eth1\" ip6 daddr { fd02::/16 } tcp dport 5432 redirect to "
		":15002 comment \"listener sidecar\"\n" CHAIN_END END);
}
END_TEST

/* redirect alone leads to the interface's first address. */
START_TEST(redirect_to_addresses_of_its_own)
{
	struct made *made = make();
	struct config_listener *own = add(made, "own", CONFIG_REDIRECT, "10.0.0.1:15002", "[fd00::1]:15003");

	set_ports(own, "80");
	own->intercept.interfaces = (struct config_words){interfaces, 1};
	own->intercept.local = true;
	expect(made, false, false,
		BEGIN REDIRECT
		"\t\tmeta nfproto ipv4 iifname \"eth1\" tcp dport 80 fib daddr type != local dnat ip to 10.0.0.1:15002 "
		"comment \"listener own\"\n"
		"\t\tmeta nfproto ipv6 iifname \"eth1\" tcp dport 80 fib daddr type != local dnat ip6 to [fd00::1]:15003 "
		"comment \"listener own\"\n" CHAIN_END "\tchain redirect_output_own {\n"
		"\t\tmeta nfproto ipv4 ip daddr != 127.0.0.0/8 tcp dport 80 dnat ip to 10.0.0.1:15002 "
		"comment \"listener own\"\n"
		"\t\tmeta nfproto ipv6 ip6 daddr != ::1 tcp dport 80 dnat ip6 to [fd00::1]:15003 "
		"comment \"listener own\"\n" CHAIN_END OUTPUT "\t\tjump redirect_output_own\n" CHAIN_END END);
}
END_TEST

START_TEST(local_and_who_is_left_alone)
{
	struct made *made = make();
	struct config_listener *sidecar = add_sidecar(made);

	sidecar->intercept.uids = (struct config_numbers){numbers, 3};
	sidecar->intercept.gids = (struct config_numbers){one_number, 1};
	sidecar->intercept.cgroups = (struct config_words){cgroups, 2};
	sidecar->intercept.marks = (struct config_numbers){numbers + 1, 2};
	set_networks(&sidecar->intercept.to, "all");
	expect(made, false, false,
		BEGIN "\tchain redirect_output_sidecar {\n"
		      "\t\tmeta skuid { 0, 110, 4294967294 } return\n"
		      "\t\tmeta skgid 110 return\n"
		      "\t\tsocket cgroupv2 level 1 \"system.slice\" return\n"
		      "\t\tsocket cgroupv2 level 2 \"system.slice/weir.service\" return\n"
		      "\t\tmeta mark { 110, 4294967294 } return\n"
		      "\t\tmeta nfproto ipv4 tcp dport 5432 redirect to :15002 comment \"listener sidecar\"\n"
		      "\t\tmeta nfproto ipv6 tcp dport 5432 redirect to :15002 comment \"listener sidecar\"\n" CHAIN_END
			      OUTPUT "\t\tjump redirect_output_sidecar\n" CHAIN_END END);
}
END_TEST

START_TEST(local_without_a_mark)
{
	struct made *made = make();
	struct config_listener *sidecar = add(made, "a.b_c-d", CONFIG_REDIRECT, "127.0.0.1:15002", NULL);

	set_ports(sidecar, "80");
	sidecar->intercept.local = true;
	made->config.weir.mark = CONFIG_NO_MARK;
	expect(made, false, false,
		BEGIN "\tchain redirect_output_a.b_c-d {\n"
		      "\t\tmeta nfproto ipv4 ip daddr != 127.0.0.0/8 tcp dport 80 dnat ip to 127.0.0.1:15002 "
		      "comment \"listener a.b_c-d\"\n" CHAIN_END "\tchain redirect_output {\n"
		      "\t\ttype nat hook output priority -100; policy accept;\n"
		      "\t\tjump redirect_output_a.b_c-d\n" CHAIN_END END);
}
END_TEST

/* Each chain has the rules of its mode, in the order of the file; local traffic only those that take it. */
START_TEST(listeners_share_a_table)
{
	struct made *made = make();
	struct config_listener *both = add(made, "both", CONFIG_REDIRECT, "0.0.0.0:15003", NULL);

	set_ports(both, "80");
	both->intercept.interfaces = (struct config_words){interfaces, 1};
	both->intercept.local = true;
	add_gateway(made);
	add_sidecar(made)->intercept.uids = (struct config_numbers){one_number, 1};
	expect(made, true, true,
		BEGIN TPROXY("") "\t\tmeta nfproto ipv4 iifname \"eth1\" tcp dport 5432 fib daddr type != local "
				 "tproxy ip to :15001" DELIVER
				 "\t\tmeta nfproto ipv6 iifname \"eth1\" tcp dport 5432 fib daddr type != local "
				 "tproxy ip6 to :15001" DELIVER CHAIN_END REDIRECT
				 "\t\tmeta nfproto ipv4 iifname \"eth1\" tcp dport 80 fib daddr type != local "
				 "redirect to :15003 comment \"listener both\"\n" CHAIN_END
				 "\tchain redirect_output_both {\n"
				 "\t\tmeta nfproto ipv4 ip daddr != 127.0.0.0/8 tcp dport 80 redirect to :15003 "
				 "comment \"listener both\"\n" CHAIN_END "\tchain redirect_output_sidecar {\n"
				 "\t\tmeta skuid 110 return\n"
				 "\t\tmeta nfproto ipv4 ip daddr != 127.0.0.0/8 tcp dport 5432 redirect to :15002 "
				 "comment \"listener sidecar\"\n"
				 "\t\tmeta nfproto ipv6 ip6 daddr != ::1 tcp dport 5432 redirect to :15002 "
				 "comment \"listener sidecar\"\n" CHAIN_END OUTPUT "\t\tjump redirect_output_both\n"
				 "\t\tjump redirect_output_sidecar\n" CHAIN_END END);
}
END_TEST

START_TEST(removal)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	plan_print_removal(out);
	fclose(out);
	ck_assert_str_eq(text, NOTHING);
	free(text);
}
END_TEST

/* ---- as commands --------------------------------------------------------------------------------------------------- */

static char *shown(const struct plan *plan, const char *file)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	show_plan(plan, file, out);
	fclose(out);
	return text;
}

START_TEST(commands)
{
	struct made *made = make();
	struct plan plan;
	char *text;

	add_gateway(made);
	add_sidecar(made);
	add(made, "pg", CONFIG_FORWARD, "10.0.0.1:6432", NULL)->bind_client = true;
	made->config.weir.tproxy_table = 99;
	plan = planned(made);
	text = shown(&plan, "a\nb");
	ck_assert_ptr_nonnull(strstr(text, "#!/bin/sh\n# What weir-intercept up does for a?b.\nset -e\n"));
	ck_assert_ptr_nonnull(strstr(text,
		"\n# Packets with the mark are delivered on this machine. "
		"For the listeners: gateway, pg.\n"
		"ip -4 route add local default dev lo table 99 proto 119\n"
		"ip -4 rule add pref 1 fwmark 30566 lookup 99 protocol 119\n"
		"ip -6 route add local default dev lo table 99 proto 119\n"
		"ip -6 rule add pref 1 fwmark 30566 lookup 99 protocol 119\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nnft -f - <<'END'\n" BEGIN));
	ck_assert_str_eq(text + strlen(text) - strlen("\n}\nEND\n"), "\n}\nEND\n");
	free(text);
	plan_free(&plan);
	made_free(made);
}
END_TEST

/* What is shown of nothing takes away what there was. */
START_TEST(commands_of_nothing)
{
	struct made *made = make();
	struct plan plan = planned(made);
	char *text = shown(&plan, "x.ini");

	ck_assert_ptr_null(strstr(text, " add pref"));
	ck_assert_ptr_null(strstr(text, "# Packets"));
	ck_assert_ptr_nonnull(strstr(text, "\tip $family rule flush protocol 119 "));
	ck_assert_ptr_nonnull(strstr(text, "\nnft -f - <<'END'\n" NOTHING "END\n"));
	free(text);
	plan_free(&plan);
	made_free(made);
}
END_TEST

static Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *parts = tcase_create("parts"), *rules = tcase_create("rules"), *show = tcase_create("show");

	tcase_add_test(parts, nothing_for_forward);
	tcase_add_test(parts, nothing_without_ports_or_traffic);
	tcase_add_test(parts, one_family);
	tcase_add_test(parts, networks_of_one_family_leave_nothing_of_the_other);
	tcase_add_test(parts, networks_that_never_meet);
	tcase_add_test(parts, answers_to_clients_addresses);
	tcase_add_test(parts, answers_to_clients_of_headers);
	tcase_add_test(rules, tproxy);
	tcase_add_test(rules, tproxy_to_addresses_of_its_own);
	tcase_add_test(rules, redirect_of_forwarded);
	tcase_add_test(rules, redirect_to_addresses_of_its_own);
	tcase_add_test(rules, local_and_who_is_left_alone);
	tcase_add_test(rules, local_without_a_mark);
	tcase_add_test(rules, listeners_share_a_table);
	tcase_add_test(rules, removal);
	tcase_add_test(show, commands);
	tcase_add_test(show, commands_of_nothing);
	suite_add_tcase(suite, parts);
	suite_add_tcase(suite, rules);
	suite_add_tcase(suite, show);
	return suite;
}

int main(void)
{
	return unit_main(plan_suite());
}
