#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How weir starts, and what it says when it cannot: addresses that cannot be had, all in one run; the user it becomes; and
# what its modules show of themselves.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need setpriv nm awk

# runs COMMAND...: its output into $dir/said, its status into $status
runs() {
	env -u JOURNAL_STREAM -u NOTIFY_SOCKET "$@" >"$dir/said" 2>&1
	status=$?
}

# says TEXT DESCRIPTION: the last run failed to start, and said this line among others
says() {
	grep -q -x -F -- "$1" "$dir/said" && [ $status = 1 ]
	result $? "$2" "$dir/said"
}

start_weir <<INI
[listener a]
listen = 127.0.0.1:0
upstream = 127.0.0.1:1
INI
port=$(port_of a)

cat >"$dir/two.ini" <<INI
[listener a]
upstream = 127.0.0.1:1
listen = 127.0.0.1:$port
[listener b]
listen = 192.0.2.1:1
upstream = 127.0.0.1:1
[listener c]
listen = 127.0.0.1:0
upstream = 127.0.0.1:1
INI
runs "$WEIR" -f "$dir/two.ini" --module-dir "$WEIR_POLICIES"
says "$dir/two.ini:3: [listener a] listen: cannot listen on 127.0.0.1:$port: Address already in use; expected an address that nobody else listens on" \
	"an address in use is an error, although weir shares addresses among workers"
says "$dir/two.ini:5: [listener b] listen: cannot listen on 192.0.2.1:1: Cannot assign requested address; expected an address of this machine" \
	"an address of another machine is one too, in the same run"

runs "$WEIR" -t -f "$dir/two.ini" --module-dir "$WEIR_POLICIES"
[ $status = 0 ] && grep -q ': ok: admits [0-9]* sessions' "$dir/said"
result $? "-t opens no address" "$dir/said"
stop_weir

echo "not a socket" >"$dir/file"
cat >"$dir/file.ini" <<INI
[listener a]
listen = unix:$dir/file
upstream = 127.0.0.1:1
INI
runs "$WEIR" -f "$dir/file.ini" --module-dir "$WEIR_POLICIES"
[ $status = 1 ] && [ "$(cat "$dir/file")" = "not a socket" ]
result $? "a file in the place of a unix socket is left alone" "$dir/said"

start_weir <<INI
[listener a]
listen = unix:$dir/socket
upstream = 127.0.0.1:1
INI
inode=$(stat -c %i "$dir/socket")
runs "$WEIR" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES"
[ $status = 1 ] && [ "$(stat -c %i "$dir/socket")" = "$inode" ]
result $? "a second weir does not take the first one's unix socket away" "$dir/said"
stop_weir
[ ! -e "$dir/socket" ]
result $? "weir removes its own unix socket"

privileged=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
cat >"$dir/low.ini" <<INI
[listener a]
listen = 127.0.0.1:7
upstream = 127.0.0.1:1
INI
as=
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$dir"
	as="setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all"
fi
if [ "$privileged" -le 7 ]; then
	skip "every port is for everybody here" "a port without permission is an error"
else
	# shellcheck disable=SC2086 # a list of words
	runs $as "$WEIR" -f "$dir/low.ini" --module-dir "$WEIR_POLICIES"
	says "$dir/low.ini:2: [listener a] listen: cannot listen on 127.0.0.1:7: Permission denied; expected an address this user may listen on (ports below 1024 take CAP_NET_BIND_SERVICE)" \
		"a port without permission is an error"
fi

# not_allowed WHAT GLOBAL LISTENER EXPECTED: sockets towards the server that not everybody may make
not_allowed() {
	printf '%s\n' "[listener a]" "listen = 127.0.0.1:0" "upstream = 127.0.0.1:1" "$3" "[weir]" "$2" >"$dir/not_allowed.ini"
	# shellcheck disable=SC2086 # a list of words
	runs $as "$WEIR" -f "$dir/not_allowed.ini" --module-dir "$WEIR_POLICIES"
	says "$dir/not_allowed.ini:1: [listener a]: cannot make a socket with $1: Operation not permitted; expected $4" \
		"without the capability for $1 weir does not start"
}
not_allowed "a mark" "mark = 5" "" "CAP_NET_ADMIN, or CAP_NET_RAW (from Linux 5.17 on)"
not_allowed "the client's address" "" "upstream_bind = client" "CAP_NET_ADMIN, or CAP_NET_RAW"
not_allowed "a mark and the client's address" "mark = 5" "upstream_bind = client" \
	"CAP_NET_ADMIN, or CAP_NET_RAW (from Linux 5.17 on)"

if [ "$(id -u)" != 0 ]; then
	skip "only root can become somebody else" "weir becomes its user"
else
	start_weir <<INI
[weir]
user = nobody
[listener a]
listen = 127.0.0.1:0
upstream = 127.0.0.1:1
INI
	nobody=$(id -u nobody)
	awk -v uid="$nobody" '/^Uid:/ {exit !($2 == uid && $3 == uid && $4 == uid && $5 == uid)}' "/proc/$weir/status"
	result $? "weir becomes its user" "/proc/$weir/status"
	stop_weir
fi

runs "$WEIR"
[ $status = 2 ] && grep -q '^usage: weir -f FILE' "$dir/said"
result $? "without a file it tells how it is used, with status 2" "$dir/said"

for module in "$WEIR_POLICIES"/*.so; do
	nm -D --defined-only "$module" | awk '{print $3}' | grep -v '^_\(init\|fini\)$' >"$dir/said"
	[ "$(cat "$dir/said")" = weir_policy_entry ]
	result $? "$(basename "$module") shows one symbol" "$dir/said"
done

echo "1..$count"
