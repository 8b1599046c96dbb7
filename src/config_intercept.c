/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_intercept - what weir-intercept makes rules of: ports, interfaces, networks, and whose traffic is left alone.
 *
 * All of it ends up in rules that hold for the whole machine, so nothing is guessed, and nothing that does nothing passes.
 */
#include <ctype.h>
#include <grp.h>
#include <inttypes.h>
#include <net/if.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "config_link.h"
#include "config_table.h"
#include "option.h"
#include "text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* ---- words --------------------------------------------------------------------------------------------------------- */

static void add_word(const struct linking *linking, struct config_words *words, const char *word)
{
	char **list = realloc(words->list, (words->count + 1) * sizeof(*list));

	if (list != NULL)
		words->list = list;
	if (list == NULL || (list[words->count] = strdup(word)) == NULL)
		config_no_memory(linking->build);
	else
		words->count++;
}

static void free_words(struct config_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->list[i]);
	free(words->list);
}

static bool has_word(const struct config_words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->list[i], word) == 0)
			return true;
	return false;
}

/* The interface need not be there yet. */
static void link_interface(struct linking *linking, const char *word)
{
	struct config_words *interfaces = &linking->listener->intercept.interfaces;
	size_t length = strlen(word);
	char quote[TEXT_QUOTE_MAX];

	text_quote(quote, word);
	if (length == 0 || length >= IFNAMSIZ || strspn(word, LETTERS DIGITS "_-.@") != length || word[0] == '.')
		config_link_complain(linking,
			"%s is no interface's name; expected at most %d letters, digits, '_', '-', '.' and '@'", quote,
			IFNAMSIZ - 1);
	else if (has_word(interfaces, word))
		config_link_complain(linking, "%s stands there twice; expected each interface once", quote);
	else
		add_word(linking, interfaces, word);
}

/* "a/b/c": no empty part, none of dots, and nothing that could end a string of nftables. */
static bool is_cgroup(const char *path)
{
	for (const char *c = path; *c != '\0'; c++)
		if (strchr("\"'\\", *c) != NULL || iscntrl((unsigned char)*c))
			return false;
	for (;;) {
		size_t length = strcspn(path, "/");

		if (length == 0 || (length <= 2 && strspn(path, ".") >= length))
			return false;
		if (path[length] == '\0')
			return true;
		path += length + 1;
	}
}

static void link_cgroup(struct linking *linking, const char *word)
{
	char quote[TEXT_QUOTE_MAX];

	if (is_cgroup(word))
		add_word(linking, &linking->listener->intercept.cgroups, word);
	else
		config_link_complain(linking,
			"%s is no control group; expected a path below their root as system.slice/NAME.service, without "
			"\"..\", quotes, and '/' at its ends",
			text_quote(quote, word));
}

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

static const struct weir_option id_row = {.type = WEIR_OPTION_COUNT,
	.min = 0,
	.max = UINT32_MAX - 1,
	.doc = "a user's or a group's"};
static const struct weir_option mark_row = {.type = WEIR_OPTION_COUNT,
	.min = 1,
	.max = UINT32_MAX,
	.doc = "0 is no mark"};

static void add_number(const struct linking *linking, struct config_numbers *numbers, uint64_t number)
{
	uint32_t *list = realloc(numbers->list, (numbers->count + 1) * sizeof(*list));

	if (list == NULL) {
		config_no_memory(linking->build);
		return;
	}
	numbers->list = list;
	list[numbers->count++] = (uint32_t)number;
}

static void link_number(const struct linking *linking, struct config_numbers *numbers, const struct weir_option *row,
	const char *word)
{
	char error[TEXT_ERROR_MAX];
	uint64_t number = 0;

	if (option_set(row, &number, word, error, sizeof(error)) < 0)
		config_link_complain(linking, "%s", error);
	else
		add_number(linking, numbers, number);
}

static void link_mark(struct linking *linking, const char *word)
{
	link_number(linking, &linking->listener->intercept.marks, &mark_row, word);
}

static void unknown_id(const struct linking *linking, const char *kind, const char *word)
{
	char quote[TEXT_QUOTE_MAX];

	config_link_complain(linking, "no %s %s; expected one of this system, or a number", kind,
		text_quote(quote, word));
}

static void link_uid(struct linking *linking, const char *word)
{
	struct config_numbers *uids = &linking->listener->intercept.uids;
	const struct passwd *user;

	if (isdigit((unsigned char)word[0])) {
		link_number(linking, uids, &id_row, word);
	} else if (!linking->build->simulated) {
		/* cppcheck-suppress getpwnamCalled ; there is only the main thread yet */
		user = getpwnam(word);
		if (user != NULL)
			add_number(linking, uids, user->pw_uid);
		else
			unknown_id(linking, "user", word);
	}
}

