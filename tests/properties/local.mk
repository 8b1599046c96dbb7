# SPDX-License-Identifier: BSD-2-Clause
# Random scenarios, run by what weir-sim is made of.

check_PROGRAMS += tests/properties/properties
tests_properties_properties_SOURCES = \
	tests/properties/document.c \
	tests/properties/document.h \
	tests/properties/generator.c \
	tests/properties/generator.h \
	tests/properties/properties.c \
	tests/properties/shrink.c \
	tests/properties/shrink.h \
	tests/properties/trial.c \
	tests/properties/trial.h
tests_properties_properties_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_properties_properties_LDADD = tools/libsim.a src/libweir.a $(WEIR_LIBS)
TESTS += tests/properties/properties

EXTRA_DIST += tests/properties/trace
CLEANFILES += tests/properties/properties-*.ini

# As long as asked: make soak TIME=3600, in seconds.
TIME = 60
soak: tests/properties/properties $(pkglib_LTLIBRARIES)
	$(AM_TESTS_ENVIRONMENT) tests/properties/properties --soak $(TIME)

.PHONY: soak
