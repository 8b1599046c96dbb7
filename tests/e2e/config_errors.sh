#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What weir -t says to configurations that are wrong: exactly what config_errors.table has, on stderr, and exit status 1.
# Also to files that are no configurations at all; and that -t, -T and --help-policy do with good ones what they should.

. "${WEIR_SRCDIR:?}/tests/e2e/lib.sh"
: "${WEIR_TEST_MODULES:?}"

umask 022
cd "$dir" || exit 1
: >log
mkdir modules
cp "$WEIR_POLICIES"/*.so "$WEIR_TEST_MODULES"/*.so modules && chmod 755 modules/*.so || exit 1
echo text >modules/text.so
cp modules/watermark.so modules/loose.so && chmod 757 modules/loose.so

# Cuts the table into NUMBER.name, NUMBER.ini (octal escapes still in it) and NUMBER.expected.
awk '
	/^=== / { n++; print substr($0, 5) >(n ".name"); part = "ini"; printf "" >(n ".ini"); printf "" >(n ".expected"); next }
	n && part == "ini" && $0 == "---" { part = "expected"; next }
	n && part == "ini" { print >(n ".ini") }
	n && part == "expected" && $0 != "" { print >(n ".expected") }
' "$WEIR_SRCDIR/tests/e2e/config_errors.table"

set -- ./*.name
cases=$#
echo "1..$((cases + 12))"

# run ARGUMENTS...: leaves out, err and status
run() {
	"$WEIR" "$@" --module-dir modules >out 2>err
	status=$?
}

# refused FILE EXPECTED DESCRIPTION
refused() {
	run -t -f "$1"
	{ [ $status = 1 ] || echo "exit status $status; expected 1"; diff "$2" err; [ ! -s out ] || echo "stdout is not empty"; } >why
	[ ! -s why ]
	result $? "$3" why
}

# says TEXT DESCRIPTION FILE
says() {
	printf '%s\n' "$1" >expected
	refused "$3" expected "$2"
}

i=0
while [ $i -lt "$cases" ]; do
	i=$((i + 1))
	while IFS= read -r line; do
		printf '%b\n' "$line"
	done <$i.ini >weir.ini
	refused weir.ini $i.expected "$(cat $i.name)"
done

says 'missing.ini: cannot open: No such file or directory; expected a readable ini file' 'a missing file' missing.ini
says 'modules: is a directory; expected an ini file' 'a directory' modules

printf '[listener a]\nlisten = 127.0.0.1:0\nupstream = 127.0.0.1:1\n' >good.ini
cp good.ini shut.ini && chmod 0 shut.ini
if [ "$(id -u)" = 0 ]; then
	result 0 'an unreadable file # SKIP root reads all'
else
	says 'shut.ini: cannot open: Permission denied; expected a readable ini file' 'an unreadable file' shut.ini
fi

{ head -c 1048576 /dev/zero | tr '\0' x; echo; cat good.ini; } >long.ini
says 'long.ini:1: a line of 1048576 bytes; expected at most 4000' 'a line of a megabyte' long.ini
{ head -c 4001 /dev/zero | tr '\0' ';'; echo; cat good.ini; } >long.ini
says 'long.ini:1: a line of 4001 bytes; expected at most 4000' 'a line just too long' long.ini

run -t -f "$WEIR"
[ $status = 1 ] && [ ! -s out ] && [ -s err ] && ! grep -qv "^$WEIR:" err
result $? 'a program for a configuration' err

run -t -f good.ini
[ $status = 0 ] && [ ! -s err ] && grep -qx 'good.ini: ok: admits [1-9][0-9]* sessions (limited by [a-z_]*)' out
result $? 'a good one is ok' out

run -T -f good.ini
cp out first.ini
run -T -f first.ini
[ $status = 0 ] && [ ! -s err ] && grep -q '^policy = watermark$' out && diff first.ini out >why
result $? 'what -T prints loads to the same again' why

run --help-policy watermark
[ $status = 0 ] && [ ! -s err ] && grep -q '^watermark - ' out && grep -q '^  high = 256K$' out
result $? '--help-policy tells what there is' out
run --help-policy ../modules/watermark
[ $status = 1 ] && [ ! -s out ] &&
	[ "$(cat err)" = "weir: policy module ../modules/watermark: \"../modules/watermark\" is no module's name; expected at most 64 of a-z, 0-9, '_' and '-'" ]
result $? '--help-policy takes no path' err

chmod 775 modules
says "good.ini:1: [listener a]: the default policy watermark: modules can be written by others (mode 0775); expected write permission for its owner only" \
	'a module directory that others can write' good.ini
chmod 755 modules

"$WEIR" -t -f good.ini --module-dir nowhere >out 2>err
[ $? = 1 ] && [ "$(cat err)" = 'good.ini:1: [listener a]: the default policy watermark: cannot open the module directory nowhere: No such file or directory; expected a directory' ]
result $? 'a module directory that is none' err
