#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The demo, short and small: it shows what it promises, says so, and leaves nothing behind, whether it ends, is stopped, or
# cannot start.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"

: >"$dir/log"

# demo OPTION...: in the background, as $demo; everything of it has $dir in its environment
demo() {
	rm -f "$dir/out" # who waits for a line must not find that of the last run
	TMPDIR=$dir sh "$WEIR_SRCDIR/demo/run.sh" "$WEIR_BUILDDIR" "$@" >"$dir/out" 2>"$dir/log" &
	demo=$!
	children="$children $demo"
}

# ended STATUS: waits for the demo
ended() {
	wait "$demo"
	status=$?
	children=
	[ $status = "$1" ] && return
	echo "# status $status, expected $1"
	return 1
}

# Neither a process nor a file of the demo is left.
nothing_left() {
	grep -lsa "TMPDIR=$dir" /proc/[0-9]*/environ >"$dir/left"
	ls -d "$dir"/weir-demo-* >>"$dir/left" 2>/dev/null
	! [ -s "$dir/left" ]
}

echo 1..9

demo --seconds 2 --bound 10
ended 0
result $? "the demo succeeds" "$dir/out"
! LC_ALL=C grep -q "$(printf '\033')" "$dir/out"
result $? "without a terminal it writes plain lines" "$dir/out"
[ "$(sed -n '/^The producers could send/,$p' "$dir/out" | wc -l)" = 3 ]
result $? "it ends with three lines" "$dir/out"
grep -Eq '^weir held 0\.[0-2][0-9] MB at most in [0-9.]+ MB of memory; [1-9][0-9]* pauses' "$dir/out"
result $? "weir held no more than the sample's high mark" "$dir/out"
grep -Eq '^The naive relay piled up (10\.[01]|[1-9]\.[0-9]+) MB' "$dir/out"
result $? "the naive relay piled up more, but no more than its bound" "$dir/out"
nothing_left
result $? "nothing is left" "$dir/left"

demo --seconds 30 --bound 10
eventually grep -q '^  1s' "$dir/out"
kill -INT "$demo"
ended 130 && ! grep -q '^  5s' "$dir/out" && ! grep -q '^weir held' "$dir/out"
result $? "SIGINT stops it at once, with status 130" "$dir/out"
nothing_left
result $? "nothing is left after SIGINT" "$dir/left"

demo --ini "$dir/nothing.ini"
ended 1 && grep -q "^demo: $dir/nothing.ini: No such file or directory\$" "$dir/log" && nothing_left
result $? "a demo that cannot start says why" "$dir/out"
