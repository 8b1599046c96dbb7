/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_link - what a listener's words stand for: its addresses, its upstream, its stack of policies.
 */
#include "config_link.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"
#include "option.h"
#include "text.h"

/* ---- what the parts share ------------------------------------------------------------------------------------------ */

void config_link_complain(const struct linking *linking, const char *format, ...)
{
	const struct config_key *key = linking->key;
	char what[TEXT_ERROR_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	config_error(&linking->build->errors, key != NULL ? key->line : linking->section->line, linking->section->title,
		key != NULL ? key->key : NULL, "%s%s", what, key != NULL ? config_comment_hint(key->value) : "");
}

bool config_link_key(struct linking *linking, const char *key)
{
	linking->key = config_section_key(linking->section, key);
	return linking->key != NULL;
}

bool config_link_is(const struct linking *linking, const char *key, uint32_t word)
{
	const struct weir_option *row = option_find(config_listener_table, CONFIG_TABLE_STRIDE, key);
	const struct config_key *written = config_section_key(linking->section, key);

	return strcmp(written != NULL ? written->value : row->def, row->names[word]) == 0;
}

void config_link_set(const struct linking *linking, const char *key, const char *value)
{
	const struct weir_option *row = option_find(config_listener_table, CONFIG_TABLE_STRIDE, key);
	char error[TEXT_ERROR_MAX];

	if (option_set(row, linking->listener, value, error, sizeof(error)) < 0)
		config_no_memory(linking->build);
}

void config_link_words(struct linking *linking, const char *text, config_word_linker *link_word)
{
	char *copy, *rest, *word;

	if (text == NULL || text[0] == '\0')
		return;
	rest = copy = strdup(text);
	if (copy == NULL)
		config_no_memory(linking->build);
	else
		while ((word = text_next_word(&rest)) != NULL)
			link_word(linking, word);
	free(copy);
}

/* ---- addresses ----------------------------------------------------------------------------------------------------- */

static bool same_address(const struct address *a, const struct address *b)
{
	if (a->length != b->length || memcmp(&a->storage, &b->storage, a->length) != 0)
		return false;
	return address_is_unix(a) || address_port(a) != 0; /* each port 0 is another one */
}

static bool listens_on(const struct config_listener *listener, const struct address *address)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (same_address(&listener->addresses[i], address))
			return true;
	return false;
}

/* With SO_REUSEPORT the kernel would let us bind it twice, and deal the clients out between the two. */
static const char *listened_by(const struct linking *linking, const struct address *address)
{
	const struct config *config = linking->build->config;

	for (size_t i = 0; i < config->listener_count; i++)
		if (listens_on(config->listeners[i], address))
			return config->listeners[i]->name;
	return listens_on(linking->listener, address) ? linking->listener->name : NULL;
}

static void link_address(struct linking *linking, const char *word)
{
	char error[TEXT_ERROR_MAX], text[ADDRESS_TEXT_MAX];
	struct config_listener *listener = linking->listener;
	struct address address;
	const char *taken;

	if (address_parse(&address, word, error, sizeof(error)) < 0) {
		config_link_complain(linking, "%s", error);
		return;
	}
	taken = listened_by(linking, &address);
	if (taken != NULL)
		config_link_complain(linking, "%s is an address of [listener %s] already; expected each once",
			address_text(&address, text, sizeof(text)), taken);
	listener->addresses[listener->address_count++] = address;
}

static void link_addresses(struct linking *linking)
{
	struct config_listener *listener = linking->listener;

	if (!config_link_key(linking, "listen"))
		return;
	listener->listen_line = linking->key->line;
	if (listener->listen == NULL)
		return;
	listener->addresses = calloc(text_count_words(listener->listen), sizeof(*listener->addresses));
	if (listener->addresses == NULL)
		config_no_memory(linking->build);
	else
		config_link_words(linking, listener->listen, link_address);
}

/* ---- the upstream -------------------------------------------------------------------------------------------------- */

static struct config_upstream *find_upstream(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->upstream_count; i++)
		if (strcmp(config->upstreams[i]->name, name) == 0)
			return config->upstreams[i];
	return NULL;
}

static struct config_upstream *add_upstream(struct linking *linking, const char *text)
{
	struct config *config = linking->build->config;
	struct config_upstream *upstream = calloc(1, sizeof(*upstream));

