# SPDX-License-Identifier: BSD-2-Clause
# Manuals: dist_man_MANS += doc/NAME.SECTION; other documents: EXTRA_DIST.

dist_man_MANS += \
	doc/weir-credit.7 \
	doc/weir-demand.7 \
	doc/weir-fair.7 \
	doc/weir-inflight-cap.7 \
	doc/weir-policy.3 \
	doc/weir-shape.7 \
	doc/weir-sim.1 \
	doc/weir-watermark.7 \
	doc/weir.8 \
	doc/weir.ini.5

if HAVE_INTERCEPT
dist_man_MANS += \
	doc/weir-intercept-findings.7 \
	doc/weir-intercept.8
endif

EXTRA_DIST += \
	README.md \
	doc/architecture.md \
	doc/performance.md \
	doc/plots/credit.svg \
	doc/plots/demand.svg \
	doc/plots/fair.svg \
	doc/plots/inflight-start.svg \
	doc/plots/scopes-teeth.svg \
	doc/plots/shape-burst.svg \
	doc/plots/watermark.svg \
	doc/policies.md \
	doc/transparent.md

# Scenarios for weir-sim; each is run by tests/e2e/sim_scenarios.sh, short.
scenariosdir = $(docdir)/scenarios
dist_scenarios_DATA = \
	doc/scenarios/credit-stalled.ini \
	doc/scenarios/credit.ini \
	doc/scenarios/demand-stalled.ini \
	doc/scenarios/demand.ini \
	doc/scenarios/echo.ini \
	doc/scenarios/fair-newcomer.ini \
	doc/scenarios/fair.ini \
	doc/scenarios/inflight-requests.ini \
	doc/scenarios/inflight-start.ini \
	doc/scenarios/inflight.ini \
	doc/scenarios/scopes-teeth.ini \
	doc/scenarios/scopes.ini \
	doc/scenarios/shape-burst.ini \
	doc/scenarios/shape-clients.ini \
	doc/scenarios/shape-fair.ini \
	doc/scenarios/shape.ini \
	doc/scenarios/slow-consumer.ini \
	doc/scenarios/stack-requests.ini \
	doc/scenarios/stack.ini \
	doc/scenarios/watermark.ini
