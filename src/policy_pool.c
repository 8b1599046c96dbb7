/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_pool - the pools that a policy declares, as its options have them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "gate.h"
#include "policy.h"
#include "text.h"

#define SIZES_A_SECOND 10 /* a consumed pool without a size of its own: what comes back in 100 ms */
#define SIZE_MIN (UINT64_C(64) * 1024)
#define UNIT_MAX (UINT64_C(1) << 30) /* bytes of a segment */

/* What shares one upstream has these. */
struct policy_upstream {
	struct policy_upstream *next;
	char *name;
	struct pool *pools[WEIR_POOLS_MAX][2];
};

/* ---- what the options say ------------------------------------------------------------------------------------------ */

static uint64_t option_value(const struct policy *policy, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)policy->options + offset, sizeof(value));
	return value;
}

static bool has(const struct weir_pool *pool, uint32_t flag)
{
	return (pool->flags & flag) != 0;
}

struct weir_pool policy_pool(const struct policy *policy, unsigned i)
{
	struct weir_pool pool = gate_pool(&policy->module->api, i);
	uint32_t word;

	if (pool.scope == WEIR_SCOPE_OPTION) {
		memcpy(&word, (const char *)policy->options + pool.scope_offset, sizeof(word));
		pool.scope = pool.scopes[word];
	}
	if (pool.scope == WEIR_SCOPE_NONE)
		return pool;
	if (!has(&pool, WEIR_POOL_CONSUMED) && option_value(policy, pool.size_offset) == UINT64_MAX)
		pool.scope = WEIR_SCOPE_NONE;
	if (has(&pool, WEIR_POOL_SEGMENTS))
		pool.unit_bytes = option_value(policy, pool.unit_offset);
	return pool;
}

uint64_t policy_pool_size(const struct policy *policy, unsigned i)
{
	struct weir_pool pool = policy_pool(policy, i);
	uint64_t size = option_value(policy, pool.size_offset);

	if (has(&pool, WEIR_POOL_SEGMENTS))
		return pool.unit_bytes > 0 ? size / pool.unit_bytes : 0;
	if (!has(&pool, WEIR_POOL_CONSUMED) || size != UINT64_MAX)
		return size;
	size = option_value(policy, pool.rate_offset) / SIZES_A_SECOND;
	return size < SIZE_MIN ? SIZE_MIN : size > POOL_UNITS_MAX ? POOL_UNITS_MAX : size;
}

uint32_t policy_pool_floor(const struct policy *policy, unsigned i)
{
	struct weir_pool pool = policy_pool(policy, i);

	if (pool.scope == WEIR_SCOPE_NONE || !has(&pool, WEIR_POOL_FLOOR))
		return 0;
	return (uint32_t)option_value(policy, pool.floor_offset);
}

uint64_t policy_pool_bytes(const struct policy *policy, uint64_t listeners)
{
	uint64_t total = 0;

	for (unsigned i = 0; listeners > 0 && i < policy->module->api.pool_count; i++) {
		struct weir_pool pool = policy_pool(policy, i);
		uint64_t pools = pool.scope == WEIR_SCOPE_LISTENER ? listeners : 1;
		uint64_t bytes;

		if (pool.scope == WEIR_SCOPE_NONE)
			continue;
		if (has(&pool, WEIR_POOL_DIRECTED))
			pools *= 2;
		if (__builtin_mul_overflow(policy_pool_size(policy, i), pool.unit_bytes, &bytes) ||
			__builtin_mul_overflow(bytes, pools, &bytes) || __builtin_add_overflow(total, bytes, &total))
			return UINT64_MAX;
	}
	return total;
}

/* ---- check --------------------------------------------------------------------------------------------------------- */

/* That a pool has at least one unit, and that these are no more than can be counted. */
static int check_size(const struct policy *policy, const struct weir_pool *pool, uint64_t size, char *error,
	size_t error_size)
{
	uint64_t unit = has(pool, WEIR_POOL_SEGMENTS) ? pool->unit_bytes : 1;
	char text[2][TEXT_SIZE_MAX];

	if (unit < 1 || unit > UNIT_MAX)
		return text_error(error, error_size, "pool %s has units of %" PRIu64 " bytes; expected 1 to %" PRIu64,
			pool->name, unit, UNIT_MAX);
	if (size < 1 && unit > 1)
		return text_error(error, error_size,
			"pool %s = %s is less than one segment of %s; expected at least that", pool->name,
			text_size(text[0], option_value(policy, pool->size_offset)), text_size(text[1], unit));
	if (size < 1 || size > POOL_UNITS_MAX)
		return text_error(error, error_size, "pool %s has %" PRIu64 " units; expected 1 to %d", pool->name,
			size, POOL_UNITS_MAX);
	return 0;
}

