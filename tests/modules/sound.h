/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sound - a module that is right in everything, for those that are wrong in one thing.
 */
#ifndef SOUND_H
#define SOUND_H

#include <weir/policy.h>

struct sound_options {
	uint64_t size;
};

static const struct weir_option sound_table[] = {
	{.key = "size", .type = WEIR_OPTION_SIZE, .def = "64K", .min = 1, .max = 1 << 30, .doc = "a size"},
	{.key = NULL},
};

static void sound_ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)view;
	(void)limits;
}

static inline struct weir_policy sound(const char *name)
{
	return (struct weir_policy){
		.magic = WEIR_POLICY_MAGIC,
		.major = WEIR_POLICY_MAJOR,
		.minor = WEIR_POLICY_MINOR,
		.size = sizeof(struct weir_policy),
		.name = name,
		.summary = "a test",
		.options = sound_table,
		.option_stride = sizeof(struct weir_option),
		.options_size = sizeof(struct sound_options),
		.ask = sound_ask,
	};
}

/* The whole module: sound but for one thing. */
#define SOUND_BUT(name, fault)                                                                                         \
	const struct weir_policy *weir_policy_entry(void)                                                              \
	{                                                                                                              \
		static struct weir_policy policy;                                                                      \
                                                                                                                       \
		policy = sound(name);                                                                                  \
		fault;                                                                                                 \
		return &policy;                                                                                        \
	}

#endif
