/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_marks - the marks and the routing table by which weir's traffic is known from what it is to catch.
 */
#include <inttypes.h>

#include "config_build.h"

/* Tables of the system's own; a route to loopback for everything in one of them would take the machine off the net. */
#define TABLE_DEFAULT 253
#define TABLE_LOCAL 255

static void complain(struct config_build *build, const char *name, const char *what, uint64_t value)
{
	const struct config_key *key = build->weir != NULL ? config_section_key(build->weir, name) : NULL;

	if (key != NULL)
		config_error(&build->errors, key->line, build->weir->title, key->key, "%" PRIu64 " %s", value, what);
}

static bool is_intercepting(const struct config *config)
{
	for (size_t i = 0; i < config->listener_count; i++)
		if (config->listeners[i]->mode != CONFIG_FORWARD)
			return true;
	return false;
}

void config_check_marks(struct config_build *build)
{
	struct config_weir *weir = &build->config->weir;
	bool has_tproxy_mark = build->weir != NULL && config_section_key(build->weir, "tproxy_mark") != NULL;

	if (weir->mark == CONFIG_AUTO)
		weir->mark = is_intercepting(build->config) ? CONFIG_MARK : CONFIG_NO_MARK;
	if (weir->mark == weir->tproxy_mark)
		complain(build, has_tproxy_mark ? "tproxy_mark" : "mark",
			"is the other mark, too; expected two numbers, or what weir sends would come back to it",
			weir->mark);
	if (weir->tproxy_table >= TABLE_DEFAULT && weir->tproxy_table <= TABLE_LOCAL)
		complain(build, "tproxy_table", "is a table of the system's; expected another than 253, 254 and 255",
			weir->tproxy_table);
}
