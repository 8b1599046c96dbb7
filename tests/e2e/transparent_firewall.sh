#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A gateway with the rules that gateways have: packets that belong to no connection are dropped, and what leaves is
# masqueraded. Connections through weir are as good as others, in both intercepting modes and families.
set -u
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"

start_weir <<END
[listener tproxy]
listen = 0.0.0.0:15001, [::]:15001
mode = tproxy
intercept_ports = 7001
intercept_interfaces = r0
[listener redirect]
listen = 0.0.0.0:15002, [::]:15002
mode = redirect
intercept_ports = 7002
intercept_interfaces = r0
END
intercept up
nft -f - <<END
table inet firewall {
	counter invalid { }
	chain input {
		type filter hook input priority filter; policy accept;
		ct state invalid counter name invalid drop
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state invalid counter name invalid drop
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct state invalid counter name invalid drop
	}
}
END
serve "$in_server" "7001 7002 7003" PEERADDR
head -c 3000000 /dev/urandom >"$dir/file"

# echoes TO PORT SEEN DESCRIPTION: a file there and back, by whom the server sees
echoes() {
	$in_client timeout 60 nc -N "$1" "$2" <"$dir/file" >"$dir/back" 2>"$dir/why"
	said=$(head -n 1 "$dir/back" | tr -d '\000' | head -c 100)
	echo "the server saw '$said', expected '$(told "$3")'" >>"$dir/why"
	[ "$said" = "$(told "$3")" ] && tail -n +2 "$dir/back" | cmp - "$dir/file" >>"$dir/why" 2>&1
	result $? "$4" "$dir/why"
}

# all CLIENT4 CLIENT6 ROUTER4 ROUTER6 DESCRIPTION: whom the server sees behind mode tproxy, and behind mode redirect
all() {
	for _ in 1 2 3; do
		echoes $server4 7001 "$1" "$5: tproxy, IPv4"
		echoes $server6 7001 "$2" "$5: tproxy, IPv6"
	done
	echoes $server4 7002 "$3" "$5: redirect, IPv4"
	echoes $server6 7002 "$4" "$5: redirect, IPv6"
	echoes $server4 7003 "$1" "$5: not intercepted"
}

all $client4 $client6 10.77.2.1 fd77:2::1 "invalid packets are dropped"
nft list counter inet firewall invalid >"$dir/counted"
grep -q 'packets 0 ' "$dir/counted"
result $? "and there are none" "$dir/counted"

nft -f - <<END
table inet nat {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname r1 masquerade
	}
}
END
all 10.77.2.1 fd77:2::1 10.77.2.1 fd77:2::1 "what leaves is masqueraded"

stop_weir
echo "1..$count"
