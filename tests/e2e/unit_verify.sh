#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What `make install` puts in place: the unit satisfies systemd, and a changed weir.ini survives a second install.
set -u

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 1' INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL

n=0
ok() {
	n=$((n + 1))
	echo "ok $n - $1"
}
not_ok() {
	n=$((n + 1))
	echo "not ok $n - $1"
	sed 's/^/# /' "$2"
}
installed() {
	make -C "$WEIR_BUILDDIR" install DESTDIR="$root" >"$root/log" 2>&1
}

echo "1..3"

if ! installed; then
	not_ok "make install DESTDIR=..." "$root/log"
	echo "Bail out! nothing is installed"
	exit 0
fi
ok "make install DESTDIR=..."

unit=$(find "$root" -name weir.service)
if [ -z "$unit" ]; then
	n=$((n + 1))
	echo "ok $n - systemd-analyze verify # SKIP configured without a unit"
elif ! command -v systemd-analyze >/dev/null; then
	n=$((n + 1))
	echo "ok $n - systemd-analyze verify # SKIP systemd-analyze is missing"
else
	# Where systemd looks, whatever the prefix, and beside the targets that it refers to.
	units=/usr/lib/systemd/system
	mkdir -p "$root$units"
	cp -RP /lib/systemd/system/*.target "$root$units/"
	[ "$unit" = "$root$units/weir.service" ] || cp "$unit" "$root$units/"
	systemd-analyze verify --root="$root" --man=no "$units/weir.service" >"$root/log" 2>&1
	status=$?
	if [ $status = 0 ] && [ ! -s "$root/log" ]; then
		ok "systemd-analyze verify says nothing"
	else
		echo "exit status $status" >>"$root/log"
		not_ok "systemd-analyze verify says nothing" "$root/log"
	fi
fi

ini=$(find "$root" -name weir.ini)
echo "; mine" >>"$ini"
if installed && grep -q '^; mine$' "$ini"; then
	ok "a second install leaves weir.ini alone"
else
	not_ok "a second install leaves weir.ini alone" "$root/log"
fi
