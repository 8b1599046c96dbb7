/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intercept - rules and routes together; see intercept.h.
 *
 * Up: the kernel is asked whether it would take the rules; new routes are added; the rules change in one transaction; old
 * routes go. Whatever fails, and wherever this is killed, what was up before still works, and the next up mends the rest.
 */
#include "intercept.h"

#include "routes.h"
#include "rules.h"

/* Old rules still work, because no old route has gone yet. */
static int give_up(const struct config *config, bool was_up, FILE *errors)
{
	const struct plan nothing = {.config = config};

	if (was_up)
		fprintf(errors, "weir-intercept: what was up before is still up\n");
	else if (routes_prune(&nothing, errors) == 0)
		fprintf(errors, "weir-intercept: nothing is up\n");
	return -1;
}

int intercept_up(const struct plan *plan, FILE *errors)
{
	bool was_up;

	if (rules_check(plan, errors) < 0) {
		fprintf(errors, "weir-intercept: nothing was changed\n");
		return -1;
	}
	was_up = rules_exist();
	if (routes_add(plan, errors) < 0 || rules_apply(plan, errors) < 0)
		return give_up(plan->config, was_up, errors);
	return routes_prune(plan, errors);
}

int intercept_down(const struct config *config, FILE *errors)
{
	const struct plan nothing = {.config = config};

	if (rules_apply(&nothing, errors) < 0)
		return -1;
	return routes_prune(&nothing, errors);
}
