# SPDX-License-Identifier: BSD-2-Clause
# Unit tests: each is one tests/unit/test_NAME.c, needs one line here, and is linked with libweir and unit.c.

if HAVE_CHECK
check_LIBRARIES += tests/unit/libunit.a
endif
tests_unit_libunit_a_SOURCES = \
	tests/unit/cases.c \
	tests/unit/cases.h \
	tests/unit/directory.c \
	tests/unit/directory.h \
	tests/unit/fake.c \
	tests/unit/fake.h \
	tests/unit/heard.c \
	tests/unit/heard.h \
	tests/unit/loading.c \
	tests/unit/loading.h \
	tests/unit/rig.c \
	tests/unit/rig.h \
	tests/unit/rule.c \
	tests/unit/rule.h \
	tests/unit/trial.c \
	tests/unit/trial.h \
	tests/unit/unit.c \
	tests/unit/unit.h
tests_unit_libunit_a_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)

# What every program without an LDADD of its own is linked with.
LDADD = tests/unit/libunit.a src/libweir.a $(WEIR_LIBS) $(CHECK_LIBS)

unit_tests =

# Policies.
unit_tests += \
	tests/unit/test_credit \
	tests/unit/test_demand \
	tests/unit/test_fair \
	tests/unit/test_framing \
	tests/unit/test_inflight \
	tests/unit/test_inflight_dialogs \
	tests/unit/test_inflight_flows \
	tests/unit/test_inflight_requests \
	tests/unit/test_shape \
	tests/unit/test_watermark
tests_unit_test_framing_SOURCES = \
	tests/unit/test_framing.c \
	tests/unit/conversation.c \
	tests/unit/conversation.h \
	tests/unit/script.c \
	tests/unit/script.h \
	$(framing)
tests_unit_test_framing_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/policies

# Configuration, modules, log.
unit_tests += \
	tests/unit/test_address \
	tests/unit/test_config \
	tests/unit/test_config_errors \
	tests/unit/test_gate \
	tests/unit/test_log \
	tests/unit/test_module \
	tests/unit/test_network \
	tests/unit/test_option \
	tests/unit/test_proxy_header

# The core, over fake endpoints in virtual time.
unit_tests += \
	tests/unit/test_arrival \
	tests/unit/test_bucket \
	tests/unit/test_crowd \
	tests/unit/test_depot \
	tests/unit/test_door \
	tests/unit/test_endpoint \
	tests/unit/test_floors \
	tests/unit/test_flow \
	tests/unit/test_kinds \
	tests/unit/test_lease \
	tests/unit/test_loops \
	tests/unit/test_memory \
	tests/unit/test_meter \
	tests/unit/test_pipe \
	tests/unit/test_pool \
	tests/unit/test_random \
	tests/unit/test_reset \
	tests/unit/test_sched \
	tests/unit/test_scope \
	tests/unit/test_session \
	tests/unit/test_shortage \
	tests/unit/test_splice \
	tests/unit/test_standing \
	tests/unit/test_stock \
	tests/unit/test_store \
	tests/unit/test_timeout \
	tests/unit/test_turnstile \
	tests/unit/test_wheel \
	tests/unit/test_workers
tests_unit_test_shortage_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=mmap

# What weir-sim reads.
unit_tests += tests/unit/test_scenario
tests_unit_test_scenario_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_unit_test_scenario_LDADD = tools/libsim.a $(LDADD)
EXTRA_DIST += tests/unit/scenario_errors.table

# What weir-sim simulates.
unit_tests += \
	tests/unit/test_sim_dialog \
	tests/unit/test_sim_doors \
	tests/unit/test_sim_ends \
	tests/unit/test_sim_parts \
	tests/unit/test_sim_run
simulation = tests/unit/simulation.c tests/unit/simulation.h
tests_unit_test_sim_dialog_SOURCES = tests/unit/test_sim_dialog.c $(simulation)
tests_unit_test_sim_dialog_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_unit_test_sim_dialog_LDADD = tools/libsim.a $(LDADD)
tests_unit_test_sim_doors_SOURCES = tests/unit/test_sim_doors.c $(simulation)
tests_unit_test_sim_doors_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_unit_test_sim_doors_LDADD = tools/libsim.a $(LDADD)
tests_unit_test_sim_ends_SOURCES = tests/unit/test_sim_ends.c $(simulation)
tests_unit_test_sim_ends_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_unit_test_sim_ends_LDADD = tools/libsim.a $(LDADD)
tests_unit_test_sim_parts_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_unit_test_sim_parts_LDADD = tools/libsim.a $(LDADD)
tests_unit_test_sim_run_SOURCES = tests/unit/test_sim_run.c $(simulation)
tests_unit_test_sim_run_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/sim
tests_unit_test_sim_run_LDADD = tools/libsim.a $(LDADD)

# What weir-intercept puts up.
if HAVE_INTERCEPT
unit_tests += \
	tests/unit/test_intercept \
	tests/unit/test_plan
endif
tests_unit_test_intercept_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/intercept
tests_unit_test_intercept_LDADD = tools/libintercept.a $(LDADD)
tests_unit_test_intercept_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rules_check -Wl,--wrap=rules_apply -Wl,--wrap=rules_exist \
	-Wl,--wrap=routes_add -Wl,--wrap=routes_prune
tests_unit_test_plan_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tools/intercept
tests_unit_test_plan_LDADD = tools/libintercept.a $(LDADD)

if HAVE_CHECK
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
