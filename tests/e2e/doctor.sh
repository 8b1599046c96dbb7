#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The doctor: gateways that work have no findings; broken on purpose, in one way each, they truly are, and he names that way
# and no other. What he says mends it does: it is run as he prints it, and then he finds nothing. $doctor_only picks one.
set -u

# Those that take longest come first, so that nobody waits for them alone.
faults="close_wait conntrack_full conntrack_idle fwmark_reflect return_path src_valid_mark fwmark_accept
	no_routing_rule rule_shadowed loopback_only firewall ip_forward other_mark ipv6_off rp_filter
	bridge_netfilter no_address other_route no_route no_interface loop no_capability enslaved link_down
	not_transparent not_listening no_cgroup no_rules stale_rules kernel_feature
	healthy_tproxy healthy_redirect healthy_forward nothing_asked unprivileged quiet documented"
at_once=10 # nearly all of their time they wait

# ---- all of them, each as this script again, in namespaces of its own

if [ -z "${doctor_fault-}" ]; then
	# shellcheck source=lib.sh
	. "$WEIR_SRCDIR/tests/e2e/lib.sh"
	[ -x "$WEIR_BUILDDIR/tools/weir-intercept" ] || skip_all "built without weir-intercept"
	need awk python3 setpriv sysctl xargs
	# they clean up themselves, when they are asked; and they are when xargs ends
	# shellcheck disable=SC2317 # called by the trap
	finish() {
		[ -z "$children" ] || kill "$children" 2>/dev/null
		wait
		cleanup
	}
	trap finish EXIT
	echo "${doctor_only-$faults}" >"$dir/faults"
	# shellcheck disable=SC2016 # the inner shell's
	xargs -n 1 -P $at_once -a "$dir/faults" env -u dir -u netns_way doctor_tap="$dir" setpriv --pdeathsig TERM \
		sh -c 'doctor_fault=$1 exec sh "$0" >"$doctor_tap/$1.tap" 2>"$doctor_tap/$1.stderr"' "$0" &
	children=$!
	wait
	children=
	for fault in $faults; do
		[ -e "$dir/$fault.tap" ] || continue
		grep -E '^1\.\.0 ' "$dir/$fault.tap" && exit
		sed 's/^/# /' "$dir/$fault.stderr"
		cat "$dir/$fault.tap"
		grep -q '^1\.\.' "$dir/$fault.tap" || echo "not ok 0 - $fault ends before its end"
	done >"$dir/all.tap"
	if grep -E '^1\.\.0 ' "$dir/all.tap"; then
		exit
	fi
	awk '/^1\.\./ { next }
		/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++count) }
		{ print }
		END { print "1.." count }' "$dir/all.tap"
	exit
fi

# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"
PATH=$WEIR_BUILDDIR/tools:$dir/bin:$PATH
port=7000
extra="half_close_timeout = 30s"

# systemd is not here: what it is told is done by hand.
mkdir "$dir/bin"
cat >"$dir/bin/systemctl" <<-END
	#!/bin/sh
	echo "\$*" >>$dir/systemctl
END
chmod +x "$dir/bin/systemctl"

# ---- gateways

servers() {
	for family in 4 6; do
		$in_server socat "TCP$family-LISTEN:$port,fork,reuseaddr$([ $family = 4 ] || echo ,ipv6only=1)" EXEC:cat 2>/dev/null &
		children="$children $!"
	done
	eventually both_listen
}

both_listen() {
	[ "$($in_server ss -Hltn "sport = :$port" | wc -l)" = 2 ]
}

# configure MODE [WEIR-LINES]: a gateway from r0; $extra has more lines of its listener, $addresses its own addresses
configure() {
	cat <<-END
		[weir]
		${2-}
		[listener gateway]
		listen = ${addresses-0.0.0.0:15001, [::]:15001}
		mode = $1
		policy = none
		intercept_ports = $port
		${interfaces-intercept_interfaces = r0}
		$extra
	END
}

# gateway MODE [WEIR-LINES]: it works, and nothing is wrong with it
gateway() {
	servers
	configure "$@" | start_weir
	# the pipe has a shell of its own, whose weir lives on
	weir=$(pgrep -n -x -f ".*weir -f $dir/weir.ini .*")
	children="$children $weir"
	intercept up
}

