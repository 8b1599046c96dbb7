/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan - what the listeners of a configuration need of the kernel: a part for each listener and family.
 */
#include "plan.h"

#include <stdlib.h>

static const sa_family_t families[] = {AF_INET, AF_INET6};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* NULL: the listener has no address of this family. */
static const struct address *first_address(const struct config_listener *listener, sa_family_t family)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (listener->addresses[i].length > 0 && listener->addresses[i].sa.sa_family == family)
			return &listener->addresses[i];
	return NULL;
}

/* A list that has networks of the other family only leaves nothing of this one. */
static bool leaves_some(const struct networks *networks, sa_family_t family)
{
	for (size_t i = 0; i < networks->count; i++)
		if (network_is(&networks->list[i], family))
			return true;
	return networks->count == 0;
}

static bool is_local(const struct config_listener *listener)
{
	return listener->mode == CONFIG_REDIRECT && listener->intercept.local;
}

static bool needs_rules(const struct config_listener *listener, sa_family_t family)
{
	const struct config_intercept *intercept = &listener->intercept;

	return listener->mode != CONFIG_FORWARD && intercept->ports.count > 0 &&
		(intercept->interfaces.count > 0 || is_local(listener)) && first_address(listener, family) != NULL &&
		leaves_some(&intercept->from, family) && leaves_some(&intercept->to, family);
}

/* Servers answer to the client's address, in whatever mode the listener is: those packets must come to weir. A client that a
   PROXY header names may be of either family. */
static bool needs_answers(const struct config_listener *listener, sa_family_t family)
{
	return listener->bind_client &&
		(first_address(listener, family) != NULL || listener->accept_proxy != CONFIG_PROXY_NO);
}

static void add_listener(struct plan *plan, const struct config_listener *listener, size_t family)
{
	if (needs_answers(listener, families[family]))
		plan->routes[family] = true;
	if (!needs_rules(listener, families[family]))
		return;
	if (listener->mode == CONFIG_TPROXY)
		plan->routes[family] = true;
	plan->entries[plan->count++] = (struct plan_entry){
		.listener = listener,
		.family = families[family],
		.address = first_address(listener, families[family]),
		.forwarded = listener->intercept.interfaces.count > 0,
		.local = is_local(listener),
	};
}

int plan_make(struct plan *plan, const struct config *config)
{
	*plan = (struct plan){.config = config};
	plan->entries = calloc(config->listener_count * FAMILIES + 1, sizeof(*plan->entries));
	if (plan->entries == NULL)
		return -1;
	for (size_t i = 0; i < config->listener_count; i++)
		for (size_t family = 0; family < FAMILIES; family++)
			add_listener(plan, config->listeners[i], family);
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan->entries);
	*plan = (struct plan){0};
}
