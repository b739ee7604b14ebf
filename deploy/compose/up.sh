#!/bin/sh
# `make up`: makes the secrets that are absent, starts everything, waits until all is healthy, says where it is.
set -eu
cd "$(dirname "$0")/../.."
. deploy/compose/settings.sh
. deploy/compose/place_files.sh
place_files
# The copies' folder is made by us, so that it is ours and not root's.
folder=$(setting BACKUP_FOLDER ./backups)
[ -d "$folder" ] || mkdir -m 700 "$folder"
# Arguments are compose's own, such as --scale worker=3. Without a number there are as many as before; where services are
# named, compose takes no number of another.
words=" $* "
named() { case $words in *" $1 "*) ;; *) return 1 ;; esac; }
some=''
for service in $(docker compose config --services); do if named "$service"; then some=1; fi; done
for service in api admin-ui worker; do
    case $words in *" $service="*) continue ;; esac
    if [ -n "$some" ] && ! named "$service"; then continue; fi
    count=$(docker compose ps --all --quiet "$service" 2>/dev/null | grep -c .) || count=0
    if [ "$count" -gt 1 ]; then set -- --scale "$service=$count" "$@"; fi
done
if ! docker compose up --detach --wait --wait-timeout 180 --remove-orphans "$@"; then
    docker compose ps --all
    fail "Not everything is healthy. Its lines: docker compose logs NAME"
fi
email=$(setting ADMIN_EMAIL admin@example.com)
password=$(cat "$secrets/admin_password")
if [ -e "$secrets/.admin_password_was_given" ]; then password="the one in $secrets/admin_password, as it was given"; fi
# From inside: whether the password is the first admin's (an older database has its own), and a token for the line below.
token=$(docker compose exec --no-TTY --env "EMAIL=$email" api python - <<'PYTHON'
import json, os, urllib.error, urllib.request

with open(os.environ["ADMIN_PASSWORD_FILE"]) as file:
    body = {"email": os.environ["EMAIL"], "password": file.read()}
login = urllib.request.Request(
    f"http://127.0.0.1:{os.environ.get('API_PORT', '8000')}/api/auth/login",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"},
)
past_proxies = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    print(json.load(past_proxies.open(login, timeout=10))["token"])
except urllib.error.HTTPError as error:
    print("refused" if error.code == 401 else "")
except OSError:
    print("")
PYTHON
)
if [ "$token" = refused ]; then
    token=
    password="(unknown: this database had its admins already, and the password here is not theirs)"
fi
trust=
if [ "$EDGE_TLS" = internal ]; then
    # Of the certificate authority that the edge made for itself.
    docker compose cp edge:/data/caddy/pki/authorities/local/root.crt "$secrets/edge_ca.crt" >/dev/null 2>&1 || true
    trust=" --cacert $secrets/edge_ca.crt"
    echo "The certificate is the edge's own, which browsers do not know. For a name on the internet: EDGE_HOST, EDGE_TLS=acme."
fi
cat <<LINES

API       $PUBLIC_URL
Admin UI  $PUBLIC_URL/admin
Admin     $email
Password  $password
Create a customer:
curl$trust -X POST $PUBLIC_URL/api/admin/tripwire/users -H 'Authorization: Bearer ${token:-TOKEN}' -H 'Content-Type: application/json' -d '{"email": "anna@example.com", "full_name": "Anna K."}'
LINES
