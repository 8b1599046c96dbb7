#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs the demo from a build tree: demo/run.sh BUILD [options of the demo...]
set -eu

[ $# -gt 0 ] || {
	echo "usage: $0 BUILD [--seconds N] [--bound MB] [--plain]" >&2
	exit 2
}
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
shift
exec "$build/demo/demo" --weir "$build/src/weir" --policies "$build/policies/.libs" --ini "$top/etc/weir.ini" "$@"
