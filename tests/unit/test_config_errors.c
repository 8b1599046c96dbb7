/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What config_load() says: the table of errors, and files that are none.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cases.h"
#include "config.h"
#include "directory.h"
#include "loading.h"

/* ---- the table of errors ------------------------------------------------------------------------------------------- */

START_TEST(table_of_errors)
{
	directory_write("weir.ini", cases[_i].file, cases[_i].length);
	ck_assert_ptr_null(load("weir.ini"));
	ck_assert_msg(strcmp(messages, cases[_i].expected) == 0, "%s: got:\n%s\nexpected:\n%s", cases[_i].name,
		messages, cases[_i].expected);
}
END_TEST

/* ---- files that are none ------------------------------------------------------------------------------------------- */

START_TEST(no_such_file)
{
	assert_refused("missing.ini",
		"missing.ini: cannot open: No such file or directory; expected a readable ini file\n");
	assert_refused("modules", "modules: is a directory; expected an ini file\n");
	assert_refused("modules/x/y",
		"modules/x/y: cannot open: No such file or directory; expected a readable ini file\n");
}
END_TEST

START_TEST(unreadable_file)
{
	directory_write("shut.ini", LISTENER, strlen(LISTENER));
	ck_assert_int_eq(chmod("shut.ini", 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(4711), 0);
	assert_refused("shut.ini", "shut.ini: cannot open: Permission denied; expected a readable ini file\n");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* A line of so many bytes in front of what is right. */
static void write_long_line(size_t length)
{
	char *bytes = malloc(length + 1 + strlen(LISTENER));

	memset(bytes, ';', length);
	memcpy(bytes + length, "\n" LISTENER, 1 + strlen(LISTENER));
	directory_write("long.ini", bytes, length + 1 + strlen(LISTENER));
	free(bytes);
}

START_TEST(long_lines)
{
	struct config *config;

	write_long_line(4000);
	config = load("long.ini");
	ck_assert_msg(config != NULL, "%s", messages);
	config_free(config);
	write_long_line(4001);
	assert_refused("long.ini", "long.ini:1: a line of 4001 bytes; expected at most 4000\n");
	write_long_line(1 << 20);
	assert_refused("long.ini", "long.ini:1: a line of 1048576 bytes; expected at most 4000\n");
}
END_TEST

/* The longest line reaches inih whole. */
START_TEST(long_value)
{
	static char text[4100];
	size_t length = (size_t)snprintf(text, sizeof(text), "[weir]\nmodule_dir = ");
	struct config *config;

	memset(text + length, 'x', 4000 - strlen("module_dir = "));
	memcpy(text + length + 4000 - strlen("module_dir = "), "\n" LISTENER, sizeof("\n" LISTENER));
	config = load_text(text);
	config_free(config);
	text[strlen("[weir]\n") + 4000 - 1] = '\x01';
	directory_write("weir.ini", text, strlen(text));
	assert_refused("weir.ini", "weir.ini:2: [weir]: byte 0x01 in column 4000; expected text\n");
}
END_TEST

START_TEST(an_endless_file)
{
	ck_assert_ptr_null(load("/dev/zero"));
	ck_assert_str_eq(messages,
		"/dev/zero:1: the file goes on behind its first 16777216 bytes; expected a smaller one\n"
		"/dev/zero: no listener; expected a section [listener NAME]\n");
	assert_refused("/dev/null", "/dev/null: no listener; expected a section [listener NAME]\n");
}
END_TEST

START_TEST(many_errors_are_counted)
{
	FILE *file = fopen("many.ini", "w");
	size_t lines = 0;

	for (int i = 0; i < 1000; i++)
		fprintf(file, "junk\n");
	fclose(file);
	ck_assert_ptr_null(load("many.ini"));
	for (const char *c = messages; *c != '\0'; c++)
		lines += *c == '\n';
	ck_assert_uint_eq(lines, 101);
	ck_assert_msg(
		strstr(messages,
			"\nmany.ini:100: no '=' in \"junk\"; expected key = value\nmany.ini: 901 more errors\n") !=
			NULL,
		"%s", messages);
}
END_TEST

static void enter(void)
{
	directory_enter();
	directory_run(
		"echo text >modules/text.so && cp modules/watermark.so modules/loose.so && chmod 757 modules/loose.so");
}

int main(void)
{
	Suite *suite = suite_create("config_errors");
	TCase *tcase = tcase_create("config_errors");

	cases_read("tests/e2e/config_errors.table");
	tcase_add_unchecked_fixture(tcase, enter, directory_remove);
	tcase_add_loop_test(tcase, table_of_errors, 0, case_count);
	tcase_add_test(tcase, no_such_file);
	tcase_add_test(tcase, unreadable_file);
	tcase_add_test(tcase, long_lines);
	tcase_add_test(tcase, long_value);
	tcase_add_test(tcase, an_endless_file);
	tcase_add_test(tcase, many_errors_are_counted);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
