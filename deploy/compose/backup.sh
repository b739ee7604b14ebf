#!/bin/sh
# One copy of the running compose stack's database into BACKUP_FOLDER (backups/): checked, and older ones removed by count and
# age. With pg_dump of the server's own container, over the engine that `docker` speaks to, be it another machine's. One line
# when it is done; status 1 and one line when anything failed.
set -eu
cd "$(dirname "$0")/../.."
. deploy/compose/postgres.sh
postgres_runs || fail "PostgreSQL of the compose stack does not run: make up"
back_up tripwire
