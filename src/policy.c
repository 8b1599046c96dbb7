/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - one [policy NAME] section come to life.
 */
#include "policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "gate.h"
#include "option.h"
#include "text.h"

#define SIZES_A_SECOND 10 /* a consumed pool without a size of its own: what comes back in 100 ms */
#define SIZE_MIN (UINT64_C(64) * 1024)
#define CACHE_LINE 64 /* workers' states lie apart, so that no worker's writes slow another's reads */

/* An empty struct is a valid one: malloc(0) may be NULL, which would look like a failure. */
static void *allocate(size_t size)
{
	return calloc(1, size != 0 ? size : 1);
}

struct policy *policy_new(const char *name, struct module *module)
{
	const struct weir_policy *api = &module->api;
	struct policy *policy = calloc(1, sizeof(*policy));
	char error[TEXT_ERROR_MAX];

	if (policy == NULL) {
		module_close(module);
		return NULL;
	}
	policy->module = module;
	atomic_flag_clear(&policy->promise_broken);
	atomic_flag_clear(&policy->want_beyond);
	policy->name = strdup(name);
	policy->options = allocate(api->options_size);
	/* The gate has tried every default, so only memory can be short now. */
	if (policy->name == NULL || policy->options == NULL ||
		option_defaults(api->options, api->option_stride, policy->options, error, sizeof(error)) < 0) {
		policy_free(policy);
		return NULL;
	}
	return policy;
}

static void free_pools(struct policy *policy)
{
	for (unsigned i = 0; i < WEIR_POOLS_MAX; i++) {
		policy_pool_free(policy, i, policy->pools[i]);
		policy->pools[i] = NULL;
	}
}

void policy_stop(struct policy *policy)
{
	free_pools(policy);
	free(policy->state);
	policy->state = NULL;
	free(policy->worker_state);
	policy->worker_state = NULL;
	policy->worker_stride = 0;
	policy->workers = 0;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	policy_stop(policy);
	if (policy->options != NULL)
		option_free(policy->module->api.options, policy->module->api.option_stride, policy->options);
	free(policy->options);
	free(policy->name);
	module_close(policy->module);
	free(policy);
}

/* ---- pools --------------------------------------------------------------------------------------------------------- */

static uint64_t option_value(const struct policy *policy, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)policy->options + offset, sizeof(value));
	return value;
}

struct weir_pool policy_pool(const struct policy *policy, unsigned i)
{
	struct weir_pool pool = gate_pool(&policy->module->api, i);
	uint32_t word;

	if (pool.scope != WEIR_SCOPE_OPTION)
		return pool;
	memcpy(&word, (const char *)policy->options + pool.scope_offset, sizeof(word));
	pool.scope = pool.scopes[word];
	return pool;
}

static bool is_consumed(const struct weir_pool *pool)
{
	return (pool->flags & WEIR_POOL_CONSUMED) != 0;
}

uint64_t policy_pool_size(const struct policy *policy, unsigned i)
{
	struct weir_pool pool = policy_pool(policy, i);
	uint64_t size = option_value(policy, pool.size_offset);

	if (!is_consumed(&pool) || size != UINT64_MAX)
		return size;
	size = option_value(policy, pool.rate_offset) / SIZES_A_SECOND;
	return size < SIZE_MIN ? SIZE_MIN : size > POOL_UNITS_MAX ? POOL_UNITS_MAX : size;
}

struct bucket *policy_bucket(const struct policy *policy, unsigned i, struct pool *pool)
{
	struct weir_pool declared = policy_pool(policy, i);

	return is_consumed(&declared) ? CONTAINER(pool, struct bucket, pool) : NULL;
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

	if (is_consumed(&declared))
		return new_bucket(declared.name, size, option_value(policy, declared.rate_offset), now);
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL || pool_init(pool, declared.name, size) != 0) {
		free(pool);
		return NULL;
	}
	if ((declared.flags & WEIR_POOL_LOW) != 0)
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

