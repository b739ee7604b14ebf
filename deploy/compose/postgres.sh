# shellcheck shell=sh
# For backup.sh and restore.sh beside it, which source it: how a program of PostgreSQL runs on the stack's database. In its
# own container and as the application's role; the password is read there and stands in no command line.
# shellcheck disable=SC2016 # the container's shell expands it
pg() {
    docker compose exec --no-TTY postgres sh -c 'PGPASSWORD=$(cat /run/secrets/postgres_password)
        export PGPASSWORD PGHOST=127.0.0.1 PGUSER=tripwire PGDATABASE=tripwire
        exec "$@"' sh "$@"
}

postgres_runs() {
    [ -n "$(docker compose ps --status running --quiet postgres 2>/dev/null)" ]
}

. deploy/compose/settings.sh
BACKUP_FOLDER=$(setting BACKUP_FOLDER backups) BACKUP_KEEP=$(setting BACKUP_KEEP 48)
BACKUP_KEEP_DAYS=$(setting BACKUP_KEEP_DAYS 30)
here=deploy/backup
. deploy/backup/steps.sh
