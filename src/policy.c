/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - one [policy NAME] section come to life.
 */
#include "policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "text.h"

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
		if (policy->pools[i] != NULL)
			pool_destroy(policy->pools[i]);
		free(policy->pools[i]);
		policy->pools[i] = NULL;
	}
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	free_pools(policy);
	if (policy->options != NULL)
		option_free(policy->module->api.options, policy->module->api.option_stride, policy->options);
	free(policy->options);
	free(policy->state);
	free(policy->worker_state);
	free(policy->name);
	module_close(policy->module);
	free(policy);
}

/* ---- pools --------------------------------------------------------------------------------------------------------- */

const struct weir_pool *policy_pool(const struct policy *policy, unsigned i)
{
	const struct weir_policy *api = &policy->module->api;

	return (const void *)((const char *)api->pools + (size_t)i * api->pool_stride);
}

uint64_t policy_pool_size(const struct policy *policy, unsigned i)
{
	uint64_t size;

	memcpy(&size, (const char *)policy->options + policy_pool(policy, i)->size_offset, sizeof(size));
	return size;
}

uint64_t policy_pool_bytes(const struct policy *policy, uint64_t listeners)
{
	uint64_t total = 0;

	for (unsigned i = 0; listeners > 0 && i < policy->module->api.pool_count; i++) {
		const struct weir_pool *pool = policy_pool(policy, i);
		uint64_t pools = pool->scope == WEIR_SCOPE_LISTENER ? listeners : 1;
		uint64_t bytes;

		if (__builtin_mul_overflow(policy_pool_size(policy, i), pool->unit_bytes, &bytes) ||
			__builtin_mul_overflow(bytes, pools, &bytes) || __builtin_add_overflow(total, bytes, &total))
			return UINT64_MAX;
	}
	return total;
}

/* ---- check and start ----------------------------------------------------------------------------------------------- */

int policy_check(const struct policy *policy, char *error, size_t error_size)
{
	const struct weir_policy *api = &policy->module->api;

	for (unsigned i = 0; i < api->pool_count; i++) {
		uint64_t size = policy_pool_size(policy, i);

		if (size < 1 || size > POOL_UNITS_MAX)
			return text_error(error, error_size, "pool %s has %" PRIu64 " units; expected 1 to %d",
				policy_pool(policy, i)->name, size, POOL_UNITS_MAX);
	}
	if (api->check == NULL)
		return 0;
	text_reason(error, error_size, "the module %s refuses these options without a reason; expected others",
		api->name);
	return api->check(policy->options, error, error_size) == 0 ? 0 : -1;
}

static int start_pools(struct policy *policy)
{
	for (unsigned i = 0; i < policy->module->api.pool_count; i++) {
		const struct weir_pool *declared = policy_pool(policy, i);
		struct pool *pool;

		if (declared->scope != WEIR_SCOPE_INSTANCE)
			continue;
		pool = malloc(sizeof(*pool));
		if (pool == NULL)
			return -1;
		if (pool_init(pool, declared->name, (uint32_t)policy_pool_size(policy, i)) < 0) {
			free(pool);
			return -1;
		}
		policy->pools[i] = pool;
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
