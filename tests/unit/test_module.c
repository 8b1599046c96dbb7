/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules that are found, and refused; policies made of modules.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "module.h"
#include "option.h"
#include "policy.h"

static char error[2048];

static struct module *opened(const char *name)
{
	struct module *module = module_open("modules", name, error, sizeof(error));

	ck_assert_msg(module != NULL, "%s", error);
	return module;
}

static void assert_refused(const char *directory, const char *name, const char *expected)
{
	struct module *module = module_open(directory, name, error, sizeof(error));

	ck_assert_ptr_null(module);
	ck_assert_str_eq(error, expected);
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

START_TEST(opened_once)
{
	struct module *first = opened("watermark"), *other = opened("newer"), *second = opened("watermark");

	ck_assert_ptr_eq(first, second);
	ck_assert_ptr_ne(first, other);
	ck_assert_str_eq(first->api.name, "watermark");
	ck_assert_str_eq(other->api.name, "newer");
	module_close(first);
	ck_assert_str_eq(second->api.name, "watermark");
	module_close(second);
	module_close(other);
	first = opened("watermark");
	module_close(first);
}
END_TEST

#define MODULE_NAME "; expected at most 64 of a-z, 0-9, '_' and '-'"

static const struct {
	const char *name, *error;
} bad_names[] = {
	{"../modules/watermark", "\"../modules/watermark\" is no module's name" MODULE_NAME},
	{"/etc/passwd", "\"/etc/passwd\" is no module's name" MODULE_NAME},
	{"watermark.so", "\"watermark.so\" is no module's name" MODULE_NAME},
	{"Watermark", "\"Watermark\" is no module's name" MODULE_NAME},
	{"", "\"\" is no module's name" MODULE_NAME},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is no module's name" MODULE_NAME},
};

START_TEST(bad_name)
{
	assert_refused("modules", bad_names[_i].name, bad_names[_i].error);
}
END_TEST

START_TEST(missing)
{
	assert_refused("modules", "watermrk", "no file modules/watermrk.so; did you mean \"watermark\"?");
	assert_refused("modules", "credit-of-all",
		"no file modules/credit-of-all.so; expected a module that is installed there");
	assert_refused("nowhere", "watermark",
		"cannot open the module directory nowhere: No such file or directory; expected a directory");
	directory_write("plain", "x", 1);
	assert_refused("plain", "watermark",
		"cannot open the module directory plain: Not a directory; expected a directory");
}
END_TEST

START_TEST(not_an_object)
{
	directory_write("modules/text.so", "this is no ELF file, although it is long enough to be one ...............",
		70);
	assert_refused("modules", "text", "modules/text.so is no ELF file; expected a shared object for this machine");
	directory_write("modules/empty.so", "", 0);
	assert_refused("modules", "empty",
		"modules/empty.so is too short for an ELF file; expected a shared object for this machine");
	directory_run("cp \"$WEIR_SRCDIR\"/LICENSE modules/license.so && printf '\\177ELF' | "
		      "dd of=modules/license.so conv=notrunc status=none");
	ck_assert_ptr_null(module_open("modules", "license", error, sizeof(error)));
	ck_assert_msg(strstr(error, "modules/license.so is an ELF file of class ") == error, "%s", error);
}
END_TEST

/* Wherever it ends, short of the whole: dlopen() alone would die of SIGBUS. */
START_TEST(cut_off)
{
	struct stat status;

	ck_assert_int_eq(stat("modules/watermark.so", &status), 0);
	directory_run("cp modules/watermark.so modules/cut.so");
	for (off_t length = status.st_size; length > 0; length -= length > 512 ? 256 : 1) {
		struct module *module;

		ck_assert_int_eq(truncate("modules/cut.so", length), 0);
		module = module_open("modules", "cut", error, sizeof(error));
		ck_assert_ptr_null(module); /* whole, it has the wrong name */
		ck_assert_msg(strncmp(error, "modules/cut.so", 14) == 0, "%s", error);
	}
	directory_run("cp modules/watermark.so modules/cut.so && truncate -s 4000 modules/cut.so");
	ck_assert_ptr_null(module_open("modules", "cut", error, sizeof(error)));
	ck_assert_msg(strstr(error, "modules/cut.so is cut off at 4000 bytes; expected at least ") == error, "%s",
		error);
}
END_TEST

START_TEST(not_a_regular_file)
{
	directory_run("mkdir -p modules/dir.so && ln -sf watermark.so modules/link.so && rm -f modules/fifo.so && "
		      "mkfifo modules/fifo.so");
	assert_refused("modules", "dir", "modules/dir.so is no regular file; expected one");
	assert_refused("modules", "link", "modules/link.so is a symbolic link; expected the file itself");
	assert_refused("modules", "fifo", "modules/fifo.so is no regular file; expected one");
}
END_TEST

#define OWNER_ONLY "; expected write permission for its owner only"

START_TEST(others_could_have_written_it)
{
	directory_run("mkdir -p loose && cp modules/watermark.so loose/w.so");
	ck_assert_int_eq(chmod("loose/w.so", 0775), 0);
	assert_refused("loose", "w", "loose/w.so can be written by others (mode 0775)" OWNER_ONLY);
	ck_assert_int_eq(chmod("loose/w.so", 0757), 0);
	assert_refused("loose", "w", "loose/w.so can be written by others (mode 0757)" OWNER_ONLY);
	ck_assert_int_eq(chmod("loose/w.so", 0755), 0);
	ck_assert_int_eq(chmod("loose", 01777), 0);
	assert_refused("loose", "w", "loose can be written by others (mode 1777)" OWNER_ONLY);
	ck_assert_int_eq(chmod("loose", 0775), 0);
	assert_refused("loose", "w", "loose can be written by others (mode 0775)" OWNER_ONLY);
}
END_TEST

START_TEST(others_own_it)
{
	if (geteuid() != 0)
		return; /* only root can give files away */
	directory_run(
		"mkdir -p given && chmod 755 given && cp modules/watermark.so given/w.so && chown 4711 given/w.so");
	assert_refused("given", "w", "given/w.so belongs to uid 4711; expected root or uid 0");
	directory_run("chown 4711 given && chown 0 given/w.so");
	assert_refused("given", "w", "given belongs to uid 4711; expected root or uid 0");
	/* What is its user's own is trusted. */
	directory_run("chown 4711 given given/w.so && mv given/w.so given/watermark.so");
	ck_assert_int_eq(seteuid(4711), 0);
	module_close(module_open("given", "watermark", error, sizeof(error)));
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(unreadable)
{
	if (geteuid() != 0)
		return; /* as root, who may read all, the test becomes another */
	directory_run("mkdir -p shut && chmod 755 shut && cp modules/watermark.so shut/w.so && chmod 700 shut/w.so");
	ck_assert_int_eq(seteuid(4711), 0);
	assert_refused("shut", "w", "cannot open shut/w.so: Permission denied; expected a readable file");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static const struct {
	const char *name, *error;
} bad_modules[] = {
	{"bad_magic", "modules/bad_magic.so: the module's magic is 0x12345678; expected 0x72696577"},
	{"bad_major", "modules/bad_major.so: the module speaks policy ABI 2.x; expected 1.x, which this weir speaks"},
	{"bad_size",
		"modules/bad_size.so: the module's struct weir_policy has 104 bytes; expected at least 144, its size "
		"in ABI 1.0"},
	{"no_ask", "modules/no_ask.so: the module's ask is NULL; expected a function"},
	{"no_scan",
		"modules/no_scan.so: the module's scan is NULL although it needs WEIR_NEED_SCAN; expected a function"},
	{"no_entry", "modules/no_entry.so has no function weir_policy_entry; expected a policy module"},
	{"null_entry", "modules/null_entry.so: weir_policy_entry() returned NULL; expected a struct weir_policy"},
	{"other_name",
		"modules/other_name.so: the module calls itself \"watermark\"; expected \"other_name\", its file's "
		"name"},
};

START_TEST(bad_module)
{
	assert_refused("modules", bad_modules[_i].name, bad_modules[_i].error);
}
END_TEST

START_TEST(newer_module_is_served)
{
	struct module *module = opened("newer");
	struct policy *policy = policy_new("p", module);
	const struct weir_option *row;

	ck_assert_ptr_nonnull(policy);
	row = option_at(module->api.options, module->api.option_stride, 1);
	ck_assert_str_eq(row->key, "size");
	ck_assert_str_eq(row->def, "2K");
	ck_assert_int_eq(policy_check(policy, error, sizeof(error)), 0);
	policy_free(policy);
}
END_TEST

START_TEST(help)
{
	struct module *module = opened("everything");
	char first[100];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	module_help(out, module);
	fclose(out);
	snprintf(first, sizeof(first), "everything - a test\nmodule ABI %d.%d, modules/everything.so\n\n",
		WEIR_POLICY_MAJOR, WEIR_POLICY_MINOR);
	ck_assert_msg(strncmp(text, first, strlen(first)) == 0, "%s", text);
	ck_assert_msg(strstr(text,
			      "\npool segments, one for each [policy] section; segments gives its size, a unit stands "
			      "for 32768 bytes of memory\n") != NULL,
		"%s", text);
	ck_assert_msg(strstr(text, "\npool slots, one for each listener; slots gives its size, ") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "\n[policy NAME]\n  module = everything\n  size = 64K\n") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "\n  count = (required)\n      a number from 1 to 1000\n") != NULL, "%s", text);
	free(text);
	module_close(module);
}
END_TEST

static const struct {
	const char *module;
	const char *line;
} told[] = {
	{"credit",
		"\npool segments, one for each [policy] section; pool gives its size, segment its unit, exclusive what "
		"each flow owns\n"},
	{"inflight-cap",
		"\npool per_upstream, one for each upstream, in each direction; per_upstream gives its size\n"},
	{"inflight-cap", "\ncounter congested: times a session's window was halved\n"},
};

START_TEST(help_of_pools_and_counters)
{
	struct module *module = opened(told[_i].module);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	module_help(out, module);
	fclose(out);
	ck_assert_msg(strstr(text, told[_i].line) != NULL, "%s", text);
	free(text);
	module_close(module);
}
END_TEST

/* ---- policies ------------------------------------------------------------------------------------------------------ */

static void set(struct policy *policy, const char *key, const char *text)
{
	const struct weir_policy *api = &policy->module->api;
	const struct weir_option *option = option_find(api->options, api->option_stride, key);

	ck_assert_msg(option_set(option, policy->options, text, error, sizeof(error)) == 0, "%s", error);
}

START_TEST(policy_with_pools)
{
	struct policy *policy = policy_new("all", opened("everything"));

	ck_assert_ptr_nonnull(policy);
	ck_assert_uint_eq(policy_pool_size(policy, 0), 16);
	ck_assert_str_eq(policy_pool(policy, 1).name, "slots");
	ck_assert_uint_eq(policy_pool_bytes(policy, 1), 16 * 32768 + 8 * 4096);
	ck_assert_int_eq(policy_check(policy, error, sizeof(error)), 0);
	ck_assert_int_eq(policy_start(policy, 3), 0);
	ck_assert_ptr_nonnull(policy->pools[0][WEIR_UP]);
	ck_assert_ptr_null(policy->pools[1][WEIR_UP]);
	ck_assert_int_eq(pool_free(policy->pools[0][WEIR_UP]), 16);
	ck_assert_ptr_nonnull(policy->state);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq((uintptr_t)policy_worker_state(policy, i) % 64, 0);
		memset(policy_worker_state(policy, i), 1, 40);
	}
	ck_assert_ptr_null(policy_worker_state(policy, 3));
	policy_free(policy);
}
END_TEST

