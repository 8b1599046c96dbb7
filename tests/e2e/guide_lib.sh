# SPDX-License-Identifier: BSD-2-Clause
# For the tests of doc/transparent.md: its commands, taken out of it and run as they stand, on a machine that is a namespace.
# To be sourced in the place of netns.sh.
# shellcheck shell=sh

# shellcheck disable=SC2034 # netns.sh reads it
netns_bare=yes
# shellcheck source=netns.sh
. "$WEIR_SRCDIR/tests/e2e/netns.sh"
need bash setpriv
[ -x "$WEIR_BUILDDIR/tools/weir-intercept" ] || skip_all "configured without weir-intercept"
unset JOURNAL_STREAM NOTIFY_SOCKET
guide=$WEIR_SRCDIR/doc/transparent.md

# What the guide's reader has: weir and weir-intercept in the PATH, and a directory to work in. Copies, because the build
# may lie where another user may not look.
mount -t tmpfs tmpfs /run && ip link set lo up || exit 1
chmod 755 "$dir"
mkdir -m 755 "$dir/bin" "$dir/modules" "$dir/work"
cp "$WEIR_POLICIES"/*.so "$dir/modules" && chmod 755 "$dir"/modules/*.so
for program in "$WEIR" "$WEIR_BUILDDIR/tools/weir-intercept"; do
	name=${program##*/}
	cp "$program" "$dir/bin/$name.real"
	printf '#!/bin/sh\nexec %s/bin/%s.real --module-dir %s/modules "$@"\n' "$dir" "$name" "$dir" >"$dir/bin/$name"
done
chmod 755 "$dir"/bin/*
PATH=$dir/bin:$PATH

# guide_commands HEADING: each of the section's commands in a file of its own, $dir/1 and so on; sets $commands
guide_commands() {
	awk -v heading="## $1" -v to="$dir" '
		/^## / { inside = $0 == heading }
		inside && /^```sh$/ { n++; copy = 1; next }
		/^```$/ { copy = 0 }
		copy { print >(to "/" n) }
		END { print n + 0 }' "$guide" >"$dir/commands"
	commands=$(cat "$dir/commands")
}

# guide_run: all of them in one bash, as if pasted; behind each one the shell function after_NUMBER, if there is one, which
# says when it is time for the next. What a command printed is in $dir/said.NUMBER.
guide_run() {
	cat >"$dir/run" <<-END
		cd "$dir/work"
		pause() { for ((round = 0; round < 1200; round++)); do "\$@" >/dev/null 2>&1 && return; sleep 0.05; done; exit 1; }
		$1
	END
	i=0
	while [ $i -lt "$commands" ]; do
		i=$((i + 1))
		{
			echo "exec >$dir/said.$i 2>&1"
			cat "$dir/$i"
			echo "echo \$? >$dir/status.$i; ! declare -F after_$i >/dev/null || pause after_$i"
		} >>"$dir/run"
	done
	timeout 200 bash "$dir/run" >"$dir/bash.log" 2>&1
	result $? "the $commands commands of the guide are run" "$dir/bash.log"
}

# done_well NUMBER DESCRIPTION: the command has succeeded
done_well() {
	[ "$(cat "$dir/status.$1")" = 0 ]
	result $? "$1: $2" "$dir/said.$1"
}

# says NUMBER TEXT DESCRIPTION: it printed such a line
says() {
	grep -q -e "$2" "$dir/said.$1"
	result $? "$1: $3" "$dir/said.$1"
}
