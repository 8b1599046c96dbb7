#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the rules take, and what they leave alone: ports, addresses of the router's own, processes; while weir runs, and
# while it does not.
set -u
# Inside, control groups of our own: else none can be mounted.
if [ -n "${netns_way-}" ] && [ -z "${weir_inside-}" ]; then
	export weir_inside=1
	exec unshare -C sh "$0"
fi
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"

here= # no words: the router's own

# The server says who called. Those whom weir has taken come from the router's address.
serve "$in_server" "7001 7002 7003 7004 7005 7006 15001 15002" PEERADDR
serve "$here" "7001 7002" PEERADDR

cat >"$dir/traffic.ini" <<END
[listener tproxy]
listen = 0.0.0.0:15001, [::]:15001
mode = tproxy
upstream_bind = none
intercept_ports = 7001, 7011
intercept_interfaces = r0
[listener redirect]
listen = 0.0.0.0:15002, [::]:15002
mode = redirect
intercept_ports = 7002
intercept_interfaces = r0

[listener own]
listen = 10.77.2.1:15003, [fd77:2::1]:15003
mode = redirect
intercept_ports = 7003
intercept_interfaces = r0

[listener some]
listen = 0.0.0.0:15004, [::]:15004
mode = tproxy
upstream_bind = none
intercept_ports = 7004
intercept_interfaces = r0
intercept_from = 10.77.1.3, fd77:1::3
[listener others]
listen = 0.0.0.0:15005, [::]:15005
mode = redirect
intercept_ports = 7004
intercept_interfaces = r0
intercept_to = 10.77.2.3, fd77:2::3, 10.77.2.1, fd77:2::1

[listener local]
listen = 127.0.0.1:15006, [::1]:15006
mode = redirect
intercept_ports = 7005
intercept_local = yes
intercept_exclude_mark = 9, 10
[listener local2]
listen = 0.0.0.0:15007, [::]:15007
mode = redirect
intercept_ports = 7005-7006
intercept_local = yes
intercept_exclude_mark = 9
END
start_weir <"$dir/traffic.ini"
intercept up

client4b=10.77.1.3
client6b=fd77:1::3
server4b=10.77.2.3
server6b=fd77:2::3
ip -n client address add $client4b/24 dev c0
ip -n client address add $client6b/64 dev c0 nodad preferred_lft 0
ip -n server address add $server4b/24 dev s0
ip -n server address add $server6b/64 dev s0 nodad

# call ENTER FROM TO PORT [OPTION of the socket]: sets $said
call() {
	# shellcheck disable=SC2086 # $1 are words
	said=$(echo hello | $1 timeout 60 socat -t 60 - "$(socat_to "$3" "$4" "$2")${5-}" 2>"$dir/socat.log" | tr '\n' ' ')
}

# from DESCRIPTION SEEN: who called is who was seen, and what he said came back
from() {
	echo "the server says '$said', expected '$(told "$2") hello '" >"$dir/seen"
	cat "$dir/socat.log" >>"$dir/seen"
	[ "$said" = "$(told "$2") hello " ]
	result $? "$1" "$dir/seen"
}

# takes LISTENER FROM4 FROM6 TO4 TO6 PORT, and leaves: the same, who is not taken
takes() {
	call "$in_client" "$2" "$4" "$6"
	from "$1 takes what goes from $2 to $4:$6" 10.77.2.1
	call "$in_client" "$3" "$5" "$6"
	from "$1 takes what goes from $3 to [$5]:$6" fd77:2::1
}
leaves() {
	call "$in_client" "$2" "$4" "$6"
	from "$1 leaves alone what goes from $2 to $4:$6" "$2"
	call "$in_client" "$3" "$5" "$6"
	from "$1 leaves alone what goes from $3 to [$5]:$6" "$3"
}

# ---- forwarded

takes tproxy $client4 $client6 $server4 $server6 7001
takes redirect $client4 $client6 $server4 $server6 7002
takes "own, which has addresses," $client4 $client6 $server4 $server6 7003
leaves "everybody" $client4 $client6 $server4 $server6 7006
leaves "tproxy, whose own port that is," $client4 $client6 $server4 $server6 15001
leaves "redirect, whose own port that is," $client4 $client6 $server4 $server6 15002
leaves "tproxy" $client4 $client6 10.77.2.1 fd77:2::1 7001
leaves "redirect" $client4 $client6 10.77.1.1 fd77:1::1 7002
takes "some" $client4b $client6b $server4 $server6 7004
leaves "some" $client4 $client6 $server4 $server6 7004
takes "others" $client4 $client6 $server4b $server6b 7004
call "$in_client" $client4 10.77.2.1 7004
eventually grep -q ' listener=others client=10.77.1.2:.* close=connect-refused$' "$dir/log"
result $? "others takes what goes to the router itself, where it is told to" "$dir/socat.log"

