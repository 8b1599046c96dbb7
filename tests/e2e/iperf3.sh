#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# iperf3 through weir: forward, reverse and both at once, one stream and eight.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need iperf3 shuf

# A server that is there for all the runs.
iperf() {
	exec iperf3 --server --bind 127.0.0.1 --port "$1" --forceflush
}
somewhere 'server listening' iperf

start_weir <<END
[weir]
workers = 2
[listener iperf]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
END

echo 1..7
runs=0
for streams in 1 8; do
	for direction in '' --reverse --bidir; do
		runs=$((runs + 1))
		eventually iperf3_waits $runs
		# shellcheck disable=SC2086
		iperf3 --client 127.0.0.1 --port "$(port_of iperf)" --bytes 100M --parallel $streams $direction >"$dir/client.log" 2>&1
		status=$?
		grep -q 'iperf Done' "$dir/client.log" || status=1
		result $status "iperf3 $direction, $streams streams" "$dir/client.log"
	done
done
stop_weir
