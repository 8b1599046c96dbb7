# SPDX-License-Identifier: BSD-2-Clause
# The demo's programs: noinst_PROGRAMS += demo/NAME, and demo_NAME_SOURCES and demo_NAME_LDADD.
