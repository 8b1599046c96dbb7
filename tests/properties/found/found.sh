#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What random scenarios found once, shrunk, must not come back.
set -u
# shellcheck source=../../e2e/lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"

for scenario in "$WEIR_SRCDIR"/tests/properties/found/*.ini; do
	"$WEIR_BUILDDIR/tools/weir-sim" --check --module-dir "$WEIR_POLICIES" "$scenario" >"$dir/log" 2>&1
	result $? "$(head -n 1 "$scenario" | sed 's/^; //')"
done
echo "1..$count"
