# SPDX-License-Identifier: BSD-2-Clause
# Programs beside weir. libsim.a is all of weir-sim but its command line, so that tests simulate with what users do.

noinst_LIBRARIES += tools/libsim.a
tools_libsim_a_SOURCES = \
	tools/sim/agenda.h \
	tools/sim/chance.h \
	tools/sim/sim.h \
	tools/sim/wire.h \
	tools/sim/world.h
# The same seed gives the same bytes: no compiler may fuse a multiplication with an addition.
tools_libsim_a_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tools_libsim_a_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim

# What is simulated, read by weir's own parser; and what came of it, told.
tools_libsim_a_SOURCES += \
	tools/sim/scenario.c \
	tools/sim/scenario.h \
	tools/sim/scenario_build.h \
	tools/sim/scenario_override.c \
	tools/sim/scenario_sink.c \
	tools/sim/scenario_source.c \
	tools/sim/scenario_table.c \
	tools/sim/scenario_table.h \
	tools/sim/scenario_trace.c \
	tools/sim/scenario_traffic.c
