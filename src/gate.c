/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate - what a module's entry function returned is checked before anything else looks at it.
 */
#include "gate.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "text.h"

#define ROWS_MAX 256                  /* options of one module: a table longer than that has lost its end */
#define STRIDE_MAX 4096               /* bytes of one row */
#define STATE_MAX (UINT32_C(1) << 24) /* bytes of one state, or of the options */

#define NEEDS_KNOWN (WEIR_NEED_ACKED | WEIR_NEED_UNREAD | WEIR_NEED_RTT | WEIR_NEED_SCAN)

/* Where errors go, through all the checks of one module. */
struct complaint {
	char *text;
	size_t size;
};

/* ---- the header and the callbacks ---------------------------------------------------------------------------------- */

static int check_header(const struct weir_policy *offer, struct complaint error)
{
	if (offer->magic != WEIR_POLICY_MAGIC)
		return text_error(error.text, error.size,
			"the module's magic is 0x%08" PRIx32 "; expected 0x%08" PRIx32, offer->magic,
			WEIR_POLICY_MAGIC);
	if (offer->major != WEIR_POLICY_MAJOR)
		return text_error(error.text, error.size,
			"the module speaks policy ABI %" PRIu32 ".x; expected %d.x, which this weir speaks",
			offer->major, WEIR_POLICY_MAJOR);
	if (offer->size < GATE_SIZE_MIN)
		return text_error(error.text, error.size,
			"the module's struct weir_policy has %" PRIu32
			" bytes; expected at least %zu, its size in ABI %d.0",
			offer->size, GATE_SIZE_MIN, WEIR_POLICY_MAJOR);
	return 0;
}

static int check_callbacks(const struct weir_policy *api, struct complaint error)
{
	if (api->ask == NULL)
		return text_error(error.text, error.size, "the module's ask is NULL; expected a function");
	if ((api->needs & WEIR_NEED_SCAN) != 0 && api->scan == NULL)
		return text_error(error.text, error.size,
			"the module's scan is NULL although it needs WEIR_NEED_SCAN; expected a function");
	return 0;
}

/* ---- the tables ---------------------------------------------------------------------------------------------------- */

static int check_names(const struct weir_policy *api, const char *name, struct complaint error)
{
	char quote[TEXT_QUOTE_MAX];

	if (api->name == NULL || api->summary == NULL)
		return text_error(error.text, error.size, "the module's %s is NULL; expected a text",
			api->name == NULL ? "name" : "summary");
	if (strcmp(api->name, name) != 0)
		return text_error(error.text, error.size,
			"the module calls itself %s; expected \"%s\", its file's name", text_quote(quote, api->name),
			name);
	if ((api->needs & ~NEEDS_KNOWN) != 0)
		return text_error(error.text, error.size,
			"the module needs 0x%" PRIx32 "; expected no more than 0x%" PRIx32 ", which this weir can give",
			api->needs, NEEDS_KNOWN);
	return 0;
}

