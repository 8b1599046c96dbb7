#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Redis behind inflight-cap: all requests are answered, and as Redis itself sees it, there are never more than the cap.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need redis-server redis-benchmark redis-cli shuf ss

redis() {
	exec redis-server --bind 127.0.0.1 --port "$1" --save '' --appendonly no --dir "$dir"
}
somewhere 'ready to accept connections' redis

start_weir <<END
[weir]
workers = 2
[policy one]
module = inflight-cap
unit = requests
framing = resp
total = 1
[policy eight]
module = inflight-cap
unit = requests
framing = resp
total = 8
[policy many]
module = inflight-cap
unit = requests
framing = resp
total = 64
[policy strict]
module = inflight-cap
unit = requests
framing = resp
total = 8
on_error = close
[listener one]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = one
[listener eight]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = eight
[listener many]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = many
[listener strict]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = strict
END

direct() {
	redis-cli -p "$server_port" "$@"
}

# Redis counts what it was asked; of a benchmark, so many.
asked() {
	direct info commandstats | sed -n "s/^cmdstat_$1:calls=\\([0-9]*\\),.*/\\1/p"
}

echo 1..18
n=1000
sanitized && n=200

# ---- everything is answered, and nothing is asked twice

for cap in one eight many; do
	port=$(port_of $cap)
	direct config resetstat >/dev/null
	redis-benchmark -h 127.0.0.1 -p "$port" -q -n $n -c 50 -t ping_mbulk,set,lrange_100 >"$dir/client.log" 2>&1 &&
		grep -q 'LRANGE_100.*requests per second' "$dir/client.log"
	result $? "redis-benchmark, 50 clients, cap $cap" "$dir/client.log"
	redis-benchmark -h 127.0.0.1 -p "$port" -q -n $n -c 20 -P 16 -d 4096 -t get >"$dir/client.log" 2>&1 &&
		grep -q 'GET.*requests per second' "$dir/client.log"
	result $? "redis-benchmark, 20 clients, pipelined, cap $cap" "$dir/client.log"
	direct info commandstats >"$dir/stats"
	# Each client may have asked a few more than were measured.
	for command in ping set get lrange; do
		calls=$(asked $command)
		[ "${calls:-0}" -ge $n ] && [ "$calls" -le $((n + 20 * 16 + 50)) ] || echo "$command: ${calls:-0} calls"
	done >"$dir/wrong"
	test ! -s "$dir/wrong"
	result $? "Redis was asked as often, cap $cap" "$dir/wrong"
done

# ---- as many are blocked as the cap says, never more, and they come in their order

clients=24
cap=8
port=$(port_of eight)
direct monitor >"$dir/monitor" &
children="$children $!"
eventually grep -q OK "$dir/monitor"
redis-cli -p "$server_port" -r -1 -i 0.002 info clients >"$dir/polls" &
polling=$!
children="$children $polling"
redis-benchmark -h 127.0.0.1 -p "$(port_of many)" -q -l -c 20 -t set,get >"$dir/beside" 2>&1 &
beside=$!
children="$children $beside"

blocked() {
	direct client list | grep -c 'flags=b.* cmd=blpop'
}

# Nothing that was sent to weir is unread: who was sent before is in the queue.
all_read() {
	[ "$(ss -Htn state established "sport = :$port" | wc -l)" = "$1" ] &&
		[ -z "$(ss -Htn state established "sport = :$port" | awk '$1 > 0')" ]
}

waits() {
	in_monitor=$(grep -c '"blpop"' "$dir/monitor")
	[ "$in_monitor" = "$1" ]
}

i=0
while [ $i -lt $clients ]; do
	i=$((i + 1))
	redis-cli -p "$port" blpop "key$i" 0 >"$dir/client$i" 2>&1 &
	children="$children $!"
	eventually all_read $i || break
	[ $i -gt $cap ] || eventually waits $i || break
done
[ "$(blocked)" = $cap ]
result $? "of $clients that block, Redis sees $cap"

# Those that wait longest are the last to be released: the order of their keys says nothing of the order of the answers.
released=0
for i in 8 3 1 5 2 7 4 6; do
	direct rpush "key$i" "for$i" >/dev/null
	eventually grep -q "for$i" "$dir/client$i" || break
	eventually waits $((cap + released + 1)) || break
	[ "$(blocked)" = $cap ] || break
	released=$((released + 1))
done
[ $released = 8 ]
result $? "a released client makes room for one"

i=8
while [ $i -lt $clients ]; do
	i=$((i + 1))
	direct rpush "key$i" "for$i" >/dev/null
	eventually grep -q "for$i" "$dir/client$i" || break
done
sed -n 's/.*"blpop" "key\([0-9]*\)".*/\1/p' "$dir/monitor" >"$dir/order"
seq $clients | cmp - "$dir/order" >"$dir/client.log" 2>&1
result $? "all $clients come through, first in, first out" "$dir/order"

many_looks() {
	[ "$(grep -c '^blocked_clients:' "$dir/polls")" -gt 100 ]
}
eventually many_looks
kill "$polling" "$beside"
sed -n 's/^blocked_clients:\([0-9]*\).*/\1/p' "$dir/polls" | sort -n | uniq -c >"$dir/seen"
awk -v cap=$cap '{ polls += $1; most = $2 } END { exit !(polls > 100 && most == cap) }' "$dir/seen"
result $? "not one more at any of many looks, and $cap at some" "$dir/seen"

# ---- what cannot be counted

port=$(port_of one)
redis-cli -p "$port" subscribe news >"$dir/news" 2>&1 &
subscriber=$!
children="$children $subscriber"
subscribed() {
	direct pubsub numsub news | grep -qx 1
}
eventually subscribed && [ "$(redis-cli -p "$port" ping)" = PONG ] && direct publish news extra >/dev/null &&
	eventually grep -q extra "$dir/news"
result $? "a subscriber holds no place, and hears the news" "$dir/news"
grep -q 'policy one (inflight-cap): SUBSCRIBE: requests cannot be matched' "$dir/log"
result $? "the log says why it is not counted"
counted() {
	kill -USR1 "$weir"
	eventually grep -q 'policy one (inflight-cap): .*uncounted=1' "$dir/log"
}
counted
result $? "the status counts it"
redis-cli -p "$(port_of strict)" subscribe news >"$dir/client.log" 2>&1 &
children="$children $!"
eventually grep -q 'close=policy' "$dir/log" && ! grep -q 'policy eight (inflight-cap): .*uncounted=[1-9]' "$dir/log"
result $? "with on_error = close its session ends"
kill "$subscriber"
stop_weir
