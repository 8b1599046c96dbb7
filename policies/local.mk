# SPDX-License-Identifier: BSD-2-Clause
# The policy modules, one file each where that is enough. A module exports exactly one symbol.

module_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^weir_policy_entry$$'

# For each: pkglib_LTLIBRARIES += policies/NAME.la, and policies_NAME_la_SOURCES and policies_NAME_la_LDFLAGS.

pkglib_LTLIBRARIES += policies/credit.la
policies_credit_la_SOURCES = policies/credit.c
policies_credit_la_LDFLAGS = $(module_ldflags)

pkglib_LTLIBRARIES += policies/demand.la
policies_demand_la_SOURCES = policies/demand.c
policies_demand_la_LDFLAGS = $(module_ldflags)

pkglib_LTLIBRARIES += policies/fair.la
policies_fair_la_SOURCES = policies/fair.c
policies_fair_la_LDFLAGS = $(module_ldflags)

# Tests compile these, too.
framing = \
	policies/framing.c \
	policies/framing.h \
	policies/framing_line.c \
	policies/framing_parts.h \
	policies/framing_pgsql.c \
	policies/framing_resp.c \
	policies/framing_u32be.c \
	policies/framing_words.c \
	policies/framing_words.h

pkglib_LTLIBRARIES += policies/inflight-cap.la
policies_inflight_cap_la_SOURCES = $(framing) \
	policies/inflight.h \
	policies/inflight_bytes.c \
	policies/inflight_cap.c \
	policies/inflight_caps.c \
	policies/inflight_requests.c \
	policies/inflight_window.c \
	policies/inflight_window.h
policies_inflight_cap_la_LDFLAGS = $(module_ldflags)

pkglib_LTLIBRARIES += policies/shape.la
policies_shape_la_SOURCES = policies/shape.c
policies_shape_la_LDFLAGS = $(module_ldflags)

pkglib_LTLIBRARIES += policies/watermark.la
policies_watermark_la_SOURCES = policies/watermark.c
policies_watermark_la_LDFLAGS = $(module_ldflags)
