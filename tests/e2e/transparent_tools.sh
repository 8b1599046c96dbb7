#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs that know nothing of weir, on both sides of it: iperf3, nc, redis, nginx and curl. Each address of the server is
# behind a mode of its own.
set -u
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"
need iperf3 redis-server redis-benchmark redis-cli nginx curl sha256sum

ip -n server address add 10.77.2.3/24 dev s0
ip -n server address add fd77:2::3/64 dev s0 nodad

# daemon COMMAND...: in the server
daemon() {
	$in_server "$@" >>"$dir/server.log" 2>&1 &
	children="$children $!"
}

daemon iperf3 --server --forceflush
daemon redis-server --bind 0.0.0.0 :: --port 6379 --protected-mode no --save '' --appendonly no --dir "$dir"
mkdir "$dir/www"
head -c 20000000 /dev/urandom >"$dir/www/large"
head -c 3000 /dev/urandom >"$dir/www/small"
cat >"$dir/nginx.conf" <<END
user root root;
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/nginx.error;
events { }
http {
	log_format seen '\$remote_addr \$uri \$status';
	access_log $dir/nginx.seen seen;
	client_body_temp_path $dir/nginx.1;
	proxy_temp_path $dir/nginx.2;
	fastcgi_temp_path $dir/nginx.3;
	uwsgi_temp_path $dir/nginx.4;
	scgi_temp_path $dir/nginx.5;
	server {
		listen 80;
		listen [::]:80;
		root $dir/www;
	}
}
END
daemon nginx -c "$dir/nginx.conf" -e "$dir/nginx.error"
all_listen() {
	listens server 5201 && listens server 6379 && listens server 80
}
if ! eventually all_listen; then
	sed 's/^/# /' "$dir/server.log" "$dir/nginx.error"
	echo "Bail out! the servers do not come up"
	exit 1
fi

start_weir <<END
[weir]
workers = 2
[listener tproxy]
listen = 0.0.0.0:15001, [::]:15001
mode = tproxy
intercept_ports = 80, 5201, 6379, 7001
intercept_interfaces = r0
intercept_to = 10.77.2.2, fd77:2::2
[listener redirect]
listen = 0.0.0.0:15002, [::]:15002
mode = redirect
intercept_ports = 80, 5201, 6379, 7001
intercept_interfaces = r0
intercept_to = 10.77.2.3, fd77:2::3
END
intercept up

head -c 3000000 /dev/urandom >"$dir/up"
head -c 2000000 /dev/urandom >"$dir/down"
head -c 1500000 /dev/urandom | base64 >"$dir/value"
n=1000
sanitized && n=200

runs=0

# tools MODE FAMILY TO SEEN-BY-THE-SERVER
tools() {
	bracketed=$3
	[ "$2" = 4 ] || bracketed=[$3]
	for direction in '' --reverse; do
		runs=$((runs + 1))
		eventually iperf3_waits $runs
		# shellcheck disable=SC2086
		$in_client timeout 60 iperf3 --client "$3" --bytes 100M --parallel 4 $direction >"$dir/client.log" 2>&1 &&
			grep -q 'iperf Done' "$dir/client.log"
		result $? "$1, IPv$2: iperf3 $direction" "$dir/client.log"
	done

	# one after the other: nc drops what it has still to send when the other end has nothing more to say
	serve_once server "$3" 7001 /dev/null "$dir/server.out" -d
	$in_client timeout 60 nc -N "$3" 7001 <"$dir/up" >"$dir/client.out" 2>"$dir/client.log"
	wait "$server"
	serve_once server "$3" 7001 "$dir/down" /dev/null -N
	$in_client timeout 60 nc -d "$3" 7001 >"$dir/client.out" 2>>"$dir/client.log"
	wait "$server"
	cmp "$dir/up" "$dir/server.out" 2>>"$dir/client.log" && cmp "$dir/down" "$dir/client.out" 2>>"$dir/client.log"
	result $? "$1, IPv$2: nc, a file each way" "$dir/client.log"

	$in_client timeout 60 redis-benchmark -h "$3" -q -n $n -c 20 -t ping,set,get,lrange_100 >"$dir/client.log" 2>&1 &&
		grep -q 'LRANGE_100.*requests per second' "$dir/client.log"
	result $? "$1, IPv$2: redis-benchmark" "$dir/client.log"
	$in_client timeout 60 redis-cli -h "$3" -x set "$1-$2" <"$dir/value" >"$dir/client.log" 2>&1 &&
		$in_client timeout 60 redis-cli -h "$3" get "$1-$2" | head -c "$(wc -c <"$dir/value")" |
		cmp - "$dir/value" 2>>"$dir/client.log"
	result $? "$1, IPv$2: redis-cli, a value of 2 MB" "$dir/client.log"

	: >"$dir/nginx.seen"
	$in_client timeout 60 curl --silent --show-error "http://$bracketed/large" 2>"$dir/client.log" |
		cmp - "$dir/www/large" 2>>"$dir/client.log"
	result $? "$1, IPv$2: nginx and curl, a file of 20 MB" "$dir/client.log"
	$in_client timeout 60 curl --silent --show-error "http://$bracketed/small?[1-100]" --output "$dir/small" \
		>"$dir/client.log" 2>&1
	all_known() { # nginx tells of them when they are over
		[ "$(grep -c -F -x "$1 /small 200" "$dir/nginx.seen")" = 100 ] && grep -q -F -x "$1 /large 200" "$dir/nginx.seen"
	}
	eventually all_known "$4" && cmp "$dir/small" "$dir/www/small" 2>>"$dir/client.log"
	known=$?
	sort "$dir/nginx.seen" | uniq -c >>"$dir/client.log"
	[ $known = 0 ]
	result $? "$1, IPv$2: a hundred requests of one connection, and the server knows whose" "$dir/client.log"

	# Ten are iperf3's, eighty redis-benchmark's.
	[ "$2" = 4 ] && name=$client4: || name=[$client6]:
	all_through() {
		[ "$(grep ' session ' "$dir/log" | grep -c -F " listener=$1 client=$name")" -ge 90 ]
	}
	eventually all_through "$1"
	result $? "$1, IPv$2: all of it went through weir"
}

tools tproxy 4 10.77.2.2 $client4
tools tproxy 6 fd77:2::2 $client6
tools redirect 4 10.77.2.3 10.77.2.1
tools redirect 6 fd77:2::3 fd77:2::1

# What the tools end by themselves ends as done; redis-benchmark's and iperf3's resets are theirs.
eventually grep -q 'listener=redirect .* up=0 down=2000000 .* close=done' "$dir/log" &&
	grep -q 'listener=redirect .* up=3000000 down=0 .* close=done' "$dir/log" &&
	grep -q 'listener=tproxy .* up=0 down=2000000 .* close=done' "$dir/log" &&
	grep -q 'listener=tproxy .* up=3000000 down=0 .* close=done' "$dir/log" &&
	! grep -q -e 'close=server-error' -e 'close=connect' -e 'close=internal' "$dir/log"
result $? "no session broke"
stop_weir
echo "1..$count"
