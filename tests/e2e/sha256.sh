#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# 240 transfers at once through weir to a server that sends back what it gets: sizes and pauses at random, each with
# the SHA-256 of what was sent and what came back. A third each is copied, spliced, and spliced when it seems worth it.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need nc socat sha256sum shuf

transfers=240
largest=1000000
sanitized && largest=200000

repeats() {
	exec socat -d -d -t 600 "TCP-LISTEN:$1,bind=127.0.0.1,fork,backlog=512" EXEC:cat
}
somewhere 'listening on' repeats

start_weir <<END
[weir]
workers = 2
[policy small]
module = watermark
high = 32K
low = 16K
[listener off]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = small
splice = off
[listener on]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = small
splice = on
[listener auto]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$server_port
policy = watermark
splice = auto
END

# A third each: at once, with a pause in the middle, with three pauses at places of their own.
feed() {
	file=$1
	size=$2
	case $3 in
	0) cat "$file" ;;
	1)
		head -c $((size / 2)) "$file"
		sleep "0.$4"
		tail -c +$((size / 2 + 1)) "$file"
		;;
	*)
		head -c $((size / 5)) "$file"
		sleep "0.$4"
		tail -c +$((size / 5 + 1)) "$file" | head -c $((size / 2 - size / 5))
		sleep "0.0$4"
		tail -c +$((size / 2 + 1)) "$file" | head -c $((size - 1 - size / 2))
		sleep "0.1$4"
		tail -c 1 "$file"
		;;
	esac
}

transfer() {
	file=$dir/file-$1
	size=$(shuf -i "1-$largest" -n 1)
	head -c "$size" /dev/urandom >"$file"
	sent=$(sha256sum <"$file")
	got=$(feed "$file" "$size" $(($1 / 3 % 3)) "$(shuf -i 0-9 -n 1)" | nc -N 127.0.0.1 "$2" | sha256sum)
	[ "$sent" = "$got" ] && echo "$3 $size" >>"$dir/fine"
	rm -f "$file"
}

echo 1..5
off=$(port_of off)
on=$(port_of on)
auto=$(port_of auto)
: >"$dir/fine"
runs=
i=0
while [ $i -lt $transfers ]; do
	case $((i % 3)) in
	0) transfer $i "$off" off & ;;
	1) transfer $i "$on" on & ;;
	*) transfer $i "$auto" auto & ;;
	esac
	runs="$runs $!"
	i=$((i + 1))
done
# shellcheck disable=SC2086
wait $runs
for splice in off on auto; do
	fine=$(grep -c "^$splice " "$dir/fine")
	[ "$fine" = $((transfers / 3)) ]
	result $? "splice = $splice: $fine of $((transfers / 3)) transfers came back with the SHA-256 they were sent with"
done
all_done() {
	[ "$(grep -c ' session .* close=done' "$dir/log")" = $transfers ]
}
eventually all_done
result $? "each has an access line that says done"
stop_weir