# check: what he says is in $dir/said, his status in $status
check() {
	weir-intercept -f "$dir/weir.ini" check >"$dir/said" 2>&1
	status=$?
}

# healthy DESCRIPTION
healthy() {
	check
	[ $status = 0 ] && grep -q '^nothing found: ' "$dir/said" && ! grep -q '^not looked at' "$dir/said"
	result $? "$1" "$dir/said"
}

# names_are NAME: of what was said last
names_are() {
	[ "$(sed -n 's/^\([a-z0-9-]*\): .*/\1/p' "$dir/said" | sort -u)" = "$1" ]
}

# finds NAME: that, and nothing else
finds() {
	check
	[ $status = 1 ] && names_are "$1"
	result $? "$1 is found, and nothing else" "$dir/said"
}

# mends: what he says mends it is run
mends() {
	rm -f "$dir/systemctl"
	sed -n 's/^	mend: //p' "$dir/said" >"$dir/mend"
	sh -e "$dir/mend" >"$dir/mended" 2>&1
	status=$?
	cat "$dir/mend" >>"$dir/mended"
	if grep -q -x 'restart weir' "$dir/systemctl" 2>/dev/null; then
		start_again
	fi
	result $status "the command that mends it runs" "$dir/mended"
	healthy "then nothing is found"
}

# Nobody waits for connections that hang.
start_again() {
	kill -KILL "$weir" 2>/dev/null
	while kill -0 "$weir" 2>/dev/null; do
		sleep 0.05
	done
	cp "$dir/weir.ini" "$dir/again.ini"
	start_weir <"$dir/again.ini"
}

# ---- connections

heard() {
	grep -q hello "$dir/back" || ! kill -0 "$talker"
}

# two seconds, for what shall not come
soon() {
	rounds=0
	until "$@" 2>/dev/null; do
		rounds=$((rounds + 1))
		[ $rounds -lt 40 ] || return 1
		sleep 0.05
	done
}

# talks HOW NAMESPACE-PREFIX ADDRESS [PORT]: $how is none, weir, or past (weir); what is expected has time to come
talks() {
	patience=eventually
	[ "$1" != none ] || patience=soon
	shift
	rm -f "$dir/fifo"
	mkfifo "$dir/fifo"
	: >"$dir/back"
	$1 nc "$2" "${3-$port}" <"$dir/fifo" >"$dir/back" 2>/dev/null &
	talker=$!
	exec 9>"$dir/fifo"
	echo hello >&9
	how=none
	$patience heard
	if grep -q hello "$dir/back"; then
		how=past
		[ -z "$(ss -Htn "dport = :$port")" ] || how=weir # it has one to the server
	fi
	exec 9>&-
	kill "$talker" 2>/dev/null
	wait "$talker" 2>/dev/null
}

# goes HOW [ADDRESS [PORT]]: a connection of the client does
goes() {
	talks "$1" "$in_client" "${2-$server4}" "${3-$port}"
	[ $how = "$1" ]
	result $? "${2-$server4}: ${3-$port}: a client's connection goes $1 (it went $how)"
}

# ---- nothing wrong

fault_healthy_tproxy() {
	gateway tproxy
	healthy "a tproxy gateway of both families has no findings"
	goes weir
	goes weir $server6
	sysctl -q -w net.ipv4.conf.r0.rp_filter=1 net.ipv4.conf.r1.rp_filter=1
	healthy "nor with rp_filter strict, where routes are symmetric"
	goes weir
}

fault_healthy_redirect() {
	extra="intercept_local = yes
half_close_timeout = 30s"
	gateway redirect
	healthy "a redirect gateway of both families, for its own processes, too, has no findings"
	goes weir
	goes weir $server6
	talks weir "" $server4
	[ $how = weir ]
	result $? "and one of its own connections goes weir (it went $how)"
}

# A listener of mode forward that connects from its clients' addresses needs the routing, too.
fault_healthy_forward() {
	extra="upstream = $server4:$port
upstream_bind = client"
	interfaces=
	addresses=0.0.0.0:15001
	servers
	configure forward | grep -v '^intercept_ports' | start_weir
	weir=$(pgrep -n -x -f ".*weir -f $dir/weir.ini .*")
	children="$children $weir"
	intercept up
	healthy "a listener that connects from its clients' addresses has no findings"
	goes weir 10.77.1.1 15001
	ip rule delete fwmark 30566
	goes none 10.77.1.1 15001
	finds no-routing-rule
	mends
	goes weir 10.77.1.1 15001
}