/* That the units which each flow owns are enough for the two of one session. */
static int check_floor(const struct policy *policy, const struct weir_pool *pool, uint64_t size, char *error,
	size_t error_size)
{
	uint64_t floor = has(pool, WEIR_POOL_FLOOR) ? option_value(policy, pool->floor_offset) : 0;
	uint64_t unit = has(pool, WEIR_POOL_SEGMENTS) ? pool->unit_bytes : 1;
	char text[2][TEXT_SIZE_MAX];

	if (has(pool, WEIR_POOL_FLOOR) && floor < 1)
		return text_error(error, error_size,
			"pool %s leaves each flow nothing of its own; expected at least 1 unit", pool->name);
	if (floor <= size / 2)
		return 0;
	if (unit == 1)
		return text_error(error, error_size,
			"pool %s has %" PRIu64 " units, and each of a session's two flows owns %" PRIu64
			"; expected at least that for one session, or a smaller share",
			pool->name, size, floor);
	return text_error(error, error_size,
		"pool %s = %s is less than one session's share, 2 x %" PRIu64
		" segments of %s; expected at least that, or a smaller share",
		pool->name, text_size(text[0], option_value(policy, pool->size_offset)), floor,
		text_size(text[1], unit));
}

int policy_pool_check(const struct policy *policy, unsigned i, char *error, size_t error_size)
{
	struct weir_pool pool = policy_pool(policy, i);
	uint64_t size = policy_pool_size(policy, i);
	uint64_t low = has(&pool, WEIR_POOL_LOW) ? option_value(policy, pool.low_offset) : 1;
	uint64_t rate = has(&pool, WEIR_POOL_CONSUMED) ? option_value(policy, pool.rate_offset) : 1;

	if (pool.scope == WEIR_SCOPE_NONE)
		return 0;
	if (check_size(policy, &pool, size, error, error_size) != 0)
		return -1;
	if (low < 1 || low > size)
		return text_error(error, error_size, "pool %s has a low mark of %" PRIu64 "; expected 1 to %" PRIu64,
			pool.name, low, size);
	if (rate < 1 || rate > BUCKET_RATE_MAX)
		return text_error(error, error_size, "pool %s gets %" PRIu64 " units a second; expected 1 to %" PRIu64,
			pool.name, rate, BUCKET_RATE_MAX);
	return check_floor(policy, &pool, size, error, error_size);
}

/* ---- one pool ------------------------------------------------------------------------------------------------------ */

struct bucket *policy_bucket(const struct policy *policy, unsigned i, struct pool *pool)
{
	struct weir_pool declared = policy_pool(policy, i);

	return has(&declared, WEIR_POOL_CONSUMED) ? CONTAINER(pool, struct bucket, pool) : NULL;
}

static struct pool *new_bucket(const char *name, uint32_t size, uint64_t rate, uint64_t now)
{
	struct bucket *bucket = calloc(1, sizeof(*bucket));

	if (bucket == NULL || bucket_init(bucket, name, size, rate, now) != 0) {
		free(bucket);
		return NULL;
	}
	return &bucket->pool;
}

struct pool *policy_pool_new(const struct policy *policy, unsigned i, uint64_t now)
{
	struct weir_pool declared = policy_pool(policy, i);
	uint32_t size = (uint32_t)policy_pool_size(policy, i);
	struct pool *pool;

	if (has(&declared, WEIR_POOL_CONSUMED))
		return new_bucket(declared.name, size, option_value(policy, declared.rate_offset), now);
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL || pool_init(pool, declared.name, size) != 0) {
		free(pool);
		return NULL;
	}
	if (has(&declared, WEIR_POOL_LOW))
		pool->low = (uint32_t)option_value(policy, declared.low_offset);
	return pool;
}

