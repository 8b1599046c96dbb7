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

# Refused by the gate, or odd in what they declare.
check_LTLIBRARIES += \
	tests/modules/bad_magic.la \
	tests/modules/bad_major.la \
	tests/modules/bad_size.la \
	tests/modules/everything.la \
	tests/modules/newer.la \
	tests/modules/no_ask.la \
	tests/modules/no_entry.la \
	tests/modules/no_scan.la \
	tests/modules/null_entry.la \
	tests/modules/other_name.la
tests_modules_bad_magic_la_SOURCES = tests/modules/bad_magic.c tests/modules/sound.h
tests_modules_bad_magic_la_LDFLAGS = $(test_module_ldflags)
tests_modules_bad_major_la_SOURCES = tests/modules/bad_major.c tests/modules/sound.h
tests_modules_bad_major_la_LDFLAGS = $(test_module_ldflags)
tests_modules_bad_size_la_SOURCES = tests/modules/bad_size.c tests/modules/sound.h
tests_modules_bad_size_la_LDFLAGS = $(test_module_ldflags)
tests_modules_everything_la_SOURCES = tests/modules/everything.c tests/modules/sound.h
tests_modules_everything_la_LDFLAGS = $(test_module_ldflags)
tests_modules_newer_la_SOURCES = tests/modules/newer.c tests/modules/sound.h
tests_modules_newer_la_LDFLAGS = $(test_module_ldflags)
tests_modules_no_ask_la_SOURCES = tests/modules/no_ask.c tests/modules/sound.h
tests_modules_no_ask_la_LDFLAGS = $(test_module_ldflags)
tests_modules_no_entry_la_SOURCES = tests/modules/no_entry.c
# It has none of the symbols that the others are cut down to.
tests_modules_no_entry_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_modules_no_scan_la_SOURCES = tests/modules/no_scan.c tests/modules/sound.h
tests_modules_no_scan_la_LDFLAGS = $(test_module_ldflags)
tests_modules_null_entry_la_SOURCES = tests/modules/null_entry.c
tests_modules_null_entry_la_LDFLAGS = $(test_module_ldflags)
tests_modules_other_name_la_SOURCES = tests/modules/other_name.c tests/modules/sound.h
tests_modules_other_name_la_LDFLAGS = $(test_module_ldflags)
