/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_loop - listeners whose upstream is themselves, or leads back to them by way of other listeners.
 *
 * Only what is sure is found: numeric addresses that are listened on as they are, and loopback where all addresses are. The
 * rest - names, the machine's other addresses - is found when it is dialled (loops_lead_back()).
 */
#include <string.h>

#include "config_build.h"

#define NOBODY SIZE_MAX

static bool arrives(const struct address *to, const struct address *listen)
{
	if (to->sa.sa_family != listen->sa.sa_family)
		return false;
	if (address_is_unix(to))
		return strcmp(to->un.sun_path, listen->un.sun_path) == 0;
	if (address_port(to) != address_port(listen))
		return false;
	return address_same_host(to, listen) || (address_is_wildcard(listen) && address_is_loopback(to));
}

/* Which listener gets the connections of this one, or NOBODY that we know of. */
static size_t follow(const struct config *config, size_t from)
{
	const struct config_upstream *upstream = config->listeners[from]->upstream;
	struct address to;

	if (upstream == NULL || upstream->address.length == 0)
		return NOBODY;
	to = upstream->address;
	address_reached(&to);
	for (size_t i = 0; i < config->listener_count; i++)
		for (size_t j = 0; j < config->listeners[i]->address_count; j++)
			if (arrives(&to, &config->listeners[i]->addresses[j]))
				return i;
	return NOBODY;
}

/* Whether `first` is the first in the file of a circle; each circle is told once. */
static bool is_circle(const struct config *config, size_t first)
{
	size_t at = follow(config, first);

	for (size_t steps = 0; steps < config->listener_count && at != NOBODY && at > first; steps++)
		at = follow(config, at);
	return at == first;
}

static void complain(struct config_build *build, size_t first)
{
	const struct config_listener *listener = build->config->listeners[first];
	const struct config_section *section = config_build_section(build, "listener", listener->name);
	const struct config_key *key = config_section_key(section, "upstream");
	size_t next = follow(build->config, first);

	if (next == first)
		config_error(&build->errors, key->line, section->title, key->key,
			"%s is an address of this listener: weir would connect to itself; expected another",
			listener->upstream->server);
	else
		config_error(&build->errors, key->line, section->title, key->key,
			"%s is an address of [listener %s], which leads back to this one: weir would connect to itself; "
			"expected another",
			listener->upstream->server, build->config->listeners[next]->name);
}

void config_check_loops(struct config_build *build)
{
	for (size_t i = 0; i < build->config->listener_count && !build->simulated; i++)
		if (is_circle(build->config, i))
			complain(build, i);
}
