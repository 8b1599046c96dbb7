#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The nine commands of doc/transparent.md that put weir beside an application, as Kubernetes would: rules that catch what
# the pod sends, but for weir's user, and a weir without any capability.
set -u
# shellcheck disable=SC2034 # netns.sh reads it: there are two users
netns_as=root
# shellcheck source=guide_lib.sh
. "$WEIR_SRCDIR/tests/e2e/guide_lib.sh"
need tail

guide_commands "A sidecar in nine commands"
[ "$commands" = 9 ]
result $? "there are nine commands"

guide_run "
after_2() { ip netns exec weir-server ss -Hltn 'sport = :5432' | grep -q .; }
after_4() { grep -q ' ready: ' $dir/said.4 && cat /proc/\$!/status >$dir/process; }
after_5() { ip netns exec weir-pod nft list table inet weir >$dir/table && nft list tables >$dir/tables; }
after_6() { grep -q ' close=' $dir/said.4 && grep -q 'from the application' $dir/said.2; }
after_7() { grep -q 'from its user' $dir/said.2; }
after_9() { grep -q ' stopped\$' $dir/said.4; }
"
cp "$dir/said.4" "$dir/log"

for step in 1 3; do
	done_well $step "what is needed can be had"
done
done_well 5 "the rules go up"
[ -s "$dir/table" ] && [ ! -s "$dir/tables" ]
result $? "in the pod, and nowhere else" "$dir/table"
grep -q '^Uid:.1337.1337.1337.1337$' "$dir/process" && [ "$(grep -c '^Cap[IPEA][a-z]*:.0*$' "$dir/process")" = 4 ]
result $? "weir is user 1337, and has no capability" "$dir/process"

done_well 6 "the application is connected"
done_well 7 "so is weir's user"
done_well 8 "the doctor has no complaint"
says 2 '^from the application$' "the server hears the application,"
says 2 '^from its user$' "and weir's user;"
[ "$(grep -c '^Connection received on 10\.77\.3\.1 ' "$dir/said.2")" = 2 ]
result $? "both times it is called by the pod" "$dir/said.2"
says 4 ' session .* listener=outbound client=10\.77\.3\.1:[0-9]* server=10\.77\.3\.2:5432 up=21 .* close=done$' \
	"weir tells of the application's session"
[ "$(grep -c ' session ' "$dir/said.4")" = 1 ]
result $? "and of no other: its user's connection went past it" "$dir/said.4"
done_well 9 "all is taken away"

echo "1..$count"