static void link_gid(struct linking *linking, const char *word)
{
	struct config_numbers *gids = &linking->listener->intercept.gids;
	const struct group *group;

	if (isdigit((unsigned char)word[0])) {
		link_number(linking, gids, &id_row, word);
	} else if (!linking->build->simulated) {
		/* cppcheck-suppress getgrnamCalled ; there is only the main thread yet */
		group = getgrnam(word);
		if (group != NULL)
			add_number(linking, gids, group->gr_gid);
		else
			unknown_id(linking, "group", word);
	}
}

/* ---- ports and networks -------------------------------------------------------------------------------------------- */

static void link_ports(struct linking *linking)
{
	const char *text = linking->listener->intercept_ports_text;
	char error[TEXT_ERROR_MAX];

	if (config_link_key(linking, "intercept_ports") && text != NULL &&
		ports_parse(&linking->listener->intercept.ports, text, error, sizeof(error)) < 0)
		config_link_complain(linking, "%s", error);
}

/* nftables takes no set in which an address lies twice. */
static void check_overlaps(const struct linking *linking, const struct networks *networks)
{
	char text[2][NETWORK_TEXT_MAX];

	for (size_t i = 0; i < networks->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct network *a = &networks->list[i], *b = &networks->list[j];

			if (network_within(a, b) || network_within(b, a))
				config_link_complain(linking, "%s overlaps with %s; expected each address once",
					network_text(a, text[0], sizeof(text[0])),
					network_text(b, text[1], sizeof(text[1])));
		}
}

static void link_networks(struct linking *linking, const char *key, const char *text, struct networks *networks)
{
	char error[TEXT_ERROR_MAX];

	if (!config_link_key(linking, key) || text == NULL)
		return;
	if (networks_parse(networks, text, error, sizeof(error)) < 0)
		config_link_complain(linking, "%s", error);
	else
		check_overlaps(linking, networks);
}

/* ---- does it fit together ------------------------------------------------------------------------------------------ */

static bool listens(const struct config_listener *listener, const struct network *network)
{
	for (size_t i = 0; i < listener->address_count; i++)
		if (network_is(network, listener->addresses[i].sa.sa_family))
			return true;
	return listener->address_count == 0;
}

/* Rules lead to an address of the same family. */
static void check_families(struct linking *linking, const char *key, const struct networks *networks)
{
	char text[NETWORK_TEXT_MAX];

	if (config_link_is(linking, "mode", CONFIG_FORWARD) || !config_link_key(linking, key))
		return;
	for (size_t i = 0; i < networks->count; i++)
		if (!listens(linking->listener, &networks->list[i]))
			config_link_complain(linking,
				"the listener has no address of the family of %s; expected one in listen, too",
				network_text(&networks->list[i], text, sizeof(text)));
}

/* A connection is of one family. */
static void check_meeting(struct linking *linking)
{
	const struct networks *from = &linking->listener->intercept.from, *to = &linking->listener->intercept.to;

	for (size_t i = 0; i < from->count; i++)
		for (size_t j = 0; j < to->count; j++)
			if (from->list[i].family == to->list[j].family || from->list[i].family == AF_UNSPEC ||
				to->list[j].family == AF_UNSPEC)
				return;
	if (from->count > 0 && to->count > 0 && config_link_key(linking, "intercept_to"))
		config_link_complain(linking,
			"no connection leads from intercept_from to here; expected networks of the same family");
}

/* Rules need an address of the internet to lead to, with a port that is the same after the next start. */
static void check_addresses(struct linking *linking)
{
	const struct config_listener *listener = linking->listener;
	bool has_ports = config_link_key(linking, "intercept_ports");
	char text[ADDRESS_TEXT_MAX];

	if (config_link_is(linking, "mode", CONFIG_FORWARD) || !config_link_key(linking, "listen"))
		return;
	for (size_t i = 0; i < listener->address_count; i++) {
		const struct address *address = &listener->addresses[i];

		address_text(address, text, sizeof(text));
		if (address_is_unix(address))
			config_link_complain(linking,
				"clients of %s have no other destination; expected IPV4:PORT or [IPV6]:PORT", text);
		else if (address_port(address) == 0 && has_ports)
			config_link_complain(linking,
				"%s has another port after each start, and intercept_ports needs one to lead to; "
				"expected a number from 1 to 65535",
				text);
	}
}

