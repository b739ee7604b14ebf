#!/bin/sh
# `here.sh backup` or `here.sh restore FILE`: with the programs of PostgreSQL on PATH, on the database that libpq's
# variables (PGHOST, PGSERVICE ...) lead to; BACKUP_DATABASE is its name in file names. For `python -m deploy.backup`, which
# sets all that, and for the timer in compose.
set -eu
pg() { "$@"; }
here=$(dirname "$0")
# shellcheck source=deploy/backup/steps.sh
. "$here/steps.sh"
case $1 in
    backup) back_up "$BACKUP_DATABASE" ;;
    restore) restore "${2:-}" ;;
esac
