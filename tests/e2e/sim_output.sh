#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What weir-sim writes: the same bytes for the same seed and others for another, summary, JSON, trace, plot, sweep.

. "${WEIR_SRCDIR:?}/tests/e2e/sim_lib.sh"
need diff jq

cat >"$dir/a.ini" <<-END
	[scenario]
	duration = 1s
	traced = 1
	[policy smooth]
	module = watermark
	high = 64K
	low = 32K
	[policy too]
	module = watermark
	high = 64K
	low = 32K
	[listener in]
	policy = smooth
	notsent_lowat = 4K
	sndbuf = 8K
	[source noise]
	kind = poisson
	rate = 1M
	write = 4K
	[sink slow]
	rate = 256K
	window = 16K
	[traffic t]
	up_source = noise
	up_sink = slow
END

echo 1..23

# ---- the same bytes

run --csv "$dir/one.csv" "$dir/a.ini"
cp "$dir/out" "$dir/one.txt"
[ $status = 0 ] && [ ! -s "$dir/err" ]
result $? "a scenario is simulated" "$dir/err"
run --csv "$dir/two.csv" --seed 1 "$dir/a.ini"
same "the same seed, the same summary" "$dir/one.txt" "$dir/out"
same "the same seed, the same trace" "$dir/one.csv" "$dir/two.csv"
run --csv "$dir/other.csv" --seed 2 "$dir/a.ini"
[ -s "$dir/other.csv" ] && ! cmp -s "$dir/one.csv" "$dir/other.csv"
result $? "another seed, another trace"

# ---- the trace

grep -v -E '^[0-9]+\.[0-9]{6}(,[0-9]+){7},(all|idle|moving|blocked|held),[0-9]+$' "$dir/one.csv" >"$dir/odd"
echo time_s,flow,held_bytes,read_bytes,written_bytes,taken_bytes,unread_bytes,queued_bytes,state,paused >"$dir/header"
same "the trace has a header, and rows" "$dir/header" "$dir/odd"

awk -F , 'NR > 1 && $3 != $4 - $5 { print "line " NR ": " $0 }
	NR > 1 && $2 == 1 { rows++; if ($3 + 0 > max) max = $3 + 0 }
	END { if (rows < 1000) print rows " rows of the flow"; if (max != 65536) print "at most " max " held" }' "$dir/one.csv" >"$dir/odd"
[ ! -s "$dir/odd" ]
result $? "what is held is what was read and not written, up to the high mark" "$dir/odd"

run --csv "$dir/two.csv" --set 'listener.in.policy=smooth, too' "$dir/a.ini"
awk -F , '$2 == 0 { all = $10 } $2 == 1 && $10 == 2 { both++; if (all != 1) print "of one flow, " all " are paused: " $0 }
	END { if (both < 10) print "two causes in " both + 0 " rows" }' "$dir/two.csv" >"$dir/odd"
[ ! -s "$dir/odd" ]
result $? "it counts what pauses a flow, and flows that are paused" "$dir/odd"

run --csv - "$dir/a.ini"
same "--csv -: standard output is the trace's" "$dir/one.csv" "$dir/out"
same "--csv -: the summary goes to standard error" "$dir/one.txt" "$dir/err"

# ---- the summary

sed -n 's/^\([a-z]*\) .*/\1/p' "$dir/one.txt" | tr '\n' ' ' >"$dir/words"
echo 'simulated bytes throughput held  sojourn pauses fairness time paused smooth too memory pool memory ' | tr -d '\n' >"$dir/expected"
same "the summary has its lines" "$dir/expected" "$dir/words"
grep -q '^simulated   1.00s, seed 1: 1 session (0 ended), 1 flow, ' "$dir/one.txt" &&
	grep -q '^held        p50 .* max 64.0K      by a flow$' "$dir/one.txt" &&
	grep -q '^smooth  *[1-9][0-9]* ' "$dir/one.txt"
result $? "it says what it should" "$dir/one.txt"

run --json "$dir/a.ini"
cp "$dir/out" "$dir/one.json"
jq -e '.seed == 1 and .duration_ns == 1000000000 and .held_bytes.max == 65536 and .pauses > 3 and
	.read_bytes - .written_bytes <= 65536 and .taken_bytes <= .written_bytes and .jain_millionths == 1000000 and
	(.spent_ns | add) == 1000000000 and (.causes[] | select(.name == "smooth").pauses) == .pauses and
	(.pools[] | select(.name == "memory").size_units) > 0' "$dir/one.json" >"$dir/log" 2>&1
