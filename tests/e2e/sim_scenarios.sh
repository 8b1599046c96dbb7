#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every scenario of doc/scenarios runs, and what must hold in it does: short, for they are looked at after every step.

. "${WEIR_SRCDIR:?}/tests/e2e/sim_lib.sh"

set -- "$scenarios"/*.ini
echo "1..$(($# + 1))"

for scenario; do
	run --check --json --set scenario.duration=500ms "$scenario"
	[ $status = 0 ] && [ ! -s "$dir/err" ]
	result $? "${scenario##*/}" "$dir/err"
done

# What `make install` puts beside the manuals is what there is.
sed -n 's|^	doc/scenarios/\([a-z0-9.-]*\).*|\1|p' "$WEIR_SRCDIR/doc/local.mk" | sort >"$dir/listed"
printf '%s\n' "$@" | sed 's|.*/||' | sort >"$dir/there"
same "doc/local.mk lists each scenario" "$dir/there" "$dir/listed"
