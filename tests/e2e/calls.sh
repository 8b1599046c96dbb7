#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a short connection costs in system calls, counted by strace: above all, what a socket is prepared with once is not
# done again for every session.
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need strace python3
sanitized && skip_all "sanitizers make calls of their own"

cat >"$dir/churn.py" <<'END'
"""churn.py serve | churn.py PORT COUNT: connect, send 1 KiB, get it back, end; 16 at a time."""
import socket
import sys
import threading


def echo(connection):
    with connection:
        while True:
            data = connection.recv(65536)
            if not data:
                return
            connection.sendall(data)


def serve():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def exchange(connection):
    left = 1024
    while left > 0:
        data = connection.recv(left)
        if not data:
            sys.exit("a session ended early")
        left -= len(data)


def churn(port, count):
    for _ in range(0, count, 16):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(16)]
        for client in clients:
            client.sendall(bytes(1024))
        for client in clients:
            exchange(client)
            client.shutdown(socket.SHUT_WR)
        for client in clients:
            if client.recv(1) != b"":
                sys.exit("more than was sent came back")
            client.close()


if sys.argv[1] == "serve":
    serve()
else:
    churn(int(sys.argv[1]), int(sys.argv[2]))
END

# at_most CALLS NAME: that many a connection, in hundredths
at_most() {
	calls=$(awk -v name="$2" '$NF == name { print $4 }' "$dir/calls")
	[ $((${calls:-0} * 100)) -le $(($1 * count_of)) ]
	result $? "$2: ${calls:-0} calls in $count_of connections, at most $1 in a hundred" "$dir/calls"
}

python3 "$dir/churn.py" serve >"$dir/server" 2>&1 &
children="$children $!"
eventually test -s "$dir/server"
start_weir <<END
[weir]
workers = 1
[listener a]
listen = 127.0.0.1:0
upstream = 127.0.0.1:$(cat "$dir/server")
END
port=$(port_of a)
count_of=320
python3 "$dir/churn.py" "$port" 32 || skip_all "no session goes through"

strace -f -c -o "$dir/calls" -p "$weir" 2>"$dir/strace" &
tracer=$!
children="$children $tracer"
eventually grep -q attached "$dir/strace" || skip_all "strace cannot attach"
python3 "$dir/churn.py" "$port" $count_of
status=$?
kill -INT "$tracer"
wait "$tracer"

echo 1..9
result $status "every session is served"
at_most 200 setsockopt
at_most 200 getsockopt
at_most 110 close
at_most 20 socket
at_most 210 epoll_ctl
at_most 210 connect
at_most 2300 total
stop_weir
