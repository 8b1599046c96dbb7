# SPDX-License-Identifier: BSD-2-Clause
# End-to-end tests: executable scripts that speak TAP and run real weir processes. $WEIR and its kin say where they are.

e2e_tests = \
	tests/e2e/unit_verify.sh

dist_check_SCRIPTS += $(e2e_tests)
TESTS += $(e2e_tests)
