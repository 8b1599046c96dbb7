#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The ten commands of doc/transparent.md, and those that undo them, make a gateway and take it away.
set -u
# shellcheck source=guide_lib.sh
. "$WEIR_SRCDIR/tests/e2e/guide_lib.sh"
need sysctl tail

guide_commands "A gateway in ten commands"
before_away=$(awk '/^## /{ inside = /ten commands/ } /^### Away/{ exit } inside && /^```sh$/{ n++ } END{ print n + 0 }' "$guide")
[ "$before_away" = 10 ] && [ "$commands" = 13 ]
result $? "there are ten commands, and three to undo them"

# Each output is looked at before the next command, because servers print into the fourth's and weir into the seventh's.
guide_run "
after_4() { ip netns exec weir-server ss -Hltn 'sport = :5432' | grep -q .; }
after_5() { grep -q straight $dir/said.4; }
after_7() { grep -q ' ready: ' $dir/said.7; }
after_8() { nft list table inet weir >$dir/table && ip rule >$dir/rules; }
after_9() { grep -q ' close=' $dir/said.7 && grep -q 'through weir' $dir/said.4; }
after_11() { grep -q ' stopped\$' $dir/said.7; }
after_12() { nft list tables >$dir/tables && ip rule >$dir/rules.after && ip route show table 30566 >$dir/routes.after; }
after_13() { ! ip link show to-client; }
"
cp "$dir/said.7" "$dir/log"

for step in 1 2 3 6; do
	done_well $step "what is needed can be had"
done
done_well 5 "client and server are connected without weir"
done_well 8 "the rules go up"
done_well 9 "the client is connected"
done_well 10 "the doctor has no complaint"

says 4 '^straight$' "the server hears the client without weir,"
says 4 '^through weir$' "and with it;"
[ "$(grep -c '^Connection received on 10\.77\.1\.2 ' "$dir/said.4")" = 2 ] && [ "$(grep -c ^Conn "$dir/said.4")" = 2 ]
result $? "both times it is called by the client's own address" "$dir/said.4"
says 7 " session .* listener=gateway client=10\.77\.1\.2:[0-9]* server=10\.77\.2\.2:5432 up=13 .* close=done\$" \
	"weir tells of one session, of both ends"
[ "$(grep -c ' session ' "$dir/said.7")" = 1 ]
result $? "and of no other" "$dir/said.7"

[ -s "$dir/table" ] && grep -q 0x7766 "$dir/rules" && [ ! -s "$dir/tables" ] && ! grep -q 0x7766 "$dir/rules.after" &&
	[ ! -s "$dir/routes.after" ]
result $? "rules, routing rule and route were there, and are gone"
done_well 13 "so are the machines"

# What it says of the doctor's findings: their names, in the last column.
# shellcheck disable=SC2016 # no expansions
sed -n '/^## When it does not work/,/^## /s/^|.*| \(`.*`\) |$/\1/p' "$guide" | grep -o '[a-z][a-z-]*' | sort -u >"$dir/named"
while read -r finding; do
	grep -q "{\"$finding\"," "$WEIR_SRCDIR/tools/intercept/doctor.c" || echo "the doctor has no finding $finding"
done <"$dir/named" >"$dir/unknown"
[ "$(wc -l <"$dir/named")" -gt 8 ] && [ ! -s "$dir/unknown" ]
result $? "the doctor has all the findings that the guide names" "$dir/unknown"

echo "1..$count"
