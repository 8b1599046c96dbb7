/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loading - what the tests of configurations share.
 */
#include "loading.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"

char *messages;

struct config *load(const char *file)
{
	size_t size;
	FILE *errors;
	struct config *config;

	free(messages);
	errors = open_memstream(&messages, &size);
	config = config_load(file, "modules", errors);
	fclose(errors);
	return config;
}

struct config *load_text(const char *text)
{
	struct config *config;

	directory_write("weir.ini", text, strlen(text));
	config = load("weir.ini");
	ck_assert_msg(config != NULL, "%s", messages);
	ck_assert_str_eq(messages, "");
	return config;
}

void assert_refused(const char *file, const char *expected)
{
	ck_assert_ptr_null(load(file));
	ck_assert_str_eq(messages, expected);
}
