# shellcheck shell=sh disable=SC2034 # those that source it use them
# For the scripts beside it, which source it from the clone's root: variables of the environment or of .env, and what
# follows from them. Compose reads the same.

setting() { # a variable, else its default $2
    eval "value=\${$1:-}"
    if [ -z "$value" ] && [ -f .env ]; then value=$(sed -n "s/^$1=//p" .env | tail -n 1); fi
    printf '%s' "${value:-${2:-}}"
}

secrets=$(setting SECRETS_FOLDER deploy/compose/secrets)
EDGE_HOST=$(setting EDGE_HOST localhost)
EDGE_TLS=$(setting EDGE_TLS internal)
https_port=$(setting EDGE_HTTPS_PORT 8443)
default_url="https://$EDGE_HOST"
[ "$https_port" = 443 ] || default_url="$default_url:$https_port"
PUBLIC_URL=$(setting PUBLIC_URL "$default_url") # what links in mails begin with
# The version that stands here, running or not; `make build` makes "latest", `make deploy` names its own.
TAG=$(setting TAG)
[ -n "$TAG" ] || TAG=$(docker compose ps --all --format '{{.Image}}' api 2>/dev/null | sed -n '1s/.*://p')
TAG=${TAG:-latest}
export EDGE_HOST EDGE_TLS PUBLIC_URL TAG

fail() {
    echo "$*" >&2
    exit 1
}
