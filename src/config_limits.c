/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_limits - how much there is, and whether it is enough for what the configuration promises.
 *
 *     memory:  | max_sessions x 8K, never anybody else's | shared: what is held beyond; the pools' promises are part |
 */
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "config_build.h"
#include "text.h"

#define WORKERS_MAX 256
#define CPUS_MAX 8192         /* more than any kernel is built for */
#define DESCRIPTORS_OURS 64   /* stderr, configuration, modules, listeners */
#define DESCRIPTORS_WORKER 16 /* epoll, eventfd, timerfd, a spare one, resolver */
#define DESCRIPTORS_PIPES 16  /* one in so many is for pipes */
#define DESCRIPTORS_SESSION 2

/* Processors that this process may run on. */
static uint64_t count_cpus(void)
{
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	int count = 1;

	if (set != NULL && sched_getaffinity(0, size, set) == 0)
		count = CPU_COUNT_S(size, set);
	if (set != NULL)
		CPU_FREE(set);
	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (uint64_t)count;
}

/* weir raises its limit to the hard one at start, so that is what counts. */
static uint64_t descriptor_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 1024;
}

/* What is left of the limit for sessions and pipes. */
static uint64_t descriptors_left(const struct config *config)
{
	uint64_t limit = descriptor_limit();
	uint64_t ours = DESCRIPTORS_OURS + DESCRIPTORS_WORKER * config->weir.workers;

	return limit > ours ? limit - ours : 0;
}

uint32_t config_pipes(const struct config *config)
{
	bool splices = false;

	for (size_t i = 0; i < config->listener_count; i++)
		splices |= config->listeners[i]->splice != PIPE_USE_OFF;
	return splices ? (uint32_t)(descriptors_left(config) / DESCRIPTORS_PIPES / 2 / config->weir.workers) : 0;
}

