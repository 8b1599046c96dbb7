# SPDX-License-Identifier: BSD-2-Clause
# Programs beside weir. libsim.a is all of weir-sim but its command line, so that tests simulate with what users do.

noinst_LIBRARIES += tools/libsim.a
tools_libsim_a_SOURCES = \
	tools/sim/agenda.h \
	tools/sim/chance.h \
	tools/sim/scenario.h \
	tools/sim/sim.h \
	tools/sim/wire.h \
	tools/sim/world.h
# The same seed gives the same bytes: no compiler may fuse a multiplication with an addition.
tools_libsim_a_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tools_libsim_a_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
