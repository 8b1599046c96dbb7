# SPDX-License-Identifier: BSD-2-Clause
# For the end-to-end tests in shell: TAP, a weir of their own, ports nobody else has. To be sourced.
# shellcheck shell=sh

: "${WEIR:?}" "${WEIR_POLICIES:?}"

[ -n "${dir-}" ] || dir=$(mktemp -d /tmp/weir-e2e-XXXXXX) || exit 1 # netns.sh brings its own
children=
count=0

# What was started ends with the test, whatever happens; only what was started here.
cleanup() {
	trap - EXIT INT TERM HUP
	for child in $children; do
		kill -9 "$child" 2>/dev/null
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

need() {
	for tool; do
		command -v "$tool" >/dev/null || skip_all "$tool is missing"
	done
}

# result STATUS DESCRIPTION [FILE to show when it failed]
result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
		return
	fi
	echo "not ok $count - $2"
	[ -z "${3-}" ] || sed 's/^/#   /' "$3"
	echo "#   weir's log ends with:"
	tail -n 20 "$dir/log" | sed 's/^/#   /'
}

# skip REASON DESCRIPTION
skip() {
	count=$((count + 1))
	echo "ok $count - $2 # SKIP $1"
}

# eventually COMMAND...: polls until it succeeds; fails after a minute
eventually() {
	rounds=0
	until "$@" 2>/dev/null; do
		rounds=$((rounds + 1))
		[ $rounds -lt 1200 ] || return 1
		sleep 0.05
	done
}

# start_weir < INI: fails the whole test if it does not come up
start_weir() {
	cat >"$dir/weir.ini"
	: >"$dir/log" # what an earlier one said would pass for this one's
	env -u JOURNAL_STREAM -u NOTIFY_SOCKET "$WEIR" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES" >"$dir/log" 2>&1 &
	weir=$!
	children="$children $weir"
	eventually grep -q ' ready: ' "$dir/log" && return
	sed 's/^/# /' "$dir/log"
	echo "Bail out! weir does not come up"
	exit 1
}

# Prints the port of a listener.
port_of() {
	sed -n "s/.*listener $1: listening on [0-9.]*:\\([0-9]*\\)\$/\\1/p" "$dir/log" | head -n 1
}

# A port below the kernel's own range; whoever uses it must be ready to find it taken, and ask again.
some_port() {
	shuf -i 10000-30000 -n 1
}

# Stops weir and says whether that, and all of its life, was fine.
stop_weir() {
	kill -TERM "$weir"
	wait "$weir"
	status=$?
	children=$(echo "$children" | sed "s/ $weir\$//; s/ $weir / /")
	grep -E 'Sanitizer|runtime error:' "$dir/log" >"$dir/reports" && status=1
	result $status "weir stops with status 0"
}

sanitized() {
	grep -q -e __asan_init -e __tsan_init "$WEIR"
}
