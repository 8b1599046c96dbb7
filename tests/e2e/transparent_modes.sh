#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The modes of a listener, in IPv4 and IPv6: bytes both ways, each end half-closing first, whom the server sees, whom the
# access line names; then what is refused, and how.
set -u
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"
need cmp

# Addresses that are nobody's default: of the router towards the server, and of the client.
ip address add 10.77.2.9/24 dev r1
ip address add fd77:2::9/64 dev r1 nodad preferred_lft 0
ip -n client address add 10.77.1.3/24 dev c0
ip -n client address add fd77:1::3/64 dev c0 nodad preferred_lft 0

# The server tells where it was called, and by whom, and then repeats what it hears.
serve "$in_server" "7001 7002 7003 7004 7005 7006 7007 7008 7009 7010 7777" \
	"SOCKPORT PEERADDR PEERPORT"

start_weir <<END
[weir]
workers = 2
[upstream other4]
server = $server4:7777
[upstream other6]
server = [$server6]:7777

[listener tproxy]
listen = 0.0.0.0:15001, [::]:15001
mode = tproxy
upstream_bind = client
intercept_ports = 7001, 7101
intercept_interfaces = r0
[listener redirect]
listen = 0.0.0.0:15002, [::]:15002
mode = redirect
intercept_ports = 7002, 7102
intercept_interfaces = r0
[listener local]
listen = 0.0.0.0:15003, [::]:15003
mode = redirect
intercept_ports = 7003, 7103
intercept_local = yes

[listener bound]
listen = 0.0.0.0:15004, [::]:15004
mode = tproxy
upstream_bind = 10.77.2.9, fd77:2::9
intercept_ports = 7004
intercept_interfaces = r0
[listener named4]
listen = 0.0.0.0:15005
mode = tproxy
upstream = other4
intercept_ports = 7005
intercept_interfaces = r0
[listener named6]
listen = [::]:15005
mode = redirect
upstream = other6
intercept_ports = 7005
intercept_interfaces = r0

[listener limited]
listen = 0.0.0.0:15006, [::]:15006
mode = tproxy
upstream_bind = client
allow_destination = $server4:7006, [$server6]:7006
intercept_ports = 7006-7007
intercept_interfaces = r0
[listener guarded]
listen = 0.0.0.0:15008, [::]:15008
mode = redirect
deny = 10.77.1.3, fd77:1::3
intercept_ports = 7008
intercept_interfaces = r0
[listener closed]
listen = 0.0.0.0:15009, [::]:15009
mode = tproxy
allow = 10.77.1.3, fd77:1::3
intercept_ports = 7009
intercept_interfaces = r0

[listener kept]
listen = 0.0.0.0:15010, [::]:15010
mode = redirect
upstream_bind = client
intercept_ports = 7010
intercept_interfaces = r0

[listener forward4]
listen = 10.77.1.1:15014
upstream = other4
upstream_bind = client
[listener forward6]
listen = [fd77:1::1]:15014
upstream = other6
upstream_bind = client
[listener fixed4]
listen = 10.77.1.1:15015
upstream = other4
upstream_bind = 10.77.2.9
[listener fixed6]
listen = [fd77:1::1]:15015
upstream = other6
upstream_bind = fd77:2::9
END
intercept up

head -c 3000000 /dev/urandom >"$dir/file"
here= # commands of the router's own

# call ENTER SOURCE TO PORT: the file there and back, and what the server said before it; sets $source_port and $said
call() {
	next_port
	# shellcheck disable=SC2086 # $1 are words
	$1 timeout 60 nc -N -s "$2" -p $source_port "$3" "$4" <"$dir/file" >"$dir/back" 2>"$dir/nc.log"
	said=$(head -n 1 "$dir/back" | tr -d '\000' | head -c 200)
	tail -n +2 "$dir/back" | cmp - "$dir/file" 2>>"$dir/nc.log"
}

# works ENTER LISTENER SOURCE TO PORT SEEN [SERVER PORT]: all of a session. SEEN is what the server says, in our
# way to write addresses, its last word "same" for the client's port, "any" for any. The last two are given if the client goes
# elsewhere than it called.
works() {
	call "$1" "$3" "$4" "$5"
	result $? "$2: to $4: bytes go there and come back" "$dir/nc.log"
	read -r called caller its_port <<-END
		$6
	END
	[ "$its_port" = same ] && its_port=$source_port || its_port=${said##* }
	expected="$called $(told "$caller") $its_port"
	echo "the server says '$said', expected '$expected'" >"$dir/seen"
	[ "$said" = "$expected" ]
	result $? "$2: to $4: whom the server sees" "$dir/seen"
	case $2 in
	forward* | fixed*) wanted= ;;
	*) wanted=" destination=$(name "$4" "$5")" ;;
	esac
	eventually grep -q " session .* listener=$2 client=$(name "$3" $source_port) server=$(name "${7-$4}" "${8-$5}") .*$wanted close=done\$" \
		"$dir/log"
	result $? "$2: to $4: the access line names both ends${wanted:+, and where the client wanted to go}"
}

