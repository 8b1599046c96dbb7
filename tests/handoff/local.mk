# SPDX-License-Identifier: BSD-2-Clause
# Units that go from thread to thread, under ThreadSanitizer in every tree: what it is made of is compiled once more for that,
# policies included. A tree with sanitizers of its own keeps to those.

handoff_cflags = $(AM_CFLAGS) $(HANDOFF_CFLAGS)
handoff_ldflags = $(AM_LDFLAGS) $(HANDOFF_CFLAGS)
handoff_module_ldflags = $(test_module_ldflags) $(HANDOFF_CFLAGS)

if HAVE_HANDOFF
handoff_modules = \
	tests/handoff/credit.la \
	tests/handoff/fair.la \
	tests/handoff/inflight-cap.la \
	tests/handoff/shape.la \
	tests/handoff/watermark.la
handoff_program = tests/handoff/handoff
check_LIBRARIES += tests/handoff/libhandoff.a
check_PROGRAMS += $(handoff_program)
check_LTLIBRARIES += $(handoff_modules)
endif
tests_handoff_libhandoff_a_SOURCES = $(src_libweir_a_SOURCES)
tests_handoff_libhandoff_a_CFLAGS = $(handoff_cflags)

tests_handoff_handoff_SOURCES = \
	tests/handoff/crew.c \
	tests/handoff/crew.h \
	tests/handoff/crew_count.c \
	tests/handoff/game.c \
	tests/handoff/game.h \
	tests/handoff/handoff.c \
	tests/handoff/order.c \
	tests/handoff/order.h \
	tests/handoff/seat.c \
	tests/handoff/seat.h \
	tests/handoff/seat_count.c \
	tests/unit/fake.c \
	tests/unit/fake.h \
	tests/unit/unit.c \
	tests/unit/unit.h
tests_handoff_handoff_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tests/unit $(CHECK_CFLAGS)
tests_handoff_handoff_CFLAGS = $(handoff_cflags)
tests_handoff_handoff_LDFLAGS = $(handoff_ldflags) \
	-Wl,--wrap=pool_init -Wl,--wrap=pool_wait -Wl,--wrap=pool_destroy
tests_handoff_handoff_LDADD = tests/handoff/libhandoff.a $(WEIR_LIBS) $(CHECK_LIBS)

tests_handoff_credit_la_SOURCES = $(policies_credit_la_SOURCES)
tests_handoff_credit_la_CFLAGS = $(handoff_cflags)
tests_handoff_credit_la_LDFLAGS = $(handoff_module_ldflags)
tests_handoff_fair_la_SOURCES = $(policies_fair_la_SOURCES)
tests_handoff_fair_la_CFLAGS = $(handoff_cflags)
tests_handoff_fair_la_LDFLAGS = $(handoff_module_ldflags)
tests_handoff_inflight_cap_la_SOURCES = $(policies_inflight_cap_la_SOURCES)
tests_handoff_inflight_cap_la_CFLAGS = $(handoff_cflags)
tests_handoff_inflight_cap_la_LDFLAGS = $(handoff_module_ldflags)
tests_handoff_shape_la_SOURCES = $(policies_shape_la_SOURCES)
tests_handoff_shape_la_CFLAGS = $(handoff_cflags)
tests_handoff_shape_la_LDFLAGS = $(handoff_module_ldflags)
tests_handoff_watermark_la_SOURCES = $(policies_watermark_la_SOURCES)
tests_handoff_watermark_la_CFLAGS = $(handoff_cflags)
tests_handoff_watermark_la_LDFLAGS = $(handoff_module_ldflags)

dist_check_SCRIPTS += tests/handoff/handoff.sh
TESTS += tests/handoff/handoff.sh

# A minute of it belongs to `make soak`, too: make soak HANDOFF_TIME=600, in seconds.
HANDOFF_TIME = 60
soak: soak-handoff
soak-handoff: $(handoff_program) $(handoff_modules)
	$(AM_TESTS_ENVIRONMENT) HANDOFF_SECONDS=$(HANDOFF_TIME) $(srcdir)/tests/handoff/handoff.sh >handoff.tap; \
		cat handoff.tap; ! grep '^not ok' handoff.tap && grep -q '^1\.\.' handoff.tap

.PHONY: soak-handoff
CLEANFILES += handoff.tap