/* What -T prints of a listener without interception is none. */
static bool is_interception(const struct linking *linking, const char *key)
{
	static const char prefix[] = "intercept_";

	return strncmp(key, prefix, sizeof(prefix) - 1) == 0 && config_section_key(linking->section, key) != NULL &&
		(strcmp(key, "intercept_local") != 0 || linking->listener->intercept_local != 0);
}

static void check_keys(struct linking *linking)
{
	bool has_ports = config_link_key(linking, "intercept_ports");
	bool forward = config_link_is(linking, "mode", CONFIG_FORWARD);
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(config_listener_table, CONFIG_TABLE_STRIDE, i)) != NULL; i++) {
		if (!is_interception(linking, row->key))
			continue;
		config_link_key(linking, row->key);
		if (forward)
			config_link_complain(linking,
				"in mode forward clients come by themselves; expected mode = redirect or tproxy");
		else if (!has_ports)
			config_link_complain(linking,
				"without intercept_ports nothing is intercepted; expected that key, too");
	}
}

static void check_source(struct linking *linking)
{
	bool local = linking->listener->intercept_local != 0;
	bool redirect = config_link_is(linking, "mode", CONFIG_REDIRECT);
	bool tproxy = config_link_is(linking, "mode", CONFIG_TPROXY);

	if (local && tproxy && config_link_key(linking, "intercept_local"))
		config_link_complain(linking,
			"mode tproxy takes only traffic that is forwarded; expected mode = redirect for this machine's own");
	if (!local && !config_link_key(linking, "intercept_interfaces") && (redirect || tproxy) &&
		config_link_key(linking, "intercept_ports"))
		config_link_complain(linking,
			"it is not said where the traffic comes from; expected intercept_interfaces%s",
			redirect ? " or intercept_local = yes" : "");
	if (!local && (redirect || tproxy) && config_link_key(linking, "intercept_ports") &&
		config_link_key(linking, "intercept_exclude_mark"))
		config_link_complain(linking,
			"only connections of this machine's own have a socket's mark; expected intercept_local = yes in mode "
			"redirect, too");
}

/* Without a mark, weir's own connections to where its clients wanted to go can only be known by what is excluded. */
static void check_loop(struct linking *linking)
{
	static const char *const exclusions[] = {"intercept_exclude_uid", "intercept_exclude_gid",
		"intercept_exclude_cgroup", "intercept_exclude_mark", "intercept_from"};
	const struct config_listener *listener = linking->listener;

	for (size_t i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++)
		if (config_section_key(linking->section, exclusions[i]) != NULL)
			return;
	if (linking->build->config->weir.mark == CONFIG_NO_MARK && listener->intercept.local &&
		config_link_is(linking, "mode", CONFIG_REDIRECT) && listener->upstream != NULL &&
		listener->upstream->original && config_link_key(linking, "intercept_ports") &&
		config_link_key(linking, "intercept_local"))
		config_link_complain(linking,
			"with mark = off weir's own connections are like all others, and come back to it; expected mark = auto, "
			"or an intercept_exclude_ key that leaves weir alone");
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

void config_link_intercept(struct linking *linking)
{
	struct config_listener *listener = linking->listener;

	listener->intercept.local = listener->intercept_local != 0;
	link_ports(linking);
	config_link_key(linking, "intercept_interfaces");
	config_link_words(linking, listener->intercept_interfaces_text, link_interface);
	config_link_key(linking, "intercept_exclude_uid");
	config_link_words(linking, listener->intercept_exclude_uid_text, link_uid);
	config_link_key(linking, "intercept_exclude_gid");
	config_link_words(linking, listener->intercept_exclude_gid_text, link_gid);
	config_link_key(linking, "intercept_exclude_cgroup");
	config_link_words(linking, listener->intercept_exclude_cgroup_text, link_cgroup);
	config_link_key(linking, "intercept_exclude_mark");
	config_link_words(linking, listener->intercept_exclude_mark_text, link_mark);
	link_networks(linking, "intercept_from", listener->intercept_from_text, &listener->intercept.from);
	link_networks(linking, "intercept_to", listener->intercept_to_text, &listener->intercept.to);
	check_addresses(linking);
	check_keys(linking);
	check_families(linking, "intercept_from", &listener->intercept.from);
	check_families(linking, "intercept_to", &listener->intercept.to);
	check_meeting(linking);
	check_source(linking);
	check_loop(linking);
}

void config_unlink_intercept(struct config_listener *listener)
{
	struct config_intercept *intercept = &listener->intercept;

	ports_free(&intercept->ports);
	free_words(&intercept->interfaces);
	free_words(&intercept->cgroups);
	free(intercept->uids.list);
	free(intercept->gids.list);
	free(intercept->marks.list);
	networks_free(&intercept->from);
	networks_free(&intercept->to);
}
