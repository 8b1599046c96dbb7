#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What would have weir connect to itself is refused, in few sessions: clients that call its own port, rules that catch its own
# connections. And the mark by which rules know these.
set -u
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"

# Ports that are weir's on the router are servers like others elsewhere.
serve "$in_server" "7001 7002 7003 15001 15002"

bind= # a line of the listener for this machine's own clients

# ini MARK [LINE [LINE]]: somebody is left alone, or mark = off would be refused; but not weir
ini() {
	cat <<-END
		[weir]
		workers = 2
		mark = $1
		${2-}
		${3-}
		[listener tproxy]
		listen = 0.0.0.0:15001, [::]:15001
		mode = tproxy
		intercept_ports = 7001, 15001, 15002
		intercept_interfaces = r0
		[listener redirect]
		listen = 0.0.0.0:15002, [::]:15002
		mode = redirect
		intercept_ports = 7002
		intercept_interfaces = r0
		[listener local]
		listen = 0.0.0.0:15003, [::]:15003
		mode = redirect
		intercept_ports = 7003
		intercept_local = yes
		intercept_exclude_mark = 9
		$bind
		[listener forward]
		listen = 0.0.0.0:15004, [::]:15004
		upstream = $server4:7001
		[listener around]
		listen = 0.0.0.0:15005, [::]:15005
		mode = tproxy
		intercept_ports = 15003-15005
		intercept_to = 10.77.1.1, fd77:1::1
		intercept_interfaces = r0
	END
}

# sessions: how many have ended
sessions() {
	grep -c ' session .* close=' "$dir/log"
}

# answers ENTER TO PORT: an echo
answers() {
	# shellcheck disable=SC2086 # $1 are words
	[ "$(echo hello | $1 timeout 60 nc -N "$2" "$3" 2>"$dir/nc.log")" = hello ]
}

# ---- clients that call weir itself

ini auto >"$dir/loops.ini"
start_weir <"$dir/loops.ini"
intercept up
for to in 10.77.1.1 10.77.2.1 fd77:1::1 fd77:2::1; do
	case $to in
	*:*) from=$client6 ;;
	*) from=$client4 ;;
	esac
	refused tproxy $from "$to" 15001 loop
	refused redirect $from "$to" 15002 loop
done
for listener in 15003 15004 15005; do
	refused around $client4 10.77.1.1 $listener loop
	refused around $client6 fd77:1::1 $listener loop
done
in_client_before=$in_client
in_client= # the router's own processes
for listener in tproxy:15001 redirect:15002 local:15003; do
	refused "${listener%:*}" 127.0.0.1 127.0.0.1 "${listener#*:}" loop
	refused "${listener%:*}" ::1 ::1 "${listener#*:}" loop
	refused "${listener%:*}" 10.77.2.1 10.77.2.1 "${listener#*:}" loop
done
in_client=$in_client_before
[ "$(sessions)" = 23 ]
result $? "that were 23 clients, and 23 sessions: $(sessions)"

for to in $server4 $server6; do
	for port in 15001 15002; do
		answers "$in_client" "$to" $port
		result $? "port $port of $to is none of weir's" "$dir/nc.log"
	done
done
stop_weir

# ---- marks