result $? "as JSON, too" "$dir/one.json"
tail -n 1 "$dir/one.csv" >"$dir/last"
jq -r '[.read_bytes, .written_bytes, .taken_bytes] | join(",")' "$dir/one.json" >"$dir/expected"
awk -F , '$2 == 0 { last = $4 "," $5 "," $6 } END { print last }' "$dir/one.csv" >"$dir/last"
same "the trace's last row is the summary" "$dir/expected" "$dir/last"

# ---- the plot

if command -v gnuplot >"$dir/log"; then
	run --plot "$dir/a.svg" "$dir/a.ini"
	[ $status = 0 ] && [ ! -s "$dir/err" ] && grep -q '<svg' "$dir/a.svg" && grep -q '</svg>' "$dir/a.svg" &&
		grep -q '>smooth high<' "$dir/a.svg" && grep -q '>smooth low<' "$dir/a.svg" && grep -q '>flow 1<' "$dir/a.svg" &&
		grep -q '>written<' "$dir/a.svg"
	result $? "--plot draws flows and marks" "$dir/err"
	if command -v python3 >"$dir/log"; then
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$dir/a.svg" >"$dir/why" 2>&1
		result $? "the picture is valid" "$dir/why"
	else
		skip 'python3 is missing' 'the picture is valid'
	fi
	run --plot "$dir/a.txt" "$dir/a.ini"
	[ $status = 0 ] && [ ! -s "$dir/err" ] && grep -q 'smooth high' "$dir/a.txt" && ! grep -q '<svg' "$dir/a.txt"
	result $? "or one of letters" "$dir/a.txt"
	run --plot "$dir/fast.svg" --set traffic.t.up_sink=fast "$dir/a.ini"
	[ $status = 0 ] && grep -q '>read (KB)<' "$dir/fast.svg" && ! grep -q '>smooth high<' "$dir/fast.svg" &&
		grep -q '>held (KB)<' "$dir/a.svg"
	result $? "when nobody holds anything, it draws what was read" "$dir/err"
	run --plot "$dir/idle.svg" --set traffic.t.up_source=none "$dir/a.ini"
	[ $status = 0 ] && [ ! -s "$dir/err" ] && grep -q '</svg>' "$dir/idle.svg"
	result $? "also of nothing at all" "$dir/err"
else
	for what in 1 2 3 4 5; do
		skip 'gnuplot is missing' "plot $what"
	done
fi

mkdir "$dir/empty"
PATH=$dir/empty "$WEIR_BUILDDIR/tools/weir-sim" --module-dir "$WEIR_POLICIES" --plot "$dir/b.svg" "$dir/a.ini" \
	>"$dir/out" 2>"$dir/err"
status=$?
fails 1 'weir-sim: --plot: gnuplot is missing; expected it in PATH (Debian: apt install gnuplot-nox)' \
	'without gnuplot there is an error'
[ ! -e "$dir/b.svg" ]
result $? "and no picture"

# ---- series

run --sweep policy.smooth.high=32K..128K:x2 "$dir/a.ini"
awk '{ print $1, $5 }' "$dir/out" >"$dir/table"
printf '%s\n' 'held ' 'policy.smooth.high max' '32K 32.0K' '64K 64.0K' '128K 128K' >"$dir/expected"
sed -n 's/^ *held  *sojourn *$/held /p' "$dir/out" >"$dir/table"
awk 'NR > 1 { print $1, $5 }' "$dir/out" >>"$dir/table"
same "--sweep prints a line for each value" "$dir/expected" "$dir/table"

run --json --sweep policy.smooth.high=64K,128K "$dir/a.ini"
jq '.[0].result' "$dir/out" >"$dir/first" 2>"$dir/log"
jq 'del(.seed)' "$dir/one.json" >"$dir/expected"
same "--sweep --json: each value's result is what it is alone" "$dir/expected" "$dir/first"
jq -r '.[] | .key + "=" + .value' "$dir/out" >"$dir/values" 2>"$dir/log"
printf 'policy.smooth.high=%s\n' 64K 128K >"$dir/expected"
same "each has its key and value" "$dir/expected" "$dir/values"
