#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# weir-intercept: what it puts up is what it shows, is there once however often and after whatever, goes without a trace, and
# is there whole or not at all. In a network of its own, where nobody listens.
set -u
PATH=$PATH:/usr/sbin:/sbin

# The script runs again in there; it keeps its process, so that whoever ends it ends all of it.
if [ -z "${weir_inside-}" ]; then
	export weir_inside=1
	for way in -UrnmC -nmC; do
		unshare $way sh -c 'ip link set lo up && nft list ruleset' >/dev/null 2>&1 && exec unshare $way sh "$0"
	done
	echo "1..0 # SKIP no network namespace with nftables can be made here"
	exit 0
fi

# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need diff ip nft strace unshare
program=$WEIR_BUILDDIR/tools/weir-intercept
[ -x "$program" ] || skip_all "built without weir-intercept"
: >"$dir/log"
: >"$dir/diff"

# intercept COMMAND [CONFIGURATION]: what it says is in $dir/said
intercept() {
	"$program" -f "$dir/${2-weir}.ini" --module-dir "$WEIR_POLICIES" "$1" >"$dir/said" 2>&1
}

# Prints all that could have changed.
state() {
	nft list ruleset
	for family in -4 -6; do
		ip $family rule show
		ip $family route show table all
	done
}

# same FILE: the state is that of the file
same() {
	state >"$dir/state" && diff -U1 "$1" "$dir/state" >"$dir/diff"
}

# reset: as at the beginning
reset() {
	nft flush ruleset
	for family in -4 -6; do
		ip $family rule flush
		ip $family rule add pref 32766 lookup main
		ip $family route flush table 30566 2>/dev/null
		ip $family route flush table 4711 2>/dev/null
	done
	ip -4 rule add pref 32767 lookup default
	others
}

# What belongs to others.
others() {
	nft add table inet other
	nft add chain inet other in '{ type filter hook prerouting priority mangle; }'
	nft add rule inet other in meta mark 5 counter accept comment '"not weir"'
	nft add table ip weir
	ip -4 rule add pref 5000 fwmark 5 lookup 4711
	ip -6 rule add pref 5000 fwmark 5 lookup 4711
	ip -4 route replace local default dev lo table 4711
	ip -6 route replace local default dev lo table 4711
}

cat >"$dir/weir.ini" <<-END
	[listener gateway]
	listen = 0.0.0.0:15001, [::]:15001
	mode = tproxy
	policy = none
	intercept_ports = 5432, 6379, 8000-8099
	intercept_interfaces = nosuch0, nosuch1
	intercept_from = 10.1.0.0/16, fd01::/16

	[listener sidecar]
	listen = 0.0.0.0:15002, [::1]:15002
	mode = redirect
	policy = none
	intercept_ports = 80
	intercept_interfaces = nosuch2
	intercept_local = yes
	intercept_exclude_uid = 0, 110
	intercept_exclude_gid = 7
	intercept_exclude_mark = 9

	[listener plain]
	listen = 127.0.0.1:0
	upstream = 127.0.0.1:1
	policy = none
END
sed '/^intercept_exclude_uid/a intercept_exclude_cgroup = no/such' "$dir/weir.ini" >"$dir/cgroup.ini"
sed 's/, \[::1*\]:1500[12]//; s/, fd01::.*//' "$dir/weir.ini" >"$dir/ipv4.ini"
sed '1i [weir]\ntproxy_mark = 77\ntproxy_table = 77' "$dir/weir.ini" >"$dir/marks.ini"
sed -n '/plain/,$p' "$dir/weir.ini" >"$dir/forward.ini"
echo '[listener' >"$dir/wrong.ini"
printf '[listener l]\nlisten = 127.0.0.1:1\nmode = tpoxy\n' >"$dir/typing.ini"

ip link set lo up
reset
state >"$dir/before"

# ---- up and down

intercept up && [ ! -s "$dir/said" ]
result $? "up is quiet" "$dir/said"
state >"$dir/up"
for family in 4 6; do
	ip -$family rule show | grep -q -E '^1:[[:space:]]+from all fwmark 0x7766 lookup 30566( |$)' &&
		[ "$(ip -$family route show table 30566 | grep -c '^local default dev lo ')" = 1 ] &&
		[ "$(ip -$family route show table 30566 | wc -l)" = 1 ]
	result $? "IPv$family has the routing rule and the route" "$dir/up"
