# SPDX-License-Identifier: BSD-2-Clause
# What measures weir beside others. Never installed; `make bench` builds it, and `make check`, for a short run.

check_PROGRAMS += bench/load bench/relay
bench_load_SOURCES = \
	bench/bulk.c \
	bench/caller.c \
	bench/caller.h \
	bench/churn.c \
	bench/clock.h \
	bench/cpu.c \
	bench/cpu.h \
	bench/histogram.c \
	bench/histogram.h \
	bench/hold.c \
	bench/input.c \
	bench/input.h \
	bench/json.c \
	bench/json.h \
	bench/load.c \
	bench/load.h \
	bench/poller.c \
	bench/poller.h \
	bench/rounds.c \
	bench/serve.c \
	bench/stream.c \
	bench/stream.h \
	bench/tally.c \
	bench/tally.h \
	bench/window.c \
	bench/window.h \
	bench/wire.c \
	bench/wire.h
# Nothing of weir's, and no Check.
bench_load_LDADD = -lm
bench_relay_SOURCES = \
	bench/clock.h \
	bench/poller.c \
	bench/poller.h \
	bench/relay.c \
	bench/wire.c \
	bench/wire.h
bench_relay_LDADD =

EXTRA_DIST += \
	bench/README.md \
	bench/costs \
	bench/policies \
	bench/run \
	bench/transparent \
	bench/harness/__init__.py \
	bench/harness/bench.py \
	bench/harness/cases.py \
	bench/harness/command.py \
	bench/harness/cost_cases.py \
	bench/harness/cost_command.py \
	bench/harness/cost_turns.py \
	bench/harness/error.py \
	bench/harness/iperf.py \
	bench/harness/load.py \
	bench/harness/machine.py \
	bench/harness/memory.py \
	bench/harness/paired.py \
	bench/harness/plots.py \
	bench/harness/policy_cases.py \
	bench/harness/policy_command.py \
	bench/harness/policy_ends.py \
	bench/harness/policy_iperf.py \
	bench/harness/policy_report.py \
	bench/harness/policy_scenario.py \
	bench/harness/policy_sim.py \
	bench/harness/policy_talk.py \
	bench/harness/policy_trial.py \
	bench/harness/policy_weir.py \
	bench/harness/process.py \
	bench/harness/report.py \
	bench/harness/setups.py \
	bench/harness/summary.py \
	bench/harness/syscalls.py \
	bench/harness/tables.py \
	bench/harness/targets.py

# make bench BENCH_OPTIONS='--rounds 3': see bench/README.md
bench: all bench/load$(EXEEXT) bench/relay$(EXEEXT)
	$(srcdir)/bench/run --build '$(abs_top_builddir)' $(BENCH_OPTIONS)

.PHONY: bench
