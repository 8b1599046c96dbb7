/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which rules and routes change, and what is left when the kernel refuses one of them: the parts that ask the
 * kernel are wrapped, and write down that they were called.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "intercept.h"
#include "routes.h"
#include "rules.h"

static char calls[256];
static const char *refused; /* the call that fails */
static bool is_up;

/* Notes "NAME" of a plan with something in it, "no-NAME" of one of nothing. */
static int called(const char *name, const struct plan *plan)
{
	bool nothing = plan->count == 0 && !plan->routes[0] && !plan->routes[1];

	ck_assert_ptr_nonnull(plan->config);
	snprintf(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s%s%s", calls[0] != '\0' ? " " : "",
		nothing ? "no-" : "", name);
	return refused != NULL && strcmp(refused, name) == 0 ? -1 : 0;
}

int __wrap_rules_check(const struct plan *plan, FILE *errors);
int __wrap_rules_apply(const struct plan *plan, FILE *errors);
bool __wrap_rules_exist(void);
int __wrap_routes_add(const struct plan *plan, FILE *errors);
int __wrap_routes_prune(const struct plan *plan, FILE *errors);

int __wrap_rules_check(const struct plan *plan, FILE *errors)
{
	(void)errors;
	return called("check", plan);
}

int __wrap_rules_apply(const struct plan *plan, FILE *errors)
{
	(void)errors;
	return called("rules", plan);
}

bool __wrap_rules_exist(void)
{
	return is_up;
}

int __wrap_routes_add(const struct plan *plan, FILE *errors)
{
	(void)errors;
	return called("routes", plan);
}

int __wrap_routes_prune(const struct plan *plan, FILE *errors)
{
	(void)errors;
	return called("prune", plan);
}

static const struct {
	bool was_up;
	const char *refused;
	int rc;
	const char *calls;
	const char *said;
} ups[] = {
	{false, NULL, 0, "check routes rules prune", ""},
	{true, NULL, 0, "check routes rules prune", ""},
	{false, "check", -1, "check", "weir-intercept: nothing was changed\n"},
	{true, "check", -1, "check", "weir-intercept: nothing was changed\n"},
	{false, "routes", -1, "check routes no-prune", "weir-intercept: nothing is up\n"},
	{true, "routes", -1, "check routes", "weir-intercept: what was up before is still up\n"},
	{false, "rules", -1, "check routes rules no-prune", "weir-intercept: nothing is up\n"},
	{true, "rules", -1, "check routes rules", "weir-intercept: what was up before is still up\n"},
	{false, "prune", -1, "check routes rules prune", ""},
};

START_TEST(up)
{
	static const struct config config = {0};
	struct plan plan = {.config = &config, .routes = {true, false}};
	char *said = NULL;
	size_t size;
	FILE *errors = open_memstream(&said, &size);

	ck_assert_ptr_nonnull(errors);
	is_up = ups[_i].was_up;
	refused = ups[_i].refused;
	ck_assert_int_eq(intercept_up(&plan, errors), ups[_i].rc);
	fclose(errors);
	ck_assert_str_eq(calls, ups[_i].calls);
	ck_assert_str_eq(said, ups[_i].said);
	free(said);
}
END_TEST

static const struct {
	const char *refused;
	int rc;
	const char *calls;
} downs[] = {
	{NULL, 0, "no-rules no-prune"},
	{"rules", -1, "no-rules"},
	{"prune", -1, "no-rules no-prune"},
};

START_TEST(down)
{
	static const struct config config = {0};

	refused = downs[_i].refused;
	ck_assert_int_eq(intercept_down(&config, stderr), downs[_i].rc);
	ck_assert_str_eq(calls, downs[_i].calls);
}
END_TEST

static void begin(void)
{
	calls[0] = '\0';
}

static Suite *intercept_suite(void)
{
	Suite *suite = suite_create("intercept");
	TCase *order = tcase_create("order");

	tcase_add_checked_fixture(order, begin, NULL);
	tcase_add_loop_test(order, up, 0, sizeof(ups) / sizeof(ups[0]));
	tcase_add_loop_test(order, down, 0, sizeof(downs) / sizeof(downs[0]));
	suite_add_tcase(suite, order);
	return suite;
}

int main(void)
{
	return unit_main(intercept_suite());
}