done
nft list table inet weir >"$dir/table" &&
	[ "$(grep -c 'tproxy ip to :15001 .*listener gateway' "$dir/table")" = 1 ] &&
	[ "$(grep -c 'tproxy ip6 to :15001 .*listener gateway' "$dir/table")" = 1 ] &&
	[ "$(grep -c 'redirect to :15002 .*listener sidecar' "$dir/table")" = 2 ] &&
	[ "$(grep -c 'dnat ip6 to \[::1\]:15002 .*listener sidecar' "$dir/table")" = 2 ] &&
	grep -q 'meta skuid { 0, 110 } return' "$dir/table" &&
	! grep -q plain "$dir/table"
result $? "the table has the rules of every listener that asks for some" "$dir/table"

intercept up && same "$dir/up"
result $? "up twice is up once" "$dir/diff"
intercept down && same "$dir/before"
result $? "down leaves nothing, and what is others'" "$dir/diff"
intercept down && [ ! -s "$dir/said" ] && same "$dir/before"
result $? "down when nothing is up is fine" "$dir/said"

# ---- leftovers

# mended DESCRIPTION: up has the same result as ever, whatever was there
mended() {
	state >"$dir/left"
	intercept up && same "$dir/up"
	result $? "up mends $1" "$dir/diff"
	intercept down && same "$dir/before"
	result $? "down after that leaves nothing" "$dir/diff"
}

ip -4 rule add fwmark 30566 lookup 30566
ip -6 rule add pref 1 fwmark 30566 lookup 30566
mended "a rule without its route"

ip -4 route add local default dev lo table 30566
ip -6 route add local default dev lo table 30566 proto 119
mended "a route without its rule"

nft add table inet weir
nft add chain inet weir old '{ type filter hook input priority 0; }'
nft add rule inet weir old tcp dport 1 drop
nft add set inet weir old_set '{ type ipv4_addr; }'
mended "an old table"

for rule in "pref 1 fwmark 30566 lookup 30566 protocol 119" "pref 1 fwmark 30566 lookup 30566" "fwmark 30566 lookup 5" \
	"from 192.0.2.1 lookup 30566" "pref 2 fwmark 30566 lookup 30566 protocol 119"; do
	# shellcheck disable=SC2086 # words
	ip -4 rule add $rule
done
ip -6 rule add pref 7 fwmark 30566/0xffff lookup 30566
mended "many rules"

ip -4 route add unreachable default table 30566
ip -4 route add local 192.0.2.0/24 dev lo table 30566
ip -6 route add unreachable default metric 1024 table 30566
ip -6 route add local default dev lo metric 5 table 30566
ip -6 route add unreachable default metric 4096 table 30566
mended "other routes in its table"

intercept up marks
mended "what an older configuration with other marks has left"

intercept up
mended "what is as it should be"

intercept up
intercept up ipv4
state >"$dir/one"
! ip -6 rule show | grep -q 30566 && ! nft list table inet weir | grep -q -w ip6 &&
	intercept down && intercept up ipv4 && same "$dir/one"
result $? "a family that is not asked for any more goes" "$dir/one"
intercept down

intercept up
intercept up forward
grep -q 'no listener asks for anything' "$dir/said" && same "$dir/before"
result $? "a configuration that asks for nothing leaves nothing, and that is said" "$dir/said"

# ---- killed in between

# Whoever is killed looks for no leaks, and whoever is traced cannot.
traced() {
	ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" strace -f -qq -o "$dir/strace" -e trace=sendto,sendmsg "$@"
}

# Prints at which messages of a command to kill, as "sendto:signal=KILL:when=2": at the first, and at each behind one that may
# have changed something. In between the kernel was only asked, and is as it was. (0xa10, which not every strace knows by name,
# asks for nftables' generation.)
messages() {
	traced "$program" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES" "$1" >"$dir/said" 2>&1 || return
	awk '{ call = $2; sub(/\(.*/, "", call); when[call]++ }
		NR == 1 || changed { print call ":signal=KILL:when=" when[call] }
		{ changed = !/nlmsg_type=(0xa10 |RTM_GET|NFNL_SUBSYS_NFTABLES<<8\|NFT_MSG_GET)/ }' "$dir/strace"
}

# killed MESSAGE COMMAND
killed() {
	traced -e inject="$1" \
		"$program" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES" "$2" >"$dir/said" 2>&1
	[ $? -gt 128 ]
}

