#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# iperf3 through weir: forward, reverse and both at once, one stream and eight.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need iperf3 shuf

# A server that is there for all the runs.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	server_port=$(some_port)
	iperf3 --server --bind 127.0.0.1 --port "$server_port" --forceflush >"$dir/server.log" 2>&1 &
	server=$!
	children="$children $server"
	eventually grep -q -i -e listening -e error "$dir/server.log"
	grep -q -i 'server listening' "$dir/server.log" && break
done

start_weir <<END
[weir]
workers = 2
[listener iperf]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
END

echo 1..7
for streams in 1 8; do
	for direction in '' --reverse --bidir; do
		# shellcheck disable=SC2086
		iperf3 --client 127.0.0.1 --port "$(port_of iperf)" --time 1 --parallel $streams $direction >"$dir/client.log" 2>&1
		status=$?
		grep -q 'iperf Done' "$dir/client.log" || status=1
		result $status "iperf3 $direction, $streams streams" "$dir/client.log"
	done
done
stop_weir
