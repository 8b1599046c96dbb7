/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit - what every unit test program ends with.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

/*
 * Runs the suite, which it frees, as the environment says ($CK_FORK, $CK_RUN_CASE, $CK_TAP_LOG_FILE_NAME). Returns what
 * main returns: 0 always, because each failure has its own line, and automake would count a bad exit as one more.
 */
int unit_main(Suite *suite) __attribute__((warn_unused_result));

#endif
