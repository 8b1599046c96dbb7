#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who weir is: the capability it keeps when it becomes its user, or has from the start, and says that it lacks; and rules that
# know it by its user and group.
set -u
netns_as=root
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"
need setpriv awk
chmod 755 "$dir"
nobody=$(id -u nobody)
group=$(id -g nobody)
real_weir=$WEIR

serve "$in_server" "7001 7002" PEERADDR

ini() {
	cat <<-END
		[weir]
		workers = 2
		$1
		[listener tproxy]
		listen = 0.0.0.0:15001, [::]:15001
		mode = tproxy
		intercept_ports = 7001
		intercept_interfaces = r0
		[listener local]
		listen = 0.0.0.0:15002, [::]:15002
		mode = redirect
		intercept_ports = 7002
		intercept_local = yes
		${2-}
	END
}

# says SEEN ENTER TO PORT DESCRIPTION: whom the server sees, and an echo
says() {
	# shellcheck disable=SC2086 # $2 are words
	echo hello | $2 timeout 60 nc -N "$3" "$4" >"$dir/seen" 2>&1
	[ "$(paste -s -d ' ' "$dir/seen")" = "$(told "$1") hello" ]
	result $? "$5" "$dir/seen"
}

# tproxy_works DESCRIPTION
tproxy_works() {
	says $client4 "$in_client" $server4 7001 "$1: tproxy works in IPv4"
	says $client6 "$in_client" $server6 7001 "$1: tproxy works in IPv6"
}

# is UID CAPABILITIES: all threads of weir are, and may, that and no more
is() {
	cat "/proc/$weir"/task/*/status >"$dir/status"
	grep -h -e '^Uid:' -e '^Cap[IPEA]' "$dir/status" >"$dir/seen"
	awk -v uid="$1" -v caps="$2" '
		/^Uid:/ { threads++; if ($2 != uid || $3 != uid || $4 != uid || $5 != uid) bad = 1 }
		/^CapEff:/ || /^CapPrm:/ { if ($2 != caps) bad = 1 }
		END { exit bad || threads < 3 }' "$dir/status"
}

# ---- root becomes its user

ini "user = nobody" >"$dir/users.ini"
start_weir <"$dir/users.ini"
intercept up
is "$nobody" 0000000000002000
result $? "as user nobody it may do CAP_NET_RAW, and nothing else" "$dir/seen"
awk '/^Cap(Inh|Amb):/ { if ($2 !~ /^0+$/) bad = 1 } END { exit bad }' "$dir/status"
result $? "and hands on nothing" "$dir/seen"
tproxy_works "as user nobody"
stop_weir

start_weir <<END
[weir]
user = nobody
[listener forward]
listen = 0.0.0.0:15003
upstream = $server4:7001
END
is "$nobody" 0000000000000000
result $? "without a listener that needs it, it may do nothing" "$dir/seen"
stop_weir

start_weir <<END
[weir]
user = nobody
[listener forward]
listen = 0.0.0.0:15003
upstream = $server4:7001
upstream_bind = client
END
is "$nobody" 0000000000002400
result $? "upstream_bind = client needs it in mode forward, and CAP_NET_BIND_SERVICE for ports" "$dir/seen"
says $client4 "$in_client" 10.77.1.1 15003 "and works after the drop"
echo hello | $in_client timeout 60 nc -N -p 1023 10.77.1.1 15003 >"$dir/seen" 2>&1
eventually grep -q "client=$client4:1023 .* close=done" "$dir/log" && grep -q hello "$dir/seen"
result $? "also for a client with a low port" "$dir/seen"
stop_weir

# ---- another user from the start, as a unit of systemd would have it

# weir_with CAPABILITIES: what starts as weir from now on
weir_with() {
	cat >"$dir/weir-with" <<-END
		exec setpriv --reuid=$nobody --regid=$group --clear-groups --bounding-set=-all,$1 --inh-caps=-all,$1 \\
			--ambient-caps=-all,$1 "$real_weir" "\$@"
	END
	sed -i 's/-all,-all/-all/g; 1i#!/bin/sh' "$dir/weir-with"
	chmod 755 "$dir/weir-with"
	WEIR=$dir/weir-with
}
ini "" >"$dir/users.ini"
for capability in net_raw net_admin; do
	weir_with +$capability
	start_weir <"$dir/users.ini"
	[ $capability = net_raw ] && bits=0000000000002000 || bits=0000000000001000
	is "$nobody" "$bits"
	result $? "started with $capability it has that" "$dir/seen"
	tproxy_works "started with $capability"
	stop_weir
done

weir_with -all
env -u JOURNAL_STREAM -u NOTIFY_SOCKET timeout 60 "$WEIR" -f "$dir/users.ini" --module-dir "$WEIR_POLICIES" >"$dir/seen" 2>&1
[ $? = 1 ] && grep -q CAP_NET_RAW "$dir/seen"
result $? "started with none it ends, and says which it needs" "$dir/seen"
WEIR=$real_weir

# ---- rules that know weir by its user or group, where there is no mark to know it by

# refused_nothing KEY: a local client goes through weir, once; one of weir's user goes past it
known_by() {
	ini "user = nobody
mark = off" "$1" >"$dir/users.ini"
	start_weir <"$dir/users.ini"
	intercept up
	says 10.77.2.1 "" $server4 7002 "$1: a local client is served in IPv4"
	says fd77:2::1 "" $server6 7002 "$1: a local client is served in IPv6"
	says 10.77.2.1 "setpriv --reuid=$nobody --regid=$group --clear-groups" $server4 7002 "$1: so is one of weir's user"
	stop_weir # which waits for the last access line
	[ "$(grep -c ' session .* close=done' "$dir/log")" = 2 ] && [ "$(grep -c ' session ' "$dir/log")" = 2 ]
	result $? "$1: but not by weir"
}
known_by "intercept_exclude_uid = nobody"
known_by "intercept_exclude_uid = $nobody"
known_by "intercept_exclude_gid = $group"

echo "1..$count"