# How many packets with and without the mark have left for the servers.
watch() {
	nft -f - <<-END
		table inet watch
		delete table inet watch
		table inet watch {
			counter marked { }
			counter others { }
			chain out {
				type filter hook output priority filter
				oifname != r1 accept
				meta l4proto != tcp accept
				tcp dport != 7001-7003 accept
				meta mark $1 counter name marked accept
				counter name others
			}
		}
	END
}
packets() {
	nft list counter inet watch "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

# marked MARK WATCHED [LINE [LINE]]: clients of every listener
marked() {
	ini "$1" "${3-}" "${4-}" >"$dir/loops.ini"
	start_weir <"$dir/loops.ini"
	intercept up
	watch "$2"
	for to in $server4 $server6; do
		answers "$in_client" "$to" 7001 && answers "$in_client" "$to" 7002 && { [ "$1" = off ] || answers "" "$to" 7003; }
		result $? "mark = $1: all work at $to" "$dir/nc.log"
	done
	answers "$in_client" 10.77.2.1 15004
	result $? "mark = $1: forward works" "$dir/nc.log"
	marked=$(packets marked)
	others=$(packets others)
}
# The local clients' own packets, before they are redirected, go nowhere.
all_marked() {
	[ "$marked" -gt 20 ] && [ "$others" = 0 ]
	result $? "mark = $1: all of weir's packets have it ($marked with, $others without)"
	stop_weir
}
marked auto 30565
all_marked auto
marked 4711 4711 "tproxy_mark = 4712" "tproxy_table = 4713"
all_marked 4711
[ -n "$(ip -4 route show table 4713)" ] && [ -n "$(ip -6 route show table 4713)" ]
result $? "tproxy_mark and tproxy_table are others, too"
marked off 30565
[ "$marked" = 0 ] && [ "$others" -gt 20 ]
result $? "mark = off: none has one ($marked with, $others without)"
stop_weir

# ---- upstreams that are weir: by name, by addresses that the file does not show, in a circle

start_weir <<END
[listener named]
listen = 127.0.0.1:16001
upstream = localhost:16001
[listener own]
listen = 0.0.0.0:16002, [::]:16002
upstream = 10.77.2.1:16002
[listener own6]
listen = [::]:16003
upstream = [fd77:2::1]:16003
[listener seen]
listen = 0.0.0.0:16004
mode = tproxy
upstream = 10.77.1.1:16004
[listener one]
listen = 127.0.0.1:16005
upstream = localhost:16006
[listener two]
listen = 127.0.0.1:16006
upstream = localhost:16005
[listener mirror]
listen = 127.0.0.1:16009
upstream = 127.0.0.1:16010
upstream_bind = client
accept_proxy = yes
proxy_from = 127.0.0.1
[listener first]
listen = 0.0.0.0:16007
upstream = localhost:16008
[listener second]
listen = 127.0.0.1:16008
upstream = $server4:7001
END
for listener in named:127.0.0.1:16001 own:127.0.0.1:16002 own6:::1:16003 seen:127.0.0.1:16004 two:127.0.0.1:16005; do
	to=${listener#*:}
	! answers "" "${to%:*}" "${to##*:}"
	result $? "${listener%%:*}: no answer from weir to itself" "$dir/nc.log"
	eventually grep -q " session .* listener=${listener%%:*} .* close=loop\$" "$dir/log"
	result $? "${listener%%:*}: the access line says loop"
done
circle_over() {
	[ "$(sessions)" = 6 ]
}
eventually circle_over
result $? "five clients, and six sessions, since two listeners make a circle: $(sessions)"
answers "" 127.0.0.1 16007 && answers "" 127.0.0.1 16007
result $? "a listener may lead to another" "$dir/nc.log"

# A server socket with both ends the same would be connected to itself.
printf 'PROXY TCP4 127.0.0.1 127.0.0.1 16010 80\r\nhello\n' | timeout 60 nc -N 127.0.0.1 16009 >"$dir/back" 2>"$dir/nc.log"
eventually grep -q ' session .* listener=mirror client=127.0.0.1:16010 .* close=connect-refused$' "$dir/log" && [ ! -s "$dir/back" ]
result $? "a client with the address and port of a server that is down is refused" "$dir/back"
stop_weir

# ---- rules that catch what weir itself sends

intercept down
nft -f - <<'END'
table inet careless {
	chain out {
		type nat hook output priority -100
		tcp dport 7003 redirect to :15003
	}
}
END
for mark in auto off bind; do
	if [ $mark = bind ]; then
		mark=off
		bind="upstream_bind = client-address"
	fi
	ini $mark >"$dir/loops.ini"
	start_weir <"$dir/loops.ini"
	for to in $server4 $server6; do
		answers "" "$to" 7003 && echo "# an answer came from $to"
	done
	eventually grep -q 'listener=local .* close=loop' "$dir/log"
	result $? "mark = $mark${bind:+, $bind}: weir's own connections are known when they come back"
	runs=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		for to in $server4 $server6; do
			answers "" "$to" 7003 &
			runs="$runs $!"
		done
	done
	# shellcheck disable=SC2086
	wait $runs
	all_back() {
		[ "$(grep -c 'listener=local .* close=loop' "$dir/log")" -ge 22 ]
	}
	eventually all_back
	loops=$(grep -c 'listener=local .* close=loop' "$dir/log")
	# One and the one that comes back; a third where that was quicker than the first one's being known.
	[ "$loops" -ge 22 ] && [ "$(sessions)" -le 66 ]
	result $? "mark = $mark${bind:+, $bind}: 22 clients make loops and no storm ($loops loops, $(sessions) sessions)"
	answers "" 127.0.0.1 15004 || answers "" 127.0.0.1 15004
	result $? "mark = $mark${bind:+, $bind}: weir serves others" "$dir/nc.log"
	stop_weir
done

echo "1..$count"