uint64_t policy_pool_bytes(const struct policy *policy, uint64_t listeners)
{
	uint64_t total = 0;

	for (unsigned i = 0; listeners > 0 && i < policy->module->api.pool_count; i++) {
		struct weir_pool pool = policy_pool(policy, i);
		uint64_t pools = pool.scope == WEIR_SCOPE_LISTENER ? listeners : 1;
		uint64_t bytes;

		if (pool.scope == WEIR_SCOPE_NONE)
			continue;
		if (__builtin_mul_overflow(policy_pool_size(policy, i), pool.unit_bytes, &bytes) ||
			__builtin_mul_overflow(bytes, pools, &bytes) || __builtin_add_overflow(total, bytes, &total))
			return UINT64_MAX;
	}
	return total;
}

/* ---- check and start ----------------------------------------------------------------------------------------------- */

static int check_pool(const struct policy *policy, unsigned i, char *error, size_t error_size)
{
	struct weir_pool pool = policy_pool(policy, i);
	uint64_t size = policy_pool_size(policy, i);
	uint64_t low = (pool.flags & WEIR_POOL_LOW) != 0 ? option_value(policy, pool.low_offset) : 1;
	uint64_t rate = is_consumed(&pool) ? option_value(policy, pool.rate_offset) : 1;

	if (pool.scope == WEIR_SCOPE_NONE)
		return 0;
	if (size < 1 || size > POOL_UNITS_MAX)
		return text_error(error, error_size, "pool %s has %" PRIu64 " units; expected 1 to %d", pool.name, size,
			POOL_UNITS_MAX);
	if (low < 1 || low > size)
		return text_error(error, error_size, "pool %s has a low mark of %" PRIu64 "; expected 1 to %" PRIu64,
			pool.name, low, size);
	if (rate < 1 || rate > BUCKET_RATE_MAX)
		return text_error(error, error_size, "pool %s gets %" PRIu64 " units a second; expected 1 to %" PRIu64,
			pool.name, rate, BUCKET_RATE_MAX);
	return 0;
}

int policy_check(const struct policy *policy, char *error, size_t error_size)
{
	const struct weir_policy *api = &policy->module->api;

	for (unsigned i = 0; i < api->pool_count; i++)
		if (check_pool(policy, i, error, error_size) != 0)
			return -1;
	if (api->check == NULL)
		return 0;
	text_reason(error, error_size, "the module %s refuses these options without a reason; expected others",
		api->name);
	return api->check(policy->options, error, error_size) == 0 ? 0 : -1;
}

static int start_pools(struct policy *policy)
{
	for (unsigned i = 0; i < policy->module->api.pool_count; i++) {
		struct weir_pool declared = policy_pool(policy, i);

		if (declared.scope != WEIR_SCOPE_INSTANCE)
			continue;
		policy->pools[i] = policy_pool_new(policy, i, 0);
		if (policy->pools[i] == NULL)
			return -1;
	}
	return 0;
}

int policy_start(struct policy *policy, unsigned workers)
{
	const struct weir_policy *api = &policy->module->api;
	size_t stride = ((size_t)api->worker_size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;

	if (api->instance_size != 0) {
		policy->state = calloc(1, api->instance_size);
		if (policy->state == NULL)
			return -1;
	}
	if (stride != 0) {
		policy->worker_state = aligned_alloc(CACHE_LINE, stride * workers);
		if (policy->worker_state == NULL)
			return -1;
		memset(policy->worker_state, 0, stride * workers);
	}
	policy->worker_stride = stride;
	policy->workers = workers;
	return start_pools(policy);
}

void *policy_worker_state(const struct policy *policy, unsigned worker)
{
	if (policy->worker_stride == 0 || worker >= policy->workers)
		return NULL;
	return policy->worker_state + policy->worker_stride * worker;
}