fault_nothing_asked() {
	gateway tproxy
	cp "$dir/weir.ini" "$dir/gateway.ini"
	sed -i '/^intercept_/d; s/^mode = .*/mode = forward/' "$dir/weir.ini"
	echo "upstream = $server4:$port" >>"$dir/weir.ini"
	start_again
	finds stale-rules
	mends
	[ -z "$(nft list ruleset)$(ip rule show fwmark 30566)" ]
	result $? "who asks for nothing has nothing left" "$dir/mended"
}

fault_unprivileged() {
	gateway tproxy
	setpriv --bounding-set=-all --inh-caps=-all weir-intercept -f "$dir/weir.ini" check >"$dir/said" 2>&1 &&
		grep -q '^not looked at, for no-rules: ' "$dir/said" && grep -q '^nothing found: .*named above' "$dir/said"
	result $? "who may not look is told so, and that is no finding" "$dir/said"
	grep -q 'you must be root' "$dir/said"
	[ $? = 1 ]
	result $? "and nobody but the doctor speaks" "$dir/said"
	if [ "$netns_way" = -nmpf ]; then
		skip "it would be this machine's own setting" "so is who may have no network namespace"
		return
	fi
	# this user namespace's
	echo 0 >/proc/sys/user/max_net_namespaces
	check
	[ $status = 0 ] && grep -q '^not looked at, for kernel-feature: ' "$dir/said" && grep -q '^nothing found: ' "$dir/said"
	result $? "so is who may have no network namespace" "$dir/said"
}

# ---- as he is used

state() {
	nft list ruleset
	for family in -4 -6; do
		ip $family rule show
		ip $family route show table all
	done
	ip address
	sysctl -a --pattern '^net\.' 2>/dev/null | grep -v '_count = '
}

fault_quiet() {
	gateway tproxy
	sysctl -q -w net.ipv4.ip_forward=0
	state >"$dir/before"
	check
	state >"$dir/after"
	diff "$dir/before" "$dir/after" >"$dir/diff"
	result $? "looking changes nothing" "$dir/diff"
	cp "$dir/weir.ini" "$dir/it's mine.ini"
	weir-intercept -f "$dir/it's mine.ini" down
	weir-intercept -f "$dir/it's mine.ini" check >"$dir/said" 2>&1
	mv "$dir/weir.ini" "$dir/gone.ini"
	sed -n 's/^	mend: //p' "$dir/said" | sh -e >"$dir/mended" 2>&1 && mv "$dir/gone.ini" "$dir/weir.ini"
	healthy "commands quote names of files"
}

fault_documented() {
	sed -n 's/^	{"\([a-z0-9-]*\)", doctor_.*/\1/p' "$WEIR_SRCDIR/tools/intercept/doctor.c" >"$dir/in_code"
	sed -n 's/^\.Ss \([a-z0-9-]*\)$/\1/p' "$WEIR_SRCDIR/doc/weir-intercept-findings.7" >"$dir/in_manual"
	[ -s "$dir/in_code" ] && diff "$dir/in_code" "$dir/in_manual" >"$dir/diff"
	result $? "the manual has the findings that there are, in their order" "$dir/diff"
}

# ---- rules and routes

# No kernel can be had that lacks a part, so this is one that takes no rules: only new ones are sent by this call.
fault_kernel_feature() {
	if ! command -v strace >/dev/null || sanitized; then
		skip "strace is missing, or would trace a sanitizer" "kernel-feature"
		return
	fi
	gateway tproxy
	strace -f -o /dev/null -e trace=sendmsg -e inject=sendmsg:error=EOPNOTSUPP \
		"$WEIR_BUILDDIR/tools/weir-intercept" -f "$dir/weir.ini" check >"$dir/said" 2>&1
	[ $? = 1 ] && names_are kernel-feature && grep -q 'mend: modprobe nft_tproxy$' "$dir/said" &&
		! grep -q 'mend: modprobe nft_redir$' "$dir/said"
	result $? "kernel-feature is found, and nothing else, for each part that is needed" "$dir/said"
}

fault_no_rules() {
	gateway tproxy
	nft delete table inet weir
	goes past
	finds no-rules
	mends
	goes weir
	intercept down
	finds no-rules
	mends
	goes weir
}