# ---- the router's own processes

# local_from DESCRIPTION OPTION PORT LISTENER: to both families; LISTENER "-" for none
local_from() {
	for to in $server4 $server6; do
		case $to in
		*:*) from=fd77:1::1 through=fd77:2::1 ;;
		*) from=10.77.1.1 through=10.77.2.1 ;;
		esac
		call "$here" $from "$to" "$3" "$2"
		[ "$4" = - ] && through=$from
		from "$1: $to" $through
	done
}
sessions() {
	grep -c " session .* listener=$1 " "$dir/log"
}
# has LISTENER COUNT
has() {
	[ "$(sessions "$1")" = "$2" ]
}
mark=,setsockopt-listen=1:36:i # before it connects, too
local_from "local takes what the router's processes send" "" 7005 local
eventually has local 2 && has local2 0
result $? "the first listener of two has it: $(sessions local) and $(sessions local2)"
local_from "local leaves a mark alone, and the next takes it" "${mark}10" 7005 local2
eventually has local2 2 && has local 2
result $? "that is local2: $(sessions local2) of 2"
local_from "a mark that both leave alone" "${mark}9" 7005 -
local_from "the marks are a listener's own" "${mark}10" 7006 local2
local_from "weir's mark is left alone" "${mark}30565" 7006 -

cgroup=/sys/fs/cgroup/weir-test-$$
if mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null && mkdir -p "$cgroup/below" 2>/dev/null; then
	sed -i "s|^intercept_exclude_mark.*|&\nintercept_exclude_cgroup = weir-test-$$|" "$dir/weir.ini"
	intercept up
	echo "echo \$\$ >$cgroup/below/cgroup.procs && exec \"\$@\"" >"$dir/enter"
	here="sh $dir/enter"
	if $here true 2>/dev/null; then
		local_from "a control group below one that is left alone" "" 7005 -
		here=
		local_from "those outside are taken" "" 7005 local
	else
		skip "no process may enter a control group here" "control groups"
	fi
	here=
	cp "$dir/traffic.ini" "$dir/weir.ini"
	intercept up
	rmdir "$cgroup/below" "$cgroup"
else
	skip "no control group can be made here" "control groups"
fi

# ---- up again, while bytes move

# Bytes until there are enough; their millions are counted.
flood() {
	while [ ! -e "$dir/enough" ]; do
		head -c 1000000 /dev/zero
		echo >>"$dir/pieces"
	done
}
pieces_came() {
	[ "$(wc -l <"$dir/pieces")" -gt "$1" ]
}
ups=10
mkfifo "$dir/arrivals"
for to in $server4 $server6; do
	rm -f "$dir/enough"
	: >"$dir/pieces"
	wc -c <"$dir/arrivals" >"$dir/came" &
	counting=$!
	serve_once server "$to" 7011 /dev/null "$dir/arrivals" -d
	flood | $in_client timeout 100 nc -N "$to" 7011 2>"$dir/socat.log" &
	client=$!
	for _ in $(seq $ups); do
		before=$(wc -l <"$dir/pieces")
		intercept up
		eventually pieces_came "$before" || break
	done
	touch "$dir/enough"
	wait $client && wait "$server" && wait $counting
	echo "$(cat "$dir/came") of $(wc -l <"$dir/pieces") million bytes came" >>"$dir/socat.log"
	[ "$(cat "$dir/came")" = "$(wc -l <"$dir/pieces")000000" ]
	result $? "to $to: a connection lives through $ups times 'up'" "$dir/socat.log"
done

# ---- without weir

stop_weir
call "$in_client" $client4 $server4 7002
grep -q 'Connection refused' "$dir/socat.log"
result $? "nobody listens: what is redirected is refused" "$dir/socat.log"
leaves "tproxy, as nobody listens," $client4 $client6 $server4 $server6 7001
intercept down
leaves "everybody, being down," $client4 $client6 $server4 $server6 7002

echo "1..$count"
