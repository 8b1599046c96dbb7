/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios: what good ones become, what is said of bad ones, and what the command line says in a file's place.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cases.h"
#include "directory.h"
#include "option.h"
#include "scenario.h"
#include "scenario_table.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define MIB UINT64_C(1048576)
#define TRAFFIC "[traffic t]\n"

static char *messages;

static struct scenario *load_with(const char *file, const struct scenario_override *overrides, size_t count)
{
	struct scenario *scenario;
	size_t size;
	FILE *errors;

	free(messages);
	errors = open_memstream(&messages, &size);
	scenario = scenario_load(file, "modules", overrides, count, errors);
	fclose(errors);
	return scenario;
}

static struct scenario *load_text_with(const char *text, const struct scenario_override *overrides, size_t count)
{
	struct scenario *scenario;

	directory_write("a.ini", text, strlen(text));
	scenario = load_with("a.ini", overrides, count);
	ck_assert_msg(scenario != NULL, "%s", messages);
	ck_assert_str_eq(messages, "");
	return scenario;
}

static struct scenario *load_text(const char *text)
{
	return load_text_with(text, NULL, 0);
}

/* ---- good ones ----------------------------------------------------------------------------------------------------- */

START_TEST(defaults)
{
	struct scenario *scenario = load_text(TRAFFIC);
	const struct scenario_traffic *traffic = scenario->traffics[0];

	ck_assert_uint_eq(scenario->seed, 1);
	ck_assert_uint_eq(scenario->duration, 10 * SECOND);
	ck_assert_uint_eq(scenario->sample, 10 * MS);
	ck_assert_uint_eq(scenario->traced, 4);
	ck_assert_uint_eq(scenario->content, 0);
	ck_assert_uint_eq(scenario->drain, 0);
	ck_assert_uint_eq(scenario->traffic_count, 1);
	ck_assert_str_eq(traffic->listener->name, "sim");
	ck_assert_uint_eq(traffic->listener->policy_count, 1);
	ck_assert_str_eq(traffic->listener->policies[0]->name, "watermark");
	ck_assert_uint_eq(traffic->up_source->kind, SOURCE_NONE);
	ck_assert_uint_eq(traffic->down_source->kind, SOURCE_NONE);
	ck_assert_uint_eq(traffic->up_sink->rate, SCENARIO_UNLIMITED);
	ck_assert_uint_eq(traffic->down_sink->stall_every, SCENARIO_NEVER);
	ck_assert_uint_eq(traffic->sessions, 1);
	ck_assert_uint_eq(traffic->lifetime, SCENARIO_NEVER);
	scenario_free(scenario);
	scenario_free(NULL);
}
END_TEST

#define FULL                                                                                                           \
	"[scenario]\nseed = 18446744073709551615\nduration = 500ms\ntraced = 0\ncontent = yes\ndrain = yes\n"          \
	"[weir]\nmemory = 64M\nuser = nobody.there\n"                                                                  \
	"[policy smooth]\nmodule = watermark\nhigh = 64K\nlow = 32K\n"                                                 \
	"[listener one]\npolicy = smooth\nmax_sessions = 7\n[listener two]\nlisten = 10.0.0.1:7\npolicy = none\n"      \
	"[source steady]\nkind = constant\nrate = 3M\nwrite = 100\nrtt = 20ms\nbytes = 5G\n"                           \
	"[source burst]\nkind = bursts\nburst = 1M\nperiod = 250ms\nrandom = yes\n"                                    \
	"[source said]\nkind = trace\ntrace = sub/said.trace\n"                                                        \
	"[source echo]\nkind = echo\ngain = 250\nbusy = 1K\n"                                                          \
	"[sink slow]\nrate = 100K\nread = 1K\nwindow = 64K\nstall_every = 2s\nstall_for = 100ms\nbandwidth = 1G\n"     \
	"[sink moody]\nschedule = 0s 1M , 10s 0,20s unlimited\n"                                                       \
	"[traffic a]\nlistener = two\nup_source = said\nup_sink = slow\ndown_source = echo\ndown_sink = moody\n"       \
	"sessions = 20\nstart = 1s\narrivals = 60\narrivals_end = 2m\nlifetime = 3s\nrandom = yes\nleave = reset\n"    \
	"clients = 3\n"                                                                                                \
	"[traffic b]\nlistener = one\nsessions = 7\n"

static void write_said(void)
{
	static const char said[] =
		"# seconds bytes\n0 1\n0.5 64K\n\n  1.000000001\t3   # and so on\r\n1.25 4\n1.25 5\n";

	directory_run("mkdir -p sub");
	directory_write("sub/said.trace", said, strlen(said));
}

