# SPDX-License-Identifier: BSD-2-Clause
# Programs beside weir. libsim.a is all of weir-sim but its command line, so that tests simulate with what users do.

noinst_LIBRARIES += tools/libsim.a
tools_libsim_a_SOURCES = \
	tools/sim/agenda.c \
	tools/sim/agenda.h \
	tools/sim/chance.c \
	tools/sim/chance.h \
	tools/sim/check.c \
	tools/sim/check.h \
	tools/sim/check_cap.c \
	tools/sim/check_flow.c \
	tools/sim/check_group.c \
	tools/sim/check_parts.h \
	tools/sim/check_pool.c \
	tools/sim/check_rule.c \
	tools/sim/check_share.c \
	tools/sim/dialog.c \
	tools/sim/dialog.h \
	tools/sim/end.c \
	tools/sim/end.h \
	tools/sim/histogram.c \
	tools/sim/histogram.h \
	tools/sim/measure.c \
	tools/sim/measure.h \
	tools/sim/pattern.c \
	tools/sim/pattern.h \
	tools/sim/ring.c \
	tools/sim/ring.h \
	tools/sim/sim.c \
	tools/sim/sim.h \
	tools/sim/sink.c \
	tools/sim/sink.h \
	tools/sim/source.c \
	tools/sim/source.h \
	tools/sim/traffic.c \
	tools/sim/traffic.h \
	tools/sim/usage.c \
	tools/sim/usage.h \
	tools/sim/visit.c \
	tools/sim/visit.h \
	tools/sim/wire.c \
	tools/sim/wire.h \
	tools/sim/world.c \
	tools/sim/world.h
# The same seed gives the same bytes: no compiler may fuse a multiplication with an addition.
tools_libsim_a_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tools_libsim_a_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim

# What is simulated, read by weir's own parser; and what came of it, told.
tools_libsim_a_SOURCES += \
	tools/sim/plot.c \
	tools/sim/plot.h \
	tools/sim/plot_script.c \
	tools/sim/plot_script.h \
	tools/sim/scenario.c \
	tools/sim/scenario.h \
	tools/sim/scenario_build.h \
	tools/sim/scenario_override.c \
	tools/sim/scenario_sink.c \
	tools/sim/scenario_source.c \
	tools/sim/scenario_table.c \
	tools/sim/scenario_table.h \
	tools/sim/scenario_trace.c \
	tools/sim/scenario_traffic.c \
	tools/sim/summary.c \
	tools/sim/summary.h \
	tools/sim/summary_json.c \
	tools/sim/summary_units.c \
	tools/sim/summary_units.h \
	tools/sim/sweep.c \
	tools/sim/sweep.h \
	tools/sim/trace.c \
	tools/sim/trace.h

bin_PROGRAMS += tools/weir-sim
tools_weir_sim_SOURCES = tools/weir-sim.c
tools_weir_sim_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tools_weir_sim_LDADD = tools/libsim.a src/libweir.a $(WEIR_LIBS)

# libintercept.a is all of weir-intercept but its command line.
if HAVE_INTERCEPT
noinst_LIBRARIES += tools/libintercept.a
sbin_PROGRAMS += tools/weir-intercept
endif
tools_libintercept_a_SOURCES = \
	tools/intercept/doctor.c \
	tools/intercept/doctor.h \
	tools/intercept/doctor_firewall.c \
	tools/intercept/doctor_links.c \
	tools/intercept/doctor_lookup.c \
	tools/intercept/doctor_netlink.c \
	tools/intercept/doctor_nft.c \
	tools/intercept/doctor_parts.h \
	tools/intercept/doctor_paths.c \
	tools/intercept/doctor_process.c \
	tools/intercept/doctor_routes.c \
	tools/intercept/doctor_rules.c \
	tools/intercept/doctor_sockets.c \
	tools/intercept/doctor_sysctl.c \
	tools/intercept/intercept.c \
	tools/intercept/intercept.h \
	tools/intercept/netlink.c \
	tools/intercept/netlink.h \
	tools/intercept/plan.c \
	tools/intercept/plan.h \
	tools/intercept/plan_rules.c \
	tools/intercept/routes.c \
	tools/intercept/routes.h \
	tools/intercept/rules.c \
	tools/intercept/rules.h \
	tools/intercept/show.c \
	tools/intercept/show.h
tools_libintercept_a_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/intercept $(INTERCEPT_CFLAGS)

tools_weir_intercept_SOURCES = tools/weir-intercept.c
tools_weir_intercept_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/intercept
tools_weir_intercept_LDADD = tools/libintercept.a src/libweir.a $(WEIR_LIBS) $(INTERCEPT_LIBS)
