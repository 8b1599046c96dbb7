/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial - see trial.h.
 */
#include "trial.h"

#include <check.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

struct trial trial;

static uint64_t flow_state[1024];
static uint64_t session_state[1024];
static uint64_t instance_state[64];
static uint64_t options[64];

void trial_load(const char *name)
{
	const struct weir_policy *(*entry)(void);
	char path[4096];
	void *handle;

	snprintf(path, sizeof(path), "%s/%s.so", getenv("WEIR_POLICIES"), name);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(handle != NULL, "%s", dlerror());
	*(void **)&entry = dlsym(handle, WEIR_POLICY_ENTRY);
	ck_assert_ptr_nonnull(*(void **)&entry);
	trial.policy = entry();
	ck_assert_uint_le(trial.policy->flow_size, sizeof(flow_state));
	ck_assert_uint_le(trial.policy->session_size, sizeof(session_state));
	ck_assert_uint_le(trial.policy->instance_size, sizeof(instance_state));
	ck_assert_uint_le(trial.policy->options_size, sizeof(options));
}

static void set_option(char *text)
{
	char error[256];
	char *value = strchr(text, '=');
	const struct weir_option *option;

	ck_assert_msg(value != NULL, "no value in %s", text);
	*value++ = '\0';
	option = option_find(trial.policy->options, trial.policy->option_stride, text);
	ck_assert_msg(option != NULL, "%s has no option %s", trial.policy->name, text);
	ck_assert_msg(option_set(option, options, value, error, sizeof(error)) == 0, "%s = %s: %s", text, value, error);
}

__attribute__((format(printf, 1, 0))) static void set_options(const char *text, va_list rest)
{
	char error[256];
	char texts[256];
	char *next = texts;
	char *word;

	memset(options, 0, sizeof(options));
	ck_assert_int_eq(option_defaults(trial.policy->options, trial.policy->option_stride, options, error,
				 sizeof(error)),
		0);
	vsnprintf(texts, sizeof(texts), text, rest);
	while ((word = strsep(&next, " ")) != NULL)
		set_option(word);
}

void *trial_options(const char *text, ...)
{
	va_list rest;

	va_start(rest, text);
	set_options(text, rest);
	va_end(rest);
	return options;
}

static void lease_spend(const struct weir_call *call, uint32_t pool, uint64_t units)
{
	struct weir_lease *lease = &trial.view.pools[pool];

	ck_assert_ptr_eq(call, &trial.call);
	ck_assert_uint_eq(pool, 0);
	trial.spent += units;
	lease->units -= units < lease->units ? units : lease->units;
}

void trial_begin(const char *text, ...)
{
	static struct weir_host host = {.size = sizeof(host), .lease_spend = lease_spend};
	va_list rest;

	va_start(rest, text);
	set_options(text, rest);
	va_end(rest);
	memset(flow_state, 0, sizeof(flow_state));
	memset(session_state, 0, sizeof(session_state));
	memset(instance_state, 0, sizeof(instance_state));
	trial.view = (struct weir_view){.size = sizeof(trial.view)};
	trial.call = (struct weir_call){.size = sizeof(trial.call),
		.host = &host,
		.options = options,
		.instance = instance_state,
		.session = session_state,
		.flow = flow_state};
	trial.spent = 0;
	if (trial.policy->open != NULL)
		ck_assert_int_eq(trial.policy->open(&trial.call), 0);
}

struct weir_limits trial_ask(void)
{
	struct weir_limits limits = {.size = sizeof(limits),
		.read_to = WEIR_UNLIMITED,
		.write_to = WEIR_UNLIMITED,
		.held_max = WEIR_UNLIMITED,
		.chunks_to = WEIR_UNLIMITED,
		.ask_at = WEIR_NEVER};

	trial.policy->ask(&trial.call, &trial.view, &limits);
	return limits;
}

static uint64_t beyond(uint64_t limit, uint64_t now)
{
	return limit > now ? limit - now : 0;
}

uint64_t trial_room(void)
{
	struct weir_limits limits = trial_ask();
	uint64_t to_read = beyond(limits.read_to, trial.view.read);
	uint64_t to_hold = beyond(limits.held_max, trial.view.held);

	return to_read < to_hold ? to_read : to_hold;
}

bool trial_is_pure(void)
{
	uint64_t before[sizeof(flow_state) / sizeof(flow_state[0])];
	struct weir_limits first;
	struct weir_limits second;

	memcpy(before, flow_state, sizeof(before));
	first = trial_ask();
	second = trial_ask();
	return memcmp(&first, &second, sizeof(first)) == 0 && memcmp(before, flow_state, sizeof(before)) == 0;
}

const char *trial_refusal(void)
{
	static char error[256];

	error[0] = '\0';
	if (trial.policy->check(options, error, sizeof(error)) == 0)
		ck_assert_str_eq(error, "");
	else
		ck_assert_str_ne(error, "");
	return error;
}

void trial_turn(uint64_t chunks, uint64_t read, uint64_t written)
{
	struct weir_event event = {.size = sizeof(event), .read = read, .written = written};

	trial.view.chunks += read > 0 ? chunks : 0;
	trial.view.read += read;
	trial.view.written += written;
	trial.view.acked = trial.view.written;
	trial.view.held = trial.view.read - trial.view.written;
	event.what = (read > 0 ? WEIR_EVENT_READ : 0) | (written > 0 ? WEIR_EVENT_WROTE : 0);
	if (event.what != 0 && trial.policy->event != NULL)
		trial.policy->event(&trial.call, &trial.view, &event);
}