void policy_pool_free(const struct policy *policy, unsigned i, struct pool *pool)
{
	struct bucket *bucket;

	if (pool == NULL)
		return;
	bucket = policy_bucket(policy, i, pool);
	if (bucket != NULL) {
		bucket_destroy(bucket);
		free(bucket);
		return;
	}
	pool_destroy(pool);
	free(pool);
}

/* ---- a pair of them, by direction ---------------------------------------------------------------------------------- */

int policy_pools_new(const struct policy *policy, unsigned i, uint64_t now, struct pool *pair[2])
{
	struct weir_pool declared = policy_pool(policy, i);

	pair[0] = pair[1] = policy_pool_new(policy, i, now);
	if (pair[0] == NULL || !has(&declared, WEIR_POOL_DIRECTED))
		return pair[0] != NULL ? 0 : -1;
	pair[1] = policy_pool_new(policy, i, now);
	if (pair[1] != NULL)
		return 0;
	policy_pool_free(policy, i, pair[0]);
	pair[0] = NULL;
	return -1;
}

void policy_pools_free(const struct policy *policy, unsigned i, struct pool *pair[2])
{
	if (pair[1] != pair[0])
		policy_pool_free(policy, i, pair[1]);
	policy_pool_free(policy, i, pair[0]);
	pair[0] = pair[1] = NULL;
}

/* ---- those of the policy itself ------------------------------------------------------------------------------------ */

int policy_pools_start(struct policy *policy)
{
	for (unsigned i = 0; i < policy->module->api.pool_count; i++)
		if (policy_pool(policy, i).scope == WEIR_SCOPE_INSTANCE &&
			policy_pools_new(policy, i, 0, policy->pools[i]) != 0)
			return -1;
	return 0;
}

static void free_upstream(const struct policy *policy, struct policy_upstream *upstream)
{
	for (unsigned i = 0; i < WEIR_POOLS_MAX; i++)
		policy_pools_free(policy, i, upstream->pools[i]);
	free(upstream->name);
	free(upstream);
}

void policy_pools_stop(struct policy *policy)
{
	struct policy_upstream *upstream;

	for (unsigned i = 0; i < WEIR_POOLS_MAX; i++)
		policy_pools_free(policy, i, policy->pools[i]);
	while ((upstream = policy->upstreams) != NULL) {
		policy->upstreams = upstream->next;
		free_upstream(policy, upstream);
	}
}

static struct policy_upstream *get_upstream(struct policy *policy, const char *name)
{
	struct policy_upstream *upstream;

	for (upstream = policy->upstreams; upstream != NULL; upstream = upstream->next)
		if (strcmp(upstream->name, name) == 0)
			return upstream;
	upstream = calloc(1, sizeof(*upstream));
	if (upstream == NULL || (upstream->name = strdup(name)) == NULL) {
		free(upstream);
		return NULL;
	}
	upstream->next = policy->upstreams;
	policy->upstreams = upstream;
	return upstream;
}

struct pool *const *policy_upstream_pools(struct policy *policy, unsigned i, const char *name)
{
	struct policy_upstream *upstream = get_upstream(policy, name);

	if (upstream == NULL)
		return NULL;
	if (upstream->pools[i][0] == NULL && policy_pools_new(policy, i, 0, upstream->pools[i]) != 0)
		return NULL;
	return upstream->pools[i];
}

static void visit_pair(const struct policy *policy, struct pool *const pair[2], const char *upstream,
	void (*visit)(const struct policy *policy, const struct pool *pool, const char *upstream, int direction))
{
	if (pair[0] == NULL)
		return;
	visit(policy, pair[0], upstream, pair[0] == pair[1] ? -1 : WEIR_UP);
	if (pair[0] != pair[1])
		visit(policy, pair[1], upstream, WEIR_DOWN);
}

void policy_pools_visit(const struct policy *policy,
	void (*visit)(const struct policy *policy, const struct pool *pool, const char *upstream, int direction))
{
	for (unsigned i = 0; i < WEIR_POOLS_MAX; i++)
		visit_pair(policy, policy->pools[i], "", visit);
	for (const struct policy_upstream *upstream = policy->upstreams; upstream != NULL; upstream = upstream->next)
		for (unsigned i = 0; i < WEIR_POOLS_MAX; i++)
			visit_pair(policy, upstream->pools[i], upstream->name, visit);
}
