# SPDX-License-Identifier: BSD-2-Clause
# Modules that are bad or odd on purpose; never installed. -rpath makes libtool build them shared.

test_module_ldflags = $(module_ldflags) -rpath /nowhere

# For each: check_LTLIBRARIES += tests/modules/NAME.la, and tests_modules_NAME_la_SOURCES and _LDFLAGS.

# Odd at run time.
check_LTLIBRARIES += \
	tests/modules/acker.la \
	tests/modules/backwards.la \
	tests/modules/broken_promise.la \
	tests/modules/greedy.la \
	tests/modules/lying_drain.la \
	tests/modules/refuser.la \
	tests/modules/scanner.la \
	tests/modules/sharer.la \
	tests/modules/waker.la
tests_modules_acker_la_SOURCES = tests/modules/acker.c
tests_modules_acker_la_LDFLAGS = $(test_module_ldflags)
tests_modules_backwards_la_SOURCES = tests/modules/backwards.c
tests_modules_backwards_la_LDFLAGS = $(test_module_ldflags)
tests_modules_broken_promise_la_SOURCES = tests/modules/broken_promise.c
tests_modules_broken_promise_la_LDFLAGS = $(test_module_ldflags)
tests_modules_greedy_la_SOURCES = tests/modules/greedy.c
tests_modules_greedy_la_LDFLAGS = $(test_module_ldflags)
tests_modules_lying_drain_la_SOURCES = tests/modules/lying_drain.c
tests_modules_lying_drain_la_LDFLAGS = $(test_module_ldflags)
tests_modules_refuser_la_SOURCES = tests/modules/refuser.c
tests_modules_refuser_la_LDFLAGS = $(test_module_ldflags)
tests_modules_scanner_la_SOURCES = tests/modules/scanner.c
tests_modules_scanner_la_LDFLAGS = $(test_module_ldflags)
tests_modules_sharer_la_SOURCES = tests/modules/sharer.c
tests_modules_sharer_la_LDFLAGS = $(test_module_ldflags)
tests_modules_waker_la_SOURCES = tests/modules/waker.c
tests_modules_waker_la_LDFLAGS = $(test_module_ldflags)
