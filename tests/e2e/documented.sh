#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The manuals and the sample say what the program does: keys, defaults, ranges, close reasons, log lines, options; and
# every configuration they show is one.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need awk diff nc
ini5=$WEIR_SRCDIR/doc/weir.ini.5
policies="credit demand fair inflight-cap shape watermark"
weir8=$WEIR_SRCDIR/doc/weir.8
sample=$WEIR_SRCDIR/etc/weir.ini
: >"$dir/log"

run_weir() {
	"$WEIR" "$@" --module-dir "$WEIR_POLICIES"
}

# agree DESCRIPTION FILE FILE: what the program has, and what is documented; both sorted
agree() {
	[ -s "$2" ] && diff -U0 "$2" "$3" >"$dir/diff"
	result $? "$1" "$dir/diff"
}

# ---- what the program has: lines "SECTION KEY DEFAULT"

cat >"$dir/least.ini" <<-END
	[upstream u]
	server = 127.0.0.1:1
	[listener l]
	listen = 127.0.0.1:0
	upstream = u
END

# -T tells numbers for auto, and module_dir is the one of this run; keys without a default have "-".
program_keys() {
	run_weir -T -f "$dir/least.ini" | awk '
		/^\[/ { section = substr($1, 2); sub(/\]/, "", section); next }
		section == "policy" { next }
		/^; .* is empty$/ { print section, $2, "-"; next }
		/ = / { print section, $1, $3 }' | sed -E '
			s/^(weir (workers|max_sessions|mark)) .*/\1 auto/
			s/^(weir module_dir|upstream server|listener (listen|upstream)) .*/\1 -/'
	echo policy module -
}

# Of a module: "KEY DEFAULT", and "KEY: RANGE".
policy_keys() {
	run_weir --help-policy "$1" | sed -n 's/^  \([a-z_]*\) = \(.*\)/\1 \2/p' | sed '/^module /d; s/ (required)$/ -/'
}

policy_ranges() {
	run_weir --help-policy "$1" | awk '/^  [a-z_]+ = / && $1 != "module" { key = $1; getline; sub(/^ */, ""); print key ": " $0 }'
}

# Every number, size, time and word is asked for what it takes: "SECTION KEY: RANGE".
program_ranges() {
	awk '$3 != "-" && !($1 == "listener" && $2 == "policy") {
			if ($1 != last) print "[" $1 ($1 == "weir" ? "" : " x") "]"
			last = $1
			print $2 " = ?"
		}' "$dir/program" >"$dir/all.ini"
	run_weir -t -f "$dir/all.ini" 2>&1 | sed -n 's/^[^[]*\[\([a-z]*\)[^]]*\] \([a-z_]*\): "?" .*; expected \(.*\)/\1 \2: \3/p'
}

# ---- what the manual has

# One line an item: "SECTION KEY DEFAULT: TEXT"
manual_items() {
	awk '
		function flush() { if (item != "") print item ": " text; item = ""; text = "" }
		/^\.Sh/ { flush(); section = "" }
		/^\.Sh THE WEIR SECTION/ { section = "weir" }
		/^\.Sh (POLICY|UPSTREAM|LISTENER) SECTIONS/ { section = tolower($2) }
		/^\.Sh POLICY STACKS/ { section = "" }
		/^\.Sh OPTIONS/ { section = "option" }
		/^\.El/ { flush() }
		section != "" && /^\.It Ic/ { flush(); item = section " " $3 " " ($4 == "=" ? $5 : "-"); next }
		item != "" { sub(/^\.[A-Z][a-z] /, ""); text = text " " $0 }' "${1:-$ini5}"
}

item_heads() {
	sed 's/: .*//' "$dir/items"
}

