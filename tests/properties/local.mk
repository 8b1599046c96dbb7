# SPDX-License-Identifier: BSD-2-Clause
# Random scenarios, run by what weir-sim is made of.

check_PROGRAMS += tests/properties/properties
tests_properties_properties_SOURCES = \
	tests/properties/document.c \
	tests/properties/document.h \
	tests/properties/drawing.c \
	tests/properties/drawing.h \
	tests/properties/drawing_policy.c \
	tests/properties/generator.c \
	tests/properties/generator.h \
	tests/properties/generator_families.c \
	tests/properties/properties.c \
	tests/properties/shrink.c \
	tests/properties/shrink.h \
	tests/properties/trial.c \
	tests/properties/trial.h
tests_properties_properties_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_properties_properties_LDADD = tools/libsim.a src/libweir.a $(WEIR_LIBS)
TESTS += tests/properties/properties

# What they found once.
found_scenarios = \
	tests/properties/found/seed-115.ini \
	tests/properties/found/seed-118.ini \
	tests/properties/found/seed-1390.ini \
	tests/properties/found/seed-1520.ini \
	tests/properties/found/seed-1579.ini \
	tests/properties/found/seed-2213.ini \
	tests/properties/found/seed-2936.ini \
	tests/properties/found/seed-327.ini \
	tests/properties/found/seed-328.ini \
	tests/properties/found/seed-47.ini \
	tests/properties/found/seed-6703.ini \
	tests/properties/found/seed-745.ini \
	tests/properties/found/seed-763.ini
dist_check_SCRIPTS += tests/properties/found/found.sh
TESTS += tests/properties/found/found.sh

EXTRA_DIST += tests/properties/trace $(found_scenarios)
CLEANFILES += tests/properties/properties-*.ini

# As long as asked: make soak TIME=3600, in seconds.
TIME = 60
soak: tests/properties/properties $(pkglib_LTLIBRARIES)
	$(AM_TESTS_ENVIRONMENT) tests/properties/properties --soak $(TIME)

.PHONY: soak
