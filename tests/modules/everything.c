/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * everything - options of each type, pools of each scope, and a check that refuses without saying why.
 */
#include "sound.h"

struct options {
	uint64_t size;
	uint64_t time;
	uint64_t count;
	uint64_t segments; /* of 32K */
	uint64_t slots;
	const char *text;
	uint32_t flag;
	uint32_t word;
};

static const char *const words[] = {"one", "two", "three", NULL};
static const char *const never[] = {"never", NULL};

static const struct weir_option table[] = {
	{"size", WEIR_OPTION_SIZE, offsetof(struct options, size), "64K", 1, 1 << 30, NULL, "a size"},
	{"time", WEIR_OPTION_TIME, offsetof(struct options, time), "never", 0, UINT64_C(3600000000000), never,
		"a time"},
	{"count", WEIR_OPTION_COUNT, offsetof(struct options, count), NULL, 1, 1000, NULL, "how many; 13 is refused"},
	{"segments", WEIR_OPTION_COUNT, offsetof(struct options, segments), "16", 0, UINT32_MAX, NULL, "shared by all"},
	{"slots", WEIR_OPTION_COUNT, offsetof(struct options, slots), "8", 1, 1 << 20, NULL, "shared by a listener"},
	{"text", WEIR_OPTION_STRING, offsetof(struct options, text), "", 0, 0, NULL, "a text"},
	{"flag", WEIR_OPTION_BOOL, offsetof(struct options, flag), "no", 0, 0, NULL, "yes or no"},
	{"word", WEIR_OPTION_ENUM, offsetof(struct options, word), "two", 0, 0, words, "a word"},
	{NULL, 0, 0, NULL, 0, 0, NULL, NULL},
};

static const struct weir_pool pools[] = {
	{.name = "segments",
		.scope = WEIR_SCOPE_INSTANCE,
		.size_offset = offsetof(struct options, segments),
		.unit_bytes = 32768},
	{.name = "slots",
		.scope = WEIR_SCOPE_LISTENER,
		.size_offset = offsetof(struct options, slots),
		.unit_bytes = 4096},
};

static int check(const void *options, char *error, size_t error_size)
{
	const struct options *set = options;

	(void)error;
	(void)error_size;
	return set->count == 13 ? -1 : 0;
}

SOUND_BUT("everything", policy.options = table; policy.options_size = sizeof(struct options); policy.pools = pools;
	  policy.pool_stride = sizeof(pools[0]); policy.pool_count = 2; policy.check = check;
	  policy.instance_size = 100; policy.worker_size = 40; policy.flow_size = 8)
