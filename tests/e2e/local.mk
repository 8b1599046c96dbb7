# SPDX-License-Identifier: BSD-2-Clause
# End-to-end tests: programs and executable scripts that speak TAP and run real weir processes. $WEIR and its kin say
# where those are. A program is one tests/e2e/test_NAME.c, needs one line here, and is linked with the harness only.

if HAVE_CHECK
check_LIBRARIES += tests/e2e/libe2e.a
endif
tests_e2e_libe2e_a_SOURCES = \
	tests/e2e/ends.c \
	tests/e2e/figures.c \
	tests/e2e/harness.c \
	tests/e2e/harness.h \
	tests/e2e/proxied.c \
	tests/e2e/proxied.h \
	tests/e2e/said.c \
	tests/e2e/simulated.c \
	tests/e2e/simulated.h \
	tests/e2e/wire.c \
	tests/e2e/wire.h
tests_e2e_libe2e_a_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)

# The longest first, so that none is left to run alone at the end.
e2e_programs = \
	tests/e2e/test_idle \
	tests/e2e/test_timeouts \
	tests/e2e/test_limits \
	tests/e2e/test_marks \
	tests/e2e/test_credit \
	tests/e2e/test_shape \
	tests/e2e/test_scopes \
	tests/e2e/test_inflight \
	tests/e2e/test_demand \
	tests/e2e/test_fair \
	tests/e2e/test_policies \
	tests/e2e/test_proxy_refused \
	tests/e2e/test_proxy_send \
	tests/e2e/test_proxy \
	tests/e2e/test_ends \
	tests/e2e/test_unix \
	tests/e2e/test_urgent \
	tests/e2e/test_stop \
	tests/e2e/test_rest \
	tests/e2e/test_connect

e2e_ldadd = tests/e2e/libe2e.a $(CHECK_LIBS)
tests_e2e_test_connect_LDADD = $(e2e_ldadd)
tests_e2e_test_credit_LDADD = $(e2e_ldadd)
tests_e2e_test_demand_LDADD = $(e2e_ldadd)
tests_e2e_test_ends_LDADD = $(e2e_ldadd)
tests_e2e_test_fair_LDADD = $(e2e_ldadd)
tests_e2e_test_idle_LDADD = $(e2e_ldadd)
tests_e2e_test_inflight_LDADD = $(e2e_ldadd)
tests_e2e_test_limits_LDADD = $(e2e_ldadd)
tests_e2e_test_marks_LDADD = $(e2e_ldadd)
tests_e2e_test_policies_LDADD = $(e2e_ldadd)
tests_e2e_test_proxy_LDADD = $(e2e_ldadd)
tests_e2e_test_proxy_refused_LDADD = $(e2e_ldadd)
tests_e2e_test_proxy_send_LDADD = $(e2e_ldadd)
tests_e2e_test_rest_LDADD = $(e2e_ldadd)
tests_e2e_test_scopes_LDADD = $(e2e_ldadd)
tests_e2e_test_shape_LDADD = $(e2e_ldadd)
tests_e2e_test_stop_LDADD = $(e2e_ldadd)
tests_e2e_test_timeouts_LDADD = $(e2e_ldadd)
tests_e2e_test_unix_LDADD = $(e2e_ldadd)
tests_e2e_test_urgent_LDADD = $(e2e_ldadd)

e2e_scripts = \
	tests/e2e/bench.sh \
	tests/e2e/calls.sh \
	tests/e2e/config_errors.sh \
	tests/e2e/demo.sh \
	tests/e2e/doctor.sh \
	tests/e2e/documented.sh \
	tests/e2e/intercept_rules.sh \
	tests/e2e/intercept_traffic.sh \
	tests/e2e/iperf3.sh \
	tests/e2e/nc.sh \
	tests/e2e/pgsql_cap.sh \
	tests/e2e/policy_example.sh \
	tests/e2e/proxy_peers.sh \
	tests/e2e/redis.sh \
	tests/e2e/redis_cap.sh \
	tests/e2e/sha256.sh \
	tests/e2e/sidecar.sh \
	tests/e2e/sim_compilers.sh \
	tests/e2e/sim_documented.sh \
	tests/e2e/sim_errors.sh \
	tests/e2e/sim_output.sh \
	tests/e2e/sim_scenarios.sh \
	tests/e2e/start.sh \
	tests/e2e/transparent_firewall.sh \
	tests/e2e/transparent_guide.sh \
	tests/e2e/transparent_loops.sh \
	tests/e2e/transparent_loss.sh \
	tests/e2e/transparent_modes.sh \
	tests/e2e/transparent_pmtu.sh \
	tests/e2e/transparent_tools.sh \
	tests/e2e/transparent_users.sh \
	tests/e2e/unit_verify.sh

if HAVE_CHECK
check_PROGRAMS += $(e2e_programs)
TESTS += $(e2e_programs)
endif
dist_check_SCRIPTS += $(e2e_scripts)
TESTS += $(e2e_scripts)
EXTRA_DIST += tests/e2e/config_errors.table tests/e2e/guide_lib.sh tests/e2e/lib.sh tests/e2e/netns.sh tests/e2e/sim_lib.sh