static int check_sizes(const struct weir_policy *api, struct complaint error)
{
	const struct {
		const char *name;
		uint32_t size;
	} states[] = {{"instance_size", api->instance_size}, {"worker_size", api->worker_size},
		{"session_size", api->session_size}, {"flow_size", api->flow_size},
		{"options_size", api->options_size}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (states[i].size > STATE_MAX)
			return text_error(error.text, error.size,
				"the module's %s is %" PRIu32 "; expected at most %" PRIu32, states[i].name,
				states[i].size, STATE_MAX);
	return 0;
}

static int check_stride(const char *name, uint32_t stride, size_t known, struct complaint error)
{
	if (stride >= known && stride <= STRIDE_MAX && stride % alignof(void *) == 0)
		return 0;
	return text_error(error.text, error.size,
		"the module's %s is %" PRIu32 "; expected %zu, or more from a newer module, in steps of %zu", name,
		stride, known, alignof(void *));
}

/* Bytes that a value of this type takes in the options struct, 0 for an unknown type. */
static size_t value_size(uint32_t type)
{
	switch (type) {
	case WEIR_OPTION_SIZE:
	case WEIR_OPTION_TIME:
	case WEIR_OPTION_COUNT:
		return sizeof(uint64_t);
	case WEIR_OPTION_BOOL:
	case WEIR_OPTION_ENUM:
		return sizeof(uint32_t);
	case WEIR_OPTION_STRING:
		return sizeof(char *);
	default:
		return 0;
	}
}

static bool fits(uint32_t offset, size_t size, uint32_t options_size)
{
	return offset % size == 0 && offset <= options_size && size <= options_size - offset;
}

/* A key must be writable in an ini file, and `module` is weir's own. */
static bool is_key(const char *key)
{
	return *key != '\0' && strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(key) &&
		strcmp(key, "module") != 0;
}

/* The default goes through the engine: that it parses is all there is to know of ranges and words. */
static int check_default(const struct weir_option *row, uint32_t options_size, struct complaint error)
{
	void *options = calloc(1, options_size);
	struct weir_option table[2] = {*row};
	char reason[TEXT_ERROR_MAX];
	int rc;

	if (options == NULL)
		return text_error(error.text, error.size,
			"no memory for the module's options; expected %" PRIu32 " bytes", options_size);
	rc = option_defaults(table, sizeof(table[0]), options, reason, sizeof(reason));
	if (rc < 0)
		text_reason(error.text, error.size, "the module's %s", reason);
	option_free(table, sizeof(table[0]), options);
	free(options);
	return rc;
}

static int check_option(const struct weir_policy *api, const struct weir_option *row, struct complaint error)
{
	char quote[TEXT_QUOTE_MAX];
	size_t size = value_size(row->type);
	bool words = row->names != NULL && row->names[0] != NULL;

	text_quote(quote, row->key);
	if (!is_key(row->key))
		return text_error(error.text, error.size,
			"the module's option %s has no usable key; expected a-z, 0-9 and '_', and not \"module\"",
			quote);
	if (option_find(api->options, api->option_stride, row->key) != row)
		return text_error(error.text, error.size, "the module has two options %s; expected each once", quote);
	if (size == 0 || row->doc == NULL || (row->type == WEIR_OPTION_ENUM && !words) || row->min > row->max)
		return text_error(error.text, error.size,
			"the module's option %s is no sound row (type %" PRIu32 ", doc %s, names %s, min %" PRIu64
			", max %" PRIu64 "); expected a type from %d to %d, a doc, names for an ENUM, min <= max",
			quote, row->type, row->doc != NULL ? "set" : "NULL", words ? "set" : "none", row->min, row->max,
			WEIR_OPTION_SIZE, WEIR_OPTION_STRING);
	if (!fits(row->offset, size, api->options_size))
		return text_error(error.text, error.size,
			"the module's option %s lies at offset %" PRIu32
			"; expected %zu aligned bytes inside the %" PRIu32 " of its options",
			quote, row->offset, size, api->options_size);
	return check_default(row, api->options_size, error);
}

static int check_options(const struct weir_policy *api, struct complaint error)
{
	const struct weir_option *row;

	if (api->options == NULL)
		return 0;
	if (check_stride("option_stride", api->option_stride, sizeof(struct weir_option), error) < 0)
		return -1;
	for (size_t i = 0; (row = option_at(api->options, api->option_stride, i)) != NULL; i++) {
		if (i == ROWS_MAX)
			return text_error(error.text, error.size,
				"the module's option table has no end within %d rows; expected a NULL key", ROWS_MAX);
		if (check_option(api, row, error) < 0)
			return -1;
	}
	return 0;
}

struct weir_pool gate_pool(const struct weir_policy *api, unsigned i)
{
	struct weir_pool pool = {0};
	size_t size = api->pool_stride < sizeof(pool) ? api->pool_stride : sizeof(pool);

	memcpy(&pool, (const char *)api->pools + (size_t)i * api->pool_stride, size);
	return pool;
}

/* The ENUM at that offset, or NULL. */
static const struct weir_option *enum_at(const struct weir_policy *api, uint32_t offset)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(api->options, api->option_stride, i)) != NULL; i++)
		if (row->type == WEIR_OPTION_ENUM && row->offset == offset)
			return row;
	return NULL;
}

/* The smallest scopes have so many pools that nobody could promise memory for them. */
static bool scope_is_sound(uint32_t scope, const struct weir_pool *pool)
{
	bool promises = pool->unit_bytes != 0 || (pool->flags & (WEIR_POOL_SEGMENTS | WEIR_POOL_FLOOR)) != 0;

	if (scope == WEIR_SCOPE_INSTANCE || scope == WEIR_SCOPE_LISTENER)
		return true;
	return scope >= WEIR_SCOPE_FLOW && scope <= WEIR_SCOPE_UPSTREAM && !promises;
}

static bool scopes_are_sound(const struct weir_policy *api, const struct weir_pool *pool)
{
	const struct weir_option *row;

	if (pool->scope != WEIR_SCOPE_OPTION)
		return scope_is_sound(pool->scope, pool);
	row = api->options != NULL ? enum_at(api, pool->scope_offset) : NULL;
	if (row == NULL || pool->scopes == NULL)
		return false;
	for (size_t i = 0; row->names[i] != NULL; i++)
		if (pool->scopes[i] != WEIR_SCOPE_NONE && !scope_is_sound(pool->scopes[i], pool))
			return false;
	return true;
}

