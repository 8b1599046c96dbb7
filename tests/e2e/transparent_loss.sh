#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Weir between a fast link and a narrow one, then with 1 % of all packets lost as well: bytes arrive as they were sent, what is
# held stays within the marks, and the source is as slow as its sink.
set -u
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"
need tc sha256sum date

# The loss is of packets, not of what the devices make of many.
ip link set r0 gso_max_segs 1
ip link set r1 gso_max_segs 1
ip -n client link set c0 gso_max_segs 1
ip -n server link set s0 gso_max_segs 1

high=65536
start_weir <<END
[weir]
workers = 2
[policy marks]
module = watermark
high = $high
low = 32K
[listener tproxy]
listen = 0.0.0.0:15001, [::]:15001
mode = tproxy
intercept_ports = 7000-7009
intercept_interfaces = r0
policy = marks
rcvbuf = 160K
[listener redirect]
listen = 0.0.0.0:15002, [::]:15002
mode = redirect
intercept_ports = 7010-7019
intercept_interfaces = r0
policy = marks
rcvbuf = 160K
splice = on
END
intercept up

# narrow RATE: each way out of the router
narrow() {
	tc qdisc replace dev r0 root tbf rate "$1" burst 32k limit 64k
	tc qdisc replace dev r1 root tbf rate "$1" burst 32k limit 64k
}

# transfer NAME up|down TO PORT FILE: begins one, at $began; sets $source and $sink, processes. The ends' own buffers are small.
transfer() {
	if [ "$2" = up ]; then
		serve_once server "$3" "$4" /dev/null "$dir/$1.came" -d -I 131072
		sink=$server
		began=$(date +%s%N)
		$in_client timeout 100 nc -N -O 131072 "$3" "$4" <"$5" >>"$dir/nc.log" 2>&1 &
		source=$!
	else
		serve_once server "$3" "$4" "$5" /dev/null -N -O 131072
		source=$server
		began=$(date +%s%N)
		$in_client timeout 100 nc -d -I 131072 "$3" "$4" >"$dir/$1.came" 2>>"$dir/nc.log" &
		sink=$!
	fi
	transfers="$transfers $source $sink"
}

# ---- the source feels its sink's rate

# What its source is ahead of a sink, at most: 512K in weir and its kernel's queues, beyond the marks; the queue of the narrow link;
# what the ends have in their buffers, which the kernel doubles, and nc's own.
ahead=$((high + 512 * 1024 + 64 * 1024 + 4 * 131072 + 2 * 16384))
size=5000000
rate=20000000
head -c $size /dev/urandom >"$dir/file"

# look: how far the source was ahead until it had sent all, which is until it had read its file: "LOOKS BYTES MS"
look() {
	looks=0
	most=0
	while read -r _ sent <"/proc/$source/fdinfo/0" && [ "$sent" -lt $size ]; do
		# Last: on a busy machine the source may seem less ahead than it is, never more.
		read -r _ came <"/proc/$sink/fdinfo/1" || break
		looks=$((looks + 1))
		[ $((sent - came)) -le $most ] || most=$((sent - came))
		sleep 0.05
	done
	echo "$looks $most $((($(date +%s%N) - began) / 1000000))"
} 2>/dev/null

# felt DIRECTION TO PORT
felt() {
	cmp "$dir/file" "$dir/$1.came" >"$dir/seen" 2>&1
	result $? "$1, port $3 of $2: what came is what was sent" "$dir/seen"
	read -r looks most ms <"$dir/$1.looks"
	[ "$looks" -gt 0 ] && [ "$most" -gt 0 ] && [ "$most" -le $ahead ]
	result $? "$1, port $3 of $2: in $looks looks the source was $most bytes ahead at most, of $ahead allowed"
	# The queue discipline lets no more through, so this holds on a machine of any speed.
	least=$(((size - ahead) * 8 / (rate / 1000)))
	[ "$ms" -ge $least ]
	result $? "$1, port $3 of $2: the source had sent all after $ms ms; the link alone takes $least"
}

# feels UP-TO UP-PORT DOWN-TO DOWN-PORT: a transfer each way at once
feels() {
	transfers=
	transfer up up "$1" "$2" "$dir/file"
	look >"$dir/up.looks" &
	transfers="$transfers $!"
	transfer down down "$3" "$4" "$dir/file"
	look >"$dir/down.looks" &
	transfers="$transfers $!"
	# shellcheck disable=SC2086
	wait $transfers
	felt up "$1" "$2"
	felt down "$3" "$4"
}

narrow 20mbit
feels $server4 7000 $server6 7010
feels $server6 7011 $server4 7001

# ---- losses

narrow 40mbit
for where in "" "$in_client" "$in_server"; do
	$where nft -f - <<-END
		table inet loss {
			counter lost { }
			chain pre {
				type filter hook prerouting priority raw
				iifname != lo meta l4proto tcp numgen random mod 100 < 1 counter name lost drop
			}
		}
	END
done

# begin PORT DIRECTION TO
begin() {
	head -c 1500000 /dev/urandom >"$dir/$1.file"
	transfer "$1" "$2" "$3" "$1" "$dir/$1.file"
}
transfers=
begin 7002 up $server4
begin 7003 up $server6
begin 7004 down $server4
begin 7005 down $server6
begin 7012 up $server4
begin 7013 up $server6
begin 7014 down $server4
begin 7015 down $server6
# shellcheck disable=SC2086
wait $transfers
for port in 7002 7003 7004 7005 7012 7013 7014 7015; do
	sha256sum "$dir/$port.file" "$dir/$port.came" >"$dir/seen"
	[ "$(cut -d ' ' -f 1 "$dir/seen" | sort -u | wc -l)" = 1 ]
	result $? "1 % lost, port $port: the SHA-256 is the same at both ends" "$dir/seen"
done
for where in "" "$in_client" "$in_server"; do
	lost=$($where nft list counter inet loss lost | sed -n 's/.*packets \([0-9]*\).*/\1/p')
	[ "$lost" -gt 5 ]
	result $? "$lost packets were lost at ${where:-weir}"
done

# ---- what was held

for listener in tproxy redirect; do
	all() {
		[ "$(grep -c " session .* listener=$listener .* close=done" "$dir/log")" = 6 ]
	}
	eventually all
	result $? "$listener: six sessions are done"
	grep " session .* listener=$listener" "$dir/log" |
		sed 's/.* up_held_max=\([0-9]*\) down_held_max=\([0-9]*\) .*/\1\n\2/' | sort -n >"$dir/held"
	most=$(tail -n 1 "$dir/held")
	[ "$most" -gt 0 ] && [ "$most" -le $high ]
	result $? "$listener: no flow held more than $high bytes: $most"
done
stop_weir
echo "1..$count"
