/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor - the table of what is looked at, and how it is told.
 *
 * Each finding has a section of its name in weir-intercept-findings(7). What several could say of one fault only the first
 * says: who looks at what another needs leaves word for him in struct doctor.
 */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_parts.h"

struct doctor_check {
	const char *name;
	void (*look)(struct doctor *doctor);
	const char *why; /* it matters */
};

static const struct doctor_check checks[] = {
	{"no-interface", doctor_no_interface, "nothing arrives by such an interface, so nothing is intercepted there"},
	{"enslaved", doctor_enslaved,
		"what arrives there reaches the rules as its master's, which the listener does not name: it passes weir by"},
	{"no-address", doctor_no_address,
		"the kernel redirects to the address of the interface, and drops what it finds none for"},
	{"ipv6-off", doctor_ipv6_off, "IPv6 packets that arrive there are dropped before any rule sees them"},
	{"no-cgroup", doctor_no_cgroup, "nftables takes none of the rules when one names a cgroup that is not there"},
	{"kernel-feature", doctor_kernel_feature, "without it the rules cannot be put up, none of them"},
	{"no-rules", doctor_no_rules, "nothing is intercepted: connections go straight to their servers, past weir"},
	{"stale-rules", doctor_stale_rules,
		"what is intercepted is what another configuration wanted, or somebody's hand"},
	{"no-routing-rule", doctor_no_routing_rule,
		"packets with the mark are for weir, but are sent on to where they were going: connections hang"},
	{"no-route", doctor_no_route,
		"packets with the mark are for weir, but without a local route they are sent on: connections hang"},
	{"other-route", doctor_other_route,
		"it is nearer than the route to this machine, so packets for weir leave by it: connections hang"},
	{"rule-shadowed", doctor_rule_shadowed, "packets for weir follow it and leave this machine: connections hang"},
	{"src-valid-mark", doctor_src_valid_mark,
		"the kernel looks for the way back with the packet's mark, finds it to be this machine, and drops the packet as "
		"forged: IPv4 connections hang; wg-quick sets this"},
	{"fwmark-accept", doctor_fwmark_accept,
		"accepted connections take over the mark, so that answers to clients are delivered to this machine: they hang"},
	{"fwmark-reflect", doctor_fwmark_reflect,
		"resets for connections that weir has no more take over the mark and come back to this machine: clients wait "
		"instead of seeing an error"},
	{"bridge-netfilter", doctor_bridge_netfilter,
		"packets go through the rules as the bridge's own, and lose there what mode tproxy gives them: connections hang"},
	{"rp-filter", doctor_rp_filter, "packets from a source that is routed elsewhere are dropped where they arrive"},
	{"ip-forward", doctor_ip_forward,
		"what is intercepted works, but all else that arrives for others is dropped: other ports, DNS, ping"},
	{"return-path", doctor_return_path,
		"servers see the clients' addresses and answer them directly, past weir; clients reset what they did not ask "
		"for; this gives up the clients' addresses"},
	{"not-listening", doctor_not_listening,
		"in mode redirect connections are refused; in mode tproxy they go straight to their servers, past weir"},
	{"not-transparent", doctor_not_transparent,
		"the kernel does not give it connections for other addresses: they go straight to their servers, past weir; it "
		"was started with another configuration, or is not weir"},
	{"no-capability", doctor_no_capability,
		"it can neither mark its connections nor make them from its clients' addresses, so it makes none"},
	{"loopback-only", doctor_loopback_only,
		"packets for loopback addresses are dropped when they come from outside: connections hang"},
	{"loop", doctor_loop, "weir's own connections are intercepted and come back to it, which refuses them"},
	{"other-mark", doctor_other_mark,
		"it takes the mark away that brings packets to weir: they are sent on to where they were going"},
	{"firewall", doctor_firewall,
		"intercepted packets are delivered to this machine, so they pass its input chains, and this one drops them"},
	{"close-wait", doctor_close_wait,
		"conntrack forgets a half-closed connection that is silent so long; the rest of its bytes then never arrives; or "
		"set keepalive below it"},
	{"conntrack-idle", doctor_conntrack_idle,
		"conntrack forgets a connection that is silent so long; what is sent then never arrives; or set keepalive below "
		"it"},
	{"conntrack-full", doctor_conntrack_full, "when the table is full, new connections are dropped"},
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

/* ---- telling ------------------------------------------------------------------------------------------------------- */

const char *doctor_family(sa_family_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* NULL: no memory. */
static __attribute__((format(printf, 1, 0))) char *format_text(const char *format, va_list arguments)
{
	char *text;

	return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

static bool was_said(const struct doctor *doctor, const char *text)
{
	for (size_t i = 0; i < doctor->said_count; i++)
		if (strcmp(doctor->said[i], text) == 0)
			return true;
	return false;
}

/* Keeps the text, which is the caller's no more. */
static void keep_said(struct doctor *doctor, char *text)
{
	char **said = realloc(doctor->said, (doctor->said_count + 1) * sizeof(*said));

	if (said == NULL) {
		free(text);
		return;
	}
	doctor->said = said;
	said[doctor->said_count++] = text;
}

static void forget_said(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->said_count; i++)
		free(doctor->said[i]);
	free(doctor->said);
	doctor->said = NULL;
	doctor->said_count = 0;
}

void doctor_find(struct doctor *doctor, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_text(format, arguments);
	va_end(arguments);
	doctor->again = text == NULL || was_said(doctor, text);
	if (doctor->again) {
		free(text);
		return;
	}
	fprintf(doctor->out, "%s: %s\n", doctor->check->name, text);
	if (doctor->findings++ == doctor->findings_before)
		fprintf(doctor->out, "\twhy: %s\n", doctor->check->why);
	keep_said(doctor, text);
}

void doctor_mend(const struct doctor *doctor, const char *format, ...)
{
	va_list arguments;

	if (doctor->again)
		return;
	fputs("\tmend: ", doctor->out);
	va_start(arguments, format);
	vfprintf(doctor->out, format, arguments);
	va_end(arguments);
	putc('\n', doctor->out);
}

void doctor_miss(struct doctor *doctor, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_text(format, arguments);
	va_end(arguments);
	if (text == NULL || was_said(doctor, text)) {
		free(text);
		return;
	}
	doctor->unseen++;
	fprintf(doctor->out, "not looked at, for %s: %s\n", doctor->check->name, text);
	keep_said(doctor, text);
}

/* ---- looking ------------------------------------------------------------------------------------------------------- */

/* In quotes whatever is in it. */
static char *quote(const char *text)
{
	size_t size = 0;
	char *quoted = NULL;
	FILE *memory = open_memstream(&quoted, &size);

	if (memory == NULL)
		return NULL;
	putc('\'', memory);
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", memory);
		else
			putc(*text, memory);
	putc('\'', memory);
	if (fclose(memory) == 0)
		return quoted;
	free(quoted);
	return NULL;
}

/* A name that needs no quotes has none. */
char *doctor_quote(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";

	return *text != '\0' && *text != '-' && text[strspn(text, plain)] == '\0' ? strdup(text) : quote(text);
}

static int begin(struct doctor *doctor)
{
	if (doctor->file == NULL)
		return -1;
	return doctor_read_links(doctor) < 0 || doctor_read_sockets(doctor) < 0 ? -1 : 0;
}

static void look(struct doctor *doctor)
{
	for (size_t i = 0; i < CHECKS; i++) {
		doctor->check = &checks[i];
		doctor->findings_before = doctor->findings;
		checks[i].look(doctor);
		forget_said(doctor);
	}
}

/* The last line: a reader who sees only it knows how it stands. */
static void conclude(const struct doctor *doctor)
{
	if (doctor->findings > 0)
		fprintf(doctor->out, "%u finding%s; weir-intercept-findings(7) tells more of each\n", doctor->findings,
			doctor->findings == 1 ? "" : "s");
	else
		fprintf(doctor->out,
			"nothing found: looked at interfaces, rules, routes, sysctls, sockets and conntrack, by %zu checks%s\n",
			CHECKS, doctor->unseen == 0 ? "" : ", but for what is named above");
}

int doctor_check(const struct plan *plan, const char *file, FILE *out)
{
	char *quoted = doctor_quote(file);
	struct doctor doctor = {.plan = plan, .file = quoted, .out = out};
	int rc = begin(&doctor);

	if (rc < 0) {
		fprintf(stderr, "weir-intercept: cannot ask the kernel: %s\n", strerrordesc_np(errno));
	} else {
		look(&doctor);
		conclude(&doctor);
		rc = (int)doctor.findings;
	}
	free(quoted);
	free(doctor.links);
	free(doctor.addresses);
	free(doctor.sockets);
	free(doctor.rules);
	free(doctor.expected);
	return rc;
}
