#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# weir-sim(1) says what weir-sim does: keys of a scenario, their defaults and ranges, options, columns, names; and every
# scenario it shows is one.

. "${WEIR_SRCDIR:?}/tests/e2e/sim_lib.sh"
need awk diff jq
manual=$WEIR_SRCDIR/doc/weir-sim.1
cd "$dir" || exit 1

# ---- what the program has

# Lines "SECTION KEY DEFAULT: RANGE"; keys without a default have "-".
program_keys() {
	run --help-scenario
	awk '
		/^\[/ { section = substr($1, 2); sub(/\]/, "", section) }
		/^  [a-z]/ { head = section " " $1 " " (NF > 2 ? $3 : "-"); getline; sub(/^ */, ""); print head ": " $0 }' out
}

# ---- what the manual has

# One line an item of a section's list: "SECTION KEY DEFAULT: TEXT". Lists within an item are part of it.
manual_items() {
	awk '
		function flush() { if (item != "") print item ": " text; item = ""; text = "" }
		/^\.Sh/ { flush(); section = "" }
		/^\.Sh THE SCENARIO SECTION/ { section = "scenario" }
		/^\.Sh (SOURCE|SINK|TRAFFIC) SECTIONS/ { section = tolower($2) }
		/^\.Bl/ { depth++ }
		/^\.El/ { depth--; if (depth == 0) flush() }
		section != "" && depth == 1 && /^\.It Ic/ { flush(); item = section " " $3 " " ($4 == "=" ? $5 : "-"); next }
		item != "" { sub(/^\.[A-Z][a-z] /, ""); text = text " " $0 }' "$manual"
}

# Words and texts have no range that could be said.
missing_ranges() {
	grep -v ': a text$' program | while IFS= read -r line; do
		grep "^${line%%:*}:" items | grep -q -i -F " ${line#*: }." || echo "not documented: $line"
	done
}

echo 1..8

program_keys | sort >program
manual_items >items
sed 's/:.*//' program >keys
sed 's/:.*//' items | sort >heads
same "weir-sim(1) has every key and its default, and no other" keys heads

missing_ranges >missing
[ "$(wc -l <program)" -gt 40 ] && [ ! -s missing ]
result $? "weir-sim(1) has every range" missing

"$WEIR_BUILDDIR/tools/weir-sim" -h | grep -o -E '(^|[ [])--?[a-zA-Z][a-z-]*' | sed 's/^[ []*-//' | sort -u >options
sed -n '/^\.Sh DESCRIPTION/,/^\.Sh SCENARIOS/s/^\.It Fl //p' "$manual" | sed 's/ *,* *Ar .*//; s/ , /\n/' | sort -u >options.1
comm -23 options options.1 >missing
[ "$(wc -l <options)" -gt 8 ] && [ ! -s missing ]
result $? "weir-sim(1) has every option of -h" missing

# ---- what it writes

printf '[policy p]\nmodule = watermark\n[policy c]\nmodule = inflight-cap\ntotal = 1M\n[scenario]\nduration = 5ms\npolicy = p, c\n[source s]\n[traffic t]\nup_source = s\n' >a.ini
run --csv a.csv --json a.ini
head -n 1 a.csv | tr ',' '\n' >columns
sed -n '/^\.Sh TRACE/,/^\.Sh/s/^\.It Ic //p' "$manual" >columns.1
same "weir-sim(1) has every column of the trace, in their order" columns columns.1

# documented_names: those between "Names of the JSON object" and the end of the paragraph about them
documented_names() {
	sed -n '/^Names of the JSON object/,/^With$/p' "$manual" | sed -n 's/^\.Ic \([a-z0-9_]*\).*/\1/p; s/^\.Pq Ic \(.*\) [.,]*$/\1/p' |
		tr -d ' .' | tr ',' '\n'
}
jq -r '[paths | map(select(type == "string")) | last] | unique | .[]' out |
	grep -v -x -E 'p50|p99|max|idle|moving|blocked|held' | sort -u >names
documented_names | sort -u >names.1
same "weir-sim(1) has every name of the JSON object" names names.1

run --json --sweep scenario.seed=1 a.ini
jq -r '.[0] | keys_unsorted | .[]' out >names
sed -n '/^each element has$/,/^\.Sh/s/^\.Ic \([a-z]*\).*/\1/p' "$manual" >names.1
same "and of a series" names names.1

# ---- what it shows

awk '
	/^\.Bd -literal/ { inside = 1; text = ""; next }
	/^\.Ed/ { if (inside && text ~ /(^|\n)\[/) { n++; printf "%s", text >("shown." n) } inside = 0; next }
	inside { text = text $0 "\n" }' "$manual"
: >errors
set -- shown.*
for shown; do
	run --check "$shown"
	[ $status = 0 ] || cat err >>errors
done
[ $# -ge 2 ] && [ ! -s errors ]
result $? "the $# scenarios shown are right" errors

sed 1,2d "$scenarios/watermark.ini" | grep -v '^;' | grep . >sample
grep . shown.2 >shown
same "the larger one is doc/scenarios/watermark.ini" sample shown
