#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# PostgreSQL behind inflight-cap: all transactions are done, and PostgreSQL itself counts how many queries it has in hand. (It
# would be wrong to look at pg_stat_activity: its rows are not read at one moment.)
set -u
# shellcheck source=lib.sh
. "$WEIR_SRCDIR/tests/e2e/lib.sh"
need psql setpriv

# Where packages keep what belongs to one version.
for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
	[ ! -x "$bin/initdb" ] || PATH=$bin:$PATH
done
need initdb postgres pgbench

# PostgreSQL does not run as root. To be called in a process of its own, which becomes the command.
as_nobody() {
	[ "$(id -u)" = 0 ] || exec "$@"
	exec setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
}

chmod 711 "$dir"
mkdir "$dir/pg"
[ "$(id -u)" != 0 ] || chown nobody "$dir/pg"
if ! (as_nobody initdb -D "$dir/pg/data" -U weir -A trust -E UTF8 --locale=C --no-sync) >"$dir/initdb" 2>&1; then
	sed 's/^/# /' "$dir/initdb"
	echo "Bail out! initdb fails"
	exit 1
fi
as_nobody postgres -D "$dir/pg/data" -k "$dir/pg" -h '' -c fsync=off -c autovacuum=off -c shared_buffers=16MB \
	-c max_connections=60 >"$dir/server.log" 2>&1 &
server=$!
# Killed outright it would leave its backends alone with their memory.
trap 'kill -INT "$server" 2>/dev/null; wait "$server"; cleanup' EXIT
eventually grep -q 'ready to accept connections' "$dir/server.log" || {
	sed 's/^/# /' "$dir/server.log"
	echo "Bail out! postgres does not come up"
	exit 1
}

start_weir <<END
[weir]
workers = 2
[upstream db]
server = unix:$dir/pg/.s.PGSQL.5432
[policy one]
module = inflight-cap
unit = requests
framing = pgsql
total = 1
[policy four]
module = inflight-cap
unit = requests
framing = pgsql
total = 4
[listener one]
listen = 127.0.0.1:0
upstream = db
policy = one
[listener four]
listen = 127.0.0.1:0
upstream = db
policy = four
END

export PGUSER=weir PGDATABASE=postgres PGCONNECT_TIMEOUT=20

# turn() takes a while, and counts who is in it. Sequences are not rolled back, and the lock makes them exact.
psql -h "$dir/pg" -qAt >"$dir/schema" 2>&1 <<'END'
create sequence inside minvalue 0;
create sequence most minvalue 0;
create sequence turns minvalue 0;
create function turn(client int) returns int language plpgsql as $$
declare
	n int;
begin
	perform pg_advisory_lock(1);
	n := nextval('inside');
	perform setval('most', greatest(n, (select last_value from most)));
	perform nextval('turns');
	perform pg_advisory_unlock(1);
	perform pg_sleep(0.003);
	perform pg_advisory_lock(1);
	perform setval('inside', (select last_value from inside) - 1);
	perform pg_advisory_unlock(1);
	return n;
end $$;
END

echo 1..13
clients=16
transactions=8
sanitized && transactions=5
cat >"$dir/script" <<'END'
select turn(:client_id);
begin;
select turn(:client_id), turn(:client_id);
end;
END

# try LISTENER CAP PROTOCOL
try() {
	psql -h "$dir/pg" -qAt -c "select setval('inside', 0), setval('most', 0), setval('turns', 0)" >>"$dir/schema"
	pgbench -n -h 127.0.0.1 -p "$(port_of "$1")" -M "$3" -c $clients -j 2 -t $transactions -f "$dir/script" \
		>"$dir/client.log" 2>&1 &&
		grep -q "actually processed: $((clients * transactions))/$((clients * transactions))" "$dir/client.log"
	result $? "pgbench -M $3, $clients clients, cap $2: all transactions are done" "$dir/client.log"
	psql -h "$dir/pg" -At -c "select 'inside=' || (select last_value from inside) || ' most=' || (select last_value from most) ||
		' turns=' || (select last_value from turns)" >"$dir/counts" 2>&1
	[ "$(cat "$dir/counts")" = "inside=0 most=$2 turns=$((3 * clients * transactions))" ]
	result $? "never more than $2 at a time, and $2 at some time" "$dir/counts"
}

try four 4 simple
try four 4 extended
try four 4 prepared
try one 1 extended

# ---- errors, and what cannot be counted

port=$(port_of one)
psql -h 127.0.0.1 -p "$port" -c 'select 1/0' -c 'select nothing' -c "do \$\$ begin raise notice 'noticed'; end \$\$" \
	-c 'select 42' >"$dir/client.log" 2>&1
grep -q 42 "$dir/client.log" && grep -q noticed "$dir/client.log"
result $? "errors and notices are answers, too" "$dir/client.log"

psql -h 127.0.0.1 -p "$port" -c "set statement_timeout = '30ms'" -c 'select pg_sleep(60)' >"$dir/client.log" 2>&1
grep -q 'statement timeout' "$dir/client.log" && [ "$(psql -h 127.0.0.1 -p "$port" -At -c 'select 1')" = 1 ] &&
	! grep -q 'requests cannot be matched' "$dir/log"
result $? "so far, everything could be matched" "$dir/client.log"

seq 1000 | psql -h 127.0.0.1 -p "$port" -At -c 'create temporary table t (i int)' -c '\copy t from stdin' \
	-c 'select sum(i) from t' >"$dir/client.log" 2>&1
grep -qx 500500 "$dir/client.log" && grep -q 'policy one (inflight-cap): COPY: requests cannot be matched' "$dir/log"
result $? "COPY works, and the log says that it is not counted" "$dir/client.log"
kill -USR1 "$weir"
eventually grep -q 'policy one (inflight-cap): .*uncounted=1' "$dir/log"
result $? "the status counts it"
stop_weir
