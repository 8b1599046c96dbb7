#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What weir-sim says to a command line, or a scenario, that is wrong; and how it ends.

. "${WEIR_SRCDIR:?}/tests/e2e/sim_lib.sh"
cd "$dir" || exit 1

printf '[policy smooth]\nmodule = watermark\n[scenario]\npolicy = smooth\nduration = 10ms\n[traffic t]\n' >a.ini
printf '[scenario]\nsed = 1\n[traffic t]\nup_source = x\n' >wrong.ini

# usage ARGUMENTS...: refused with the usage, and status 2
usage() {
	run "$@"
	[ $status = 2 ] && [ ! -s out ] && grep -q '^usage: weir-sim ' err
	result $? "no command line: weir-sim $*" err
}

# refused TEXT ARGUMENTS...: refused with this text, and status 1
refused() {
	text=$1
	shift
	run "$@"
	fails 1 "$text" "weir-sim $*"
}

echo 1..35

usage
usage a.ini a.ini
usage --nonsense a.ini
usage --set scenario.seed a.ini
usage --plot a.png a.ini
usage --sweep scenario.seed=1,2 --csv a.csv a.ini
usage --sweep scenario.seed=1,2 --plot a.svg a.ini
usage --csv

refused 'missing.ini: cannot open: No such file or directory; expected a readable ini file' missing.ini
run wrong.ini
fails 1 'wrong.ini:2: [scenario] sed: the key is not known; did you mean "seed"?
wrong.ini:4: [traffic t] up_source: no section [source x]; expected none' 'all errors of a scenario, in one run'

refused 'command line: policy.smoth.high=1: no section [policy smoth]; did you mean "smooth"?' --set policy.smoth.high=1 a.ini
refused 'command line: policy.smooth.hgih=1: the key is not known; did you mean "high"?' --set policy.smooth.hgih=1 a.ini
refused 'command line: scenario.seed=x: "x" is no number; expected a number of at least 0' --seed x a.ini
run --set policy.smooth.low=1M --set scenario.traced=1001 a.ini
fails 1 'a.ini:1: [policy smooth]: low = 1024K is above high = 256K; expected low <= high
command line: scenario.traced=1001: "1001" is above 1000; expected a number from 0 to 1000 (flows that the trace shows one by one: the first of those whose sources send)' 'errors of the file and of the command line'

refused 'weir-sim: nowhere/a.csv: No such file or directory' --csv nowhere/a.csv a.ini
refused 'weir-sim: --plot: cannot write nowhere/a.svg: No such file or directory' --plot nowhere/a.svg a.ini

# ---- series

refused 'weir-sim: --sweep: no KEY= in front; expected KEY=A..B:xF, KEY=A..B:+S or KEY=A,B,C' --sweep 1..2:x2 a.ini
refused 'weir-sim: --sweep: a value is empty; expected values with commas between' --sweep scenario.seed=1,,2 a.ini
refused 'weir-sim: --sweep: 1..9 is no range; expected A..B:xFACTOR or A..B:+STEP' --sweep scenario.seed=1..9 a.ini
refused 'weir-sim: --sweep: 1..9:*2 is no range; expected A..B:xFACTOR or A..B:+STEP' --sweep 'scenario.seed=1..9:*2' a.ini
refused 'weir-sim: --sweep: 9..1:x2 begins behind its end; expected the smaller number first' --sweep scenario.seed=9..1:x2 a.ini
refused 'weir-sim: --sweep: 1..9:x1 does not grow; expected a factor of at least 2 of more than 0, or a step of more than 0' \
	--sweep scenario.seed=1..9:x1 a.ini
refused 'weir-sim: --sweep: 0..9:x2 does not grow; expected a factor of at least 2 of more than 0, or a step of more than 0' \
	--sweep scenario.seed=0..9:x2 a.ini
refused 'weir-sim: --sweep: 1..9:+0 does not grow; expected a factor of at least 2 of more than 0, or a step of more than 0' \
	--sweep scenario.seed=1..9:+0 a.ini
refused 'weir-sim: --sweep: the numbers of 1K..9s:+1 do not go together; expected all sizes or all times' --sweep scenario.seed=1K..9s:+1 a.ini
refused 'weir-sim: --sweep: more than 1000 values; expected fewer' --sweep scenario.seed=1..5000:+1 a.ini
refused 'command line: scenario.seed=x: "x" is no number; expected a number of at least 0' --sweep scenario.seed=1,2,x a.ini

# values RANGE EXPECTED...: what a range is made of
values() {
	range=$1
	shift
	run --sweep "$range" a.ini
	awk 'NR > 2 { print $1 }' out >got
	printf '%s\n' "$@" >expected
	same "$range" expected got
}
values scenario.duration=500ms..2s:+500ms 500ms 1s 1500ms 2s
values scenario.duration=1..10:x3 1 3 9
values policy.smooth.high=128K..1M:x2 128K 256K 512K 1M

# ---- what does not hold

# A watermark that lets a flow hold more than its high mark.
if command -v cc >log; then
	mkdir wrong && chmod 755 wrong
	sed 's/held_max = options->high;/held_max = options->high * 2;/' "$WEIR_SRCDIR/policies/watermark.c" >wrong.c
	cc -std=gnu11 -I"$WEIR_SRCDIR/include" -fPIC -shared wrong.c -o wrong/watermark.so && chmod 755 wrong/watermark.so
	run --module-dir wrong "$scenarios/watermark.ini"
	[ $status = 0 ] && [ ! -s err ]
	result $? "without --check, what does not hold is not looked for" err
	run --module-dir wrong --check "$scenarios/watermark.ini"
	[ $status = 1 ] && grep -q '^fault held: seed 1, .* session 1 up: ' err && grep -q '^simulated ' out
	result $? "with --check it is told, and an error" err
else
	skip 'cc is missing' 'without --check'
	skip 'cc is missing' 'with --check'
fi

# ---- help

run -h
[ $status = 0 ] && [ ! -s err ] && grep -q '^usage: weir-sim ' out
result $? "-h" err
run -V
[ $status = 0 ] && [ ! -s err ] && grep -q '^weir-sim [0-9]' out
result $? "-V" err
"$WEIR_BUILDDIR/tools/weir-sim" -h >/dev/full 2>err
[ $? = 1 ] && [ "$(cat err)" = 'weir-sim: standard output: No space left on device' ]
result $? "a full disk is an error" err
