/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config - an ini file becomes an immutable struct config, or a list of errors.
 *
 * The sections are built in the order in which they need each other: [weir] says where modules are, policies and
 * upstreams are what listeners name. A section that is wrong is still looked at to its end, and still counts as
 * defined, so that one fault is told once and all faults are told at once.
 */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "config_build.h"
#include "config_table.h"
#include "option.h"
#include "text.h"

/* ---- sections ------------------------------------------------------------------------------------------------------ */

/* getpwnam() tells "unknown" and "could not ask" apart by errno, but not reliably: neither will do at start. */
static void check_user(struct config_build *build, const struct config_section *section, const char *user)
{
	const struct config_key *key = config_section_key(section, "user");
	char quote[TEXT_QUOTE_MAX];

	/* cppcheck-suppress getpwnamCalled ; there is only the main thread yet */
	if (key != NULL && user != NULL && user[0] != '\0' && getpwnam(user) == NULL)
		config_error(&build->errors, key->line, section->title, key->key,
			"no user %s; expected one of this system", text_quote(quote, user));
}

static void build_weir(struct config_build *build, const struct config_section *section)
{
	struct config_weir spare = {0};
	struct config_weir *weir = section->rejected ? &spare : &build->config->weir;
	struct config_target target = {section, config_weir_table, CONFIG_TABLE_STRIDE, weir, NULL, false};

	config_set_keys(build, &target);
	if (!build->simulated)
		check_user(build, section, weir->user);
	if (section->rejected)
		option_free(config_weir_table, CONFIG_TABLE_STRIDE, &spare);
	else
		build->weir = section;
}

static void upstream_free(struct config_upstream *upstream)
{
	if (upstream == NULL)
		return;
	option_free(config_upstream_table, CONFIG_TABLE_STRIDE, upstream);
	free(upstream->name);
	free(upstream);
}

static void build_upstream(struct config_build *build, const struct config_section *section)
{
	struct config_upstream *upstream = calloc(1, sizeof(*upstream));
	struct config_target target = {section, config_upstream_table, CONFIG_TABLE_STRIDE, upstream, NULL, false};
	const struct config_key *key = config_section_key(section, "server");
	char error[TEXT_ERROR_MAX];

	if (upstream == NULL || (upstream->name = strdup(section->name)) == NULL) {
		upstream_free(upstream);
		config_no_memory(build);
		return;
	}
	upstream->line = section->line;
	config_set_keys(build, &target);
	if (upstream->server != NULL &&
		address_parse_target(&upstream->address, upstream->host, sizeof(upstream->host), &upstream->port,
			upstream->server, error, sizeof(error)) < 0)
		config_error(&build->errors, key->line, section->title, key->key, "%s%s", error,
			config_comment_hint(key->value));
	if (section->rejected)
		upstream_free(upstream);
	else
		build->config->upstreams[build->config->upstream_count++] = upstream;
}

static struct module *find_module(struct config_build *build, const struct config_section *section)
{
	const struct config_key *key = config_section_key(section, "module");
	struct module *module = NULL;
	char error[TEXT_ERROR_MAX];

	if (key == NULL)
		config_error(&build->errors, section->line, section->title, NULL,
			"the key module is missing; expected the name of a policy module");
	else if (key->value[0] == '\0')
		config_error(&build->errors, key->line, section->title, key->key,
			"the value is empty; expected the name of a policy module");
	else if ((module = module_open(build->config->weir.module_dir, key->value, error, sizeof(error))) == NULL)
		config_error(&build->errors, key->line, section->title, key->key, "%s", error);
	return module;
}

static void build_policy(struct config_build *build, const struct config_section *section)
{
	struct module *module = find_module(build, section);
	struct config_target target = {.section = section, .also = "module"};
	size_t errors = build->errors.count;
	char error[TEXT_ERROR_MAX];
	struct policy *policy;

	if (module == NULL)
		return;
	policy = policy_new(section->name, module);
	if (policy == NULL) {
		config_no_memory(build);
		return;
	}
	target.table = module->api.options;
	target.stride = module->api.option_stride;
	target.options = policy->options;
	config_set_keys(build, &target);
	if (build->errors.count == errors && policy_check(policy, error, sizeof(error)) < 0)
		config_error(&build->errors, section->line, section->title, NULL, "%s", error);
	if (section->rejected)
		policy_free(policy);
	else
		build->config->policies[build->config->policy_count++] = policy;
}

static void listener_free(struct config_listener *listener)
{
	if (listener == NULL)
		return;
	config_unlink_listener(listener);
	option_free(config_listener_table, CONFIG_TABLE_STRIDE, listener);
	free(listener->name);
	free(listener);
}

