#!/bin/sh
# `make up`: makes the secrets that are absent, starts everything, waits until all is healthy, says where it is.
set -eu
cd "$(dirname "$0")/../.."
secrets=deploy/compose/secrets
deploy/compose/make_secrets.sh "$secrets"
# Arguments are compose's own, such as --scale worker=2.
if ! docker compose up --detach --wait --wait-timeout 180 --remove-orphans "$@"; then
    docker compose ps --all
    echo "Not everything is healthy. Its lines: docker compose logs NAME" >&2
    exit 1
fi
setting() { # a variable of the environment or of .env, else its default $2
    eval "value=\${$1:-}"
    if [ -z "$value" ] && [ -f .env ]; then value=$(sed -n "s/^$1=//p" .env | tail -n 1); fi
    printf '%s' "${value:-$2}"
}
api="http://127.0.0.1:$(setting PUBLISH_API 8000 | cut -d- -f1)"
email=$(setting ADMIN_EMAIL admin@example.com)
password=$(cat "$secrets/admin_password")
cat <<LINES

API       $api
Admin UI  http://127.0.0.1:$(setting PUBLISH_ADMIN_UI 8080)
Admin     $email
Password  $password

A token, then the first customer:
TOKEN=\$(curl -s $api/api/auth/login -H 'Content-Type: application/json' -d '{"email": "$email", "password": "$password"}' | sed 's/.*"token": *"\([^"]*\)".*/\1/')
curl -i $api/api/admin/tripwire/users -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' -d '{"email": "anna@example.com", "full_name": "Anna K."}'
LINES