	if (upstream == NULL || (upstream->name = strdup(text)) == NULL || (upstream->server = strdup(text)) == NULL) {
		if (upstream != NULL)
			free(upstream->name);
		free(upstream);
		config_no_memory(linking->build);
		return NULL;
	}
	config->upstreams[config->upstream_count++] = upstream;
	return upstream;
}

/* No section's name has a ':', so an address cannot be taken for one; listeners with the same address share it. */
static struct config_upstream *make_upstream(struct linking *linking, const char *text)
{
	struct config_upstream *upstream = add_upstream(linking, text);
	char error[TEXT_ERROR_MAX];

	if (upstream != NULL &&
		address_parse_target(&upstream->address, upstream->host, sizeof(upstream->host), &upstream->port, text,
			error, sizeof(error)) < 0)
		config_link_complain(linking, "%s", error);
	return upstream;
}

/* All listeners without an upstream of their own share this one. */
static struct config_upstream *original_upstream(struct linking *linking)
{
	struct config_upstream *upstream = find_upstream(linking->build->config, CONFIG_ORIGINAL);

	if (upstream == NULL && (upstream = add_upstream(linking, CONFIG_ORIGINAL)) != NULL)
		upstream->original = true;
	return upstream;
}

/* No key: the original destination, where it is known. */
static void link_default_upstream(struct linking *linking)
{
	static const char key[] = "upstream";
	const struct weir_option *row = option_find(config_listener_table, CONFIG_TABLE_STRIDE, key);

	if (!config_link_is(linking, "mode", CONFIG_FORWARD)) {
		config_link_set(linking, key, CONFIG_ORIGINAL);
		linking->listener->upstream = original_upstream(linking);
	} else if (!linking->build->simulated) {
		config_missing_key(linking->build, linking->section, row);
	}
}

static void link_named_upstream(struct linking *linking, const char *name)
{
	static const char *const extra[] = {CONFIG_ORIGINAL, NULL};
	struct config_listener *listener = linking->listener;
	bool forward = config_link_is(linking, "mode", CONFIG_FORWARD);

	if (strcmp(name, CONFIG_ORIGINAL) == 0) {
		listener->upstream = original_upstream(linking);
		if (forward)
			config_link_complain(linking,
				"in mode forward clients have no other destination than weir; expected a name or an "
				"address, or mode = redirect or tproxy");
		return;
	}
	listener->upstream = find_upstream(linking->build->config, name);
	if (listener->upstream != NULL)
		return;
	if (strchr(name, ':') != NULL)
		listener->upstream = make_upstream(linking, name);
	else if (config_build_section(linking->build, "upstream", name) == NULL)
		config_unknown_name(linking->build, linking->key, linking->section, "upstream", name,
			forward ? extra + 1 : extra);
}

static void link_upstream(struct linking *linking)
{
	const char *name = linking->listener->upstream_name;

	if (!config_link_key(linking, "upstream"))
		link_default_upstream(linking);
	else if (name != NULL && name[0] != '\0')
		link_named_upstream(linking, name);
}

/* ---- the policies -------------------------------------------------------------------------------------------------- */

static struct policy *find_policy(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->policy_count; i++)
		if (strcmp(config->policies[i]->name, name) == 0)
			return config->policies[i];
	return NULL;
}

/* What every listener without a policy line has: told once when it cannot be had. */
static struct policy *make_default_policy(struct linking *linking)
{
	struct config *config = linking->build->config;
	struct module *module;
	struct policy *policy = NULL;
	char error[TEXT_ERROR_MAX];

	if (linking->build->default_policy_failed)
		return NULL;
	module = module_open(config->weir.module_dir, CONFIG_DEFAULT_POLICY, error, sizeof(error));
	if (module == NULL)
		config_link_complain(linking, "the default policy " CONFIG_DEFAULT_POLICY ": %s", error);
	else if ((policy = policy_new(CONFIG_DEFAULT_POLICY, module)) == NULL)
		config_no_memory(linking->build);
	else
		config->policies[config->policy_count++] = policy;
	linking->build->default_policy_failed = policy == NULL;
	return policy;
}