manual_ranges() {
	while IFS= read -r line; do
		key=${line%%:*}
		range=${line#*: }
		grep "^$key " "$dir/items" | grep -q -i -F " $range." || echo "$key: not documented as: $range"
	done <"$dir/ranges"
}

# A display that says which scenario it shows is that file, but for its comments.
shown_scenarios() {
	sed -n 's/^\.\\" scenario: //p' "$1" | while read -r name; do
		awk -v name="$name" '
			$0 == ".\\\" scenario: " name { inside = 1; getline; next }
			/^\.Ed/ { inside = 0 }
			inside' "$1" >"$dir/in_page"
		sed '/^;/d' "$WEIR_SRCDIR/doc/scenarios/$name.ini" | sed '/./,$!d' >"$dir/in_file"
		diff -U0 "$dir/in_file" "$dir/in_page"
	done
}

# ---- the sample

# The keys that have no default: what the sample shows of them in comments are examples.
empty_keys() {
	awk '$3 == "-" { print $2 }' "$dir/program" | paste -s -d '|'
}

# Without the marks that comment keys out.
uncommented() {
	sed -E "/^;($(empty_keys)) = /d; s/^;([a-z_]+ = )/\1/" "$sample"
}

sample_keys() {
	awk '/^\[/ { section = substr($1, 2); sub(/\]/, "", section) } /^;?[a-z_]+ = / { sub(/^;/, ""); print section, $1 }' "$sample"
}

# ---- log lines

logged_keys() {
	sed -n -E 's/^[^ ]+ info ((session|status) [0-9.]+|status end) ([a-z_]+=.*)/\3/p' "$dir/log" | tr ' ' '\n' |
		sed -n 's/^\([a-z_]*\)=.*/\1/p'
}

documented_keys() {
	sed -n '/^\.Sh LOG LINES/,/^\.Sh CLOSE REASONS/s/^\.It Ic //p' "$weir8" | tr -d ' ' | tr ',' '\n'
}

session_shown() {
	kill -USR1 "$weir"
	grep -q ' status .* server=unix:' "$dir/log"
}

log_of_everything() {
	nc -l -U "$dir/server" >"$dir/nc" </dev/null &
	children="$children $!"
	eventually test -S "$dir/server"
	start_weir <<-END
		[weir]
		mark = off
		[listener live]
		listen = unix:$dir/live
		upstream = unix:$dir/server
		[listener brought]
		listen = 127.0.0.1:0
		mode = redirect
		upstream = unix:$dir/nobody
		accept_proxy = yes
		proxy_from = all
	END
	nc -U "$dir/live" >"$dir/nc" 2>&1 </dev/null & # stays until weir ends: nobody says that he has no more to say
	children="$children $!"
	eventually session_shown
	printf 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n' | timeout 60 nc -N 127.0.0.1 "$(port_of brought)" >"$dir/nc" 2>&1
	eventually grep -q 'listener=brought .* close=' "$dir/log"
	kill -TERM "$weir"
	eventually grep -q draining "$dir/log"
	kill -TERM "$weir"
	wait "$weir"
}

# ---- configurations shown

# Writes each one in FILE's literal displays, or in its ```ini blocks, to a file of its own.
configurations() {
	awk -v to="$dir/shown.$1" '
		/^\.Bd -literal|^```ini/ { inside = 1; text = ""; next }
		/^\.Ed|^```/ { if (inside && text ~ /(^|\n)\[/) { n++; printf "%s", text >(to "." n) } inside = 0; next }
		inside { text = text $0 "\n" }' "$2"
}

# ---- the tests

echo 1..30

program_keys | sort >"$dir/program"
manual_items >"$dir/items"
item_heads | sort >"$dir/heads"
agree "weir.ini(5) has every key and its default, and no other" "$dir/program" "$dir/heads"

program_ranges >"$dir/ranges"
manual_ranges >"$dir/missing"
[ "$(wc -l <"$dir/ranges")" -gt 15 ] && [ ! -s "$dir/missing" ]
result $? "weir.ini(5) has every range" "$dir/missing"

for policy in $policies; do
	page=$WEIR_SRCDIR/doc/weir-$policy.7
	policy_keys "$policy" | sed 's/^/option /' | sort >"$dir/options"
	manual_items "$page" >"$dir/items"
	item_heads | sort >"$dir/heads"
	agree "weir-$policy(7) has every option and its default, and no other" "$dir/options" "$dir/heads"
	policy_ranges "$policy" | sed 's/^/option /' >"$dir/ranges"
	manual_ranges >"$dir/missing"
	[ -s "$dir/ranges" ] && [ ! -s "$dir/missing" ]
	result $? "weir-$policy(7) has every range" "$dir/missing"
	shown_scenarios "$page" >"$dir/errors"
	[ "$(grep -c '^\.\\" scenario: ' "$page")" -ge 1 ] && [ ! -s "$dir/errors" ]
	result $? "the scenarios in weir-$policy(7) are those of doc/scenarios" "$dir/errors"
done

{
	cut -d ' ' -f 1,2 "$dir/program"
	for policy in $policies; do
		policy_keys "$policy" | sed 's/^\([^ ]*\).*/policy \1/'
	done
} | sort -u >"$dir/keys"
sample_keys | sort -u >"$dir/shown"
agree "the sample shows every key" "$dir/keys" "$dir/shown"

uncommented >"$dir/uncommented.ini"
run_weir -T -f "$sample" >"$dir/forced" 2>&1
run_weir -T -f "$dir/uncommented.ini" >"$dir/forced.uncommented" 2>&1
agree "the values it comments out are the defaults" "$dir/forced" "$dir/forced.uncommented"

sed -n '/^#define CLOSE_REASONS/,/^$/p' "$WEIR_SRCDIR/src/session.h" | grep -o 'X([A-Z_]*, "[a-z-]*")' | cut -d '"' -f 2 |
	grep -v '^none$' | sort >"$dir/reasons"
sed -n '/^\.Sh CLOSE REASONS/,/^\.El/s/^\.It Ic //p' "$weir8" | sort >"$dir/reasons.8"
agree "weir(8) has every close reason, and no other" "$dir/reasons" "$dir/reasons.8"

log_of_everything
logged_keys | sort -u >"$dir/logged"
documented_keys | sort -u >"$dir/logged.8"
agree "weir(8) has every key of the session's lines, and no other" "$dir/logged" "$dir/logged.8"

"$WEIR" -h | grep -o -E '(^|[ [])--?[a-zA-Z][a-z-]*' | sed 's/^[ []*-//' | sort -u >"$dir/options"
sed -n 's/^\.It Fl //p' "$weir8" | sed 's/ *,* *Ar .*//; s/ , /\n/' | sort -u >"$dir/options.8"
comm -23 "$dir/options" "$dir/options.8" >"$dir/missing"
[ "$(wc -l <"$dir/options")" -gt 5 ] && [ ! -s "$dir/missing" ]
result $? "weir(8) has every option of -h" "$dir/missing"

configurations readme "$WEIR_SRCDIR/README.md"
configurations ini5 "$ini5"
configurations weir8 "$weir8"
configurations transparent "$WEIR_SRCDIR/doc/transparent.md"
for policy in $policies; do
	configurations "$policy" "$WEIR_SRCDIR/doc/weir-$policy.7"
done
for shown in "$dir"/shown.*; do # those are weir-sim's
	! grep -q '^\[scenario\]' "$shown" || rm "$shown"
done
cp "$sample" "$dir/shown.sample"
: >"$dir/errors"
count_shown=0
for shown in "$dir"/shown.*; do
	count_shown=$((count_shown + 1))
	run_weir -t -f "$shown" >"$dir/said" 2>&1 || cat "$dir/said" >>"$dir/errors"
done
[ $count_shown -ge 6 ] && [ ! -s "$dir/errors" ]
result $? "the $count_shown configurations shown are right" "$dir/errors"

: >"$dir/errors"
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$WEIR_SRCDIR"/doc/*.[1-8] >"$dir/errors" 2>&1
	result $? "mandoc has nothing to say" "$dir/errors"
else
	count=$((count + 1))
	echo "ok $count - mandoc # SKIP mandoc is missing"
fi
# "Ss In which order" would be the macro In.
! grep -n -E '^\.(Sh|Ss) ([^ ]+ )*[A-Z][a-z]( |$)' "$WEIR_SRCDIR"/doc/*.[1-8] >"$dir/errors"
result $? "no word of a heading is a macro" "$dir/errors"
if command -v man >/dev/null && command -v groff >/dev/null; then
	for page in "$WEIR_SRCDIR"/doc/*.[1-8]; do
		MANWIDTH=80 MANPAGER=cat man --warnings -l "$page" 2>>"$dir/errors" >"$dir/page" || echo "$page" >>"$dir/errors"
	done
	[ ! -s "$dir/errors" ]
	result $? "man renders every page without a warning" "$dir/errors"
else
	count=$((count + 1))
	echo "ok $count - man # SKIP man is missing"
fi

# The sample runs as it is, but for its port.
sed 's/^listen = .*/listen = 127.0.0.1:0/' "$sample" >"$dir/sample.ini"
: >"$dir/log" # the other weir's is no sign that this one is ready
start_weir <"$dir/sample.ini"
stop_weir