# Nothing is intercepted that is not delivered.
delivered() {
	! nft list table inet weir >/dev/null 2>&1 || {
		[ -n "$(ip -4 route show table 30566)" ] && [ -n "$(ip -6 route show table 30566)" ] &&
			ip -4 rule show | grep -q 'fwmark 0x7766 lookup 30566' && ip -6 rule show | grep -q 'fwmark 0x7766 lookup 30566'
	}
}

# killed_everywhere COMMAND AFTERWARDS FILE AGAIN: the state then is that of the file; AGAIN is as it was, for the next round
killed_everywhere() {
	: >"$dir/faults"
	messages "$1" >"$dir/messages"
	[ "$(wc -l <"$dir/messages")" -gt 4 ] || cat "$dir/said" "$dir/strace" >>"$dir/faults"
	intercept "$4"
	while [ ! -s "$dir/faults" ] && read -r message; do
		killed "$message" "$1" || echo "not killed at $message of $1" >>"$dir/faults"
		delivered || echo "killed at $message of $1: intercepted and not delivered" >>"$dir/faults"
		if ! intercept "$2" || ! same "$3"; then
			cat "$dir/said" "$dir/diff" >>"$dir/faults"
		fi
		intercept "$4"
	done <"$dir/messages"
	[ ! -s "$dir/faults" ]
}

if ! strace -qq -o /dev/null true 2>/dev/null; then
	skip "strace may not trace" "killed in between"
else
	killed_everywhere up up "$dir/up" down
	result $? "up after an up that was killed at any of its messages" "$dir/faults"
	intercept up
	killed_everywhere up up "$dir/up" up
	result $? "the same when it was up before" "$dir/faults"
	killed_everywhere down down "$dir/before" up
	result $? "down after a down that was killed at any of its messages" "$dir/faults"
fi
intercept down

# ---- show

intercept show && cp "$dir/said" "$dir/script" && same "$dir/before"
result $? "show changes nothing" "$dir/diff"
sh "$dir/script" >"$dir/said" 2>&1 && [ ! -s "$dir/said" ] && same "$dir/up"
result $? "what show prints does what up does" "$dir/diff"
sh "$dir/script" >"$dir/said" 2>&1 && same "$dir/up"
result $? "and may be run again" "$dir/diff"
intercept up && same "$dir/up"
result $? "up over it changes nothing" "$dir/diff"
intercept show forward && sh "$dir/said" && same "$dir/before"
result $? "what show prints of a configuration that asks for nothing takes all away" "$dir/diff"
intercept up marks && state >"$dir/up.marks" && intercept down marks && intercept show marks && sh "$dir/said" && same "$dir/up.marks"
result $? "the same with marks of one's own" "$dir/diff"
intercept down && same "$dir/before"
result $? "down with another configuration leaves nothing either" "$dir/diff"
[ ! -w /dev/full ] || ! "$program" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES" show >/dev/full 2>"$dir/said"
result $? "a full disk is an error" "$dir/said"

# ---- refusals

! intercept up cgroup && grep -q 'cgroup' "$dir/said" && grep -q '"no/such"' "$dir/said" &&
	grep -q 'nothing was changed' "$dir/said" && same "$dir/before"
result $? "an unknown control group is told, and nothing is up" "$dir/said"
intercept up
! intercept up cgroup && same "$dir/up"
result $? "or what was up is still up" "$dir/diff"
intercept down

ip link set lo down
state >"$dir/down"
! intercept up && grep -q 'ip link set lo up' "$dir/said" && grep -q 'nothing is up' "$dir/said" && same "$dir/down"
result $? "without lo, it says so, and nothing is up" "$dir/said"
ip link set lo up
reset

intercept up ipv4 && state >"$dir/one"
if echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/lo/disable_ipv6; then
	state >"$dir/one" # without ::1
	! intercept up && grep -q 'disable_ipv6=0' "$dir/said" && grep -q 'what was up before is still up' "$dir/said" &&
		[ "$(nft list table inet weir | grep -c 15001)" = 1 ] && delivered_ipv4=$(ip -4 route show table 30566) &&
		[ -n "$delivered_ipv4" ]
	result $? "without IPv6 on lo, it says so, and what was up is still up" "$dir/said"
	intercept up ipv4 && same "$dir/one"
	result $? "IPv4 alone does without it" "$dir/diff"
	intercept down && ! nft list table inet weir >/dev/null 2>&1
	result $? "and goes" "$dir/said"
	echo 0 >/proc/sys/net/ipv6/conf/lo/disable_ipv6
else
	skip "sysctls are read-only" "without IPv6 on lo"
	intercept down
fi
reset
state >"$dir/before"

