#!/bin/sh
# The night's backup: a dump and a base backup, in a folder each night adds to. For cron: docs/operations.md, "Backup and
# restore". What is not whole has a name that ends in `.part`; it gets its own name once it is on the disk. Ends with an
# error, and leaves the metric as it was, where anything fails.
#
# Under compose (a `.env` is there) this runs in PostgreSQL's container, elsewhere as the user postgres into BACKUP_DIR.

set -eu
cd "$(dirname "$0")/.."

# One at a time, held by this file itself until the script ends.
exec 9<deploy/backup.sh
flock --nonblock 9 || { echo 'Another backup is at work.' >&2; exit 1; }

if [ -f .env ]; then
    as_postgres() { docker compose exec -T postgres "$@"; }
    folder=/backups
else
    as_postgres() { runuser --user postgres -- "$@"; }
    folder=${BACKUP_DIR:-/var/backups/backoffice}
fi

moment=$(date --utc +%Y-%m-%dT%H%M%SZ)
as_postgres sh -eu -s "$folder" "$moment" <<'IN_THE_FOLDER'
cd "$1"
rm -rf ./*.part   # of a night that broke off
pg_dump --username=postgres --format=custom --file="backoffice-$2.dump.part" backoffice
mv "backoffice-$2.dump.part" "backoffice-$2.dump"
pg_basebackup --username=postgres --checkpoint=fast --format=tar --gzip --pgdata="base-$2.part"
mv "base-$2.part" "base-$2"
sync .
IN_THE_FOLDER

# For Prometheus, through node_exporter's textfile collector: how old the newest backup is.
metrics=${TEXTFILE_DIR:-/var/lib/prometheus/node-exporter}
if [ -d "$metrics" ]; then
    cat >"$metrics/backoffice.part" <<END
# HELP backoffice_backup_finished_seconds When the newest backup was whole: seconds since 1970.
# TYPE backoffice_backup_finished_seconds gauge
backoffice_backup_finished_seconds $(date +%s)
END
    chmod 0644 "$metrics/backoffice.part"
    mv "$metrics/backoffice.part" "$metrics/backoffice.prom"
fi
