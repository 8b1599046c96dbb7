#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The PROXY protocol with others that speak it: haproxy and nginx in front of weir and behind it. Whoever stands behind
# says whom it takes for its client, which must be the one who connected to whoever stands in front.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
PATH=$PATH:/usr/sbin # not everybody's
need haproxy nginx shuf socat ss
modules='/usr/lib/nginx/modules /usr/lib64/nginx/modules /usr/share/nginx/modules'
# shellcheck disable=SC2086
module=$(find $modules -name ngx_stream_module.so 2>/dev/null | head -n 1)
[ -n "$module" ] || nginx -V 2>&1 | grep -q -e '--with-stream ' || skip_all "nginx has no stream module"
[ -e /proc/net/if_inet6 ] && v6=yes || v6=

client=127.0.7.7
listeners='haproxy_v1 haproxy_v2 nginx_v1 nginx_v2' # who stands behind, and what weir sends him

some_ports() {
	shuf -i 10000-30000 -n "$1"
}

# Prints what each haproxy begins with.
haproxy_defaults() {
	cat <<END
defaults
	mode tcp
	timeout connect 10s
	timeout client 60s
	timeout server 60s
END
}

# nginx_main NAME < what goes into stream {}: one process, as a worker would outlive the end of its master
nginx_main() {
	cat <<END
daemon off;
master_process off;
${module:+load_module $module;}
pid $dir/$1.pid;
events { worker_connections 100; }
stream {
	log_format told '\$proxy_protocol_addr:\$proxy_protocol_port';
	access_log off;
	proxy_half_close on;
$(cat)
}
END
}

listens() {
	kill -0 "$daemon" 2>/dev/null || return 0 # there is nothing to wait for
	for port; do
		ss -Hltnp "sport = :$port" | grep -q "pid=$daemon," || return 1
	done
}

# come_up NAME haproxy|nginx PORT...: starts it with $dir/NAME.conf; fails if one of its ports is taken
come_up() {
	name=$1
	program=$2
	shift 2
	if [ "$program" = haproxy ]; then
		haproxy -db -f "$dir/$name.conf" >"$dir/$name.log" 2>&1 &
	else
		nginx -p "$dir" -e stderr -c "$dir/$name.conf" >"$dir/$name.log" 2>&1 &
	fi
	daemon=$!
	eventually listens "$@" && kill -0 "$daemon" 2>/dev/null && children="$children $daemon" && return
	kill -9 "$daemon" 2>/dev/null
	return 1
}

# try FUNCTION: until its ports are free
try() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$1" && return
	done
	sed 's/^/# /' "$dir/$name.log"
	echo "Bail out! $1 fails"
	exit 1
}

# ---- behind weir

haproxy_behind() {
	haproxy_port=$(some_port)
	{
		haproxy_defaults
		cat <<END
frontend told
	mode http
	bind 127.0.0.1:$haproxy_port accept-proxy
	http-request return status 200 content-type text/plain lf-string "src=%[src]:%[src_port] dst=%[dst]:%[dst_port] id=%[fc_pp_unique_id]\n"
END
	} >"$dir/haproxy-behind.conf"
	come_up haproxy-behind haproxy "$haproxy_port"
}

nginx_behind() {
	# shellcheck disable=SC2046
	set -- $(some_ports 2)
	nginx_port=$1
	echo_port=$2
	nginx_main nginx-behind >"$dir/nginx-behind.conf" <<END
	server {
		listen 127.0.0.1:$nginx_port proxy_protocol;
		access_log $dir/told.log told;
		return "src=\$proxy_protocol_addr:\$proxy_protocol_port dst=\$proxy_protocol_server_addr:\$proxy_protocol_server_port\n";
	}
	server {
		listen 127.0.0.1:$echo_port proxy_protocol;
		proxy_pass unix:$dir/echo.sock;
	}
END
	come_up nginx-behind nginx "$nginx_port" "$echo_port"
}

socat -t 60 "UNIX-LISTEN:$dir/echo.sock,fork" EXEC:cat 2>/dev/null &
children="$children $!"
eventually test -S "$dir/echo.sock"
try haproxy_behind
try nginx_behind

# ---- weir: with clients that proxies tell of, with clients of its own, and with such as have no address

behind() {
	case $1 in
	haproxy_*) echo "127.0.0.1:$haproxy_port" ;;
	nginx_*) echo "127.0.0.1:$nginx_port" ;;
	echo_*) echo "127.0.0.1:$echo_port" ;;
	esac
}

accept='accept_proxy = require
proxy_from = 127.0.0.1'

