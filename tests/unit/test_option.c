/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option engine: text to value, value to text, and what it says when it will not.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "config_table.h"
#include "config.h"
#include "option.h"

#define SECOND UINT64_C(1000000000)

struct values {
	uint64_t size;
	uint64_t time;
	uint64_t count;
	uint32_t flag;
	uint32_t word;
	char *text;
};

static const char *const auto_words[] = {"auto", "kernel", NULL};
static const char *const colours[] = {"red", "green", "blue", NULL};

#define AT(member) .offset = offsetof(struct values, member)

static const struct weir_option table[] = {
	{.key = "size",
		.type = WEIR_OPTION_SIZE,
		AT(size),
		.def = "4K",
		.min = 1024,
		.max = 1 << 30,
		.names = auto_words,
		.doc = "bytes"},
	{.key = "time",
		.type = WEIR_OPTION_TIME,
		AT(time),
		.def = "5s",
		.min = 1000000,
		.max = 3600 * SECOND,
		.doc = "how long"},
	{.key = "count",
		.type = WEIR_OPTION_COUNT,
		AT(count),
		.def = "7",
		.min = 1,
		.max = UINT64_MAX,
		.doc = "how many"},
	{.key = "flag", .type = WEIR_OPTION_BOOL, AT(flag), .def = "yes", .doc = "whether"},
	{.key = "word", .type = WEIR_OPTION_ENUM, AT(word), .def = "green", .names = colours, .doc = "which"},
	{.key = "text", .type = WEIR_OPTION_STRING, AT(text), .def = "", .doc = "what"},
	{.key = NULL},
};

#define STRIDE sizeof(table[0])

static struct values fresh(void)
{
	struct values values = {0};
	char error[512];

	ck_assert_int_eq(option_defaults(table, STRIDE, &values, error, sizeof(error)), 0);
	return values;
}

/* ---- good values --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *key, *text;
	uint64_t value;
	const char *back;
} good[] = {
	{"size", "1024", 1024, "1K"},
	{"size", "1025", 1025, "1025"},
	{"size", "64K", 65536, "64K"},
	{"size", "0001024K", 1 << 20, "1M"},
	{"size", "1G", 1 << 30, "1G"},
	{"size", "auto", UINT64_MAX, "auto"},
	{"size", "kernel", UINT64_MAX - 1, "kernel"},
	{"time", "1ms", 1000000, "1ms"},
	{"time", "1000us", 1000000, "1ms"},
	{"time", "1001us", 1001000, "1001us"},
	{"time", "1500ms", 1500000000, "1500ms"},
	{"time", "1000ms", SECOND, "1s"},
	{"time", "2", 2 * SECOND, "2s"},
	{"time", "90s", 90 * SECOND, "90s"},
	{"time", "60s", 60 * SECOND, "1m"},
	{"time", "60m", 3600 * SECOND, "1h"},
	{"count", "1", 1, "1"},
	{"count", "18446744073709551615", UINT64_MAX, "18446744073709551615"},
	{"count", "0x1f", 31, "31"},
	{"count", "0x0000Ff", 255, "255"},
	{"count", "0xffffffffffffffff", UINT64_MAX, "18446744073709551615"},
};

START_TEST(good_number)
{
	const struct weir_option *option = option_find(table, STRIDE, good[_i].key);
	struct values values = fresh();
	char buffer[64], error[512] = "";
	uint64_t value;

	ck_assert_msg(option_set(option, &values, good[_i].text, error, sizeof(error)) == 0, "%s: %s", good[_i].text,
		error);
	memcpy(&value, (char *)&values + option->offset, sizeof(value));
	ck_assert_uint_eq(value, good[_i].value);
	ck_assert_str_eq(option_text(option, &values, buffer, sizeof(buffer)), good[_i].back);
	option_free(table, STRIDE, &values);
}
END_TEST

/* ---- bad values ---------------------------------------------------------------------------------------------------- */

#define SIZES "expected a size from 1K to 1G, auto or kernel"
#define TIMES "expected a time from 1ms to 1h"
#define COUNTS "expected a number of at least 1"

