# SPDX-License-Identifier: BSD-2-Clause
# Modules that are bad or odd on purpose; never installed. -rpath makes libtool build them shared.

test_module_ldflags = $(module_ldflags) -rpath /nowhere

# For each: check_LTLIBRARIES += tests/modules/NAME.la, and tests_modules_NAME_la_SOURCES and _LDFLAGS.