fault_stale_rules() {
	gateway tproxy
	nft flush chain inet weir tproxy_prerouting
	goes past
	finds stale-rules
	mends
	goes weir
	sed -i "s/^intercept_ports = .*/&, 7777/" "$dir/weir.ini"
	finds stale-rules
	mends
}

fault_no_routing_rule() {
	gateway tproxy
	ip -4 rule delete fwmark 30566
	goes none
	finds no-routing-rule
	mends
	goes weir
	ip -6 rule delete fwmark 30566
	ip -6 rule add priority 1 fwmark 30566 lookup 100
	goes none $server6
	finds no-routing-rule
	mends
	goes weir $server6
}

fault_no_route() {
	gateway tproxy
	ip -6 route flush table 30566
	goes none $server6
	finds no-route
	mends
	goes weir $server6
	ip -4 route replace local 10.0.0.0/8 dev lo table 30566
	ip -4 route delete local default table 30566
	finds no-route
}

fault_other_route() {
	gateway tproxy
	ip route add 10.77.2.0/24 dev r1 table 30566
	goes none
	finds other-route
	mends
	goes weir
}

fault_rule_shadowed() {
	gateway tproxy
	ip rule add priority 0 iif r0 lookup main
	goes none
	finds rule-shadowed
	mends
	goes weir
	ip rule delete fwmark 30566
	ip rule add priority 200 fwmark 30566 lookup 30566
	ip rule add priority 100 to 10.77.2.0/24 lookup main
	goes none
	finds rule-shadowed
	mends
	goes weir
	ip rule add priority 0 from 10.99.0.0/16 lookup main
	ip rule add priority 0 fwmark 5 lookup main
	healthy "a rule for others, and another mark's, is none of ours"
}

# ---- settings

fault_src_valid_mark() {
	gateway tproxy
	sysctl -q -w net.ipv4.conf.all.src_valid_mark=1
	goes none
	goes weir $server6
	finds src-valid-mark
	mends
	goes weir
	sysctl -q -w net.ipv4.conf.r0.src_valid_mark=1
	goes none
	finds src-valid-mark
	mends
	goes weir
}

fault_fwmark_accept() {
	gateway tproxy
	sysctl -q -w net.ipv4.tcp_fwmark_accept=1
	goes none
	goes none $server6
	finds fwmark-accept
	mends
	goes weir
}

# stray ADDRESS SECONDS: a segment of a connection that nobody has; says how that ends
stray() {
	$in_client python3 - "$1" $port "$2" <<-'END'
		import socket, sys
		address, port, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
		repair = 19
		s.setsockopt(socket.IPPROTO_TCP, repair, 1)
		s.bind(("fd77:1::2" if ":" in address else "10.77.1.2", 0))
		s.connect((address, port))
		s.settimeout(seconds)
		try:
		    s.setsockopt(socket.IPPROTO_TCP, repair, 0)
		    s.send(b"stray")
		    s.recv(1)
		except ConnectionResetError:
		    print("reset")
		except TimeoutError:
		    print("silence")
	END
}

fault_fwmark_reflect() {
	gateway tproxy
	for family in 4 6; do
		server=$server4
		[ $family = 4 ] || server=$server6
		sysctl -q -w net.ipv$family.fwmark_reflect=1
		[ "$(stray $server 2)" = silence ]
		result $? "IPv$family: who has a connection that weir has not hears nothing"
		finds fwmark-reflect
		mends
		[ "$(stray $server 20)" = reset ]
		result $? "IPv$family: now he is reset"
	done
}

# from_second SECONDS
from_second() {
	$in_client timeout "$1" nc -N -s 10.99.0.2 $server4 $port </dev/null >"$dir/back" 2>&1
}

# A second way to the client, by which its other address is routed, while it sends by the first.
fault_rp_filter() {
	extra="intercept_from = 10.77.1.0/24, 10.99.0.0/24"
	addresses=0.0.0.0:15001
	ip link add c9 netns client type veth peer name r9
	ip link set r9 up
	ip -n client address add 10.99.0.2/32 dev c9
	ip -n client link set c9 up
	ip route add 10.99.0.0/24 dev r9
	gateway tproxy
	from_second 20
	result $? "a client whose way back is another is served" "$dir/back"
	sysctl -q -w net.ipv4.conf.r0.rp_filter=1
	! from_second 2
	result $? "with rp_filter strict he is not"
	finds rp-filter
	mends
	from_second 20
	result $? "now he is served again" "$dir/back"
	sysctl -q -w net.ipv4.conf.r0.rp_filter=1
	sed -i "s,intercept_from = .*,intercept_from = 10.0.0.0/8," "$dir/weir.ini"
	intercept up
	ip route add 10.0.0.0/24 dev r9
	healthy "clients of whom some come another way are none of ours"
}