static const struct {
	const char *key, *text, *error;
} bad[] = {
	{"size", "", "\"\" is no number; " SIZES},
	{"size", "x", "\"x\" is no number; " SIZES},
	{"size", "K", "\"K\" is no number; " SIZES},
	{"size", "+5", "\"+5\" is no number; " SIZES},
	{"size", " 5", "\" 5\" is no number; " SIZES},
	{"size", "Auto", "\"Auto\" is no number; " SIZES},
	{"size", "-", "\"-\" is no number; " SIZES},
	{"size", "-64K", "\"-64K\" is negative; " SIZES},
	{"size", "1.5M", "\"1.5M\" is no whole number; " SIZES},
	{"size", "64k", "\"64\" is followed by the unknown unit \"k\"; expected K, M, G, or nothing for bytes"},
	{"size", "64KB", "\"64\" is followed by the unknown unit \"KB\"; expected K, M, G, or nothing for bytes"},
	{"size", "64 K", "\"64\" is followed by the unknown unit \" K\"; expected K, M, G, or nothing for bytes"},
	{"size", "1T", "\"1\" is followed by the unknown unit \"T\"; expected K, M, G, or nothing for bytes"},
	{"size", "0", "\"0\" is below 1K; " SIZES " (bytes)"},
	{"size", "1023", "\"1023\" is below 1K; " SIZES " (bytes)"},
	{"size", "2G", "\"2G\" is above 1G; " SIZES " (bytes)"},
	{"size", "99999999999999999999", "\"99999999999999999999\" is above 1G; " SIZES " (bytes)"},
	{"size", "18446744073709551615", "\"18446744073709551615\" is above 1G; " SIZES " (bytes)"},
	{"size", "17179869185G", "\"17179869185G\" is above 1G; " SIZES " (bytes)"},
	{"time", "5x", "\"5\" is followed by the unknown unit \"x\"; expected us, ms, s, m, h, or nothing for seconds"},
	{"time", "0", "\"0\" is below 1ms; " TIMES " (how long)"},
	{"time", "61m", "\"61m\" is above 1h; " TIMES " (how long)"},
	{"time", "never", "\"never\" is no number; " TIMES},
	{"count", "12abc", "\"12abc\" has \"abc\" behind the number; " COUNTS},
	{"count", "5K", "\"5K\" has \"K\" behind the number; " COUNTS},
	{"count", "0", "\"0\" is below 1; " COUNTS " (how many)"},
	{"count", "0x", "\"0x\" has \"x\" behind the number; " COUNTS},
	{"count", "0x0", "\"0x0\" is below 1; " COUNTS " (how many)"},
	{"count", "0x1g", "\"0x1g\" has \"g\" behind the number; " COUNTS},
	{"count", "0X1", "\"0X1\" has \"X1\" behind the number; " COUNTS},
	{"count", "0x10000000000000000",
		"\"0x10000000000000000\" is above 18446744073709551615; " COUNTS " (how many)"},
	{"size", "0x400", "\"0\" is followed by the unknown unit \"x400\"; expected K, M, G, or nothing for bytes"},
	{"count", "18446744073709551616",
		"\"18446744073709551616\" is above 18446744073709551615; " COUNTS " (how many)"},
	{"flag", "true", "\"true\" is neither yes nor no; expected yes or no"},
	{"flag", "Yes", "\"Yes\" is neither yes nor no; expected yes or no"},
	{"flag", "", "\"\" is neither yes nor no; expected yes or no"},
	{"word", "yellow", "\"yellow\" is not known; expected red, green or blue"},
	{"word", "", "\"\" is not known; expected red, green or blue"},
	{"count", "1234567890123456789012345678901234567890123456789012345678901234567890",
		"\"1234567890123456789012345678901234567890123456789012345678...\" is above 18446744073709551615; " COUNTS
		" (how many)"},
};

START_TEST(bad_value)
{
	const struct weir_option *option = option_find(table, STRIDE, bad[_i].key);
	struct values values = fresh(), before = values;
	char error[512] = "";

	ck_assert_int_eq(option_set(option, &values, bad[_i].text, error, sizeof(error)), -1);
	ck_assert_str_eq(error, bad[_i].error);
	ck_assert_mem_eq(&values, &before, sizeof(values));
	option_free(table, STRIDE, &values);
}
END_TEST

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

START_TEST(defaults_go_through_the_parser)
{
	struct values values = fresh();

	ck_assert_uint_eq(values.size, 4096);
	ck_assert_uint_eq(values.time, 5 * SECOND);
	ck_assert_uint_eq(values.flag, 1);
	ck_assert_uint_eq(values.word, 1);
	ck_assert_str_eq(values.text, "");
	option_free(table, STRIDE, &values);
	ck_assert_ptr_null(values.text);
}
END_TEST

START_TEST(bad_default_is_named)
{
	static const struct weir_option broken[] =
		{{.key = "k", .type = WEIR_OPTION_SIZE, .def = "0", .min = 1, .max = 2, .doc = "d"}, {.key = NULL}};
	struct values values = {0};
	char error[512];

	ck_assert_int_eq(option_defaults(broken, sizeof(broken[0]), &values, error, sizeof(error)), -1);
	ck_assert_str_eq(error, "default of k: \"0\" is below 1; expected a size from 1 to 2 (d)");
}
END_TEST

