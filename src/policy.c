/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - one [policy NAME] section come to life.
 */
#include "policy.h"

#include <errno.h>
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

void policy_stop(struct policy *policy)
{
	policy_pools_stop(policy);
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

/* ---- check and start ----------------------------------------------------------------------------------------------- */

int policy_check(const struct policy *policy, char *error, size_t error_size)
{
	const struct weir_policy *api = &policy->module->api;

	for (unsigned i = 0; i < api->pool_count; i++)
		if (policy_pool_check(policy, i, error, error_size) != 0)
			return -1;
	if (api->check == NULL)
		return 0;
	text_reason(error, error_size, "the module %s refuses these options without a reason; expected others",
		api->name);
	return api->check(policy->options, error, error_size) == 0 ? 0 : -1;
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
	for (unsigned i = 0; i < WEIR_COUNTERS_MAX; i++)
		atomic_store(&policy->counters[i], 0);
	policy->worker_stride = stride;
	policy->workers = workers;
	return policy_pools_start(policy);
}

void *policy_worker_state(const struct policy *policy, unsigned worker)
{
	if (policy->worker_stride == 0 || worker >= policy->workers)
		return NULL;
	return policy->worker_state + policy->worker_stride * worker;
}

uint32_t policy_needs(const struct policy *policy)
{
	const struct weir_policy *api = &policy->module->api;

	return api->needs_of != NULL ? api->needs & api->needs_of(policy->options) : api->needs;
}