# server_first ENTER TO PORT NAME: a server that has nothing to say hears everything all the same
server_first() {
	serve_once server "$2" "$3" /dev/null "$dir/server.out" -N
	# shellcheck disable=SC2086
	$1 timeout 60 nc -N "$2" "$3" <"$dir/file" >"$dir/back" 2>"$dir/nc.log"
	wait "$server"
	cmp "$dir/server.out" "$dir/file" 2>>"$dir/nc.log" && [ ! -s "$dir/back" ]
	result $? "$4: to $2: a server that half-closes first hears everything" "$dir/nc.log"
}

works "$in_client" tproxy $client4 $server4 7001 "7001 $client4 same"
works "$in_client" tproxy $client6 $server6 7001 "7001 $client6 same"
works "$in_client" redirect $client4 $server4 7002 "7002 10.77.2.1 any"
works "$in_client" redirect $client6 $server6 7002 "7002 fd77:2::1 any"
works "$here" local 10.77.2.1 $server4 7003 "7003 10.77.2.1 any"
works "$here" local fd77:2::1 $server6 7003 "7003 fd77:2::1 any"
for to in "$server4" "$server6"; do
	server_first "$in_client" "$to" 7101 tproxy
	server_first "$in_client" "$to" 7102 redirect
	server_first "$here" "$to" 7103 local
done

works "$in_client" bound $client4 $server4 7004 "7004 10.77.2.9 any"
works "$in_client" bound $client6 $server6 7004 "7004 fd77:2::9 any"
works "$in_client" named4 $client4 $server4 7005 "7777 $client4 any" $server4 7777
works "$in_client" named6 $client6 $server6 7005 "7777 fd77:2::1 any" $server6 7777
works "$in_client" forward4 $client4 10.77.1.1 15014 "7777 $client4 same" $server4 7777
works "$in_client" forward6 $client6 fd77:1::1 15014 "7777 $client6 same" $server6 7777
works "$in_client" fixed4 $client4 10.77.1.1 15015 "7777 10.77.2.9 any" $server4 7777
works "$in_client" fixed6 $client6 fd77:1::1 15015 "7777 fd77:2::9 any" $server6 7777
works "$in_client" kept $client4 $server4 7010 "7010 $client4 any"
works "$in_client" kept $client6 $server6 7010 "7010 $client6 any"

works "$in_client" limited $client4 $server4 7006 "7006 $client4 same"
works "$in_client" limited $client6 $server6 7006 "7006 $client6 same"
refused limited $client4 $server4 7007 destination-denied
refused limited $client6 $server6 7007 destination-denied
works "$in_client" guarded $client4 $server4 7008 "7008 10.77.2.1 any"
works "$in_client" guarded $client6 $server6 7008 "7008 fd77:2::1 any"
refused guarded 10.77.1.3 $server4 7008 denied
refused guarded fd77:1::3 $server6 7008 denied
works "$in_client" closed 10.77.1.3 $server4 7009 "7009 10.77.1.3 any"
works "$in_client" closed fd77:1::3 $server6 7009 "7009 fd77:1::3 any"
refused closed $client4 $server4 7009 denied
refused closed $client6 $server6 7009 denied

# The kernel gives a client the same port for connections to different servers, and the client's port is weir's towards both.
# one_port CLIENT SERVER
one_port() {
	next_port
	$in_client timeout 60 socat -u "$(socat_to "$2" 7001 "$1"):$source_port,reuseaddr" - >"$dir/held" 2>"$dir/socat.log" &
	holder=$!
	eventually grep -q " $source_port\$" "$dir/held"
	result $? "port $source_port of $1 is in use" "$dir/socat.log"
	said=$(echo | $in_client timeout 60 socat -t 60 - "$(socat_to "$2" 7006 "$1"):$source_port,reuseaddr" 2>"$dir/seen")
	kill "$holder" # or weir would wait for it in the end
	wait "$holder"
	echo "$said" >>"$dir/seen"
	[ "$said" = "7006 $(told "$1") $source_port" ]
	result $? "and leads to another server of $2 at the same time" "$dir/seen"
}
one_port $client4 $server4
one_port $client6 $server6

# Ports of the client's address are given by its kernel, and by weir's for the other leg. That both give the same one to
# connections to the same server is rare, and no loop.
# their_port CLIENT SERVER
their_port() {
	next_port
	: >"$dir/held" # or what the last one was told passes for the answer
	$in_client timeout 60 socat -u "$(socat_to "$2" 7009 "$1"):$source_port" - >"$dir/held" 2>"$dir/seen" &
	holder=$!
	eventually grep -q '^7009 ' "$dir/held"
	leg=$(sed 's/.* //' "$dir/held")
	said=$(echo | $in_client timeout 60 socat -t 60 - "$(socat_to "$2" 7009 "$1"):$leg" 2>>"$dir/seen")
	kill "$holder"
	wait "$holder"
	echo "weir's port: $leg; the server says '$said'" >>"$dir/seen"
	expr "$said" : '7009 .' >/dev/null
	result $? "from $1, a port that weir has towards $2 at the time" "$dir/seen"
}
their_port 10.77.1.3 $server4
their_port fd77:1::3 $server6

stop_weir
echo "1..$count"
