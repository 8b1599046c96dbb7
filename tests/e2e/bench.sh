#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The bench, short and small: it measures, its figures can be true, and it leaves nothing behind. How fast weir is, is
# not asked here: this machine may be doing something else.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need python3
: >"$dir/log"

cases="bulk-1 rounds-1kx1 churn"
if strace -o "$dir/strace" true 2>/dev/null; then
	cases="$cases syscalls-bulk syscalls-rounds syscalls-churn"
fi

# bench OPTION...: in the background, as $bench; everything of it has $dir in its environment
bench() {
	TMPDIR=$dir "$WEIR_SRCDIR/bench/run" --build "$WEIR_BUILDDIR" --out "$dir/results" --quick \
		--measures "$(echo "$cases" | tr ' ' ,)" --only weir,relay-copy "$@" >"$dir/out" 2>"$dir/log" &
	bench=$!
	children="$children $bench"
}

# ended STATUS: waits for the bench
ended() {
	wait "$bench"
	status=$?
	children=
	[ $status = "$1" ] && return
	echo "# status $status, expected $1"
	return 1
}

# Says which sample is missing, or counts nothing.
wrong() {
	# shellcheck disable=SC2086 # a list of words
	python3 - "$dir/results/results.json" $cases <<'END'
import json
import sys

counts = {
    "bulk": ("bytes", "cpu_ns", "gbit_s", "cpu_s_per_gib"),
    "rounds": ("rounds", "cpu_ns", "cpu_us_per_round", "p99_us"),
    "churn": ("connections", "cpu_ns", "cpu_us_per_connection"),
    "syscalls": ("units", "calls", "calls_per_unit"),
}
with open(sys.argv[1], encoding="utf-8") as stream:
    samples = json.load(stream)["samples"]
found = {(sample["case"], sample["proxy"]): sample["figures"] for sample in samples}
for case in sys.argv[2:]:
    for proxy in ("weir", "relay-copy"):
        figures = found.get((case, proxy), {})
        for key in counts[case.split("-")[0]]:
            if not figures.get(key, 0) > 0:
                print(f"{case} of {proxy}: {key} is {figures.get(key)}")
END
}

# Neither a process nor a file of the bench is left.
nothing_left() {
	grep -lsa "TMPDIR=$dir" /proc/[0-9]*/environ >"$dir/left"
	ls -d "$dir"/weir-bench-* "$dir"/weir-policies-* >>"$dir/left" 2>/dev/null
	! [ -s "$dir/left" ]
}

echo 1..9

bench
ended 0
result $? "the bench succeeds" "$dir/out"
wrong >"$dir/wrong" 2>&1
! [ -s "$dir/wrong" ]
result $? "its figures can be true" "$dir/wrong"
grep -q '^  weir .* 1\.00 ' "$dir/out" && grep -q '^### bulk-1: ' "$dir/results/results.md"
result $? "it prints tables, and writes them" "$dir/out"
nothing_left
result $? "nothing is left" "$dir/left"

bench --rounds 1000
eventually grep -q 'round 1/1000 bulk-1 weir: ' "$dir/log"
kill -TERM "$bench"
ended 143
result $? "SIGTERM stops it" "$dir/out"
nothing_left
result $? "nothing is left after SIGTERM" "$dir/left"

# Whoever holds all that a policy allows holds the same in every column.
TMPDIR=$dir "$WEIR_SRCDIR/bench/policies" --build "$WEIR_BUILDDIR" --rounds 1 --seconds 2 --only watermark \
	>"$dir/out" 2>&1 &&
	grep -q '^| watermark | held, most, KB | 64.0 | 64.0 | 64.0 | ' "$dir/out"
result $? "a policy simulated and over sockets" "$dir/out"
nothing_left
result $? "nothing is left of that" "$dir/left"

# In namespaces, where they can be had.
what="transparent modes are measured, each in four ways"
"$WEIR_SRCDIR/bench/transparent" --build "$WEIR_BUILDDIR" --rounds 1 --seconds 0.2 --settle 0.1 >"$dir/out" 2>&1
if grep -q '^1\.\.0 # SKIP' "$dir/out"; then
	skip "$(sed -n 's/^1\.\.0 # SKIP //p' "$dir/out")" "$what"
else
	[ "$(grep -c -e '^[^ ]* *\(forward\|redirect\|tproxy\) *[0-9.]* .* of forward$' "$dir/out")" = 12 ]
	result $? "$what" "$dir/out"
fi