START_TEST(policy_checks)
{
	struct policy *policy = policy_new("all", opened("everything"));

	set(policy, "segments", "0");
	ck_assert_int_eq(policy_check(policy, error, sizeof(error)), -1);
	ck_assert_str_eq(error, "pool segments has 0 units; expected 1 to 2147483647");
	set(policy, "segments", "2147483648");
	ck_assert_int_eq(policy_check(policy, error, sizeof(error)), -1);
	ck_assert_str_eq(error, "pool segments has 2147483648 units; expected 1 to 2147483647");
	set(policy, "segments", "1");
	set(policy, "count", "13");
	ck_assert_int_eq(policy_check(policy, error, sizeof(error)), -1);
	ck_assert_str_eq(error, "the module everything refuses these options without a reason; expected others");
	policy_free(policy);
	policy_free(NULL);
}
END_TEST

START_TEST(policy_without_anything)
{
	struct policy *policy = policy_new("w", opened("watermark"));

	ck_assert_uint_eq(policy_pool_bytes(policy, 1), 0);
	ck_assert_int_eq(policy_start(policy, 2), 0);
	ck_assert_ptr_null(policy->state);
	ck_assert_ptr_null(policy_worker_state(policy, 0));
	policy_free(policy);
}
END_TEST

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("module");
	TCase *tcase = tcase_create("module");

	tcase_add_unchecked_fixture(tcase, directory_enter, directory_remove);
	tcase_add_test(tcase, opened_once);
	tcase_add_loop_test(tcase, bad_name, 0, COUNT(bad_names));
	tcase_add_test(tcase, missing);
	tcase_add_test(tcase, not_an_object);
	tcase_add_test(tcase, cut_off);
	tcase_add_test(tcase, not_a_regular_file);
	tcase_add_test(tcase, others_could_have_written_it);
	tcase_add_test(tcase, others_own_it);
	tcase_add_test(tcase, unreadable);
	tcase_add_loop_test(tcase, bad_module, 0, COUNT(bad_modules));
	tcase_add_test(tcase, newer_module_is_served);
	tcase_add_test(tcase, help);
	tcase_add_loop_test(tcase, help_of_pools_and_counters, 0, sizeof(told) / sizeof(told[0]));
	tcase_add_test(tcase, policy_with_pools);
	tcase_add_test(tcase, policy_checks);
	tcase_add_test(tcase, policy_without_anything);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
