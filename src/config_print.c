/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_print - the configuration in force as an ini that loads to the same again.
 *
 * Whatever went in through an option table comes out of it. Two things stand for themselves: an upstream made from a
 * listener's address has no section, because the listener's line makes it again; the default policy has one.
 */
#include "config.h"
#include "config_reader.h"
#include "config_table.h"
#include "option.h"

static void print_keys(FILE *out, const struct weir_option *table, size_t stride, const void *options)
{
	const struct weir_option *row;
	char text[CONFIG_LINE_MAX + 1];

	for (size_t i = 0; (row = option_at(table, stride, i)) != NULL; i++) {
		option_text(row, options, text, sizeof(text));
		/* A key without a value is an error in the file, so an empty text is shown as a comment. */
		if (text[0] == '\0')
			fprintf(out, "; %s is empty\n", row->key);
		else
			fprintf(out, "%s = %s\n", row->key, text);
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
	for (size_t i = 0; i < config->listener_count; i++) {
		fprintf(out, "\n[listener %s]\n", config->listeners[i]->name);
		print_keys(out, config_listener_table, CONFIG_TABLE_STRIDE, config->listeners[i]);
	}
}
