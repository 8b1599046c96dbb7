# SPDX-License-Identifier: BSD-2-Clause
# Manuals: dist_man_MANS += doc/NAME.SECTION; other documents: EXTRA_DIST.

dist_man_MANS += \
	doc/weir-policy.3 \
	doc/weir.8 \
	doc/weir.ini.5

EXTRA_DIST += \
	README.md \
	doc/architecture.md \
	doc/performance.md
