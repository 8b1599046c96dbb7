#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# netcat through weir: a file each way at once, and each end half-closing while the other one still has to answer.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need nc sha256sum shuf

# A server that sends $answer, and keeps what comes.
server() {
	exec nc -v -l -N 127.0.0.1 "$1" <"$answer" >"$dir/server.out"
}

ini() {
	cat <<-END
		[weir]
		workers = 1
		[listener nc]
		listen = 127.0.0.1:0
		upstream = 127.0.0.1:$server_port
	END
}

echo 1..6
head -c 3000000 /dev/urandom >"$dir/up"
head -c 2000000 /dev/urandom >"$dir/down"
head -c 100 /dev/urandom >"$dir/small"
: >"$dir/nothing"

# The client ends its side first, and gets the whole answer.
answer=$dir/down
somewhere listening server
ini >"$dir/nc.ini"
start_weir <"$dir/nc.ini"
nc -N 127.0.0.1 "$(port_of nc)" <"$dir/up" >"$dir/client.out"
wait "$server"
cmp "$dir/up" "$dir/server.out"
result $? "the server gets what the client sent"
cmp "$dir/down" "$dir/client.out"
result $? "the client gets what the server sent"
eventually grep -q ' up=3000000 down=2000000 .* close=done' "$dir/log"
result $? "the access line has the bytes of both"
stop_weir

# The server ends at once, and gets everything the client has to say.
answer=$dir/nothing
somewhere listening server
ini >"$dir/nc.ini"
start_weir <"$dir/nc.ini"
nc -N 127.0.0.1 "$(port_of nc)" <"$dir/up" >"$dir/client.out"
wait "$server"
cmp "$dir/up" "$dir/server.out" && cmp "$dir/nothing" "$dir/client.out"
result $? "a server that half-closes first gets everything"
stop_weir
