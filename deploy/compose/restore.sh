#!/bin/sh
# The copy $1 into the compose stack's empty database, with PostgreSQL started where it stands still, and later migrations
# after it. The services must be stopped (make down), and are started by `make up`.
set -eu
cd "$(dirname "$0")/../.."
. deploy/compose/postgres.sh
[ -e "$secrets/secret_key" ] || fail "$secrets is missing: put the kept copy of that folder back first. \
Without its secret_key links in sent mails are dead, and customers whose password waits are not made."
. deploy/compose/place_files.sh
place_files
docker compose up --detach --wait postgres >/dev/null 2>&1 || fail "PostgreSQL does not start: docker compose logs postgres"
docker compose run --rm --no-TTY database >/dev/null || fail "The application's role and database cannot be made: docker compose logs postgres"
restore "${1:-}"
docker compose run --rm --no-TTY migrate || fail "It is restored, but the later migrations could not be applied."
echo "Start everything: make up"