static void link_policy(struct linking *linking, const char *name)
{
	static const char *const extra[] = {CONFIG_DEFAULT_POLICY, CONFIG_NO_POLICY, NULL};
	struct config_listener *listener = linking->listener;
	struct policy *policy = find_policy(linking->build->config, name);

	if (policy == NULL) {
		if (config_build_section(linking->build, "policy", name) != NULL)
			return; /* and why it is not there has been told */
		if (strcmp(name, CONFIG_DEFAULT_POLICY) == 0)
			policy = make_default_policy(linking);
		else
			config_unknown_name(linking->build, linking->key, linking->section, "policy", name, extra);
	}
	if (policy != NULL)
		listener->policies[listener->policy_count++] = policy;
}

/* The list's own faults, before any name is looked up: an empty word, `none` among others, a name twice, too many. */
static bool check_stack(const struct linking *linking, char *words[CONFIG_STACK_MAX], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i][0] == '\0') {
			config_link_complain(linking, "a name is empty; expected names with commas between");
			return false;
		}
		if (strcmp(words[i], CONFIG_NO_POLICY) == 0 && count > 1) {
			config_link_complain(linking, CONFIG_NO_POLICY " stands beside other names; expected it alone");
			return false;
		}
		for (size_t j = 0; j < i; j++)
			if (strcmp(words[i], words[j]) == 0) {
				config_link_complain(linking,
					"%.*s stands in the stack twice; expected each policy once", TEXT_QUOTE_MAX,
					words[i]);
				return false;
			}
	}
	return true;
}

/* Whether flows of several sessions lease of one pool of it. */
static bool is_shared(const struct policy *policy)
{
	for (unsigned i = 0; i < policy->module->api.pool_count; i++) {
		uint32_t scope = policy_pool(policy, i).scope;

		if (scope != WEIR_SCOPE_NONE && scope != WEIR_SCOPE_FLOW && scope != WEIR_SCOPE_SESSION)
			return true;
	}
	return false;
}

/*
 * One session could hold bytes that it may not forward before another's request is answered, and that one wait for leave to
 * read the rest of its request until those bytes are acknowledged. Every other pair gives back what it has in one order, or
 * leaves each flow something of its own.
 */
static void check_waits(const struct linking *linking)
{
	const struct config_listener *listener = linking->listener;
	const struct policy *scans = NULL;
	const struct policy *counts = NULL;

	for (size_t i = 0; i < listener->policy_count; i++) {
		const struct policy *policy = listener->policies[i];
		uint32_t needs = policy_needs(policy);

		if (!is_shared(policy))
			continue;
		if ((needs & WEIR_NEED_SCAN) != 0)
			scans = policy;
		else if ((needs & WEIR_NEED_ACKED) != 0)
			counts = policy;
	}
	if (scans != NULL && counts != NULL)
		config_link_complain(linking,
			"%s shares requests, and %s shares bytes, among sessions that can wait for each other for ever; "
			"expected one of the two, or limits for each session alone",
			scans->name, counts->name);
}

static void link_words(struct linking *linking, char *rest)
{
	char *words[CONFIG_STACK_MAX] = {NULL}, *word;
	size_t count = 0;

	while ((word = text_next_word(&rest)) != NULL) {
		if (count == CONFIG_STACK_MAX) {
			config_link_complain(linking, "%zu policies; expected at most %d",
				text_count_words(linking->listener->policy_names), CONFIG_STACK_MAX);
			break;
		}
		words[count++] = word;
	}
	if (count == 0 || !check_stack(linking, words, count) || strcmp(words[0], CONFIG_NO_POLICY) == 0)
		return;
	for (size_t i = 0; i < count; i++)
		link_policy(linking, words[i]);
	check_waits(linking);
}

static void link_policies(struct linking *linking)
{
	char *copy;

	if (linking->listener->policy_names == NULL)
		return;
	copy = strdup(linking->listener->policy_names);
	if (copy == NULL)
		config_no_memory(linking->build);
	else
		link_words(linking, copy);
	free(copy);
}

void config_link_listener(struct config_build *build, struct config_listener *listener,
	const struct config_section *section)
{
	struct linking linking = {.build = build, .listener = listener, .section = section};

	listener->listen_line = section->line;
	link_addresses(&linking);
	link_upstream(&linking);
	config_link_key(&linking, "policy");
	link_policies(&linking);
	config_link_access(&linking);
	config_link_intercept(&linking);
}

void config_unlink_listener(struct config_listener *listener)
{
	free(listener->addresses);
	config_unlink_access(listener);
	config_unlink_intercept(listener);
}
