/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_rule - reads what a policy promises from its options, by key.
 */
#include <stdlib.h>
#include <string.h>

#include "check_parts.h"
#include "least.h"
#include "option.h"

#define BURST_MIN (64 * 1024) /* bytes: of a burst that is worked out, as shape's manual has it */
#define UNITS_MAX INT32_MAX   /* of any pool */

/* The value of a SIZE, a COUNT; if there is no such key, other. */
static uint64_t number(const struct policy *policy, const char *key, uint64_t other)
{
	const struct weir_policy *api = &policy->module->api;
	const struct weir_option *option = option_find(api->options, api->option_stride, key);
	uint64_t value;

	if (option == NULL)
		return other;
	memcpy(&value, (const char *)policy->options + option->offset, sizeof(value));
	return value;
}

/* The word of an ENUM; "" if there is no such key. */
static const char *word(const struct policy *policy, const char *key)
{
	const struct weir_policy *api = &policy->module->api;
	const struct weir_option *option = option_find(api->options, api->option_stride, key);
	uint32_t value;

	if (option == NULL)
		return "";
	memcpy(&value, (const char *)policy->options + option->offset, sizeof(value));
	return option->names[value];
}

static bool is_set(const struct policy *policy, const char *key)
{
	const struct weir_policy *api = &policy->module->api;
	const struct weir_option *option = option_find(api->options, api->option_stride, key);
	uint32_t value = 0;

	if (option != NULL)
		memcpy(&value, (const char *)policy->options + option->offset, sizeof(value));
	return value != 0;
}

static enum check_scope scope(const struct policy *policy)
{
	static const char *const words[] = {"flow", "session", "client", "listener", "instance"};
	const char *said = word(policy, "scope");

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], said) == 0)
			return (enum check_scope)i;
	return CHECK_FLOW;
}

static void shape_init(struct check_rule *rule)
{
	const char *direction = word(rule->policy, "direction");

	rule->kind = CHECK_SHAPE;
	rule->rate = number(rule->policy, "rate", SCENARIO_UNLIMITED);
	rule->burst = number(rule->policy, "burst", UINT64_MAX);
	if (rule->burst == UINT64_MAX)
		rule->burst = least(rule->rate / 10 > BURST_MIN ? rule->rate / 10 : BURST_MIN, UNITS_MAX);
	rule->writes = strcmp(word(rule->policy, "side"), "write") == 0;
	rule->directions[WEIR_UP] = strcmp(direction, "down") != 0;
	rule->directions[WEIR_DOWN] = strcmp(direction, "up") != 0;
	rule->high = number(rule->policy, "queue", SCENARIO_UNLIMITED);
}

static void credit_init(struct check_rule *rule)
{
	uint64_t both;

	rule->kind = CHECK_CREDIT;
	rule->scope = CHECK_INSTANCE;
	rule->segment = number(rule->policy, "segment", 1);
	rule->exclusive = number(rule->policy, "exclusive", 0);
	rule->high = number(rule->policy, "pool", 0) / rule->segment;
	both = rule->exclusive + number(rule->policy, "floating", 0);
	rule->most = least(least(both, number(rule->policy, "max", 0)), rule->high);
}

/* "1/8" to "8", in eighths */
static uint64_t eighths(const char *alpha)
{
	return strncmp(alpha, "1/", 2) == 0 ? 8 / strtoull(alpha + 2, NULL, 10) : 8 * strtoull(alpha, NULL, 10);
}

static void fair_init(struct check_rule *rule)
{
	rule->kind = CHECK_FAIR;
	rule->scope = CHECK_INSTANCE;
	rule->high = number(rule->policy, "pool", 0);
	rule->alpha = eighths(word(rule->policy, "alpha"));
}

static void cap_init(struct check_rule *rule)
{
	static const char *const keys[CHECK_CAPS] = {"per_session", "per_upstream", "total"};
	const char *direction = word(rule->policy, "direction");

	rule->kind = CHECK_CAP;
	rule->scope = CHECK_FLOW;
	rule->requests = strcmp(word(rule->policy, "unit"), "requests") == 0;
	rule->slow = is_set(rule->policy, "slow_start");
	rule->directions[WEIR_UP] = rule->requests || strcmp(direction, "down") != 0;
	rule->directions[WEIR_DOWN] = !rule->requests && strcmp(direction, "up") != 0;
	rule->high = number(rule->policy, "queue", SCENARIO_UNLIMITED);
	for (unsigned i = 0; i < CHECK_CAPS; i++)
		rule->caps[i] = number(rule->policy, keys[i], UINT64_MAX);
}

void check_rule_init(struct check_rule *rule, const struct policy *policy)
{
	const char *module = policy->module->name;

	memset(rule, 0, sizeof(*rule));
	rule->policy = policy;
	rule->scope = scope(policy);
	rule->high = SCENARIO_UNLIMITED;
	if (strcmp(module, "watermark") == 0) {
		rule->kind = CHECK_WATERMARK;
		rule->high = number(policy, "high", SCENARIO_UNLIMITED);
		rule->low = number(policy, "low", 0);
	} else if (strcmp(module, "shape") == 0) {
		shape_init(rule);
	} else if (strcmp(module, "credit") == 0) {
		credit_init(rule);
	} else if (strcmp(module, "fair") == 0) {
		fair_init(rule);
	} else if (strcmp(module, "inflight-cap") == 0) {
		cap_init(rule);
	} else if (strcmp(module, "demand") == 0) {
		rule->kind = CHECK_DEMAND;
		rule->scope = CHECK_FLOW;
		rule->high = number(policy, "bytes", SCENARIO_UNLIMITED);
		rule->chunks = number(policy, "prefetch", 0) + number(policy, "queue", 0);
	}
}
