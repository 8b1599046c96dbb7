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

# behind WORKERS: weir
behind() {
	start_weir <<-END
		[weir]
		workers = $1
		[listener iperf]
		listen = 127.0.0.1:0
		upstream = 127.0.0.1:$server_port
	END
}

runs=0
# run STREAMS [OPTION]: a client
run() {
	runs=$((runs + 1))
	eventually iperf3_waits $runs
	# shellcheck disable=SC2086
	timeout 100 iperf3 --client 127.0.0.1 --port "$(port_of iperf)" --bytes 100M --parallel $1 ${2-} >"$dir/client.log" 2>&1
	status=$?
	grep -q 'iperf Done' "$dir/client.log" || status=1
	result $status "iperf3 ${2-}, $1 streams" "$dir/client.log"
}

echo 1..8
behind 2
for streams in 1 8; do
	run $streams
	run $streams --reverse
done
stop_weir

# iperf3 knows the two directions by the order in which their connections reach the server: two workers may change it.
behind 1
run 1 --bidir
run 8 --bidir
stop_weir