/* What its flags say is there. */
static bool flags_are_sound(const struct weir_policy *api, const struct weir_pool *pool)
{
	const uint32_t not_consumed = WEIR_POOL_LOW | WEIR_POOL_FLOOR | WEIR_POOL_SEGMENTS;
	const uint32_t known = WEIR_POOL_CONSUMED | WEIR_POOL_BRIEF | WEIR_POOL_DIRECTED | not_consumed;
	const struct {
		uint32_t flag;
		uint32_t offset;
	} values[] = {{WEIR_POOL_CONSUMED, pool->rate_offset}, {WEIR_POOL_LOW, pool->low_offset},
		{WEIR_POOL_FLOOR, pool->floor_offset}, {WEIR_POOL_SEGMENTS, pool->unit_offset}};

	if ((pool->flags & ~known) != 0)
		return false;
	if ((pool->flags & WEIR_POOL_CONSUMED) != 0 && ((pool->flags & not_consumed) != 0 || pool->unit_bytes != 0))
		return false;
	if (((pool->flags & WEIR_POOL_SEGMENTS) != 0 && pool->unit_bytes != 0) ||
		((pool->flags & WEIR_POOL_FLOOR) != 0 && (pool->flags & WEIR_POOL_DIRECTED) != 0))
		return false;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if ((pool->flags & values[i].flag) != 0 && !fits(values[i].offset, sizeof(uint64_t), api->options_size))
			return false;
	return true;
}

static int check_pools(const struct weir_policy *api, struct complaint error)
{
	if (api->pool_count > WEIR_POOLS_MAX)
		return text_error(error.text, error.size, "the module declares %" PRIu32 " pools; expected at most %d",
			api->pool_count, WEIR_POOLS_MAX);
	if (api->pool_count == 0)
		return 0;
	if (api->pools == NULL)
		return text_error(error.text, error.size,
			"the module declares %" PRIu32 " pools and no table; expected pools", api->pool_count);
	if (check_stride("pool_stride", api->pool_stride, GATE_POOL_MIN, error) < 0)
		return -1;
	for (uint32_t i = 0; i < api->pool_count; i++) {
		struct weir_pool pool = gate_pool(api, i);

		if (pool.name == NULL || !scopes_are_sound(api, &pool) || !flags_are_sound(api, &pool) ||
			!fits(pool.size_offset, sizeof(uint64_t), api->options_size))
			return text_error(error.text, error.size,
				"the module's pool %" PRIu32 " is no sound row (name %s, scope %" PRIu32
				", size_offset %" PRIu32 ", flags 0x%" PRIx32
				"); expected a name, a scope (one smaller than a listener promises no memory and has "
				"no floor; by option: an ENUM with a scope for each name), known flags that go "
				"together, and each uint64_t inside the %" PRIu32 " bytes of its options",
				i, pool.name != NULL ? "set" : "NULL", pool.scope, pool.size_offset, pool.flags,
				api->options_size);
	}
	return 0;
}

struct weir_counter gate_counter(const struct weir_policy *api, unsigned i)
{
	struct weir_counter counter;

	memcpy(&counter, (const char *)api->counters + (size_t)i * api->counter_stride, sizeof(counter));
	return counter;
}

static int check_counters(const struct weir_policy *api, struct complaint error)
{
	if (api->counter_count > WEIR_COUNTERS_MAX)
		return text_error(error.text, error.size,
			"the module declares %" PRIu32 " counters; expected at most %d", api->counter_count,
			WEIR_COUNTERS_MAX);
	if (api->counter_count == 0)
		return 0;
	if (api->counters == NULL)
		return text_error(error.text, error.size,
			"the module declares %" PRIu32 " counters and no table; expected counters", api->counter_count);
	if (check_stride("counter_stride", api->counter_stride, sizeof(struct weir_counter), error) < 0)
		return -1;
	for (uint32_t i = 0; i < api->counter_count; i++) {
		struct weir_counter counter = gate_counter(api, i);

		if (counter.name == NULL || !is_key(counter.name) || counter.doc == NULL)
			return text_error(error.text, error.size,
				"the module's counter %" PRIu32 " is no sound row (name %s, doc %s); expected a name "
				"of a-z, 0-9 and '_', and a doc",
				i, counter.name != NULL ? "set" : "NULL", counter.doc != NULL ? "set" : "NULL");
	}
	return 0;
}

int gate_pass(struct weir_policy *api, const struct weir_policy *offer, const char *name, char *error,
	size_t error_size)
{
	struct complaint complaint = {error, error_size};

	if (offer == NULL)
		return text_error(error, error_size,
			WEIR_POLICY_ENTRY "() returned NULL; expected a struct weir_policy");
	if (check_header(offer, complaint) < 0)
		return -1;
	memset(api, 0, sizeof(*api));
	memcpy(api, offer, offer->size < sizeof(*api) ? offer->size : sizeof(*api));
	if (check_callbacks(api, complaint) < 0 || check_names(api, name, complaint) < 0 ||
		check_sizes(api, complaint) < 0 || check_options(api, complaint) < 0 ||
		check_pools(api, complaint) < 0 || check_counters(api, complaint) < 0)
		return -1;
	return 0;
}
