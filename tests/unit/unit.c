/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit - runs one suite of Check; see unit.h.
 */
#include "unit.h"

int unit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_ENV);
	srunner_free(runner);
	return 0;
}