static void build_listener(struct config_build *build, const struct config_section *section)
{
	struct config_listener *listener = calloc(1, sizeof(*listener));
	struct config_target target = {section, config_listener_table, CONFIG_TABLE_STRIDE, listener, NULL,
		build->simulated};

	if (listener == NULL || (listener->name = strdup(section->name)) == NULL) {
		listener_free(listener);
		config_no_memory(build);
		return;
	}
	listener->line = section->line;
	config_set_defaults(build, config_listener_table, listener);
	config_set_keys(build, &target);
	config_link_listener(build, listener, section);
	if (section->rejected)
		listener_free(listener);
	else
		build->config->listeners[build->config->listener_count++] = listener;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

const struct config_kind config_kinds[] = {{"weir", false, build_weir}, {"policy", true, build_policy},
	{"upstream", true, build_upstream}, {"listener", true, build_listener}, {NULL, false, NULL}};

void config_build_kind(struct config_build *build, const char *kind)
{
	config_builder *build_one = config_build_kind_named(build, kind)->build;
	const struct config_section *section;

	STAILQ_FOREACH (section, &build->sections, link)
		if (strcmp(section->kind, kind) == 0)
			build_one(build, section);
}

/* A listener may bring an upstream of its own, and all of them together the default policy. */
static int make_room(struct config *config, const struct config_sections *sections)
{
	const struct config_section *section;
	size_t count = 1;

	STAILQ_FOREACH (section, sections, link)
		count += 2;
	config->upstreams = calloc(count, sizeof(struct config_upstream *));
	config->policies = calloc(count, sizeof(struct policy *));
	config->listeners = calloc(count, sizeof(struct config_listener *));
	return config->upstreams != NULL && config->policies != NULL && config->listeners != NULL ? 0 : -1;
}

static void set_module_dir(struct config_build *build, const char *module_dir)
{
	const struct weir_option *row = option_find(config_weir_table, CONFIG_TABLE_STRIDE, "module_dir");
	char error[TEXT_ERROR_MAX];

	if (module_dir != NULL && option_set(row, &build->config->weir, module_dir, error, sizeof(error)) < 0)
		config_error(&build->errors, 0, NULL, NULL, "%s", error);
}

void config_build_weir(struct config_build *build, const char *module_dir)
{
	const struct config_section *section;
	bool any_rejected = false;

	if (make_room(build->config, &build->sections) < 0) {
		config_no_memory(build);
		return;
	}
	STAILQ_FOREACH (section, &build->sections, link)
		any_rejected |= section->rejected;
	config_set_defaults(build, config_weir_table, &build->config->weir);
	config_build_kind(build, config_kinds[0].kind);
	set_module_dir(build, module_dir);
	for (size_t i = 1; config_kinds[i].kind != NULL; i++)
		config_build_kind(build, config_kinds[i].kind);
	if (build->config->listener_count == 0 && !any_rejected)
		config_error(&build->errors, 0, NULL, NULL, "no listener; expected a section [listener NAME]");
	config_resolve(build);
	config_check_marks(build);
	config_check_loops(build);
}

bool config_build_begin(struct config_build *build)
{
	STAILQ_INIT(&build->sections);
	build->config = calloc(1, sizeof(struct config));
	if (build->config != NULL)
		return config_read(build->errors.file, &build->sections, &build->errors);
	config_no_memory(build);
	return false;
}

struct config *config_build_end(struct config_build *build, FILE *errors)
{
	struct config *config = build->config;

	if (build->errors.count > 0) {
		config_free(config);
		config = NULL;
	}
	config_errors_flush(&build->errors, errors);
	config_sections_free(&build->sections);
	build->config = NULL;
	return config;
}

struct config *config_load(const char *file, const char *module_dir, FILE *errors)
{
	struct config_build build = {.errors = {.file = file}};

	if (config_build_begin(&build)) {
		config_build_check(&build);
		config_build_weir(&build, module_dir);
	}
	return config_build_end(&build, errors);
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->listener_count; i++)
		listener_free(config->listeners[i]);
	for (size_t i = 0; i < config->policy_count; i++)
		policy_free(config->policies[i]);
	for (size_t i = 0; i < config->upstream_count; i++)
		upstream_free(config->upstreams[i]);
	free(config->listeners);
	free(config->policies);
	free(config->upstreams);
	option_free(config_weir_table, CONFIG_TABLE_STRIDE, &config->weir);
	free(config);
}