static uint64_t descriptor_sessions(const struct config *config)
{
	uint64_t pipes = 2 * config_pipes(config) * config->weir.workers;

	return (descriptors_left(config) - pipes) / DESCRIPTORS_SESSION;
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

static bool uses(const struct config_listener *listener, const struct policy *policy)
{
	for (size_t i = 0; i < listener->policy_count; i++)
		if (listener->policies[i] == policy)
			return true;
	return false;
}

static uint64_t count_users(const struct config *config, const struct policy *policy)
{
	uint64_t users = 0;

	for (size_t i = 0; i < config->listener_count; i++)
		users += uses(config->listeners[i], policy);
	return users;
}

/* Bytes that the pools of all policies in use promise. */
static uint64_t pool_bytes(const struct config *config)
{
	uint64_t total = 0;

	for (size_t i = 0; i < config->policy_count; i++) {
		const struct policy *policy = config->policies[i];

		if (__builtin_add_overflow(total, policy_pool_bytes(policy, count_users(config, policy)), &total))
			return UINT64_MAX;
	}
	return total;
}

static uint64_t memory_sessions(const struct config *config)
{
	uint64_t pools = pool_bytes(config);

	return config->weir.memory > pools ? (config->weir.memory - pools) / CONFIG_SESSION_RESERVE : 0;
}

uint64_t config_shared_memory(const struct config *config)
{
	return config->weir.memory - config->weir.max_sessions * CONFIG_SESSION_RESERVE;
}

/* ---- sessions ------------------------------------------------------------------------------------------------------ */

/* Half of the memory that pools leave is for the reserves, half for what is held beyond. */
static uint64_t auto_sessions(const struct config *config, bool simulated)
{
	uint64_t memory = memory_sessions(config) / 2;
	uint64_t descriptors = simulated ? UINT64_MAX : descriptor_sessions(config);
	uint64_t least = memory < descriptors ? memory : descriptors;

	return least > 0 ? least : 1;
}

struct limit {
	uint64_t sessions;
	const char *kind; /* "policy" stands before its name */
	const char *name;
};

static struct limit smaller(struct limit a, struct limit b)
{
	return b.sessions < a.sessions ? b : a;
}

/* How many sessions can own their share of a policy's pools, all of one listener, or all there are. */
static struct limit policy_sessions(const struct policy *policy, bool listener)
{
	struct limit limit = {UINT64_MAX, "policy ", policy->name};

	for (unsigned i = 0; i < policy->module->api.pool_count; i++) {
		uint64_t share = 2 * (uint64_t)policy_pool_floor(policy, i);
		uint64_t sessions = share > 0 ? policy_pool_size(policy, i) / share : UINT64_MAX;

		if (sessions < limit.sessions && (listener || policy_pool(policy, i).scope == WEIR_SCOPE_INSTANCE))
			limit.sessions = sessions;
	}
	return limit;
}

static struct limit listener_sessions(const struct config_listener *listener)
{
	struct limit limit = {listener->max_sessions, "", "max_sessions"};

	for (size_t i = 0; i < listener->policy_count; i++)
		limit = smaller(limit, policy_sessions(listener->policies[i], true));
	return limit;
}

/* Both together, named by the smaller one; what nobody has has no name. */
static struct limit sum(struct limit a, struct limit b)
{
	struct limit limit = a.sessions == 0 || (b.sessions > 0 && b.sessions < a.sessions) ? b : a;

	if (__builtin_add_overflow(a.sessions, b.sessions, &limit.sessions))
		limit.sessions = UINT64_MAX;
	return limit;
}

/* Those listeners' limits together that use a policy, or that do not. */
static struct limit listeners_sessions(const struct config *config, const struct policy *policy, bool users)
{
	struct limit least = {UINT64_MAX, "", "max_sessions"};
	uint64_t total = 0;

	for (size_t i = 0; i < config->listener_count; i++) {
		struct limit limit = listener_sessions(config->listeners[i]);

		if (uses(config->listeners[i], policy) != users)
			continue;
		if (__builtin_add_overflow(total, limit.sessions, &total))
			total = UINT64_MAX;
		least = smaller(least, limit);
	}
	least.sessions = total;
	return least;
}

/* All listeners together, of which those that share this policy's pools have no more than these admit. */
static struct limit sharing_sessions(const struct config *config, const struct policy *policy)
{
	struct limit shared = smaller(listeners_sessions(config, policy, true), policy_sessions(policy, false));

	return sum(shared, listeners_sessions(config, policy, false));
}

static struct limit all_sessions(const struct config *config)
{
	struct limit least = listeners_sessions(config, NULL, false);

	for (size_t i = 0; i < config->policy_count; i++)
		least = smaller(least, sharing_sessions(config, config->policies[i]));
	if (config->listener_count == 0)
		least.sessions = UINT64_MAX;
	return least;
}

uint64_t config_admits(const struct config *config, char *name, size_t size)
{
	struct limit least = {memory_sessions(config), "", "memory"};

	least = smaller(least, (struct limit){descriptor_sessions(config), "", "descriptors"});
	least = smaller(least, (struct limit){config->weir.max_sessions, "", "max_sessions"});
	least = smaller(least, all_sessions(config));
	snprintf(name, size, "%s%s", least.kind, least.name);
	return least.sessions;
}

/* ---- at load ------------------------------------------------------------------------------------------------------- */

/* At the key that says how many sessions, or how much memory, or at neither. */
static void complain_memory(struct config_build *build, const char *what)
{
	const struct config_key *key = NULL;

	if (build->weir != NULL && (key = config_section_key(build->weir, "max_sessions")) == NULL)
		key = config_section_key(build->weir, "memory");
	if (key != NULL)
		config_error(&build->errors, key->line, build->weir->title, key->key, "%s", what);
	else
		config_error(&build->errors, build->weir != NULL ? build->weir->line : 0, "weir", NULL, "%s", what);
}

static void check_memory(struct config_build *build)
{
	const struct config_weir *weir = &build->config->weir;
	uint64_t pools = pool_bytes(build->config), reserves = weir->max_sessions * CONFIG_SESSION_RESERVE, needed;
	char text[4][TEXT_SIZE_MAX], what[TEXT_ERROR_MAX];

	if (__builtin_add_overflow(pools, reserves, &needed))
		needed = UINT64_MAX;
	if (needed <= weir->memory)
		return;
	snprintf(what, sizeof(what),
		"max_sessions = %" PRIu64 " x 8K = %s and %s for pools are more than memory = %s; "
		"expected a memory of at least %s, or fewer sessions or smaller pools",
		weir->max_sessions, text_size(text[0], reserves), text_size(text[1], pools),
		text_size(text[2], weir->memory), text_size(text[3], needed));
	complain_memory(build, what);
}

static void check_descriptors(struct config_build *build)
{
	if (descriptor_sessions(build->config) == 0)
		config_error(&build->errors, 0, NULL, NULL,
			"the limit of %" PRIu64 " open files leaves none for sessions; expected at least %" PRIu64
			" for %" PRIu64 " workers (ulimit -Hn, LimitNOFILE=)",
			descriptor_limit(),
			DESCRIPTORS_OURS + DESCRIPTORS_WORKER * build->config->weir.workers + DESCRIPTORS_SESSION,
			build->config->weir.workers);
}

void config_resolve(struct config_build *build)
{
	struct config_weir *weir = &build->config->weir;

	if (weir->workers == CONFIG_AUTO)
		weir->workers = build->simulated ? 1 : count_cpus();
	if (weir->max_sessions == CONFIG_AUTO)
		weir->max_sessions = auto_sessions(build->config, build->simulated);
	if (!build->simulated)
		check_descriptors(build);
	check_memory(build);
}
