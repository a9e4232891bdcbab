#!/bin/bash
# What the entrypoint of the real image documents, as far as compose uses it: folders and their modes at each start; on the
# first, a cluster with the superuser's password, and the files of /docker-entrypoint-initdb.d run on a server that listens
# on its socket alone.
set -euo pipefail

if [ "$1" != postgres ]; then
    exec "$@"
fi
mkdir -p "$PGDATA"
chmod 0700 "$PGDATA" || :
mkdir -p /run/postgresql
chmod 3775 /run/postgresql || :
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    eval "initdb --username=postgres --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") ${POSTGRES_INITDB_ARGS:-} -D '$PGDATA'"
    sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/; s/^#unix_socket_directories = .*/unix_socket_directories = '\/run\/postgresql'/" \
        "$PGDATA/postgresql.conf"
    printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql -v ON_ERROR_STOP=1 --no-psqlrc --username postgres --dbname postgres --file "$file"
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
