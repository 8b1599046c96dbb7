# SPDX-License-Identifier: BSD-2-Clause
# lib.sh, and what the tests of weir-sim share. To be sourced.
# shellcheck shell=sh

: "${WEIR_SRCDIR:?}" "${WEIR_BUILDDIR:?}"
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
# shellcheck disable=SC2034 # for those that source this
scenarios=$WEIR_SRCDIR/doc/scenarios
: >"$dir/log"

# run ARGUMENTS...: leaves $dir/out, $dir/err and status
run() {
	"$WEIR_BUILDDIR/tools/weir-sim" --module-dir "$WEIR_POLICIES" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}

# same DESCRIPTION FILE FILE: both are there, and the same
same() {
	: >"$dir/diff"
	for file in "$2" "$3"; do
		[ -s "$file" ] || echo "$file is empty" >>"$dir/diff"
	done
	diff "$2" "$3" >>"$dir/diff" 2>&1
	[ ! -s "$dir/diff" ]
	result $? "$1" "$dir/diff"
}

# fails STATUS TEXT DESCRIPTION: the last run did, with this on standard error and nothing else anywhere
fails() {
	printf '%s\n' "$2" >"$dir/expected"
	{
		[ "$status" = "$1" ] || echo "exit status $status; expected $1"
		diff "$dir/expected" "$dir/err"
		[ ! -s "$dir/out" ] || { echo "standard output is not empty:" && cat "$dir/out"; }
	} >"$dir/why"
	[ ! -s "$dir/why" ]
	result $? "$3" "$dir/why"
}
