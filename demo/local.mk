# SPDX-License-Identifier: BSD-2-Clause
# The demo is a program of its own and is linked with nothing of weir's: it sees weir as anybody does.

noinst_PROGRAMS += demo/demo
demo_demo_SOURCES = \
	demo/child.c \
	demo/child.h \
	demo/clock.h \
	demo/demo.c \
	demo/kernel.c \
	demo/kernel.h \
	demo/loopback.c \
	demo/loopback.h \
	demo/path.c \
	demo/path.h \
	demo/proxy.c \
	demo/proxy.h \
	demo/pump.c \
	demo/pump.h \
	demo/relay.c \
	demo/relay.h \
	demo/view.c \
	demo/view.h
# Nothing: the default is for unit tests, and Check may be missing.
demo_demo_LDADD =
EXTRA_DIST += demo/run.sh
