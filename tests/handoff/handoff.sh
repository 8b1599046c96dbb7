#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs handoff, unless there is no ThreadSanitizer: either the compiler could not build for it, or it cannot start here,
# which is known for layouts of memory that it does not expect.
set -u

: "${WEIR_BUILDDIR:?}"
handoff=$WEIR_BUILDDIR/tests/handoff/handoff

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

[ -x "$handoff" ] || skip_all 'built without ThreadSanitizer'
TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export TSAN_OPTIONS

# Randomised addresses may be such a layout; not all kernels let them be had otherwise.
starts() {
	said=$("$@" "$handoff" --starts 2>&1) || case $said in
	*FATAL:*ThreadSanitizer*) return 1 ;;
	esac
}

if starts env; then
	exec "$handoff"
elif starts setarch "$(uname -m)" -R; then
	exec setarch "$(uname -m)" -R "$handoff"
fi
skip_all "$(echo "$said" | grep -m 1 'FATAL:')"