# section NAME LISTEN LINES
section() {
	cat <<END
[listener $1]
listen = $2
upstream = $(behind "${1#*-}")
send_proxy = ${1##*_}
$3
END
}

{
	echo '[weir]'
	echo 'workers = 2'
	for l in $listeners; do
		section "told-$l" 127.0.0.1:0 "$accept"
		section "own-$l" 127.0.0.1:0 ''
		section "unix-$l" "unix:$dir/$l.sock" ''
	done
	section told-echo_v1 127.0.0.1:0 "$accept"
	section told-echo_v2 127.0.0.1:0 "$accept"
} >"$dir/sections"
start_weir <"$dir/sections"

# ---- in front of weir: $dir/fronts has "PROXY LISTENER PORT" for each

# haproxy_section NAME PORT LISTENER OPTIONS
haproxy_section() {
	cat <<END
listen $1-$3
	bind 127.0.0.1:$2
	${v6:+bind [::1]:$2}
	unique-id-format weir-%rt
	server weir 127.0.0.1:$(port_of "told-$3") $4
END
	echo "haproxy-$1 $3 $2" >>"$dir/fronts"
}

haproxy_front() {
	ports=$(some_ports 15)
	# shellcheck disable=SC2086
	set -- $ports
	: >"$dir/fronts"
	haproxy_defaults >"$dir/haproxy-front.conf"
	for l in $listeners; do
		haproxy_section v1 "$1" "$l" send-proxy
		haproxy_section v2 "$2" "$l" send-proxy-v2
		haproxy_section tlvs "$3" "$l" 'send-proxy-v2 proxy-v2-options crc32c,unique-id'
		shift 3
	done >>"$dir/haproxy-front.conf"
	{
		haproxy_section v1 "$1" echo_v2 send-proxy
		haproxy_section v2 "$2" echo_v1 send-proxy-v2
		haproxy_section checks "$3" haproxy_v2 'send-proxy-v2 check inter 1s'
	} >>"$dir/haproxy-front.conf"
	sed -i '/-checks /d' "$dir/fronts"
	# shellcheck disable=SC2086
	come_up haproxy-front haproxy $ports
}

nginx_front() {
	ports=$(some_ports 4)
	# shellcheck disable=SC2086
	set -- $ports
	: >"$dir/fronts-nginx"
	for l in $listeners; do
		cat <<END
	server {
		listen 127.0.0.1:$1;
		${v6:+listen [::1]:$1;}
		proxy_protocol on;
		proxy_pass 127.0.0.1:$(port_of "told-$l");
	}
END
		echo "nginx-v1 $l $1" >>"$dir/fronts-nginx"
		shift
	done | nginx_main nginx-front >"$dir/nginx-front.conf"
	# shellcheck disable=SC2086
	come_up nginx-front nginx $ports
}

try haproxy_front
try nginx_front
cat "$dir/fronts-nginx" >>"$dir/fronts"

# ---- asking

# ask LISTENER ADDRESS OPTIONS: what the far end says goes to $dir/answer; own_port is where it was asked from
ask() {
	case $1 in
	haproxy_*) printf 'GET / HTTP/1.0\r\n\r\n' | socat -d -d -lf "$dir/socat" -t 60 - "$2" ;;
	*) socat -d -d -lf "$dir/socat" -u "$2" - ;;
	esac | grep '^src=' >"$dir/answer"
	own_port=$(sed -n 's/.* successfully connected from local address .*:\([0-9]*\)$/\1/p' "$dir/socat")
	rm -f "$dir/socat"
}

# answered SOURCE DESTINATION [REST]
answered() {
	grep -q "^src=$1 dst=$2${3-}[[:space:]]*\$" "$dir/answer"
}

# weir_knows LISTENER CLIENT
weir_knows() {
	eventually grep -q "session .* listener=$1 client=$2 .* close=" "$dir/log"
}

echo 1..46

while read -r front l port; do
	case $front-$l in
	*-echo_*) continue ;;
	haproxy-tlvs-haproxy_v2) id=' id=weir-.*' ;; # a TLV from one end to the other
	*-haproxy_*) id=' id=' ;;
	*) id= ;;
	esac
	ask "$l" "TCP:127.0.0.1:$port,bind=$client"
	answered "$client:$own_port" "127.0.0.1:$port" "$id" && weir_knows "told-$l" "$client:$own_port"
	result $? "$front before weir, which sends ${l#*_} to ${l%_*}" "$dir/answer"
	if [ "$v6" ]; then
		ask "$l" "TCP6:[::1]:$port"
		answered "::1:$own_port" "::1:$port" "$id" && weir_knows "told-$l" "\\[::1\\]:$own_port"
		result $? "the same in IPv6" "$dir/answer"
	else
		skip "there is no IPv6" "the same in IPv6"
	fi
done <"$dir/fronts"

for l in $listeners; do
	port=$(port_of "own-$l")
	ask "$l" "TCP:127.0.0.1:$port,bind=$client"
	case $l in
	haproxy_*) id=' id=' ;;
	*) id= ;;
	esac
	answered "$client:$own_port" "127.0.0.1:$port" "$id" && weir_knows "own-$l" "$client:$own_port"
	result $? "weir alone sends ${l#*_} to ${l%_*}" "$dir/answer"

	# There is no address to tell: they see weir's, or none.
	ask "$l" "UNIX-CONNECT:$dir/$l.sock"
	grep -q -e '^src=127.0.0.1:' -e '^src=: dst=:' "$dir/answer"
	result $? "the same for a unix client" "$dir/answer"
done
eventually grep -q "^$client:" "$dir/told.log"
result $? "nginx logs whom it was told of" "$dir/told.log"

# ---- bytes behind the header

head -c 5000000 /dev/urandom >"$dir/sent"
for l in echo_v1 echo_v2; do
	port=$(sed -n "s/.* $l //p" "$dir/fronts")
	socat -t 60 - "TCP:127.0.0.1:$port" <"$dir/sent" >"$dir/got"
	cmp "$dir/sent" "$dir/got" >"$dir/differs" 2>&1
	result $? "5 MB through haproxy, weir, nginx and back, all with headers (${l#*_})" "$dir/differs"
done

# ---- haproxy's checks of weir, which are LOCAL

weir_knows told-haproxy_v2 '127\.0\.0\.1:[0-9]*'
result $? "haproxy's health checks are clients of its own"
! grep -e proxy-error -e 'is refused' "$dir/log" >"$dir/wrong"
result $? "nobody was refused" "$dir/wrong"
stop_weir