fault_ip_forward() {
	gateway tproxy
	$in_server socat TCP4-LISTEN:7009,fork,reuseaddr EXEC:cat 2>/dev/null &
	children="$children $!"
	eventually listens server 7009
	goes past $server4 7009
	sysctl -q -w net.ipv4.ip_forward=0
	goes weir
	goes none $server4 7009
	finds ip-forward
	mends
	goes past $server4 7009
	sysctl -q -w net.ipv6.conf.all.forwarding=0
	finds ip-forward
	mends
}

# A server on the clients' own link; only their route to it leads over the router.
fault_return_path() {
	extra="intercept_to = 10.77.1.64/26"
	addresses=0.0.0.0:15001
	ip netns add beside
	ip -n client link add name sw type bridge
	ip -n client link set c0 master sw
	ip -n client link add b0 netns beside type veth peer name b1
	ip -n client link set b1 master sw
	ip -n client address delete 10.77.1.2/24 dev c0
	ip -n client address add 10.77.1.2/24 dev sw
	for link in b1 sw; do
		ip -n client link set $link up
	done
	ip -n client route replace default via 10.77.1.1
	ip -n client route add 10.77.1.70/32 via 10.77.1.1
	ip -n beside address add 10.77.1.70/24 dev b0
	ip -n beside link set b0 up
	nsenter --net=/run/netns/beside -- socat TCP4-LISTEN:$port,fork,reuseaddr EXEC:cat 2>/dev/null &
	children="$children $!"
	eventually listens beside $port
	gateway tproxy
	goes none 10.77.1.70
	finds return-path
	mends
	goes weir 10.77.1.70
	sed -i "s/upstream_bind = none/upstream_bind = client/; s,intercept_to = .*,intercept_to = 10.77.0.0/16," "$dir/weir.ini"
	start_again
	intercept up
	healthy "servers of which some are elsewhere are none of ours"
}

# ---- weir

fault_not_listening() {
	gateway tproxy
	kill "$weir"
	eventually nobody
	goes past
	finds not-listening
	mends
	goes weir
}

nobody() {
	[ -z "$(ss -Hltn 'sport = :15001')" ]
}

# instead COMMAND...: in weir's place
instead() {
	kill "$weir"
	eventually nobody
	"$@" &
	children="$children $!"
	impostor=$!
	eventually somebody
}

somebody() {
	! nobody
}

fault_not_transparent() {
	gateway tproxy
	instead socat TCP6-LISTEN:15001,ipv6only=0,fork EXEC:cat
	goes past
	finds not-transparent
	kill $impostor
	eventually nobody
	mends
	goes weir
}

