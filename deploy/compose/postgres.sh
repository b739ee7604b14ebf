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

# A variable of .env, where the environment has none.
for name in BACKUP_FOLDER BACKUP_KEEP BACKUP_KEEP_DAYS; do
    eval "[ -n \"\${$name:-}\" ]" || [ ! -f .env ] || eval "$name=\$(sed -n 's/^$name=//p' .env | tail -n 1)"
done
here=deploy/backup
. deploy/backup/steps.sh
