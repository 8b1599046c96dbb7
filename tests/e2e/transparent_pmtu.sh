#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A link behind the gateway takes shorter packets only. The router there says so to whom they seem to come from, the client;
# but weir has sent them, so it must hear that, or a large upload stalls for ever.
set -u
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"

# The server's machine is only on the way, to one that is farther away.
far4=10.77.4.2
far6=fd77:4::2
in_far="nsenter --net=/run/netns/far --"
{
	ip netns add far && $in_far sh -c "$netns_settings" &&
		ip -n server -batch - <<-END && ip -n far -batch - <<-END_FAR &&
			link add f1 mtu 1300 type veth peer name f0 netns far
			address add 10.77.4.1/24 dev f1
			address add fd77:4::1/64 dev f1 nodad
			link set f1 up
		END
			address add $far4/24 dev f0
			address add $far6/64 dev f0 nodad
			link set f0 up
			route add default via 10.77.4.1
			route add default via fd77:4::1
		END_FAR
		ip route add 10.77.4.0/24 via $server4 &&
		ip route add fd77:4::/64 via $server6
} >"$dir/far.log" 2>&1 || {
	sed 's/^/# /' "$dir/far.log"
	echo "Bail out! the far machine does not come up"
	exit 1
}

start_weir <<END
[listener tproxy]
listen = 0.0.0.0:15001, [::]:15001
mode = tproxy
intercept_ports = 7000-7009
intercept_interfaces = r0
END
intercept up
size=1000000
head -c $size /dev/zero >"$dir/sent"
echo "1..3"

# upload TO PORT
upload() {
	serve_once far "$1" "$2" /dev/null "$dir/came" -d
	$in_client timeout 60 nc -N "$1" "$2" <"$dir/sent" >>"$dir/nc.log" 2>&1
	wait "$server"
	cmp "$dir/sent" "$dir/came" >"$dir/why" 2>&1
	result $? "$size bytes arrive at $1, behind a link of 1300 bytes" "$dir/why"
}

upload $far4 7000
upload $far6 7001
stop_weir
