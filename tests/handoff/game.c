/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * game - see game.h.
 */
#include "game.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"

static struct config *load(const char *text)
{
	char modules[4096];
	char path[64];
	int fd = memfd_create("game.ini", MFD_CLOEXEC);
	struct config *config;

	MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "no place for the configuration");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(modules, sizeof(modules), "%s/tests/handoff/.libs", getenv("WEIR_BUILDDIR"));
	config = config_load(path, modules, stderr);
	MUST(config != NULL, "the configuration is refused; why stands above");
	close(fd);
	return config;
}

void game_begin(struct game *game, const char *text, unsigned workers)
{
	memset(game, 0, sizeof(*game));
	game->config = load(text);
	game->answers = strstr(text, "framing = line") != NULL;
	for (size_t i = 0; i < game->config->policy_count; i++)
		MUST(policy_start(game->config->policies[i], workers) == 0, "a policy does not start");
	MUST(loops_init(&game->loops, GAME_LISTENERS, GAME_LISTENERS) == 0, "no loops");
	MUST(game->config->listener_count == GAME_LISTENERS, "%zu listeners", game->config->listener_count);
	for (unsigned i = 0; i < GAME_LISTENERS; i++)
		MUST(listener_init(&game->listeners[i], game->config->listeners[i], i, &game->loops) == 0,
			"a listener does not start");
	MUST(pool_init(&game->sessions, "sessions", (uint32_t)game->config->weir.max_sessions) == 0, "no pool");
	MUST(pool_init(&game->memory, "memory", (uint32_t)(config_shared_memory(game->config) / STORE_PAGE)) == 0,
		"no pool");
	MUST(scopes_init(&game->scopes) == 0, "no scopes");
}

/* What weir would have logged. */
static void check_complaints(struct policy *policy)
{
	MUST(!atomic_flag_test_and_set(&policy->promise_broken), "policy %s promised what could not come",
		policy->name);
	MUST(!atomic_flag_test_and_set(&policy->want_beyond), "policy %s wanted more than there is", policy->name);
}

void game_end(struct game *game)
{
	MUST(!game->answers || game->answered > 0, "no line was answered");
	for (size_t i = 0; i < game->config->policy_count; i++)
		check_complaints(game->config->policies[i]);
	scopes_destroy(&game->scopes);
	loops_destroy(&game->loops);
	for (unsigned i = 0; i < GAME_LISTENERS; i++)
		listener_destroy(&game->listeners[i]);
	for (size_t i = 0; i < game->config->policy_count; i++)
		policy_stop(game->config->policies[i]);
	pool_destroy(&game->sessions);
	pool_destroy(&game->memory);
	config_free(game->config);
}

static void visit_stack(const struct listener *listener, game_visit *visit, void *argument)
{
	const struct stack *stack = &listener->stack;

	for (unsigned c = 0; c < stack->claim_count; c++)
		for (int direction = 0; direction < 2; direction++)
			if (stack->claims[c].pool[direction] != NULL)
				visit(argument, stack->claims[c].pool[direction],
					stack_cause(stack, stack->claims[c].member));
}

void game_pools(const struct game *game, game_visit *visit, void *argument)
{
	for (unsigned i = 0; i < GAME_LISTENERS; i++) {
		visit_stack(&game->listeners[i], visit, argument);
		if (game->listeners[i].limited)
			visit(argument, &game->listeners[i].sessions, game->listeners[i].config->name);
	}
	visit(argument, &game->sessions, "weir");
	visit(argument, &game->memory, "weir");
}
