# SPDX-License-Identifier: BSD-2-Clause
# For the tests of what is transparent: three machines, each a network namespace, weir on the one between. To be sourced in
# the place of lib.sh, as the first thing a script does: it runs the script again inside.
# shellcheck shell=sh
#
#     client ------------------ router, with weir ------------------ server
#       c0                       r0           r1                       s0
#   10.77.1.2              10.77.1.1         10.77.2.1            10.77.2.2
#   fd77:1::2              fd77:1::1         fd77:2::1            fd77:2::2
#
# Commands run on the router, those behind $in_client and $in_server there. Nobody else has a port here: tests choose.
# An unprivileged user will do, in a user namespace of one uid; a script that needs more sets netns_as=root before. One that
# sets netns_bare=yes finds a machine alone, and makes the others itself.

netns_ways="-Urnmpf -nmpf"
[ "${netns_as-}" != root ] || netns_ways=-nmpf
PATH=$PATH:/usr/sbin:/sbin

# What all of it is made of, tried once, so that a kernel without is a reason to skip and no failure.
netns_probe='
	mount -t tmpfs tmpfs /run && ip netns add probe && ip link add probe0 netns probe type veth peer name probe1 &&
	echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/ipv6/conf/all/forwarding &&
	nft "add table inet probe
	     add chain inet probe pre { type filter hook prerouting priority mangle; }
	     add rule inet probe pre meta l4proto tcp socket transparent 1 meta mark set 1 accept
	     add rule inet probe pre tcp dport 1 tproxy ip to :1 meta mark set 1 accept
	     add chain inet probe out { type nat hook output priority -100; }
	     add rule inet probe out tcp dport 1 numgen random mod 100 < 1 redirect to :1"'

# The first process in there is the script, and whatever it started ends with it. We stay outside to see to that when we are
# told to end, since unshare does not listen.
netns_enter() {
	[ -x "$WEIR_BUILDDIR/tools/weir-intercept" ] || skip_all "weir-intercept is not built"
	need setpriv unshare nsenter mount ip nft nc socat ss
	for netns_way in $netns_ways; do
		[ "$netns_way" = -Urnmpf ] || [ "$(id -u)" = 0 ] || continue
		unshare "$netns_way" --kill-child --mount-proc sh -c "$netns_probe" >"$dir/probe" 2>&1 || continue
		export netns_way dir
		setpriv --pdeathsig KILL unshare "$netns_way" --kill-child --mount-proc sh "$0" &
		children=$!
		wait $children
		exit
	done
	[ -s "$dir/probe" ] || echo "that takes root" >"$dir/probe"
	skip_all "no namespaces with all that is needed: $(tail -n 1 "$dir/probe")"
}

# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
[ -n "${netns_way-}" ] || netns_enter

# shellcheck disable=SC2034 # not every script needs all of them
{
	client4=10.77.1.2
	client6=fd77:1::2
	server4=10.77.2.2
	server6=fd77:2::2
	in_client="nsenter --net=/run/netns/client --"
	in_server="nsenter --net=/run/netns/server --"
}

# No address waits for others to object to it.
# shellcheck disable=SC2016 # $where is the inner shell's
netns_settings='
	for where in all default; do
		echo 0 >/proc/sys/net/ipv6/conf/$where/disable_ipv6
		echo 0 >/proc/sys/net/ipv6/conf/$where/accept_dad
		echo 1 >/proc/sys/net/ipv6/conf/$where/forwarding
		echo 0 >/proc/sys/net/ipv4/conf/$where/rp_filter
	done
	echo 1 >/proc/sys/net/ipv4/ip_forward'

# netns_connect NAMESPACE ITS-DEVICE DEVICE-HERE NUMBER
netns_connect() {
	ip -batch - <<-END && ip -n "$1" -batch - <<-END_THERE
		link add $2 netns $1 type veth peer name $3
		address add 10.77.$4.1/24 dev $3
		address add fd77:$4::1/64 dev $3 nodad
		link set $3 up
	END
		link set lo up
		address add 10.77.$4.2/24 dev $2
		address add fd77:$4::2/64 dev $2 nodad
		link set $2 up
		route add default via 10.77.$4.1
		route add default via fd77:$4::1
	END_THERE
}

netns_make() {
	mount -t tmpfs tmpfs /run && sh -c "$netns_settings" && ip -batch - <<-END &&
		link set lo up
		netns add client
		netns add server
	END
		$in_client sh -c "$netns_settings" && $in_server sh -c "$netns_settings" &&
		netns_connect client c0 r0 1 && netns_connect server s0 r1 2
}

