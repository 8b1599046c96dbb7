/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show - a plan as the shell commands that do the same; see show.h.
 *
 * The ip tool cannot make a rule "if it is not there", so the old ones are deleted first. That is all the difference to what
 * weir-intercept does itself: for a moment there is no rule.
 */
#include "show.h"

#include <inttypes.h>
#include <stdbool.h>

/* Listeners' names go through the configuration's own check, and so do those of interfaces; a file's name may be anything. */
static void print_comment_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++)
		putc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

static bool needs_routing(const struct plan *plan, const struct config_listener *listener)
{
	if (listener->bind_client)
		return true;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].listener == listener)
			return listener->mode == CONFIG_TPROXY;
	return false;
}

static void show_whom_for(const struct plan *plan, FILE *out)
{
	const char *separator = " ";

	fprintf(out, "# Packets with the mark are delivered on this machine. For the listeners:");
	for (size_t i = 0; i < plan->config->listener_count; i++)
		if (needs_routing(plan, plan->config->listeners[i])) {
			fprintf(out, "%s%s", separator, plan->config->listeners[i]->name);
			separator = ", ";
		}
	fprintf(out, ".\n");
}

static void show_old(const struct plan *plan, FILE *out)
{
	uint64_t mark = plan->config->weir.tproxy_mark, table = plan->config->weir.tproxy_table;

	fprintf(out, "\n# Old rules and routes go first.\n");
	fprintf(out, "for family in -4 -6; do\n");
	fprintf(out, "\tip $family rule flush protocol %d 2>/dev/null || :\n", PLAN_PROTOCOL);
	fprintf(out, "\twhile ip $family rule del fwmark %" PRIu64 " 2>/dev/null; do :; done\n", mark);
	fprintf(out, "\twhile ip $family rule del lookup %" PRIu64 " 2>/dev/null; do :; done\n", table);
	fprintf(out, "\tip $family route flush table %" PRIu64 " 2>/dev/null || :\n", table);
	fprintf(out, "\tip $family route flush table all proto %d 2>/dev/null || :\n", PLAN_PROTOCOL);
	fprintf(out, "done\n");
}

static void show_routes(const struct plan *plan, FILE *out)
{
	uint64_t mark = plan->config->weir.tproxy_mark, table = plan->config->weir.tproxy_table;

	if (!plan->routes[0] && !plan->routes[1])
		return;
	fprintf(out, "\n");
	show_whom_for(plan, out);
	for (int family = 0; family < 2; family++) {
		int number = family == 0 ? 4 : 6;

		if (!plan->routes[family])
			continue;
		fprintf(out, "ip -%d route add local default dev lo table %" PRIu64 " proto %d\n", number, table,
			PLAN_PROTOCOL);
		fprintf(out, "ip -%d rule add pref %d fwmark %" PRIu64 " lookup %" PRIu64 " protocol %d\n", number,
			PLAN_PRIORITY, mark, table, PLAN_PROTOCOL);
	}
}

void show_plan(const struct plan *plan, const char *file, FILE *out)
{
	fprintf(out, "#!/bin/sh\n# What weir-intercept up does for ");
	print_comment_text(file, out);
	fprintf(out, ".\nset -e\n");
	show_old(plan, out);
	show_routes(plan, out);
	fprintf(out, "\n# All rules at once: the table is made if it is not there, deleted, and made anew.\n");
	fprintf(out, "nft -f - <<'END'\n");
	plan_print_rules(plan, out);
	fprintf(out, "END\n");
}
