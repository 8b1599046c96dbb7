#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The same seed gives the same bytes whatever weir-sim, and its policies, were compiled by: clang without optimisation, gcc
# with, and as this tree is built, which mostly is gcc with optimisation, and then that one.

. "${WEIR_SRCDIR:?}/tests/e2e/sim_lib.sh"
need gcc clang xargs
! sanitized || skip_all 'the plain build has told'
umask 022
cd "$WEIR_SRCDIR" || exit 1

# The simulator needs no sockets: weir's upper half would only cost time.
sources() {
	find src tools/sim tools/weir-sim.c -name '*.c' | grep -v -E '^src/(main|server|worker|acceptor|arrival|greeting|loops|origin|connection|dial|dial_socket|site|report|privileges|notify|listener|endpoint_socket|rest|stock)\.c'
}

# compile NAME COMPILER FLAG: $dir/NAME/weir-sim and its policies, or says why not
compile() {
	to=$dir/$1
	set -- "$2" "$3" -std=gnu11 -ffp-contract=off -pthread -D_GNU_SOURCE '-DPACKAGE_VERSION="x"' '-DWEIR_MODULE_DIR="x"' \
		-Iinclude -iquote src -iquote tools/sim
	mkdir -p "$to/objects" "$to/policies" || return 1
	# shellcheck disable=SC2016 # the inner shell's own
	sources | xargs -P 2 -I FILE sh -c 'to=$1; file=$2; shift 2
		"$@" -c "$file" -o "$to/objects/$(echo "$file" | tr / _).o"' sh "$to" FILE "$@" 2>"$to/said" || return 1
	"$@" "$to"/objects/*.o -o "$to/weir-sim" -linih -levent_core 2>>"$to/said" || return 1
	parts=$(grep -L '^const struct weir_policy \*weir_policy_entry' policies/*.c)
	grep -l '^const struct weir_policy \*weir_policy_entry' policies/*.c | while read -r policy; do
		name=$(basename "$policy" .c | tr _ -)
		# shellcheck disable=SC2086 # a list: who has no use for the parts does not mind them
		"$@" -fPIC -shared "$policy" $parts -o "$to/policies/$name.so" 2>>"$to/said" || return 1
	done
}

# simulated NAME WEIR-SIM POLICIES: what it says of every scenario goes into $dir/NAME.out
simulated() {
	for scenario in "$scenarios"/*.ini; do
		"$2" --module-dir "$3" --json --csv - --set scenario.duration=500ms "$scenario" 2>&1 || return 1
	done >"$dir/$1.out"
}

# gcc_made_this: this tree is built by gcc -O2, without anything that may change a sum
gcc_made_this() {
	grep -q '^CC = gcc$' "$WEIR_BUILDDIR/Makefile" && grep -q -E '^CFLAGS = (-g )?-O2$' "$WEIR_BUILDDIR/Makefile"
}

echo 1..5

compile clang clang -O0
result $? "clang -O0 compiles it" "$dir/clang/said"
if gcc_made_this; then
	mkdir "$dir/gcc" && ln -s "$WEIR_BUILDDIR/tools/weir-sim" "$dir/gcc/weir-sim" && ln -s "$WEIR_POLICIES" "$dir/gcc/policies"
else
	compile gcc gcc -O2
fi
result $? "gcc -O2 compiles it" "$dir/gcc/said"

simulated here "$WEIR_BUILDDIR/tools/weir-sim" "$WEIR_POLICIES" &&
	simulated clang "$dir/clang/weir-sim" "$dir/clang/policies" && simulated gcc "$dir/gcc/weir-sim" "$dir/gcc/policies"
result $? "each simulates every scenario"

differs() {
	cmp "$dir/$1.out" "$dir/$2.out" >"$dir/why" 2>&1
	result $? "$1 and $2 say the same, byte by byte" "$dir/why"
}
differs clang gcc
differs clang here
