#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# redis-benchmark through weir, the server at a port and at a unix socket.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need redis-server redis-benchmark redis-cli shuf

redis() {
	exec redis-server --bind 127.0.0.1 --port "$1" --unixsocket "$dir/redis.sock" --save '' --appendonly no --dir "$dir"
}
somewhere 'ready to accept connections' redis

start_weir <<END
[weir]
workers = 2
[upstream unix]
server = unix:$dir/redis.sock
[listener port]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
[listener socket]
listen = 127.0.0.1:0
upstream = unix
END

n=2000
sanitized && n=300
echo 1..7
for listener in port socket; do
	port=$(port_of $listener)
	redis-benchmark -h 127.0.0.1 -p "$port" -q -n $n -c 50 -t ping,set,get,lrange_100 >"$dir/client.log" 2>&1 &&
		grep -q 'LRANGE_100.*requests per second' "$dir/client.log"
	result $? "redis-benchmark, 50 clients, upstream at a $listener" "$dir/client.log"
	redis-benchmark -h 127.0.0.1 -p "$port" -q -n $n -c 20 -P 16 -d 8192 -t set,get >"$dir/client.log" 2>&1 &&
		grep -q 'GET.*requests per second' "$dir/client.log"
	result $? "redis-benchmark, pipelined 8 KiB values, upstream at a $listener" "$dir/client.log"
	head -c 1500000 /dev/urandom | base64 >"$dir/value"
	redis-cli -h 127.0.0.1 -p "$port" -x set "big-$listener" <"$dir/value" >"$dir/client.log" 2>&1 &&
		redis-cli -h 127.0.0.1 -p "$port" get "big-$listener" | head -c "$(wc -c <"$dir/value")" | cmp - "$dir/value"
	result $? "a value of 2 MB comes back as it was, upstream at a $listener" "$dir/client.log"
done
stop_weir
