#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What `make install` puts in place: the units satisfy systemd, and a changed weir.ini survives a second install.
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

echo "1..4"

if ! installed; then
	not_ok "make install DESTDIR=..." "$root/log"
	echo "Bail out! nothing is installed"
	exit 0
fi
ok "make install DESTDIR=..."

# Where systemd looks, whatever the prefix, and beside the targets that they refer to.
units=/usr/lib/systemd/system
mkdir -p "$root$units"
for name in weir weir-intercept; do
	unit=$(find "$root" -name $name.service)
	[ -z "$unit" ] || [ "$unit" = "$root$units/$name.service" ] || cp "$unit" "$root$units/"
done

verify() {
	if [ ! -e "$root$units/$1" ]; then
		n=$((n + 1))
		echo "ok $n - systemd-analyze verify $1 # SKIP configured without it"
		return
	elif ! command -v systemd-analyze >/dev/null; then
		n=$((n + 1))
		echo "ok $n - systemd-analyze verify $1 # SKIP systemd-analyze is missing"
		return
	fi
	systemd-analyze verify --root="$root" --man=no "$units/$1" >"$root/log" 2>&1
	status=$?
	if [ $status = 0 ] && [ ! -s "$root/log" ]; then
		ok "systemd-analyze verify $1 says nothing"
	else
		echo "exit status $status" >>"$root/log"
		not_ok "systemd-analyze verify $1 says nothing" "$root/log"
	fi
}

cp -RP /lib/systemd/system/*.target "$root$units/" 2>/dev/null
verify weir.service
verify weir-intercept.service

ini=$(find "$root" -name weir.ini)
echo "; mine" >>"$ini"
if installed && grep -q '^; mine$' "$ini"; then
	ok "a second install leaves weir.ini alone"
else
	not_ok "a second install leaves weir.ini alone" "$root/log"
fi