# as_unit: weir, as systemd runs it with the drop-in for its unit; without one, it has no capability at all
as_unit() {
	cat >"$dir/bin/as_unit" <<-END
		#!/bin/sh
		bound=\$(sed -n 's/^CapabilityBoundingSet=CAP_\(.*\)/,+\1/p' /etc/systemd/system/weir.service.d/*.conf 2>/dev/null |
			tr A-Z a-z)
		exec setpriv --bounding-set="-all\$bound" --inh-caps=-all "$WEIR" "\$@"
	END
	chmod +x "$dir/bin/as_unit"
	WEIR=$dir/bin/as_unit
}

# Started for a file that needs none, weir runs on when the rules are those of one that does: it cannot mark its connections,
# and gets them back.
fault_no_capability() {
	if ! mount -t tmpfs tmpfs /etc/systemd 2>/dev/null; then
		skip "there is no /etc/systemd to write into" "no-capability"
		return
	fi
	as_unit
	gateway redirect "mark = off"
	goes weir
	sed -i '/^mark = /d; s/^intercept_interfaces = .*/&\nintercept_local = yes/' "$dir/weir.ini"
	intercept up
	talks none "" $server4
	[ $how = none ]
	result $? "the router's own connections do not get through (one went $how)"
	finds no-capability
	mends
	[ "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$weir/status")" = 0000000000002000 ]
	result $? "weir has CAP_NET_RAW now, and no other" "/proc/$weir/status"
	talks weir "" $server4
	[ $how = weir ]
	result $? "and they do get through (one went $how)"
}

fault_loop() {
	extra="intercept_local = yes
intercept_exclude_uid = 65533
half_close_timeout = 30s"
	gateway redirect "mark = off"
	talks none "" $server4
	[ $how = none ]
	result $? "the router's own connections do not get through (one went $how)"
	finds loop
	mends
	talks weir "" $server4
	[ $how = weir ]
	result $? "now they do (one went $how)"
	sed -i '/^mark/s/auto/off/; /exclude_uid/s/65533/0/' "$dir/weir.ini"
	start_again
	intercept up
	healthy "nor does one that leaves weir's user alone"
	sed -i "/exclude_uid/d; s/^mode = .*/&\nupstream = $server4:7009/" "$dir/weir.ini"
	start_again
	intercept up
	healthy "nor one whose own server has a port that is not intercepted"
	sed -i "s/:7009/:$port/" "$dir/weir.ini"
	start_again
	talks none "" $server4
	[ $how = none ]
	result $? "one whose server has a port that is intercepted is its own client (one went $how)"
	finds loop
}

# ---- interfaces

fault_no_interface() {
	ip link set r0 down
	ip link set r0 name lan0
	ip link set lan0 up
	ip address replace fd77:1::1/64 dev lan0 nodad
	interfaces="intercept_interfaces = lan1"
	gateway tproxy
	goes past
	finds no-interface
	mends
	goes weir
	sed -i 's/lan0/wan/' "$dir/weir.ini"
	intercept up
	finds no-interface
}

fault_link_down() {
	addresses=0.0.0.0:15001
	gateway tproxy
	ip link set r0 down
	goes none
	finds no-interface
	mends
	eventually reached
	goes weir
}

reached() {
	$in_client nc -z -w 1 $server4 $port
}

# bridge: r0 becomes part of one
bridge() {
	ip link add name br0 type bridge
	ip link set br0 up
	ip link set r0 master br0
	ip address delete 10.77.1.1/24 dev r0
	ip address add 10.77.1.1/24 dev br0
}

fault_enslaved() {
	addresses=0.0.0.0:15001
	gateway tproxy
	sysctl -q -w net.bridge.bridge-nf-call-iptables=0 2>/dev/null
	bridge
	eventually reached
	goes past
	finds enslaved
	mends
	goes weir
}

knows_router() {
	ip -n client neighbour get 10.77.1.1 dev c0 >/dev/null
}

fault_bridge_netfilter() {
	addresses=0.0.0.0:15001
	if ! sysctl -q -w net.bridge.bridge-nf-call-iptables=1 2>/dev/null; then
		skip "br_netfilter is not loaded" "bridge-netfilter"
		return
	fi
	bridge
	eventually knows_router
	interfaces="intercept_interfaces = br0"
	gateway tproxy
	goes none
	finds bridge-netfilter
	mends
	goes weir
}

fault_no_address() {
	addresses=0.0.0.0:15001
	gateway redirect
	sysctl -q -w net.ipv4.conf.r0.proxy_arp=1
	ip address delete 10.77.1.1/24 dev r0
	ip address add 10.77.9.9/32 dev r1
	ip route add 10.77.1.0/24 dev r0 src 10.77.9.9
	goes none
	finds no-address
	mends
	goes weir
}

fault_ipv6_off() {
	gateway tproxy
	sysctl -q -w net.ipv6.conf.r0.disable_ipv6=1
	goes weir
	goes none $server6
	finds ipv6-off
	mends
	ip address replace fd77:1::1/64 dev r0 nodad
	eventually netns_ready
	goes weir $server6
}

fault_loopback_only() {
	addresses="127.0.0.1:15001, [::1]:15001"
	gateway redirect
	goes none
	goes none $server6
	finds loopback-only
	mends
	goes weir
	goes weir $server6
}

# Any directory will do: nftables takes a cgroup's number from there.
fault_no_cgroup() {
	if [ ! -d /sys/fs/cgroup ]; then
		skip "there is no /sys/fs/cgroup" "no-cgroup"
		return
	fi
	mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir -p /sys/fs/cgroup/system.slice/weir.service
	extra="intercept_local = yes
intercept_exclude_cgroup = system.slice/weir.service
half_close_timeout = 30s"
	gateway redirect
	healthy "a gateway that leaves a cgroup alone has no findings"
	rm -r /sys/fs/cgroup/system.slice
	weir-intercept -f "$dir/weir.ini" up >"$dir/up" 2>&1
	[ $? = 1 ]
	result $? "without the cgroup, weir-intercept does not come up" "$dir/up"
	finds no-cgroup
	mends
}

# ---- other tables

fault_firewall() {
	gateway tproxy
	nft -f - <<-END
		table inet filter {
			chain input {
				type filter hook input priority 0; policy drop;
				ct state established,related accept
				iifname "lo" accept
				meta l4proto { icmp, ipv6-icmp } accept
				tcp dport { 22, 443 } accept
				iifname "r1" tcp dport 1-65535 accept
			}
		}
	END
	goes none
	finds firewall
	mends
	goes weir
	goes weir $server6
	nft flush chain inet filter input
	nft add rule inet filter input ct state established,related accept
	nft add rule inet filter input tcp dport 6900-7100 accept
	healthy "one that accepts the ports has no findings"
	goes weir
	nft -f - <<-END
		flush ruleset
		table ip filter {
			chain input {
				type filter hook input priority 0; policy accept;
				tcp dport 22 accept
				counter reject
			}
		}
	END
	intercept up
	finds firewall
	mends
	goes weir
}

fault_other_mark() {
	gateway tproxy
	nft -f - <<-END
		table ip other {
			chain first {
				type filter hook prerouting priority dstnat; policy accept;
				udp dport 53 meta mark set 7
				iifname "r0" meta mark set 5
			}
		}
	END
	goes none
	finds other-mark
	mends
	goes weir
	other_marks "meta mark or 0x8000"
	goes none
	finds other-mark
	mends
	goes weir
	other_marks "meta mark and 0xff xor 0x10"
	finds other-mark
	other_marks "ct mark"
	finds other-mark
	other_marks "meta mark or 0x8000" "meta mark and 0x7fff"
	goes weir
	healthy "one that is taken away again is none"
	other_marks "meta mark and 0xffff or 0x60"
	goes weir
	healthy "marks for others, and bits that weir's has, too, take nothing"
}

# other_marks VALUE...: what all packets get, one rule each
other_marks() {
	nft flush chain ip other first
	nft add rule ip other first udp dport 53 meta mark set 7
	for value; do
		nft "add rule ip other first counter meta mark set $value"
	done
}

# ---- conntrack

# late_answer STATE COMMAND: the server answers only when it is told to, after the command; conntrack has the connection in the
# state meanwhile, or has forgotten it
late_answer() {
	state=$1
	shift
	rm -f "$dir/answer" "$dir/held"
	mkfifo "$dir/held"
	exec 8<>"$dir/held" # never ends, unless the client is to close its side
	input=/dev/null
	ask="cat >/dev/null;"
	if [ "$state" = ESTABLISHED ]; then
		input=$dir/held
		ask=
	fi
	$in_server socat -t 60 TCP4-LISTEN:7001,reuseaddr "SYSTEM:$ask while [ ! -e $dir/answer ]; do sleep 0.05; done; echo late" &
	children="$children $!"
	eventually listens server 7001
	$in_client socat -t 20 -T 20 - TCP4:$server4:7001 <"$input" >"$dir/back" 2>/dev/null &
	asker=$!
	eventually is_waiting
	patience=eventually
	[ "$1" != forgotten ] || patience=soon
	"$@"
	touch "$dir/answer"
	$patience grep -q late "$dir/back"
	status=$?
	kill $asker 2>/dev/null
	wait $asker 2>/dev/null
	return $status
}

# The client has closed its side, if it is to, and weir has a connection to the server: conntrack has seen all of it.
is_waiting() {
	client_state=established
	[ "$state" = ESTABLISHED ] || client_state=fin-wait-2
	$in_client ss -Htn state $client_state "dport = :7001" | grep -q . && ss -Htn "dport = :7001" | grep -q .
}

is_tracked() {
	conntrack -L 2>/dev/null | grep -q "$state .*dport=7001 .*sport=15001"
}
is_untracked() {
	! is_tracked
}
forgotten() {
	eventually is_untracked
}

fault_close_wait() {
	command -v conntrack >/dev/null || {
		skip "conntrack is missing" "close-wait"
		return
	}
	extra="half_close_timeout = 20s
keepalive = off"
	gateway redirect
	sed -i "s/^intercept_ports = .*/&, 7001/" "$dir/weir.ini"
	start_again
	intercept up
	sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=1
	! late_answer CLOSE_WAIT forgotten
	result $? "an answer to a half-closed connection that conntrack has forgotten never arrives"
	finds close-wait
	mends
	late_answer CLOSE_WAIT true
	result $? "one to a connection that it remembers does" "$dir/back"
	sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=2
	sed -i 's/^keepalive = .*/keepalive = 1s/' "$dir/weir.ini"
	start_again
	! late_answer CLOSE_WAIT forgotten
	result $? "a shorter keepalive does not help, since weir probes every 15 seconds at most"
	finds close-wait
	sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=16
	healthy "it does, if conntrack remembers for longer than these"
}

fault_conntrack_idle() {
	command -v conntrack >/dev/null || {
		skip "conntrack is missing" "conntrack-idle"
		return
	}
	extra="half_close_timeout = 30s
idle_timeout = 2h
keepalive = off"
	gateway redirect
	sed -i "s/^intercept_ports = .*/&, 7001/" "$dir/weir.ini"
	start_again
	intercept up
	sysctl -q -w net.netfilter.nf_conntrack_tcp_timeout_established=1
	! late_answer ESTABLISHED forgotten
	result $? "what is sent over a connection that conntrack has forgotten never arrives"
	finds conntrack-idle
	mends
	late_answer ESTABLISHED true
	result $? "over one that it remembers it does" "$dir/back"
}

# fill_conntrack COUNT: with connections that are in use, since others would make room
fill_conntrack() {
	python3 - "$1" <<-'END'
		import socket, struct, sys
		def attribute(kind, *parts):
		    data = b"".join(parts)
		    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)
		nested, ports = 0x8000, attribute(1, b"\x11") + attribute(2, b"\0\1") + attribute(3, b"\0\1")
		def message(host):
		    server = b"\x0a\xff\0\1"
		    there = attribute(nested | 1, attribute(1, host), attribute(2, server)) + attribute(nested | 2, ports)
		    back = attribute(nested | 1, attribute(1, server), attribute(2, host)) + attribute(nested | 2, ports)
		    body = struct.pack("=BBH", socket.AF_INET, 0, 0) + attribute(nested | 1, there) + attribute(nested | 2, back)
		    body += attribute(3, struct.pack(">I", 14)) + attribute(7, struct.pack(">I", 3600)) # assured; for an hour
		    return struct.pack("=IHHII", len(body) + 16, 0x100, 0x401, 0, 0) + body
		parts = message(b"HOST").split(b"HOST")
		count = int(sys.argv[1])
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
		for first in range(0, count, 500):
		    hosts = (struct.pack(">I", 0x0a000000 + i) for i in range(first, min(first + 500, count)))
		    s.send(b"".join(host.join(parts) for host in hosts))
	END
}

conntrack_empty() {
	[ "$(sysctl -n net.netfilter.nf_conntrack_count)" = 0 ]
}

# The limit is the machine's, and not to be set from here; but each network has a table of its own to fill.
fault_conntrack_full() {
	gateway redirect
	goes weir
	most=$(sysctl -n net.netfilter.nf_conntrack_max)
	if ! command -v conntrack >/dev/null || [ "$most" -gt 300000 ]; then
		skip "conntrack is missing, or has room for too many: $most" "conntrack-full"
		return
	fi
	# one that is over, as that one now, would make room; and one that is taken away counts for a while
	conntrack -F >/dev/null 2>&1
	eventually conntrack_empty
	fill_conntrack "$most"
	goes none
	finds conntrack-full
	grep -q "mend: sysctl -w net.netfilter.nf_conntrack_max=$((most * 2))\$" "$dir/said"
	result $? "and twice as much is proposed" "$dir/said"
	conntrack -F >/dev/null 2>&1
	goes weir
	healthy "with room in it there are no findings"
}

"fault_$doctor_fault"
echo "1..$count"