START_TEST(everything_at_once)
{
	struct scenario *scenario;
	const struct scenario_traffic *a;

	write_said();
	scenario = load_text(FULL);
	a = scenario->traffics[0];
	ck_assert_uint_eq(scenario->seed, UINT64_MAX);
	ck_assert_uint_eq(scenario->sample, MS);
	ck_assert_str_eq(a->listener->name, "two");
	ck_assert_uint_eq(a->listener->policy_count, 0);
	ck_assert_str_eq(scenario->traffics[1]->listener->policies[0]->name, "smooth");
	ck_assert_uint_eq(a->up_source->arrival_count, 5);
	ck_assert_uint_eq(a->up_source->arrivals[1].bytes, 65536);
	ck_assert_uint_eq(a->up_source->arrivals[2].at, SECOND + 1);
	ck_assert_uint_eq(a->up_source->arrivals[3].at, SECOND * 5 / 4);
	ck_assert_uint_eq(a->up_sink->stall_for, 100 * MS);
	ck_assert_uint_eq(a->down_source->gain, 250);
	ck_assert_uint_eq(a->down_sink->step_count, 3);
	ck_assert_uint_eq(a->down_sink->steps[0].rate, MIB);
	ck_assert_uint_eq(a->down_sink->steps[1].at, 10 * SECOND);
	ck_assert_uint_eq(a->down_sink->steps[1].rate, 0);
	ck_assert_uint_eq(a->down_sink->steps[2].rate, SCENARIO_UNLIMITED);
	ck_assert_uint_eq(a->leave, LEAVE_RESET);
	ck_assert_uint_eq(a->clients, 3);
	scenario_free(scenario);
}
END_TEST

/* Nothing of this machine counts: neither its processors nor its descriptors, nor who its users are. */
START_TEST(any_machine)
{
	struct scenario *scenario;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){90, 90}), 0);
	scenario = load_text(TRAFFIC);
	ck_assert_uint_eq(scenario->config->weir.workers, 1);
	ck_assert_uint_eq(scenario->config->weir.max_sessions, 512 * MIB / 2 / 8192);
	scenario_free(scenario);
	scenario = load_text("[weir]\nworkers = 7\nmemory = 1M\n" TRAFFIC "sessions = 64\n");
	ck_assert_uint_eq(scenario->config->weir.workers, 7);
	ck_assert_uint_eq(scenario->config->weir.max_sessions, 64);
	scenario_free(scenario);
}
END_TEST

/* The file that config names is relative to the scenario, and says all that weir needs. */
START_TEST(config_of_weir)
{
	static const char weir[] = "[policy p]\nmodule = watermark\nhigh = 1M\n[listener in]\nlisten = 127.0.0.1:0\n"
				   "upstream = there\npolicy = p\n[upstream there]\nserver = db.example:1\n";
	static const char text[] = "[scenario]\nconfig = ../weir.ini\n" TRAFFIC "listener = in\n";
	struct scenario *scenario;

	directory_run("mkdir -p sub");
	directory_write("weir.ini", weir, strlen(weir));
	directory_write("sub/b.ini", text, strlen(text));
	scenario = load_with("sub/b.ini", &(struct scenario_override){"policy.p.low", "64K"}, 1);
	ck_assert_msg(scenario != NULL, "%s", messages);
	ck_assert_str_eq(scenario->traffics[0]->listener->policies[0]->name, "p");
	scenario_free(scenario);
}
END_TEST

START_TEST(policy_without_listener)
{
	struct scenario *scenario = load_text(
		"[scenario]\npolicy = p, watermark\n[policy p]\nmodule = watermark\nhigh = 1M\n" TRAFFIC
		"listener = sim\n");
	const struct config_listener *listener = scenario->traffics[0]->listener;

	ck_assert_uint_eq(listener->policy_count, 2);
	ck_assert_str_eq(listener->policies[0]->name, "p");
	scenario_free(scenario);
	scenario = load_text("[scenario]\npolicy = none\n" TRAFFIC);
	ck_assert_uint_eq(scenario->traffics[0]->listener->policy_count, 0);
	scenario_free(scenario);
}
END_TEST

/* ---- overrides ----------------------------------------------------------------------------------------------------- */

START_TEST(overridden)
{
	static const struct scenario_override overrides[] = {{"scenario.seed", "9"}, {"scenario.seed", "10"},
		{"weir.workers", "2"}, {"source.a.b.rate", "7"}, {"source.a.b.rtt", "3ms"}, {"sink.s.schedule", "0s 5"},
		{"source.c.kind", "bulk"}};
	struct scenario *scenario = load_text_with("[source a.b]\nkind = constant\nrate = 1M\n[sink s]\nrate = 1\n"
						   "[source c]\nkind = onoff\non = 1s\noff = 1s\n" TRAFFIC
						   "up_source = a.b\nup_sink = s\ndown_source = c\n",
		overrides, sizeof(overrides) / sizeof(overrides[0]));
	const struct scenario_traffic *traffic = scenario->traffics[0];

	ck_assert_uint_eq(scenario->seed, 10);
	ck_assert_uint_eq(scenario->config->weir.workers, 2);
	ck_assert_uint_eq(traffic->up_source->rate, 7);
	ck_assert_uint_eq(traffic->up_source->rtt, 3 * MS);
	ck_assert_uint_eq(traffic->up_sink->step_count, 1);
	ck_assert_uint_eq(traffic->down_source->kind, SOURCE_BULK);
	scenario_free(scenario);
}
END_TEST

#define SMOOTH "[policy smooth]\nmodule = watermark\n[listener l]\npolicy = smooth\n[source s]\nrtt = 1ms\n" TRAFFIC

