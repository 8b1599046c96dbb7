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

# eventually COMMAND...: polls until it succeeds, often at first; fails after a minute
eventually() {
	rounds=0
	until "$@" 2>/dev/null; do
		rounds=$((rounds + 1))
		[ $rounds -lt 1200 ] || return 1
		if [ $rounds -gt 10 ]; then
			sleep 0.05
		else
			sleep 0.01
		fi
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

# somewhere READY FUNCTION: runs FUNCTION PORT, a server, in the background, with a port that proves to be free; READY is what the
# server says then. Sets $server, $server_port and $server_log.
somewhere() {
	server_log=$dir/server.log
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		server_port=$(some_port)
		: >"$server_log" # what an earlier one said would pass for this one's
		"$2" "$server_port" >>"$server_log" 2>&1 &
		server=$!
		eventually ready_or_gone "$1"
		if grep -q -i -e "$1" "$server_log"; then
			children="$children $server"
			return
		fi
		kill -9 "$server" 2>/dev/null
	done
	sed 's/^/# /' "$server_log"
	echo "Bail out! no server comes up"
	exit 1
}
ready_or_gone() {
	grep -q -i -e "$1" "$server_log" || ! kill -0 "$server"
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

# iperf3_waits RUN: its server has one client at a time, refuses another, and says when it is ready for the next.
iperf3_waits() {
	[ "$(grep -c 'Server listening' "$dir/server.log")" -ge "$1" ]
}

sanitized() {
	grep -q -e __asan_init -e __tsan_init "$WEIR"
}
