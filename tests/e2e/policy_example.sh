#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The examples of weir-policy(3), as a reader would try them: cut out, compiled against the installed header, checked, run.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need pkg-config nc cmp
cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || skip_all "no C compiler"
unset MAKEFLAGS MFLAGS MAKELEVEL

echo 1..10

# What two marks enclose, but for the display's own macros; the page uses no escapes there.
example() {
	sed -n "/^\\.\\\\\" $1 begins/,/^\\.\\\\\" $1 ends/p" "$WEIR_SRCDIR/doc/weir-policy.3" | grep -v '^\.'
}
example example >"$dir/slice.c"
example 'pool example' >"$dir/slots.c"

make -C "$WEIR_BUILDDIR" install-pkgincludeHEADERS install-pkgconfigDATA DESTDIR="$dir/root" >"$dir/make" 2>&1
PKG_CONFIG_LIBDIR=$(dirname "$(find "$dir/root" -name weir.pc)")
PKG_CONFIG_SYSROOT_DIR=$dir/root
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
flags=$(PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 pkg-config --cflags weir 2>>"$dir/make")
[ -n "$flags" ]
result $? "pkg-config knows weir" "$dir/make"
# A module may keep other directories than the prefix's; the one weir was built with is what weir says.
modules=$(pkg-config --variable=moduledir weir)
"$WEIR" -V | grep -q "modules in ${modules#"$dir/root"}\$"
result $? "pkg-config's moduledir is where weir looks"

umask 022
mkdir "$dir/modules"
compile() {
	# shellcheck disable=SC2086 # lists of words
	$cc -std=c11 -Wall -Wextra -Wpedantic -Werror -shared -fPIC -fvisibility=hidden $flags -o "$dir/modules/$1.so" \
		"$dir/$1.c" >"$dir/cc" 2>&1
	result $? "the example $1 compiles without a warning" "$dir/cc"
}
compile slice
compile slots

"$WEIR" --help-policy slice --module-dir "$dir/modules" >"$dir/help" 2>&1 && grep -q 'interval = 100ms' "$dir/help"
result $? "weir tells its options" "$dir/help"

# The page's own configuration, between sockets of ours. A MiB in slices of 256K: the first goes at once, then the flow
# waits; how often depends on how fast the client is.
cp "$WEIR_POLICIES/watermark.so" "$dir/modules/"
WEIR_POLICIES=$dir/modules
head -c 1048576 /dev/urandom >"$dir/sent"
nc -l -N -U "$dir/server" >"$dir/got" </dev/null &
children="$children $!"
eventually test -S "$dir/server"
sed -n '/^\[policy thin\]/,/^\.Ed/p' "$WEIR_SRCDIR/doc/weir-policy.3" | grep -v '^\.' |
	sed "s|^listen =.*|listen = unix:$dir/clients|; s|^upstream =.*|upstream = unix:$dir/server|
		s|^bytes =.*|&\\
interval = 400ms|" >"$dir/example.ini"
start_weir <"$dir/example.ini"
nc -N -U "$dir/clients" <"$dir/sent" >"$dir/nothing"
eventually grep -q 'close=' "$dir/log"
cmp "$dir/sent" "$dir/got" && grep -q ' up=1048576 .* up_paused=[^ ]*thin:[1-9].*close=done' "$dir/log"
result $? "a flow in slices arrives whole, and is paused between them"
stop_weir

# One slot for all clients of unix sockets, who are one. A server that takes nothing keeps it, and the other flow waits.
for name in one other; do
	nc -l -N -U "$dir/$name" >"$dir/$name.got" </dev/null &
	eval "$name=\$!"
	children="$children $!"
	eventually test -S "$dir/$name"
done
start_weir <<-END
	[policy one]
	module = slots
	flows = 1
	[listener one]
	listen = unix:$dir/to-one
	upstream = unix:$dir/one
	policy = one
	[listener other]
	listen = unix:$dir/to-other
	upstream = unix:$dir/other
	policy = one
END
kill -STOP "${one:?}"
nc -N -U "$dir/to-one" <"$dir/sent" >"$dir/nothing" &
children="$children $!"
waits() { # LISTENER STATE: asks weir for its status until the flow up is in that state
	kill -USR1 "$weir"
	grep -q " status .* listener=$1 .* up_state=$2" "$dir/log"
}
eventually waits one blocked
nc -N -U "$dir/to-other" <"$dir/sent" >"$dir/nothing" &
children="$children $!"
eventually waits other held && [ ! -s "$dir/other.got" ]
result $? "a flow without a slot waits for it"
kill -CONT "$one"
eventually grep -q 'listener=other .*close=' "$dir/log"
eventually grep -q 'listener=one .*close=' "$dir/log"
cmp "$dir/sent" "$dir/one.got" && cmp "$dir/sent" "$dir/other.got" &&
	grep -q 'listener=other .* up=1048576 .* up_paused=one:[1-9].*close=done' "$dir/log"
result $? "both arrive whole, one behind the other"
stop_weir