static const struct {
	struct scenario_override override;
	const char *error;
} bad_overrides[] = {
	{{"scenario.sed", "1"}, "the key is not known; did you mean \"seed\"?"},
	{{"seed", "1"}, "no key is named; expected KIND.NAME.KEY, or KIND.KEY for scenario and weir"},
	{{"scenario.", "1"}, "no key is named; expected KIND.NAME.KEY, or KIND.KEY for scenario and weir"},
	{{"scenarios.seed", "1"}, "the section is not known; did you mean [scenario]?"},
	{{"polices.smooth.high", "1"}, "the section is not known; did you mean [policy NAME]?"},
	{{"policy.high", "1"}, "the section has no name; expected [policy NAME]"},
	{{"weir.smooth.high", "1"}, "the section takes no name; expected [weir]"},
	{{"policy.smoth.high", "1"}, "no section [policy smoth]; did you mean \"smooth\"?"},
	{{"sink.s.rate", "1"}, "no section [sink s]; expected one"},
	{{"policy.smooth.hgih", "1"}, "the key is not known; did you mean \"high\"?"},
	{{"policy.smooth.high", "64Q"},
		"\"64\" is followed by the unknown unit \"Q\"; expected K, M, G, or nothing for bytes"},
	{{"scenario.duration", ""}, "the value is empty; expected a time from 1ms to 8760h (how long to simulate)"},
	{{"source.s.rate", "1M"}, "the key is not for kind = bulk; expected it with constant, onoff or poisson"},
	{{"scenario.policy", "none"},
		"the key is for a scenario without [listener] sections; expected each listener's own"},
};

START_TEST(bad_override)
{
	const struct scenario_override *override = &bad_overrides[_i].override;
	char expected[1024];

	directory_write("a.ini", SMOOTH, strlen(SMOOTH));
	ck_assert_ptr_null(load_with("a.ini", override, 1));
	snprintf(expected, sizeof(expected), "command line: %s=%s: %s\n", override->key, override->value,
		bad_overrides[_i].error);
	ck_assert_str_eq(messages, expected);
}
END_TEST

/* ---- errors -------------------------------------------------------------------------------------------------------- */

START_TEST(table_of_errors)
{
	directory_write("a.ini", cases[_i].file, cases[_i].length);
	ck_assert_ptr_null(load_with("a.ini", NULL, 0));
	ck_assert_msg(strcmp(messages, cases[_i].expected) == 0, "%s: got:\n%s\nexpected:\n%s", cases[_i].name,
		messages, cases[_i].expected);
}
END_TEST

START_TEST(no_such_file)
{
	ck_assert_ptr_null(load_with("missing.ini", NULL, 0));
	ck_assert_str_eq(messages,
		"missing.ini: cannot open: No such file or directory; expected a readable ini file\n");
}
END_TEST

/* ---- the tables ---------------------------------------------------------------------------------------------------- */

static const struct weir_option *const tables[] = {scenario_table, scenario_source_table, scenario_sink_table,
	scenario_traffic_table};

/* Nothing that is said of a key is left out, and the same key means the same type everywhere. */
START_TEST(tables_are_whole)
{
	for (const struct weir_option *row = tables[_i]; row->key != NULL; row++) {
		ck_assert_msg(row->def != NULL && row->doc != NULL && row->doc[0] != '\0', "%s", row->key);
		ck_assert_msg(option_find(tables[_i], SCENARIO_TABLE_STRIDE, row->key) == row, "%s is there twice",
			row->key);
		for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
			const struct weir_option *other = option_find(tables[i], SCENARIO_TABLE_STRIDE, row->key);

			ck_assert_msg(other == NULL || other->type == row->type, "%s", row->key);
		}
	}
}
END_TEST

static void enter(void)
{
	static const char listeners[] = "[listener x]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\n"
					"[listener y]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\n";
	static const char wrong[] = "[listener x]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\nplicy = none\n";
	static const char junk[] = "0 0\n1\n# fine\n1 2 3\none 1\n1.0000000001 1\n2 2T\n3 3\n2.9 1\n";

	directory_enter();
	directory_write("two.ini", listeners, strlen(listeners));
	directory_write("wrong.ini", wrong, strlen(wrong));
	directory_write("junk.trace", junk, strlen(junk));
	directory_write("empty.trace", "# nothing\n", strlen("# nothing\n"));
}

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("scenario");
	TCase *tcase = tcase_create("scenario");

	cases_read("tests/unit/scenario_errors.table");
	tcase_add_unchecked_fixture(tcase, enter, directory_remove);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, everything_at_once);
	tcase_add_test(tcase, any_machine);
	tcase_add_test(tcase, config_of_weir);
	tcase_add_test(tcase, policy_without_listener);
	tcase_add_test(tcase, overridden);
	tcase_add_loop_test(tcase, bad_override, 0, COUNT(bad_overrides));
	tcase_add_loop_test(tcase, table_of_errors, 0, case_count);
	tcase_add_test(tcase, no_such_file);
	tcase_add_loop_test(tcase, tables_are_whole, 0, COUNT(tables));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
