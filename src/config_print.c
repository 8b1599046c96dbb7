/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_print - the configuration in force as an ini that loads to the same again.
 *
 * Whatever went in through an option table comes out of it. Two things stand for themselves: an upstream made from a
 * listener's address, or of none, has no section, because the listener's line makes it again; the default policy has one.
 */
#include "config.h"

#include <string.h>

#include "config_reader.h"
#include "config_table.h"
#include "option.h"

/* A key without a value is an error in the file, so an empty text is shown as a comment. */
static void print_key(FILE *out, const struct weir_option *row, const void *options)
{
	char text[CONFIG_LINE_MAX + 1];

	option_text(row, options, text, sizeof(text));
	if (text[0] == '\0')
		fprintf(out, "; %s is empty\n", row->key);
	else
		fprintf(out, "%s = %s\n", row->key, text);
}

static void print_keys(FILE *out, const struct weir_option *table, size_t stride, const void *options)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(table, stride, i)) != NULL; i++)
		print_key(out, row, options);
}

/* Of allow and deny the first in the file counts first, so they change places where deny does. */
static void print_listener(FILE *out, const struct config_listener *listener)
{
	const struct weir_option *table = config_listener_table, *row;

	fprintf(out, "\n[listener %s]\n", listener->name);
	for (size_t i = 0; (row = option_at(table, CONFIG_TABLE_STRIDE, i)) != NULL; i++) {
		if (listener->deny_first && strcmp(row->key, "allow") == 0)
			row = option_find(table, CONFIG_TABLE_STRIDE, "deny");
		else if (listener->deny_first && strcmp(row->key, "deny") == 0)
			row = option_find(table, CONFIG_TABLE_STRIDE, "allow");
		print_key(out, row, listener);
	}
}

void config_print(const struct config *config, FILE *out)
{
	fprintf(out, "[weir]\n");
	print_keys(out, config_weir_table, CONFIG_TABLE_STRIDE, &config->weir);
	for (size_t i = 0; i < config->policy_count; i++) {
		const struct policy *policy = config->policies[i];

		fprintf(out, "\n[policy %s]\nmodule = %s\n", policy->name, policy->module->name);
		print_keys(out, policy->module->api.options, policy->module->api.option_stride, policy->options);
	}
	for (size_t i = 0; i < config->upstream_count; i++) {
		if (config->upstreams[i]->line == 0)
			continue;
		fprintf(out, "\n[upstream %s]\n", config->upstreams[i]->name);
		print_keys(out, config_upstream_table, CONFIG_TABLE_STRIDE, config->upstreams[i]);
	}
	for (size_t i = 0; i < config->listener_count; i++)
		print_listener(out, config->listeners[i]);
}
