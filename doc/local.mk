# SPDX-License-Identifier: BSD-2-Clause
# Manuals: dist_man_MANS += doc/NAME.SECTION; other documents: EXTRA_DIST.