START_TEST(unknown_type_is_refused)
{
	struct weir_option odd = {.key = "k", .type = 77, .doc = "d"};
	struct values values = {0};
	char error[512];

	ck_assert_int_eq(option_set(&odd, &values, "1", error, sizeof(error)), -1);
	ck_assert_str_eq(error, "the option's type 77 is unknown; expected 1 to 6");
}
END_TEST

START_TEST(string_is_replaced)
{
	const struct weir_option *option = option_find(table, STRIDE, "text");
	struct values values = fresh();
	char error[512], buffer[64];

	ck_assert_int_eq(option_set(option, &values, "first", error, sizeof(error)), 0);
	ck_assert_int_eq(option_set(option, &values, "second", error, sizeof(error)), 0);
	ck_assert_str_eq(option_text(option, &values, buffer, sizeof(buffer)), "second");
	option_free(table, STRIDE, &values);
}
END_TEST

START_TEST(rows_of_a_newer_module)
{
	static const struct {
		struct weir_option row;
		uint64_t grown;
	} wide[] = {{{.key = "a", .type = WEIR_OPTION_COUNT, .def = "1"}, 1},
		{{.key = "b", .type = WEIR_OPTION_COUNT}, 2}, {{.key = NULL}, 0}};

	ck_assert_ptr_eq(option_find(&wide[0].row, sizeof(wide[0]), "b"), &wide[1].row);
	ck_assert_ptr_null(option_find(&wide[0].row, sizeof(wide[0]), "c"));
	ck_assert_ptr_null(option_at(NULL, sizeof(wide[0]), 0));
}
END_TEST

START_TEST(small_error_buffers_are_enough)
{
	const struct weir_option *option = option_find(table, STRIDE, "size");
	struct values values = fresh();
	char error[8];

	ck_assert_int_eq(option_set(option, &values, "nonsense", error, sizeof(error)), -1);
	ck_assert_str_eq(error, "\"nonsen");
	option_free(table, STRIDE, &values);
}
END_TEST

START_TEST(help_tells_all)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	option_help(out, table, STRIDE);
	fclose(out);
	ck_assert_str_eq(text,
		"  size = 4K\n      a size from 1K to 1G, auto or kernel\n      bytes\n"
		"  time = 5s\n      a time from 1ms to 1h\n      how long\n"
		"  count = 7\n      a number of at least 1\n      how many\n"
		"  flag = yes\n      yes or no\n      whether\n"
		"  word = green\n      red, green or blue\n      which\n"
		"  text = \n      a text\n      what\n");
	free(text);
}
END_TEST

static const struct {
	const char *word, *nearest;
} near_words[] = {{"workers", "workers"}, {"wrokers", "workers"}, {"worker", "workers"}, {"Workers", "workers"},
	{"lwo", "low"}, {"lo", "low"}, {"hi", NULL}, {"hgih", "high"}, {"memroy", "memory"}, {"x", NULL}, {"", NULL},
	{"nothing_like_it", NULL},
	{"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww", NULL}};

START_TEST(nearest_word)
{
	static const char *const known[] = {"workers", "memory", "low", "high", NULL};
	const char *nearest = option_nearest(near_words[_i].word, known);

	ck_assert_pstr_eq(nearest, near_words[_i].nearest);
}
END_TEST

START_TEST(own_tables_are_sound)
{
	struct config_weir weir = {0};
	struct config_listener listener = {0};
	char error[512] = "";

	ck_assert_msg(option_defaults(config_weir_table, CONFIG_TABLE_STRIDE, &weir, error, sizeof(error)) == 0, "%s",
		error);
	ck_assert_msg(option_defaults(config_listener_table, CONFIG_TABLE_STRIDE, &listener, error, sizeof(error)) == 0,
		"%s", error);
	ck_assert_uint_eq(weir.workers, CONFIG_AUTO);
	ck_assert_uint_eq(listener.sndbuf, CONFIG_KERNEL);
	ck_assert_uint_eq(listener.rcvbuf, CONFIG_AUTO);
	option_free(config_weir_table, CONFIG_TABLE_STRIDE, &weir);
	option_free(config_listener_table, CONFIG_TABLE_STRIDE, &listener);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("option");
	TCase *tcase = tcase_create("option");

	tcase_add_loop_test(tcase, good_number, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, bad_value, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, defaults_go_through_the_parser);
	tcase_add_test(tcase, bad_default_is_named);
	tcase_add_test(tcase, unknown_type_is_refused);
	tcase_add_test(tcase, string_is_replaced);
	tcase_add_test(tcase, rows_of_a_newer_module);
	tcase_add_test(tcase, small_error_buffers_are_enough);
	tcase_add_test(tcase, help_tells_all);
	tcase_add_loop_test(tcase, nearest_word, 0, sizeof(near_words) / sizeof(near_words[0]));
	tcase_add_test(tcase, own_tables_are_sound);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