# Nobody listens there: who says so is reached.
netns_ready() {
	$in_client nc -v -z -w 1 $server4 1 2>&1 | grep -q refused &&
		$in_client nc -v -z -w 1 $server6 1 2>&1 | grep -q refused
}

if [ -z "${netns_bare-}" ] && { ! netns_make >"$dir/netns.log" 2>&1 || ! eventually netns_ready; }; then
	sed 's/^/# /' "$dir/netns.log"
	echo "Bail out! the namespaces do not come up"
	exit 1
fi

# listens NAMESPACE PORT: somebody does
listens() {
	nsenter --net="/run/netns/$1" -- ss -Hltn "sport = :$2" | grep -q .
}

# serves ENTER PORTS: somebody does there, in both families
serves() {
	for port in $2; do
		[ "$($1 ss -Hltn "sport = :$port" | wc -l)" = 2 ] || return
	done
}

# serve ENTER PORTS [VARIABLES]: servers in both families that repeat what they hear, behind a line with what socat knows of
# the connection: PEERADDR and the like, see its manual. They listen on return.
serve() {
	serving=$dir/serve.$(echo "$2" | tr ' ' -)
	{
		# shellcheck disable=SC2016 # the other shell's
		[ -z "${3-}" ] || echo "$3" | sed 's/[A-Z][A-Z]*/$SOCAT_&/g; s/.*/echo "&"/'
		echo "exec cat"
	} >"$serving"
	for port in $2; do
		for family in TCP4-LISTEN:$port TCP6-LISTEN:$port,ipv6only=1; do
			$1 socat -t 60 "$family,fork,backlog=64" EXEC:"sh $serving" 2>>"$serving.log" &
			children="$children $!"
		done
	done
	eventually serves "$1" "$2" && return
	sed 's/^/# /' "$serving.log"
	echo "Bail out! no server for each of $2"
	exit 1
}

# told ADDRESS: as socat tells it
told() {
	echo "$1" | sed 's/^fd77:\(.\)::\(.\)$/[fd77:000\1:0000:0000:0000:0000:0000:000\2]/'
}

# serve_once NAMESPACE ADDRESS PORT FILE OUT [OPTION...]: an nc that sends FILE to its only client and keeps what it hears in
# OUT; sets $server, the process. It listens on return.
serve_once() {
	serve_where=$1
	serve_at="$2 $3"
	serve_file=$4
	serve_out=$5
	shift 5
	# shellcheck disable=SC2086 # $serve_at are words
	nsenter --net="/run/netns/$serve_where" -- timeout 100 nc "$@" -l $serve_at <"$serve_file" >"$serve_out" 2>>"$dir/nc.log" &
	server=$!
	eventually listens "$serve_where" "${serve_at#* }"
}

# socat_to ADDRESS PORT SOURCE: as socat wants it
socat_to() {
	case $1 in
	*:*) echo "TCP6:[$1]:$2,bind=[$3]" ;;
	*) echo "TCP4:$1:$2,bind=$3" ;;
	esac
}

# intercept up|down: what the running configuration needs of the kernel
intercept() {
	"$WEIR_BUILDDIR/tools/weir-intercept" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES" "$1" >"$dir/intercept.log" 2>&1 &&
		return
	sed 's/^/# /' "$dir/intercept.log"
	echo "Bail out! weir-intercept $1 fails"
	exit 1
}

# Sets $source_port to one that no client had before.
source_port=20000
next_port() {
	source_port=$((source_port + 1))
}

# name ADDRESS PORT: as the access line has it, for grep
name() {
	case $1 in
	*:*) echo "\\[$1\\]:$2" ;;
	*) echo "$1:$2" ;;
	esac
}

# logged LISTENER CLIENT SERVER REASON DESCRIPTION: one access line says all that
logged() {
	eventually grep -q " session .* listener=$1 client=$2 server=$3 .* close=$4\$" "$dir/log"
	result $? "$5"
}

# refused LISTENER SOURCE TO PORT REASON: the client is reset, and there is one line that says why
refused() {
	next_port
	$in_client timeout 60 socat -d -d -u "$(socat_to "$3" "$4" "$2"):$source_port" - >"$dir/back" 2>"$dir/socat.log"
	grep -q 'reset by peer' "$dir/socat.log" && [ ! -s "$dir/back" ]
	result $? "$1: from $2 to $3:$4: a reset" "$dir/socat.log"
	eventually grep -q " session .* listener=$1 client=$(name "$2" "$source_port") server=- .* destination=$(name "$3" "$4") close=$5\$" \
		"$dir/log"
	result $? "$1: from $2 to $3:$4: the access line says $5, and where it wanted to go"
}