for command in up down; do
	unshare -U "$program" -f "$dir/weir.ini" --module-dir "$WEIR_POLICIES" $command >"$dir/said" 2>&1
	[ $? = 1 ] && grep -q CAP_NET_ADMIN "$dir/said" && same "$dir/before"
	result $? "$command without the capability names it" "$dir/said"
done

intercept up wrong
[ $? = 1 ] && grep -q 'wrong.ini:1: ' "$dir/said" && same "$dir/before"
result $? "a wrong configuration is told as weir tells it, and nothing is up" "$dir/said"
intercept up typing
[ $? = 1 ] && grep -q 'typing.ini:3: \[listener l\] mode: .*tproxy' "$dir/said"
result $? "with file, line and key" "$dir/said"
intercept up
intercept down wrong && grep -q 'without the configuration' "$dir/said" && same "$dir/before"
result $? "down works with a wrong configuration, too" "$dir/said"
intercept up marks
intercept down nosuch && same "$dir/before"
result $? "and without any" "$dir/said"

# ---- control groups

cgroup=weir-test-$$
if mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null && mkdir -p /sys/fs/cgroup/$cgroup/below 2>/dev/null; then
	sed "s|no/such|$cgroup, $cgroup/below|" "$dir/cgroup.ini" >"$dir/cgroups.ini"
	intercept up cgroups && nft list table inet weir >"$dir/said" &&
		grep -q "socket cgroupv2 level 1 \"$cgroup\" return" "$dir/said" &&
		grep -q "socket cgroupv2 level 2 \"$cgroup/below\" return" "$dir/said"
	result $? "control groups are left alone by their paths" "$dir/said"
	intercept down
	rmdir /sys/fs/cgroup/$cgroup/below /sys/fs/cgroup/$cgroup
else
	skip "no control group can be made here" "control groups are left alone by their paths"
fi

# ---- the command line

# usage STATUS ARGUMENT...
usage() {
	expected=$1
	shift
	"$program" "$@" >"$dir/out" 2>"$dir/said"
	[ $? = "$expected" ]
	result $? "weir-intercept $*: $expected" "$dir/said"
}

usage 0 -h
usage 0 --help
usage 0 -V
usage 2
usage 2 -f "$dir/weir.ini"
usage 2 up
usage 2 -f "$dir/weir.ini" pu
usage 2 -f "$dir/weir.ini" up down
usage 2 -f "$dir/weir.ini" --nosuch up


# ---- the manual

manual=$WEIR_SRCDIR/doc/weir-intercept.8
# agree DESCRIPTION FILE FILE: what the program has, and what is documented; both sorted
agree() {
	[ -s "$2" ] && diff -U0 "$2" "$3" >"$dir/diff"
	result $? "$1" "$dir/diff"
}
"$program" -h >"$dir/usage"
sed -n 's/.*--module-dir DIR\] \([a-z]*\) .*/\1/p' "$dir/usage" | sort >"$dir/commands"
sed -n 's/^\.It Cm //p' "$manual" | sort >"$dir/commands.8"
agree "weir-intercept(8) has every command, and no other" "$dir/commands" "$dir/commands.8"
grep -o -E '(^|[ [])--?[a-zA-Z][a-z-]*' "$dir/usage" | sed 's/^[ []*-//' | sort -u >"$dir/options"
sed -n 's/^\.It Fl //p' "$manual" | sed 's/ *,* *Ar .*//; s/ , .*//' | sort -u >"$dir/options.8"
agree "weir-intercept(8) has every option" "$dir/options" "$dir/options.8"
intercept show
grep -o 'chain [a-z_]*' "$dir/said" | sed 's/^chain //; s/^\(redirect_output\)_sidecar$/\1_/' | sort -u >"$dir/chains"
grep -o -E '^\.Ic (tproxy|redirect)_[a-z_]*|^\.It Ic [a-z]*_[a-z]*' "$manual" | sed 's/.* //' | grep -v -x tproxy_mark |
	grep -v -x tproxy_table | sort -u >"$dir/chains.8"
agree "weir-intercept(8) has every chain, and no other" "$dir/chains" "$dir/chains.8"
grep -o -E '^ip -4 (rule|route) add .*' "$dir/said" | sed 's/ -4//' | sort >"$dir/numbers"
grep -E '^ip (rule|route) add ' "$manual" | sort >"$dir/numbers.8"
agree "weir-intercept(8) has the routing rule and the route" "$dir/numbers" "$dir/numbers.8"

echo "1..$count"
