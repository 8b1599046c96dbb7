# SPDX-License-Identifier: BSD-2-Clause
# The policy modules, one file each. A module exports exactly one symbol.

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

pkglib_LTLIBRARIES += policies/shape.la
policies_shape_la_SOURCES = policies/shape.c
policies_shape_la_LDFLAGS = $(module_ldflags)

pkglib_LTLIBRARIES += policies/watermark.la
policies_watermark_la_SOURCES = policies/watermark.c
policies_watermark_la_LDFLAGS = $(module_ldflags)
