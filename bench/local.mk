# SPDX-License-Identifier: BSD-2-Clause
# What measures weir beside others. Built by `make bench` alone, never installed.

EXTRA_PROGRAMS += bench/load bench/relay
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
CLEANFILES += $(EXTRA_PROGRAMS)

bench: all bench/load$(EXEEXT) bench/relay$(EXEEXT)
	$(srcdir)/bench/run --build '$(abs_top_builddir)'

.PHONY: bench
